"""Matrices: many values of one number of dimensions, converted at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, ClassVar, Generic, Self, TypeAlias

import asyncpg

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import import_numpy, is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, VectorError
from asyncpg_vector.runtime.formats import NumberFormat
from asyncpg_vector.runtime.holders import LIST, Numbers, NumbersInput, SupportsArray
from asyncpg_vector.runtime.value import NumberT, ScalarT, Value, wrap

__all__ = ["MatrixInput", "MatrixRow", "RowsInput"]

MatrixInput: TypeAlias = Sequence[NumbersInput] | SupportsArray
"""A matrix, or rows that become one."""

RowsInput: TypeAlias = Iterable[Value | asyncpg.Record]
"""Values, or records of one column, that become a matrix."""

_BLOCK = 1 << 19
"""Bytes of rows that are converted at a time, so that the copies stay in the processor's cache."""


class MatrixRow(Value, Generic[NumberT, ScalarT]):
    """A value that has an element for each dimension, and can be a row of a matrix."""

    __slots__ = ()

    element_format: ClassVar[NumberFormat]
    """The format of an element."""

    attribute_formats: ClassVar[Mapping[str, NumberFormat]] = {}
    """The formats of the named attributes, which the header holds beside the dimensions."""

    @classmethod
    def from_matrix(cls, matrix: MatrixInput, /) -> list[Self]:
        """Make a value of each row of a matrix, all of them at once.

        Args:
            matrix: an ndarray of shape (rows, dimensions), or an object that NumPy makes one of; or
                a list or tuple of arguments for the constructor.

        Raises:
            InvalidTypeError, InvalidValueError: the constructor would refuse a row, rows have
                different numbers of dimensions, or the array has another shape. The message has
                the row's number.
        """
        rows = matrix if isinstance(matrix, (list, tuple)) else _as_rows(matrix)
        if not is_ndarray(rows) or cls.attribute_formats:  # a row of numbers lacks attributes
            values = cls._read_rows(rows, cls._make)
            _refuse_ragged(values)
            return values
        if rows.shape == (0,):
            return []
        if rows.ndim != 2:
            raise InvalidTypeError(f"expected two dimensions, got an array of shape {rows.shape}")
        native = cls._native()
        made: list[Self] | None = native and native.from_matrix(cls, rows)
        if made is not None:
            return made
        import numpy as np

        header = cls.codec.encode(np.zeros(rows.shape[1], "f4"))[: cls.header.size]
        step = _rows_in_a_block(rows.itemsize * rows.shape[1])
        return [
            value
            for start in range(0, len(rows), step)
            for value in cls._read_block(header, rows[start : start + step], start)
        ]

    @classmethod
    def _read_block(cls, header: bytes, rows: NDArray[Any], first: int) -> list[Self]:
        """Make values of some rows of a matrix; `first` is the number of the first in messages."""
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
            values: values, or other parameters of the type, of the same number of dimensions; or
                fetched records of one column.

        Raises:
            InvalidTypeError, InvalidValueError: a row is no parameter of the type, or has another
                number of dimensions than the first. The message has the row's number.
        """
        np = loaded_numpy() or import_numpy()
        if not isinstance(values, Iterable):
            raise InvalidTypeError(f"expected values, got {describe(values)}")
        rows = cls._read_rows(_take_out(values), cls._read_record)
        native = cls._native()
        copied: NDArray[ScalarT] | None = native and native.to_matrix(cls, rows)
        if copied is not None:
            return copied
        wires = [row.to_binary() for row in rows]
        if len(set(map(len, wires))) > 1:
            _refuse_ragged(rows)
        dimensions = rows[0].dimensions() if rows else 0
        matrix: NDArray[ScalarT] = np.empty((len(wires), dimensions), cls.element_format.dtype)
        if not rows:
            return matrix
        step = _rows_in_a_block(len(wires[0]))
        for start in range(0, len(wires), step):
            block = b"".join(wires[start : start + step])
            elements = np.frombuffer(block, cls._wire_dtype(dimensions))["elements"]
            matrix[start : start + step] = cls.element_format.widen_array(elements)
        return matrix

    @classmethod
    def _wire_dtype(cls, dimensions: int) -> list[Any]:
        """Describe a payload to NumPy."""
        header = ("header", f"V{cls.header.size}")
        return [header, ("elements", cls.element_format.wire_dtype, (dimensions,))]

    @classmethod
    def _read_rows(
        cls, rows: Iterable[Any], read: Callable[[Any], Self], first: int = 0
    ) -> list[Self]:
        """Read each row that is no value yet; `first` is the number of the first in messages."""
        if type(rows) is LIST and {*map(type, rows)} == {cls}:
            return [*rows]
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
        """Make a value of a record of one column, or of a parameter."""
        if isinstance(row, asyncpg.Record):
            if len(row) != 1:
                raise InvalidTypeError(f"expected one column, got {', '.join(row.keys())}")
            row = row[0]
        return cls.coerce(row)


def _take_out(rows: Iterable[Any]) -> Iterable[Any]:
    """Take the values out of a list of records of one column, all of them at once."""
    if type(rows) is LIST and {*map(type, rows)} == {asyncpg.Record} and {*map(len, rows)} == {1}:
        return [*map(itemgetter(0), rows)]
    return rows


def _as_rows(matrix: Any) -> Numbers:
    """Make an ndarray of a matrix; of one with masked numbers or objects, a list of its rows."""
    import numpy as np

    if not hasattr(matrix, "__array__"):
        raise InvalidTypeError(f"expected a matrix, got {describe(matrix)}")
    array: NDArray[Any] = np.asarray(matrix)
    masked: bool = isinstance(matrix, np.ma.MaskedArray)
    if array.ndim == 0 or not (masked or array.dtype.kind == "O"):
        return array
    return [*(matrix if masked else array)]


def _refuse_ragged(rows: Sequence[Any]) -> None:
    """Raise if a row has another number of dimensions than the first."""
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InvalidValueError(
                f"row {index}: expected {len(rows[0])} dimensions, as row 0 has, got {len(row)}"
            )


def _rows_in_a_block(width: int) -> int:
    """Return how many rows are converted at a time, given the bytes of one."""
    return max(1, _BLOCK // max(1, width))
