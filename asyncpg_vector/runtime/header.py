"""The header of a payload, field by field."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from asyncpg_vector.runtime.formats import SIGNS, ByteOrder, number_format

__all__ = ["Header"]


class Header:
    """The header of a type's payloads.

    Args:
        byte_order: of all fields.
        fields: the format of each, and its meaning: the name of a count or of an attribute, or a
            constant.
    """

    def __init__(self, byte_order: ByteOrder, *fields: tuple[str, str | int]) -> None:
        self.byte_order: ByteOrder = byte_order
        self.fields = fields
        letters = "".join(number_format(name, byte_order).letter for name, _ in fields)
        compiled = struct.Struct(SIGNS[byte_order] + letters)
        self.size = compiled.size
        """Bytes of the header, after which the body of a payload begins."""
        self.pack: Callable[..., bytes] = compiled.pack
        """Packs a number for each field."""
        self.unpack_from: Callable[[bytes], tuple[Any, ...]] = compiled.unpack_from
        """Unpacks the fields of a payload; raises struct.error if it is shorter."""
