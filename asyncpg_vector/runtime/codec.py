"""The pair of functions that asyncpg is given for a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Codec", "NativeCodec"]


class Codec(NamedTuple):
    """An encoder and a decoder."""

    encode: Callable[[Any], bytes]
    """Returns the wire payload of a parameter."""

    decode: Callable[[bytes], Any]
    """Returns what a fetched wire payload becomes."""


class NativeCodec(Codec):
    """The native kernel's encoder and decoder."""

    native: Any
    """The kernel's facts of the type, which has more functions."""
