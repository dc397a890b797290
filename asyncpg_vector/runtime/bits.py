"""The bits layout: a value is a string of bits, eight in a byte, the most significant first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Any, ClassVar, Self, TypeAlias

import asyncpg

from asyncpg_vector._annotations import NDArray, NumPyBool, np
from asyncpg_vector._messages import describe
from asyncpg_vector._native import kernel
from asyncpg_vector._numpy import is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedTextError
from asyncpg_vector.runtime.checks import count_error
from asyncpg_vector.runtime.holders import (
    LIST,
    SupportsToList,
    length_error,
    may_be_real,
    read_numbers,
)
from asyncpg_vector.runtime.value import Value, size_error, wrap

__all__ = ["Bits", "BitsInput"]

_WHOLE = "biu"
"""NumPy's letters for the kinds of numbers that can be a bit, if they are 0 or 1."""
_DIGITS = bytes.maketrans(b"\0\1" + b"01", b"01" + b"??")
"""Translates the bytes 0 and 1 into digits, and the digits' own bytes into question marks."""
_SHOWN = 32
"""Bits that ``str()`` shows of a longer value."""


class Packed(tuple[int, bytes]):
    """A number of bits, and their bytes; the bits past the length are zero."""

    __slots__ = ()


class Bits(Value):
    """A string of bits."""

    __slots__ = ()

    layout = "bits"

    _conversion: ClassVar[str] = "binary_quantize() makes bits of it in SQL"

    def __new__(cls, value: BitsInput, /) -> Self:
        try:
            return cls._make(value)
        except InvalidTypeError as error:
            if isinstance(value, int):
                raise size_error(error, cls, value) from None
            raise

    @classmethod
    def _make(cls, value: Any) -> Self:
        if type(value) is LIST or is_ndarray(value):
            return wrap(cls, cls.codec.encode(value))  # the encoder reads it
        return super()._make(value)

    @classmethod
    def read_parameter(cls, value: Any, /) -> Packed:
        if type(value) is Packed:
            return value
        if is_ndarray(value):
            return cls._read_array(value)
        packed: Packed = super().read_parameter(value)
        return packed

    @classmethod
    def _read(cls, value: BitsInput) -> Packed:
        if isinstance(value, str):
            return cls._read_digits(value)
        if isinstance(value, (bytes, bytearray)):
            return cls._pack(8 * len(value), value)
        if isinstance(value, asyncpg.BitString):
            return cls._pack(len(value), value.bytes)
        if isinstance(value, Bits):
            return Packed((len(value), value.to_binary()[value.header.size :]))
        if isinstance(value, Value):
            raise InvalidTypeError(
                f"expected bits, got a {type(value).__name__}; {cls._conversion}"
            )
        flags = read_numbers(value, "bools")
        return cls._read_array(flags) if is_ndarray(flags) else cls._read_flags(flags)

    @classmethod
    def _read_array(cls, value: NDArray[Any]) -> Packed:
        if value.ndim == 1:
            cls._check_length(len(value))  # before all of a longer one is read
        if value.ndim != 1 or value.dtype.kind != "b":
            read_numbers(value, "bools")  # this raises unless it is a row of numbers
            if value.dtype.kind not in _WHOLE or ((value != 0) & (value != 1)).any():
                return cls._read_flags(value.tolist())  # this finds the faulty flag
            value = value.astype(bool)
        return Packed((len(value), loaded_numpy().packbits(value).tobytes()))

    @classmethod
    def _read_flags(cls, flags: Sequence[Any]) -> Packed:
        try:
            plain = (
                type(flags) is LIST and type(sum(flags)) is int
            )  # the sum of NumPy's bools is no int
            digits = bytes(flags).translate(_DIGITS).decode() if plain else "?"
        except Exception:  # noqa: BLE001  # of any kind: the slow way finds the faulty flag
            digits = "?"
        if not _are_digits(digits):  # read them one by one
            digits = "".join(map(_digit, flags, count()))
            if len(digits) != len(flags):
                raise length_error(flags)
        return cls._read_digits(digits)

    @classmethod
    def _read_digits(cls, digits: str) -> Packed:
        if not _are_digits(digits):
            index, odd = next((i, digit) for i, digit in enumerate(digits) if digit not in "01")
            raise MalformedTextError(f"expected digits 0 and 1, got {odd!r} at index {index}")
        size = (len(digits) + 7) // 8
        data = int(digits.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big")
        return Packed((len(digits), data))

    @classmethod
    def _pack(cls, length: int, data: bytes | bytearray) -> Packed:
        """Make the bits past the length zero, as the server does."""
        size, spare = (length + 7) // 8, -length % 8
        if spare:
            data = data[: size - 1] + bytes([data[size - 1] >> spare << spare])
        return Packed((length, bytes(data[:size])))

    @classmethod
    def _check_length(cls, length: int) -> None:
        if length > cls.info.max_dimensions:
            raise count_error(cls.info.sql_name, "bits", 0, cls.info.max_dimensions, length)

    @classmethod
    def _read_text(cls, text: str) -> Packed:
        if text[:1] in ("x", "X"):
            return cls._read_digits(_from_hexadecimal(text[1:]))
        return cls._read_digits(text[1:] if text[:1] in ("b", "B") else text)

    def checked(self) -> Self:
        packed = self._pack(len(self), self._wire[self.header.size :])
        return wrap(type(self), self.codec.encode(packed))

    def to_text(self) -> str:
        data = self._wire[self.header.size :]
        return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"[: len(self)]

    def to_json(self) -> str:
        """Return the digits, the same as `to_text`."""
        return self.to_text()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[01]*$", "maxLength": cls.info.max_dimensions}

    def to_list(self) -> list[bool]:
        """Return the bits as a list of bools."""
        if kernel is not None:
            flags: list[bool] = kernel.unpack_bits(self._wire, self.header.size, len(self))
            return flags
        return [digit == "1" for digit in self.to_text()]

    def to_numpy(self) -> NDArray[np.bool_]:
        import numpy as np

        data = np.frombuffer(self._wire, np.uint8, offset=self.header.size)
        return np.unpackbits(data, count=len(self)).astype(np.bool_)

    def to_bitstring(self) -> asyncpg.BitString:
        """Return asyncpg's own bit string."""
        return asyncpg.BitString.frombytes(self._wire[self.header.size :], len(self))

    def __len__(self) -> int:
        return self.dimensions()

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.to_text()}')"

    def __str__(self) -> str:
        if len(self) <= _SHOWN:
            return repr(self)
        return f"{type(self).__name__}('{self.to_text()[:_SHOWN]}...', {len(self)} bits)"


BitsInput: TypeAlias = (
    str | bytes | bytearray | asyncpg.BitString | Sequence[int | NumPyBool] | SupportsToList | Bits
)
"""Arguments of the constructor."""


def _are_digits(text: str) -> bool:
    return not text.encode("ascii", "replace").translate(None, b"01")


def _digit(flag: Any, index: int) -> str:
    if not isinstance(flag, int) and not (hasattr(flag, "dtype") and may_be_real(flag, _WHOLE)):
        raise InvalidTypeError(f"expected a bool, 0 or 1 at index {index}, got {describe(flag)}")
    if flag not in (0, 1):
        raise InvalidValueError(f"expected a bool, 0 or 1 at index {index}, got {describe(flag)}")
    return "1" if flag else "0"


def _from_hexadecimal(digits: str) -> str:
    odd = re.search("[^0-9a-fA-F]", digits)
    if odd:
        raise MalformedTextError(
            f"expected hexadecimal digits, got {odd[0]!r} at index {odd.start() + 1}"
        )
    return f"{int(digits, 16):0{4 * len(digits)}b}" if digits else ""
