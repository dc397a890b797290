"""Packed bits: eight in a byte, the first bit the most significant, as `numpy.packbits` does."""

from __future__ import annotations

import operator
import struct
from array import array
from collections.abc import Sequence
from itertools import count, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from asyncpg_vector._annotations import Buffer, NDArray, np
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.runtime.holders import (
    LIST,
    SupportsArray,
    SupportsToList,
    length_error,
    may_be_real,
    read_numbers,
)
from asyncpg_vector.runtime.value import Value

if TYPE_CHECKING:
    from asyncpg_vector.runtime.holders import Numbers

__all__ = [
    "PackedInput",
    "check_byte_count",
    "check_spare_bits",
    "read_packed",
    "read_packed_rows",
    "spare_bits",
]

PackedInput: TypeAlias = Buffer | Sequence[int] | SupportsArray | SupportsToList
"""A row of packed bits."""

_WHOLE = "iu"
"""NumPy's letters for the kinds of numbers that can be a byte."""
_PLAIN = ("B", "c")
"""The letters of buffers that are memory of any kind: iterated, bytes are unsigned."""
_LETTERS = (*_PLAIN, "b")
_OF_BOOLS = "; the constructor and from_matrix() read bools"
_SIGN = 0x80
"""The bit that 128 more or less turns over."""
_TURN_OVER = bytes(byte ^ _SIGN for byte in range(256))


class _Kind(NamedTuple):
    """The numbers that stand for bytes."""

    code: str
    """The letter of the format in `array`, `struct` and NumPy."""

    least: int
    most: int

    advice: str
    """The advice for a number of the other kind."""


_UNSIGNED = _Kind("B", 0, 255, "; signed=True reads the signed kind, whose numbers are 128 less")
_SIGNED = _Kind("b", -128, 127, "; without signed=True, the numbers are from 0 to 255")


def read_packed(data: Any, *, signed: bool) -> bytes:
    """Read a row of packed bits.

    Args:
        data: bytes, or numbers in any holder.
        signed: the numbers are 128 less than those of the bytes; plain bytes hold int8.

    Raises:
        InvalidTypeError: it is neither.
        InvalidValueError: a number is out of range.
    """
    if hasattr(data, "as_buffer"):  # a scalar of Arrow's binary
        data = data.as_py()
    held = _read_bytes(data, _SIGNED if signed else _UNSIGNED)
    return held.translate(_TURN_OVER) if signed else held


def read_packed_rows(rows: NDArray[Any], *, signed: bool) -> NDArray[np.uint8] | None:
    """Read the rows of a matrix as bytes; return None if a number in it is no byte."""
    import numpy as np

    kind = _SIGNED if signed else _UNSIGNED
    if rows.dtype.char != kind.code:
        if rows.dtype.kind not in _WHOLE:
            return None
        if rows.min(initial=0) < kind.least or rows.max(initial=0) > kind.most:
            return None
        rows = rows.astype(kind.code)
    packed: NDArray[np.uint8] = rows.view("B")
    return packed ^ np.uint8(_SIGN) if signed else packed


def check_byte_count(length: int, size: int) -> None:
    """Raise InvalidValueError unless so many bits take so many bytes."""
    if -(-length // 8) != size:
        raise InvalidValueError(
            f"expected {-(-length // 8)} bytes for {length} bits, 8 in a byte, got {size}"
        )


def check_spare_bits(packed: bytes, length: int) -> None:
    """Raise InvalidValueError unless the bits past the length are 0."""
    if packed and packed[-1] & spare_bits(length):
        raise InvalidValueError(
            f"expected 0 in the bits past the length {length}, which are in the byte at index "
            f"{len(packed) - 1}, got {packed[-1]:08b}"
        )


def spare_bits(length: int) -> int:
    """Return the last byte of so many bits with the bits past the length set, and no others."""
    return (1 << -length % 8) - 1


def _read_bytes(data: Any, kind: _Kind) -> bytes:
    """Read numbers as the memory of uint8, or of int8."""
    if isinstance(data, Value):
        raise InvalidTypeError(f"expected packed bits, got a {type(data).__name__}")
    letter = _letter_of(data)
    if letter in (*_PLAIN, kind.code):
        return bytes(data)
    numbers = read_numbers(data.tolist() if letter else data, "packed bits")
    if is_ndarray(numbers):
        if numbers.dtype.char == kind.code:
            return numbers.tobytes()
        numbers = numbers.tolist()
    if type(numbers) in (LIST, tuple, array) and {*map(type, numbers)} <= {int}:
        try:
            return struct.pack(f"{len(numbers)}{kind.code}", *numbers)
        except struct.error:
            pass  # the slow way finds the faulty number
    return _read_one_by_one(numbers, kind)


def _letter_of(data: object) -> str:
    """Return the letter of the bytes in a buffer, or nothing of another object."""
    if isinstance(data, (bytes, bytearray)):
        return "B"
    if not isinstance(data, memoryview):
        return ""
    try:
        return data.format if data.ndim == 1 and data.format in _LETTERS else ""
    except ValueError:  # it is released
        return ""


def _read_one_by_one(numbers: Numbers, kind: _Kind) -> bytes:
    held = bytes(map(_read_byte, numbers, count(), repeat(kind)))
    if len(held) != len(numbers):
        raise length_error(numbers)
    return held


def _read_byte(number: Any, index: int, kind: _Kind) -> int:
    expected = f"expected a byte from {kind.least} to {kind.most} at index {index}"
    byte = _read_whole(number)
    if byte is None:
        advice = _OF_BOOLS if _is_bool(number) else ""
        raise InvalidTypeError(f"{expected}, got {describe(number)}{advice}")
    if not kind.least <= byte <= kind.most:
        advice = kind.advice if _SIGNED.least <= byte <= _UNSIGNED.most else ""
        raise InvalidValueError(f"{expected}, got {describe(number)}{advice}")
    return byte & 0xFF


def _read_whole(number: Any) -> int | None:
    """Return a whole number that is no bool, or None of another object."""
    if _is_bool(number) or not may_be_real(number, _WHOLE):
        return None
    try:
        return operator.index(number)
    except TypeError:
        return None


def _is_bool(number: object) -> bool:
    return isinstance(number, bool) or getattr(getattr(number, "dtype", None), "kind", "") == "b"
