"""The bits layout: a value is a string of bits, eight in a byte, the most significant first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import count, repeat
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex, TypeAlias, overload

import asyncpg

from asyncpg_vector._annotations import NDArray, NumPyBool, np
from asyncpg_vector._messages import describe
from asyncpg_vector._native import kernel
from asyncpg_vector._numpy import import_numpy, is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedTextError
from asyncpg_vector.runtime.arrays import open_blocks
from asyncpg_vector.runtime.checks import count_error
from asyncpg_vector.runtime.holders import (
    LIST,
    SupportsToList,
    length_error,
    may_be_real,
    read_numbers,
    read_whole,
)
from asyncpg_vector.runtime.packed import (
    PackedInput,
    check_byte_count,
    check_spare_bits,
    read_packed,
    read_packed_rows,
    spare_bits,
)
from asyncpg_vector.runtime.rows import ColumnInput, Rows, RowsInput, Tensor, refuse_ragged
from asyncpg_vector.runtime.value import Value, show_short, wrap

__all__ = ["Bits", "BitsInput", "BitsMatrixInput", "PackedInput", "PackedMatrixInput"]

_WHOLE = "biu"
"""NumPy's letters for the kinds of numbers that can be a bit, if they are 0 or 1."""
_DIGITS = bytes.maketrans(b"\0\1" + b"01", b"01" + b"??")
"""Translates the bytes 0 and 1 into digits, and the digits' own bytes into question marks."""
_LEAST_BYTE, _MOST_BYTE = -128, 255
"""The numbers that stand for bytes of packed bits, of either kind."""
_SHOWN = 32
"""Bits that ``str()`` shows of a longer value."""


class Packed(tuple[int, bytes]):
    """A number of bits, and their bytes; the bits past the length are zero."""

    __slots__ = ()


