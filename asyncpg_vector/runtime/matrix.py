"""Matrices: many values of one number of dimensions, converted at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeAlias

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import import_numpy, is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError
from asyncpg_vector.runtime.formats import NumberFormat
from asyncpg_vector.runtime.holders import Numbers, NumbersInput, SupportsArray
from asyncpg_vector.runtime.rows import Rows, RowsInput, refuse_ragged
from asyncpg_vector.runtime.value import NumberT, ScalarT, wrap

__all__ = ["MatrixInput", "MatrixRow"]

MatrixInput: TypeAlias = Sequence[NumbersInput] | SupportsArray
"""A matrix, or rows that become one."""

_BLOCK = 1 << 19
"""Bytes of rows that are converted at a time, so that the copies stay in the processor's cache."""


class MatrixRow(Rows, Generic[NumberT, ScalarT]):
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
        return cls._read_matrix(matrix, 0)

    @classmethod
    def _read_matrix(cls, matrix: MatrixInput, first: int) -> list[Self]:
        rows = matrix if isinstance(matrix, (list, tuple)) else _as_rows(matrix)
        if not is_ndarray(rows) or cls.attribute_formats:  # a row of numbers lacks attributes
            values = cls._read_rows(rows, cls._make, first)
            refuse_ragged(values, first)
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
            for value in cls._read_block(header, rows[start : start + step], first + start)
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
        rows = cls._read_values(values)
        native = cls._native()
        copied: NDArray[ScalarT] | None = native and native.to_matrix(cls, rows)
        if copied is not None:
            return copied
        wires = [row.to_binary() for row in rows]
        if len(set(map(len, wires))) > 1:
            refuse_ragged(rows)
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


def _rows_in_a_block(width: int) -> int:
    """Return how many rows are converted at a time, given the bytes of one."""
    return max(1, _BLOCK // max(1, width))
