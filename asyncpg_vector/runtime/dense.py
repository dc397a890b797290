"""The dense layout: a value has an element for each dimension."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Self,
    SupportsIndex,
    TypeAlias,
    cast,
    overload,
)

import asyncpg

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray, loaded_numpy
from asyncpg_vector.errors import (
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    VectorError,
)
from asyncpg_vector.runtime.base64 import decode_base64
from asyncpg_vector.runtime.digits import WHITESPACE
from asyncpg_vector.runtime.formats import FLOAT32, NumberFormat, number_format
from asyncpg_vector.runtime.holders import (
    LIST,
    REAL,
    Numbers,
    NumbersInput,
    SupportsArray,
    read_numbers,
    read_whole,
)
from asyncpg_vector.runtime.text import NumberText
from asyncpg_vector.runtime.value import (
    SHOWN,
    NumberT,
    ScalarT,
    Value,
    check_dimensions,
    object_schema,
    require_text,
    wrap,
)

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = ["Dense", "DenseInput", "RowsInput"]

MatrixInput: TypeAlias = Sequence[NumbersInput] | SupportsArray
"""What is a matrix, or becomes one."""

RowsInput: TypeAlias = Iterable[Value | asyncpg.Record]
"""What becomes a matrix."""

DenseInput: TypeAlias = NumbersInput | Value
"""What a dense value is made from: numbers in a row, or any other value."""

_LITTLE_FLOAT32 = number_format("float32", "little")
_BLOCK = 1 << 19
"""Bytes of rows that are converted at a time, so that the copies stay in the processor's cache."""


class Attributed(tuple[Numbers, tuple[Any, ...]]):
    """The numbers of a row, and the attributes that a value of it has, in the header's order."""

    __slots__ = ()