class Bits(Rows):
    """A string of bits."""

    __slots__ = ()

    layout = "bits"

    _conversion: ClassVar[str] = "binary_quantize() makes bits of it in SQL"

    def __new__(cls, value: BitsInput, /) -> Self:
        return cls._construct(value)

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
            return cls._read_row_of_array(value)
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
            return Packed((len(value), value.to_bytes()))
        if isinstance(value, Value):
            raise InvalidTypeError(
                f"expected bits, got a {type(value).__name__}; {cls._conversion}"
            )
        flags = read_numbers(value, "bools")
        return cls._read_row_of_array(flags) if is_ndarray(flags) else cls._read_flags(flags)

    @classmethod
    def from_packed(
        cls, data: PackedInput, /, *, length: SupportsIndex | None = None, signed: bool = False
    ) -> Self:
        """Read packed bits: eight in a byte, the first bit the most significant.

        `numpy.packbits` packs bits so, and embedding APIs do.

        Args:
            data: bytes, or a row of numbers from 0 to 255.
            length: the number of bits, which is below that of whole bytes if the last byte has
                spare bits; None for eight bits of each byte. The spare bits are 0. To keep fewer
                bits, drop bytes before.
            signed: the numbers are from -128 to 127, 128 less than the unsigned ones, as embedding
                APIs send for "binary"; plain bytes then hold int8.

        Raises:
            InvalidTypeError: `data` is something else, or `length` is no whole number.
            InvalidValueError: a number is out of range, `length` takes more or fewer bytes, a spare
                bit is not 0, or there are too many bits.
        """
        packed = read_packed(data, signed=signed)
        bits = cls._count_bits(len(packed), length)
        check_spare_bits(packed, bits)
        return wrap(cls, cls.codec.encode(Packed((bits, packed))))

    @classmethod
    def _count_bits(cls, size: int, length: SupportsIndex | None) -> int:
        """Return the number of bits in so many bytes."""
        if length is None:
            return 8 * size
        bits = read_whole(length, "of bits")
        cls._check_length(bits)
        check_byte_count(bits, size)
        return bits

    @overload
    @classmethod
    def from_matrix(cls, matrix: BitsMatrixInput, /) -> list[Self]: ...
    @overload
    @classmethod
    def from_matrix(cls, matrix: ColumnInput, /) -> list[Self | None]: ...
    @classmethod
    def from_matrix(cls, matrix: BitsMatrixInput | ColumnInput, /) -> list[Any]:
        """Make a value of each row of a matrix, all of them at once.

        Args:
            matrix: an ndarray of shape (rows, bits) of bools, or of 0 and 1, or another object that
                becomes one; a column of rows, such as one of Arrow; or a list, or another sequence,
                of arguments for the constructor.

        Returns:
            A list of values. None stands for a null row of a column.

        Raises:
            InvalidTypeError, InvalidValueError: the constructor would refuse a row, rows have
                different numbers of bits, or the array has another shape. The message has the
                row's number.
        """
        return cls._read_matrix(matrix, 0)

    @classmethod
    def _read_array(cls, rows: NDArray[Any], first: int) -> list[Self]:
        packed = _pack_rows(rows)
        if packed is None:
            return cls._read_rows(rows, cls._make, first)
        return cls._wrap_packed(packed, rows.shape[1])

    @overload
    @classmethod
    def from_packed_matrix(
        cls,
        matrix: PackedMatrixInput,
        /,
        *,
        length: SupportsIndex | None = None,
        signed: bool = False,
    ) -> list[Self]: ...
    @overload
    @classmethod
    def from_packed_matrix(
        cls, matrix: ColumnInput, /, *, length: SupportsIndex | None = None, signed: bool = False
    ) -> list[Self | None]: ...
    @classmethod
    def from_packed_matrix(
        cls,
        matrix: PackedMatrixInput | ColumnInput,
        /,
        *,
        length: SupportsIndex | None = None,
        signed: bool = False,
    ) -> list[Any]:
        """Make a value of each row of a matrix of packed bits, all of them at once.

        Args:
            matrix: an ndarray of shape (rows, bytes) of whole numbers, or another object that
                becomes one; a column of rows, such as one of Arrow; or a list, or another sequence,
                of arguments for `from_packed`.
            length: the number of bits of each row, as for `from_packed`.
            signed: as for `from_packed`.

        Returns:
            A list of values. None stands for a null row of a column.

        Raises:
            InvalidTypeError, InvalidValueError: `from_packed` would refuse a row, rows have
                different numbers of bits, or the array has another shape. The message has the
                row's number.
        """
        options: dict[str, Any] = {"length": length, "signed": signed}
        read_array = partial(cls._read_packed_array, **options)
        read_row = partial(cls.from_packed, **options)
        return cls._read_blocks(open_blocks(matrix), 0, read_array, read_row)

    @classmethod
    def _read_packed_array(
        cls, rows: NDArray[Any], first: int, *, length: SupportsIndex | None, signed: bool
    ) -> list[Self]:
        packed = read_packed_rows(rows, signed=signed)
        if packed is not None:
            bits = cls._count_bits(packed.shape[1], length)
            if not (packed[:, -1:] & spare_bits(bits)).any():
                return cls._wrap_packed(packed, bits)
        return cls._read_rows(rows, partial(cls.from_packed, length=length, signed=signed), first)

    @classmethod
    def _wrap_packed(cls, packed: NDArray[np.uint8], bits: int) -> list[Self]:
        """Make a value of each row of bytes, whose spare bits are 0."""
        return cls._wrap_rows(cls.codec.encode(Packed((bits, b""))), packed)

    @classmethod
    def to_matrix(cls, values: RowsInput, /) -> NDArray[np.bool_]:
        """Return values as one ndarray of bools, of shape (values, bits).

        Args:
            values: values, or other parameters of the type, of the same number of bits; or fetched
                records of one column.

        Raises:
            InvalidTypeError, InvalidValueError: a row is no parameter of the type, or has another
                number of bits than the first. The message has the row's number.
        """
        numpy = loaded_numpy() or import_numpy()
        packed, bits = cls._join(values)
        flags: NDArray[np.bool_] = numpy.unpackbits(packed, axis=1, count=bits).view("?")
        return flags

    @classmethod
    def to_packed_matrix(cls, values: RowsInput, /) -> NDArray[np.uint8]:
        """Return values as one ndarray of bytes, of shape (values, bytes), with packed bits.

        `from_packed_matrix` reads it; the bits past the length are 0.

        Args:
            values: as for `to_matrix`.

        Raises:
            InvalidTypeError, InvalidValueError: as `to_matrix` does.
        """
        packed, _ = cls._join(values)
        return packed.copy()

    @classmethod
    def _join(cls, values: RowsInput) -> tuple[NDArray[np.uint8], int]:
        """Return the bytes of all values, and the number of bits of each."""
        numpy = loaded_numpy() or import_numpy()
        rows = cls._read_values(values)
        wires = [row.to_binary() for row in rows]
        if len({wire[: cls.header.size] for wire in wires}) > 1:
            refuse_ragged(rows)
        if not rows:
            return numpy.empty((0, 0), "B"), 0
        size = len(wires[0]) - cls.header.size
        joined: NDArray[Any] = numpy.frombuffer(b"".join(wires), cls._wire_dtype("B", size))
        return joined["body"], len(rows[0])

    @classmethod
    def _read_row_of_array(cls, value: NDArray[Any]) -> Packed:
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
            digits = "".join(map(_digit, flags, count(), repeat(cls.__name__)))
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
        if not 0 <= length <= cls.info.max_dimensions:
            raise count_error(cls.info.sql_name, "bits", 0, cls.info.max_dimensions, length)

    @classmethod
    def _read_text(cls, text: str) -> Packed:
        if text[:1] in ("x", "X"):
            return cls._read_digits(_from_hexadecimal(text[1:]))
        return cls._read_digits(text[1:] if text[:1] in ("b", "B") else text)

    def checked(self) -> Self:
        packed = self._pack(len(self), self.to_bytes())
        return wrap(type(self), self.codec.encode(packed))

    def to_text(self) -> str:
        data = self.to_bytes()
        return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"[: len(self)]

    def to_json(self) -> str:
        """Return the digits, the same as `to_text`."""
        return self.to_text()

    @classmethod
    def json_schema(cls, dimensions: int | None = None) -> dict[str, Any]:
        least = {} if dimensions is None else {"minLength": dimensions}
        most = {"maxLength": dimensions or cls.info.max_dimensions}
        return {"type": "string", "pattern": "^[01]*$", **least, **most}

    def to_bytes(self) -> bytes:
        """Return the packed bits, which `from_packed` reads; the bits past the length are 0."""
        return self._wire[self.header.size :]

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
        return asyncpg.BitString.frombytes(self.to_bytes(), len(self))

    def __len__(self) -> int:
        return self.dimensions()

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.to_text()}')"

    def __str__(self) -> str:
        if len(self) <= _SHOWN:
            return repr(self)
        return f"{type(self).__name__}('{self.to_text()[:_SHOWN]}...', {len(self)} bits)"

    _repr_pretty_ = show_short


