"""The dense layout: u16 dimensions, u16 reserved, elements (pgvector, vector_recv)."""

from __future__ import annotations

import binascii
import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Generic, Self, SupportsIndex, TypeAlias, overload

import asyncpg

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._elements import FLOAT32, Element
from asyncpg_vector._inputs import (
    LIST,
    Numbers,
    NumbersInput,
    SupportsArray,
    read_numbers,
    read_whole,
)
from asyncpg_vector._layouts.value import (
    SHOWN,
    NumberT,
    Value,
    check_dimensions,
    check_length,
    check_reserved,
    new_value,
    set_wire,
    unpack_header,
    wrap,
)
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray, loaded_numpy
from asyncpg_vector._text import WHITESPACE
from asyncpg_vector.errors import (
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    VectorError,
)

__all__ = ["Dense", "DenseInput", "RowsInput"]

MatrixInput: TypeAlias = Sequence[NumbersInput] | SupportsArray
"""What is a matrix, or becomes one."""

RowsInput: TypeAlias = Iterable[Value | asyncpg.Record]
"""What becomes a matrix."""

DenseInput: TypeAlias = NumbersInput | Value
"""What a dense value is made from: numbers in a row, or any other value."""

_HEADER = struct.Struct(">HH")
_ELEMENTS = _HEADER.size
"""Where the elements begin, in a payload."""
_START = slice(_ELEMENTS)
_BLOCK = 1 << 19
"""Bytes of rows that are converted at a time, so that the copies stay in the processor's cache."""