class Dense(Value, Generic[NumberT, ScalarT]):
    """A vector with an element for every dimension."""

    __slots__ = ()

    element_format: ClassVar[NumberFormat]
    """The format of an element."""

    number_text: ClassVar[NumberText | None] = None
    """How elements are written in the text form, if the type has one."""

    attribute_formats: ClassVar[Mapping[str, NumberFormat]] = {}
    """The formats of the named attributes, which the header holds beside the dimensions."""

    def __new__(cls, value: DenseInput, /) -> Self:
        return cls._make(value)

    @classmethod
    def read_parameter(cls, value: Any, /) -> Numbers:
        if type(value) is LIST:
            return read_numbers(value)
        if _is_real_row(value):
            return value
        numbers: Numbers = super().read_parameter(value)
        return numbers

    @classmethod
    def read_attributes(cls, value: Any, /) -> tuple[Any, ...]:
        """Return the numbers, and then the attributes, that the constructor was given.

        Raises:
            InvalidTypeError: the value is not of the constructor, and has no attributes; or one of
                them is no number.
            InvalidValueError: an attribute is not finite, or does not fit.
        """
        if not isinstance(value, Attributed):
            arguments = ", ".join(f"{name}=..." for name in cls.attribute_formats)
            raise InvalidTypeError(
                f"expected a {cls.__name__} for {cls.info.sql_name}, "
                f"got {describe(value)}; write {cls.__name__}(..., {arguments})"
            )
        numbers: Numbers = value[0]
        attributes: tuple[Any, ...] = value[1]
        named = zip(cls.attribute_formats.items(), attributes, strict=True)
        for (name, attribute_format), attribute in named:
            try:
                attribute_format.pack([attribute])
            except VectorError as error:
                raise type(error)(f"attribute {name}: {error}") from None
        return numbers, *attributes

    @classmethod
    def _read(cls, value: DenseInput) -> Numbers:
        if type(value) is LIST or _is_real_row(value):
            return cast("Numbers", value)  # which the encoder reads
        if isinstance(value, Value):
            check_dimensions(cls.info, value.dimensions())  # before a sparse one is written out
            value = value.to_list()
        return read_numbers(value)

    @classmethod
    def _read_text(cls, text: str) -> Numbers:
        body = text.strip(WHITESPACE)
        if not (body.startswith("[") and body.endswith("]")):
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as [1,2,3], got {describe(text)}"
            )
        row = body[1:-1]
        return (
            require_text(cls.info, cls.number_text).read(row, cls.element_format, None)
            if row.strip(WHITESPACE)
            else []
        )

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
        raw = decode_base64(data)
        count, rest = divmod(len(raw), FLOAT32.width)
        if rest:
            raise MalformedTextError(
                f"expected base64 of float32, 4 bytes each, got one of {len(raw)} bytes"
            )
        if dimensions is not None and count != read_whole(dimensions, "of dimensions"):
            raise InvalidValueError(
                f"expected base64 of {shorten(dimensions)} dimensions in float32, 4 bytes each, "
                f"got {count} dimensions in {len(raw)} bytes"
            )
        numpy = loaded_numpy()
        numbers = numpy.frombuffer(raw, "<f4") if numpy else _LITTLE_FLOAT32.unpack(raw, 0, count)
        return wrap(cls, cls.codec.encode(numbers))

    def checked(self) -> Self:
        check_dimensions(self.info, len(self))
        self.element_format.check(self._wire[self.header_size :])
        return self

    def to_text(self) -> str:
        return f"[{','.join(require_text(self.info, self.number_text).print(self._numbers()))}]"

    def to_float_base64(self) -> str:
        """Return base64 of little-endian float32, what `from_float_base64` reads."""
        payload = _LITTLE_FLOAT32.pack(self._numbers())
        return binascii.b2a_base64(payload, newline=False).decode()

    def to_list(self) -> list[NumberT]:
        """Return the elements as a list of Python numbers."""
        return self.element_format.unpack_list(self._wire, self.header_size)

    @classmethod
    def from_json(cls, data: Any, /) -> Self:
        if not (cls.attribute_formats and isinstance(data, Mapping)):
            return cls.coerce(data)
        members = cast("Mapping[str, Any]", data)
        if set(members) != {"elements", *cls.attribute_formats}:
            raise InvalidTypeError(
                f"expected an object of elements, {', '.join(cls.attribute_formats)}, "
                f"got {describe(members)}"
            )
        elements, *attributes = (members[name] for name in ("elements", *cls.attribute_formats))
        return cls._with_attributes(elements, *attributes)

    def to_json(self) -> Any:
        """Return a list of the elements; with attributes, a dict of these and of that list."""
        if not self.attribute_formats:
            return self.to_list()
        return {"elements": self.to_list(), **self._named_attributes()}

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        elements = {
            "type": "array",
            "items": {"type": cls.element_format.json_type},
            "minItems": 1,
            "maxItems": cls.info.max_dimensions,
        }
        if not cls.attribute_formats:
            return elements
        attributes = {
            name: {"type": each.json_type} for name, each in cls.attribute_formats.items()
        }
        return object_schema({"elements": elements, **attributes})

    @classmethod
    def _with_attributes(cls, value: DenseInput, *attributes: Any) -> Self:
        """Make a value of its elements and of its attributes, in the order of the header."""
        return wrap(cls, cls.codec.encode(Attributed((cls._read(value), attributes))))

    def _named_attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.attribute_formats}

    def to_numpy(self) -> NDArray[ScalarT]:
        """Return the elements as a new ndarray of shape (dimensions,), in native byte order."""
        return self.element_format.unpack_array(self._wire, self.header_size)

    def dimensions(self) -> int:
        """Return the number of dimensions, the same as ``len()``."""
        return len(self)

    def __len__(self) -> int:
        return (len(self._wire) - self.header_size) // self.element_format.width

    @overload
    def __getitem__(self, key: int, /) -> NumberT: ...
    @overload
    def __getitem__(self, key: slice, /) -> Self: ...
    def __getitem__(self, key: int | slice, /) -> NumberT | Self:
        """Return an element, or a value of the same class of some of the elements."""
        if type(key) is int and key >= 0:  # as a loop asks for each, which there is no __iter__ for
            element = self.element_format
            try:
                offset = self.header_size + key * element.width
                number: NumberT = element.unpack_from(self._wire, offset)[0]
            except (struct.error, OverflowError):
                pass  # there is no such element, as is said below
            else:
                return number
        if isinstance(key, slice):
            return self._make(self.to_list()[key])
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
            values = cls._read_rows(rows, cls._make)
            _refuse_ragged(values)
            return values
        if rows.shape == (0,):
            return []
        if rows.ndim != 2:
            raise InvalidTypeError(f"expected two dimensions, got an array of shape {rows.shape}")
        import numpy as np

        header = cls.codec.encode(np.zeros(rows.shape[1], "f4"))[: cls.header_size]
        step = _rows_in_a_block(rows.itemsize * rows.shape[1])
        return [
            value
            for start in range(0, len(rows), step)
            for value in cls._read_block(header, rows[start : start + step], start)
        ]

    @classmethod
    def _read_block(cls, header: bytes, rows: NDArray[Any], first: int) -> list[Self]:
        """Make values of some rows of a matrix; messages call the first one `first`."""
        import numpy as np

        narrowed = cls.element_format.narrow_array(rows)
        if narrowed is None:
            return cls._read_rows(rows, cls._make, first)
        wires = np.empty(len(rows), cls._wire_dtype(rows.shape[1]))
        wires["header"] = np.void(header)
        wires["elements"] = narrowed
        return [wrap(cls, wire) for wire in wires.view(f"V{wires.itemsize}").tolist()]

    @classmethod
    def to_matrix(cls, values: RowsInput, /) -> NDArray[ScalarT]:
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
            return np.empty((0, 0), cls.element_format.dtype)
        wires = [row.to_binary() for row in rows]
        if len(set(map(len, wires))) > 1:
            _refuse_ragged(rows)
        dimensions = len(rows[0])
        matrix: NDArray[ScalarT] = np.empty((len(wires), dimensions), cls.element_format.dtype)
        step = _rows_in_a_block(len(wires[0]))
        for start in range(0, len(wires), step):
            block = b"".join(wires[start : start + step])
            elements = np.frombuffer(block, cls._wire_dtype(dimensions))["elements"]
            matrix[start : start + step] = cls.element_format.widen_array(elements)
        return matrix

    @classmethod
    def _wire_dtype(cls, dimensions: int) -> list[Any]:
        """Describe a wire payload to NumPy."""
        header = ("header", f"V{cls.header_size}")
        return [header, ("elements", cls.element_format.wire_dtype, (dimensions,))]

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
        return self.element_format.unpack(self._wire, self.header_size, len(self))

    def _canonical(self) -> bytes:
        return self.element_format.canonical(self._wire, self.header_size)

    def __repr__(self) -> str:
        elements = ", ".join(self.element_format.literals(self._numbers()))
        attributes = (f", {name}={value!r}" for name, value in self._named_attributes().items())
        return f"{type(self).__name__}([{elements}]{''.join(attributes)})"

    def __str__(self) -> str:
        if len(self) <= SHOWN:
            return repr(self)
        shown = ", ".join(self.element_format.literals(self._numbers()[:SHOWN]))
        return f"{type(self).__name__}([{shown}, ...], {len(self)} dimensions)"


def _is_real_row(value: object) -> TypeIs[NDArray[Any]]:
    return is_ndarray(value) and value.ndim == 1 and value.dtype.kind in REAL


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


def _refuse_ragged(rows: Sequence[Dense[Any, Any]]) -> None:
    """Raise if a row has another number of dimensions than the first."""
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InvalidValueError(
                f"row {index}: expected {len(rows[0])} dimensions, as row 0 has, got {len(row)}"
            )


def _rows_in_a_block(width: int) -> int:
    """Return how many rows of so many bytes are converted at a time."""
    return max(1, _BLOCK // max(1, width))
