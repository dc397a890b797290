"""Matrices: many values of one number of dimensions, converted at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeAlias, overload

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._numpy import import_numpy, loaded_numpy
from asyncpg_vector.runtime.arrays import NullableRows
from asyncpg_vector.runtime.formats import NumberFormat
from asyncpg_vector.runtime.holders import NumbersInput
from asyncpg_vector.runtime.rows import ColumnInput, Rows, RowsInput, Tensor, refuse_ragged
from asyncpg_vector.runtime.slices import cut_for_cache, rows_for_cache
from asyncpg_vector.runtime.value import NumberT, ScalarT

__all__ = ["MatrixInput", "MatrixRow"]

MatrixInput: TypeAlias = Tensor | Sequence[NumbersInput]
"""A matrix, or rows that become one."""


class MatrixRow(Rows, Generic[NumberT, ScalarT]):
    """A value that has an element for each dimension, and can be a row of a matrix."""

    __slots__ = ()

    element_format: ClassVar[NumberFormat]
    """The format of an element."""

    attribute_formats: ClassVar[Mapping[str, NumberFormat]] = {}
    """The formats of the named attributes, which the header holds beside the dimensions."""

    @overload
    @classmethod
    def from_matrix(cls, matrix: MatrixInput, /) -> list[Self]: ...
    @overload
    @classmethod
    def from_matrix(cls, matrix: ColumnInput, /) -> list[Self | None]: ...
    @classmethod
    def from_matrix(cls, matrix: MatrixInput | ColumnInput, /) -> list[Any]:
        """Make a value of each row of a matrix, all of them at once.

        Args:
            matrix: an ndarray or tensor of shape (rows, dimensions), or another object that
                becomes one; a column of rows, such as one of Arrow; or a list, or another sequence,
                of arguments for the constructor.

        Returns:
            A list of values. None stands for a null row of a column.

        Raises:
            InvalidTypeError, InvalidValueError: the constructor would refuse a row, rows have
                different numbers of dimensions, or the array has another shape. The message has
                the row's number.
        """
        return cls._read_matrix(matrix, 0)

    @classmethod
    def _read_list(
        cls, rows: Sequence[Any], first: int, read_row: Callable[[Any], Any]
    ) -> list[Any]:
        are_nullable = type(rows) is NullableRows
        native = cls._native()
        made: list[Any] | None = native and native.from_matrix(cls, rows, are_nullable)
        return super()._read_list(rows, first, read_row) if made is None else made

    @classmethod
    def _read_array(cls, rows: NDArray[Any], first: int) -> list[Self]:
        if cls.attribute_formats:  # a row of numbers lacks attributes
            return cls._read_list([*rows], first, cls._make)
        native = cls._native()
        made: list[Self] | None = native and native.from_matrix(cls, rows, False)  # noqa: FBT003
        if made is not None:
            return made
        import numpy as np

        header = cls.codec.encode(np.zeros(rows.shape[1], "f4"))[: cls.header.size]
        return [
            value
            for start, block in cut_for_cache(rows)
            for value in cls._read_block(header, block, first + start)
        ]

    @classmethod
    def _read_block(cls, header: bytes, rows: NDArray[Any], first: int) -> list[Self]:
        """Make values of some rows of a matrix; `first` is the number of the first in messages."""
        narrowed = cls.element_format.narrow_array(rows)
        if narrowed is None:
            return cls._read_rows(rows, cls._make, first)
        return cls._wrap_rows(header, narrowed)

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
        step = rows_for_cache(len(wires[0]))
        wire_dtype = cls._wire_dtype(cls.element_format.wire_dtype, dimensions)
        for start in range(0, len(wires), step):
            block = b"".join(wires[start : start + step])
            elements = np.frombuffer(block, wire_dtype)["body"]
            matrix[start : start + step] = cls.element_format.widen_array(elements)
        return matrix