class Dense(Value, Generic[NumberT]):
    """A vector with an element for every dimension."""

    __slots__ = ()

    _element: ClassVar[Element]
    """The format of an element."""
    _headers: ClassVar[dict[int, bytes]]
    """The headers of the payloads that were decoded, by the payloads' lengths."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._headers = {}

    def __new__(cls, value: DenseInput, /) -> Self:
        return super().__new__(cls, value)

    @classmethod
    def _pack(cls, value: DenseInput) -> bytes:
        if type(value) is LIST:
            return cls._pack_row(read_numbers(value))
        if is_ndarray(value):
            return cls._pack_array(value)
        if isinstance(value, Value):
            check_dimensions(cls.info, value.dimensions())  # before a sparse one is written out
            value = value.to_list()
        return cls._pack_row(read_numbers(value))

    @classmethod
    def _pack_array(cls, value: NDArray[Any]) -> bytes:
        if value.ndim == 1:
            header = cls._header(len(value))  # before a longer one is narrowed
            narrowed = cls._element.narrow(value)
            if narrowed is not None:
                # NumPy's stubs say that an array is a buffer from Python 3.12 on.
                return b"".join((header, narrowed))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        return cls._pack_row(read_numbers(value))  # or an error tells what is wrong

    @classmethod
    def _pack_row(cls, numbers: Numbers) -> bytes:
        return cls._header(len(numbers)) + cls._element.pack(numbers)

    @classmethod
    def _header(cls, dimensions: int) -> bytes:
        if not 0 < dimensions <= cls.info.max_dimensions:
            check_dimensions(cls.info, dimensions)
        return _HEADER.pack(dimensions, 0)

    @classmethod
    def _read(cls, text: str) -> bytes:
        body = text.strip(WHITESPACE)
        if not (body.startswith("[") and body.endswith("]")):
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as [1,2,3], got {describe(text)}"
            )
        row = body[1:-1]
        payload = cls._element.read(row) if row.strip(WHITESPACE) else b""
        return cls._header(len(payload) // cls._element.width) + payload

    @classmethod
    def from_float_base64(
        cls, data: str | bytes, /, *, dimensions: SupportsIndex | None = None
    ) -> Self:
        """Read base64 of little-endian float32, as embedding APIs send vectors.

        The base64 is of float32 for every class, whatever its own element format: two halves would
        be read as one float32, which is another number.

        Args:
            data: base64 of the standard alphabet, padded, of 4 bytes for each dimension.
            dimensions: how many are expected, which tells base64 of another precision from that of
                float32; None for any number.

        Raises:
            InvalidTypeError: `data` is no str or bytes, or `dimensions` is no whole number.
            MalformedTextError: it is no base64, or not of whole float32.
            InvalidValueError: too many dimensions, or none, or another number than expected; or a
                number that does not fit.
        """
        raw = _decode_base64(data)
        if len(raw) % FLOAT32.width:
            raise MalformedTextError(
                f"expected base64 of float32, 4 bytes each, got one of {len(raw)} bytes"
            )
        count = len(raw) // FLOAT32.width
        if dimensions is not None and count != read_whole(dimensions, "of dimensions"):
            raise InvalidValueError(
                f"expected base64 of {shorten(dimensions)} dimensions in float32, 4 bytes each, "
                f"got {count} dimensions in {len(raw)} bytes"
            )
        numpy = loaded_numpy()
        if numpy:
            return wrap(cls, cls._pack_array(numpy.frombuffer(raw, "<f4")))
        header = cls._header(count)
        payload = _swap(raw)
        if cls._element.code == FLOAT32.code:
            cls._element.check(payload)
        else:
            payload = cls._element.pack(FLOAT32.unpack(payload, 0, count))
        return wrap(cls, header + payload)

    @classmethod
    def decode(cls, data: bytes, /) -> Self:
        # The length of a good payload tells its header, and a column has few lengths.
        if type(data) is not bytes or cls._headers.get(len(data)) != data[_START]:
            value = super().decode(data)
            cls._headers[len(data)] = bytes(data[_START])
            return value
        value = new_value(cls)  # as wrap does, in half the time of everything here
        set_wire(value, data)
        return value

    @classmethod
    def _check_header(cls, wire: bytes) -> None:
        dimensions, reserved = unpack_header(cls.info, _HEADER, wire)
        check_reserved(cls.info, reserved)
        check_length(cls.info, wire, _HEADER.size + dimensions * cls._element.width)

    @classmethod
    def _check(cls, wire: bytes) -> bytes:
        payload = wire[_ELEMENTS:]
        check_dimensions(cls.info, len(payload) // cls._element.width)
        cls._element.check(payload)
        return wire

    def to_text(self) -> str:
        return f"[{','.join(self._element.print(self._numbers()))}]"

    def to_float_base64(self) -> str:
        """Return base64 of little-endian float32, what `from_float_base64` reads."""
        payload = _swap(FLOAT32.pack(self._numbers()))
        return binascii.b2a_base64(payload, newline=False).decode()

    def to_list(self) -> list[NumberT]:
        """Return the elements as a list of Python numbers."""
        return self._element.unpack_list(self._wire, _ELEMENTS)

    def to_json(self) -> list[NumberT]:
        """Return the elements as a list of Python numbers."""
        return self.to_list()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": cls._element.json_type},
            "minItems": 1,
            "maxItems": cls.info.max_dimensions,
        }

    def to_numpy(self) -> NDArray[Any]:
        return self._element.unpack_array(self._wire, _ELEMENTS)

    def dimensions(self) -> int:
        """Return the number of dimensions, the same as ``len()``."""
        return len(self)

    def __len__(self) -> int:
        return (len(self._wire) - _ELEMENTS) // self._element.width

    @overload
    def __getitem__(self, key: int, /) -> NumberT: ...
    @overload
    def __getitem__(self, key: slice, /) -> Self: ...
    def __getitem__(self, key: int | slice, /) -> NumberT | Self:
        """Return an element, or a value of the same class of some of the elements."""
        if type(key) is int and key >= 0:  # as a loop asks for each, which there is no __iter__ for
            element = self._element
            try:
                number: NumberT = element.unpack_one(self._wire, _ELEMENTS + key * element.width)[0]
            except (struct.error, OverflowError):
                pass  # there is no such element, as is said below
            else:
                return number
        if isinstance(key, slice):
            return type(self)(self.to_list()[key])
        try:
            index = range(len(self))[key]
        except IndexError:
            raise IndexError(
                f"expected an index from {-len(self)} to {len(self) - 1}, got {shorten(key)}"
            ) from None
        return self[index]

    @classmethod
    def from_matrix(cls, matrix: MatrixInput, /) -> list[Self]:
        """Make a value of each row of a matrix, all of them at once.

        Args:
            matrix: an ndarray of shape (rows, dimensions), or what NumPy makes one of; or rows that
                the constructor takes.

        Raises:
            InvalidTypeError, InvalidValueError: as the constructor does, with the row's number; and
                for rows of different lengths, or an array of another shape.
        """
        rows = matrix if isinstance(matrix, (list, tuple)) else _as_rows(matrix)
        if not is_ndarray(rows):
            values = cls._read_rows(rows, cls)
            _refuse_ragged(values)
            return values
        if rows.shape == (0,):
            return []
        if rows.ndim != 2:
            raise InvalidTypeError(f"expected two dimensions, got an array of shape {rows.shape}")
        step = _rows_in_a_block(rows.itemsize * rows.shape[1])
        return [
            value
            for start in range(0, len(rows), step)
            for value in cls._read_block(rows[start : start + step], start)
        ]

    @classmethod
    def _read_block(cls, rows: NDArray[Any], first: int) -> list[Self]:
        """Make values of some rows of a matrix; messages call the first one `first`."""
        import numpy as np

        header = cls._header(rows.shape[1])
        narrowed = cls._element.narrow(rows)
        if narrowed is None:
            return cls._read_rows(rows, cls, first)
        wires = np.empty(len(rows), cls._wire_dtype(rows.shape[1]))
        wires["header"] = np.void(header)
        wires["elements"] = narrowed
        return [wrap(cls, wire) for wire in wires.view(f"V{wires.itemsize}").tolist()]

    @classmethod
    def to_matrix(cls, values: RowsInput, /) -> NDArray[Any]:
        """Return values as one ndarray of shape (values, dimensions), in native byte order.

        Args:
            values: of the same number of dimensions; or fetched records of one column, which may
                hold what a value is made from.

        Raises:
            InvalidTypeError, InvalidValueError: a row is no value, or has another number of
                dimensions than the first; the message has its number.
        """
        import numpy as np

        if not isinstance(values, Iterable):
            raise InvalidTypeError(f"expected values, got {describe(values)}")
        rows = cls._read_rows(values, cls._read_record)
        if not rows:
            return np.empty((0, 0), cls._element.native_dtype)
        wires = [row.to_binary() for row in rows]
        if len(set(map(len, wires))) > 1:
            _refuse_ragged(rows)
        dimensions = len(rows[0])
        matrix = np.empty((len(wires), dimensions), cls._element.native_dtype)
        step = _rows_in_a_block(len(wires[0]))
        for start in range(0, len(wires), step):
            block = b"".join(wires[start : start + step])
            elements = np.frombuffer(block, cls._wire_dtype(dimensions))["elements"]
            matrix[start : start + step] = elements
        return matrix

    @classmethod
    def _wire_dtype(cls, dimensions: int) -> list[Any]:
        """Describe a wire payload to NumPy."""
        header = ("header", f"V{_HEADER.size}")
        return [header, ("elements", cls._element.wire_dtype, (dimensions,))]

    @classmethod
    def _read_rows(
        cls, rows: Iterable[Any], read: Callable[[Any], Self], first: int = 0
    ) -> list[Self]:
        """Read each row that is no value yet; messages call the first one `first`."""
        return [
            row if type(row) is cls else cls._read_row(row, read, index)
            for index, row in enumerate(rows, first)
        ]

    @classmethod
    def _read_row(cls, row: Any, read: Callable[[Any], Self], index: int) -> Self:
        try:
            return read(row)
        except VectorError as error:
            raise type(error)(f"row {index}: {error}") from None

    @classmethod
    def _read_record(cls, row: Any) -> Self:
        """Make a value of a record of one column, or of what may stand in one."""
        if isinstance(row, asyncpg.Record):
            if len(row) != 1:
                raise InvalidTypeError(f"expected one column, got {', '.join(row.keys())}")
            row = row[0]
        return cls.coerce(row)

    def _numbers(self) -> tuple[NumberT, ...]:
        return self._element.unpack(self._wire, _ELEMENTS, len(self))

    def _canonical(self) -> bytes:
        return self._element.canonical(self._wire[_ELEMENTS:])

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join(self._element.literals(self._numbers()))}])"

    def __str__(self) -> str:
        if len(self) <= SHOWN:
            return repr(self)
        shown = ", ".join(self._element.print(self._numbers()[:SHOWN]))
        return f"{type(self).__name__}([{shown}, ...], {len(self)} dimensions)"


def _as_rows(matrix: Any) -> Numbers:
    """Make an ndarray of a matrix, or a list of rows that hold masked numbers or objects."""
    import numpy as np

    if not hasattr(matrix, "__array__"):
        raise InvalidTypeError(f"expected a matrix, got {describe(matrix)}")
    array: NDArray[Any] = np.asarray(matrix)
    masked: bool = isinstance(matrix, np.ma.MaskedArray)
    if array.ndim == 0 or not (masked or array.dtype.kind == "O"):
        return array
    return [*(matrix if masked else array)]


def _refuse_ragged(rows: Sequence[Dense[Any]]) -> None:
    """Raise if a row has another number of dimensions than the first."""
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InvalidValueError(
                f"row {index}: expected {len(rows[0])} dimensions, as row 0 has, got {len(row)}"
            )


def _rows_in_a_block(width: int) -> int:
    """Return how many rows of so many bytes are converted at a time."""
    return max(1, _BLOCK // max(1, width))


def _decode_base64(data: str | bytes) -> bytes:
    """Decode base64 with no leniency: what is decoded must encode to the very same text."""
    if not isinstance(data, (str, bytes)):
        raise InvalidTypeError(f"expected base64 as str or bytes, got {describe(data)}")
    try:
        raw = binascii.a2b_base64(data)
    except ValueError as error:  # which binascii.Error is, too
        raise MalformedTextError(f"expected base64, got {describe(data)}: {error}") from None
    # What was skipped makes the text too long; the bits that the end has to spare may not be zero.
    whole, rest = divmod(len(raw), 3)
    end = data[-4:].encode() if isinstance(data, str) else data[-4:]
    spare = rest and end != binascii.b2a_base64(raw[-rest:], newline=False)
    if len(data) != 4 * (whole + bool(rest)) or spare:
        raise MalformedTextError(
            f"expected base64 of the standard alphabet, padded, no more, got {describe(data)}"
        )
    return raw


def _swap(payload: bytes) -> bytes:
    """Turn little-endian float32 into big-endian ones or back, on a machine of either order."""
    words = array("f", payload)
    words.byteswap()
    return words.tobytes()