BitsInput: TypeAlias = (
    str | bytes | bytearray | asyncpg.BitString | Sequence[int | NumPyBool] | SupportsToList | Bits
)
"""Arguments of the constructor."""
if TYPE_CHECKING:
    BitsMatrixInput: TypeAlias = NDArray[Any] | Tensor | Sequence[BitsInput]
    """A matrix of bools, or arguments of the constructor that become its rows."""
    PackedMatrixInput: TypeAlias = NDArray[Any] | Tensor | Sequence[PackedInput]
    """A matrix of packed bits, or arguments of `from_packed` that become its rows."""
else:  # NDArray would import NumPy
    BitsMatrixInput = PackedMatrixInput = Any


def _pack_rows(rows: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Pack the rows of a matrix of flags; return None if a number in it is no flag."""
    if rows.dtype.kind not in _WHOLE:
        return None
    if rows.dtype.kind != "b" and (rows.min(initial=0) < 0 or rows.max(initial=0) > 1):
        return None
    packed: NDArray[np.uint8] = loaded_numpy().packbits(rows, axis=1)
    return packed


def _are_digits(text: str) -> bool:
    return not text.encode("ascii", "replace").translate(None, b"01")


def _digit(flag: Any, index: int, class_name: str) -> str:
    message = f"expected a bool, 0 or 1 at index {index}, got {describe(flag)}"
    if not isinstance(flag, int) and not (hasattr(flag, "dtype") and may_be_real(flag, _WHOLE)):
        raise InvalidTypeError(message + _advise_for_fraction(flag, class_name))
    if flag not in (0, 1):
        raise InvalidValueError(message + _advise_for_byte(flag, class_name))
    return "1" if flag else "0"


def _advise_for_fraction(number: object, class_name: str) -> str:
    if not isinstance(number, Real) or isinstance(number, Integral):
        return ""
    return f"; {class_name}(row > 0) makes bits of an ndarray of numbers"


def _advise_for_byte(number: object, class_name: str) -> str:
    if not isinstance(number, Integral) or not _LEAST_BYTE <= int(number) <= _MOST_BYTE:
        return ""
    kind = ", with signed=True" if int(number) < 0 else ""
    return (
        f"; {class_name}.from_packed() and {class_name}.from_packed_matrix() read packed bits, "
        f"eight in a byte{kind}"
    )


def _from_hexadecimal(digits: str) -> str:
    odd = re.search("[^0-9a-fA-F]", digits)
    if odd:
        raise MalformedTextError(
            f"expected hexadecimal digits, got {odd[0]!r} at index {odd.start() + 1}"
        )
    return f"{int(digits, 16):0{4 * len(digits)}b}" if digits else ""
