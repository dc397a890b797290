"""The two functions that asyncpg is given for a type, and the class that they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncpg_vector._layouts.value import Value

__all__ = ["Codec"]


class Codec(NamedTuple):
    """A value class with its encoder and decoder."""

    value_class: type[Value]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
