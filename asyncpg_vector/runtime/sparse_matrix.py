"""Sparse matrices: many sparse values of one number of dimensions, converted at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any, ClassVar, Generic, Self, TypeAlias, overload

from asyncpg_vector._annotations import NDArray, sparse
from asyncpg_vector.runtime.compressed import CompressedRows
from asyncpg_vector.runtime.formats import NumberFormat
from asyncpg_vector.runtime.holders import REAL
from asyncpg_vector.runtime.rows import ColumnInput, Rows, RowsInput, Tensor, refuse_ragged
from asyncpg_vector.runtime.slices import cut_for_cache
from asyncpg_vector.runtime.sparse_holders import Entries, SupportsToCsr, read_sparse_matrix
from asyncpg_vector.runtime.value import NumberT, ScalarT, check_dimensions, wrap

__all__ = ["SparseMatrixInput", "SparseMatrixRow", "for_scipy"]

SparseMatrixInput: TypeAlias = SupportsToCsr | Tensor | Sequence[Any]
"""A sparse matrix or a dense one, or rows that become one."""

_WIDEST = 1 << 20
"""Dimensions of dense rows that are read at once; of a longer row, the constructor reads pieces."""


class SparseMatrixRow(Rows, Generic[NumberT, ScalarT]):
    """A value that has elements for some dimensions, and can be a row of a sparse matrix."""

    __slots__ = ()

    element_format: ClassVar[NumberFormat]
    """The format of an element."""

    index_format: ClassVar[NumberFormat]
    """The format of an index."""

    @overload
    @classmethod
    def from_matrix(cls, matrix: SparseMatrixInput, /) -> list[Self]: ...
    @overload
    @classmethod
    def from_matrix(cls, matrix: ColumnInput, /) -> list[Self | None]: ...
    @classmethod
    def from_matrix(cls, matrix: SparseMatrixInput | ColumnInput, /) -> list[Any]:
        """Make a value of each row of a matrix, all of them at once.

        Entries of a row that have the same column add up, and zeros are dropped.

        Args:
            matrix: a SciPy sparse array or matrix, best in CSR; a sparse tensor (COO or CSR); a
                dense matrix, as an ndarray or tensor of shape (rows, dimensions), or another object
                that becomes one; a column of dense rows, such as one of Arrow; or a list, or
                another sequence, of arguments for the constructor.

        Returns:
            A list of values. None stands for a null row of a column.

        Raises:
            InvalidTypeError, InvalidValueError: the constructor would refuse a row, rows have
                different numbers of dimensions, or the matrix has another shape. The message has
                the row's number.
        """
        return cls._read_matrix(matrix, 0)

    @classmethod
    def _read_matrix(cls, matrix: Any, first: int) -> list[Any]:
        rows = read_sparse_matrix(matrix)
        return (
            super()._read_matrix(matrix, first)
            if rows is None
            else cls._read_compressed(rows, first)
        )

    @classmethod
    def _read_compressed(cls, rows: CompressedRows, first: int) -> list[Self]:
        check_dimensions(cls.info, rows.dimensions)
        return [
            value
            for start, block in rows.blocks()
            for value in cls._read_block(block, first + start)
        ]

    @classmethod
    def _read_block(cls, rows: CompressedRows, first: int) -> list[Self]:
        ordered = rows.in_order()
        values = cls._convert(ordered)
        if values is not None:
            return values
        entries = (
            Entries((columns, numbers, rows.dimensions)) for columns, numbers in ordered.rows()
        )
        return cls._read_rows(entries, cls._make_of_entries, first)

    @classmethod
    def _make_of_entries(cls, entries: Entries) -> Self:
        return wrap(cls, cls.codec.encode(entries))

    @classmethod
    def _read_array(cls, rows: NDArray[Any], first: int) -> list[Self]:
        check_dimensions(cls.info, rows.shape[1])
        return [
            value
            for start, block in cut_for_cache(rows)
            for value in cls._read_array_block(block, first + start)
        ]

    @classmethod
    def _read_array_block(cls, rows: NDArray[Any], first: int) -> list[Self]:
        may_be_converted = rows.dtype.kind in REAL and rows.shape[1] <= _WIDEST
        values = cls._convert(CompressedRows.of_dense(rows)) if may_be_converted else None
        return cls._read_rows(rows, cls._make, first) if values is None else values

    @classmethod
    def _convert(cls, rows: CompressedRows) -> list[Self] | None:
        """Make values of rows in order; return None if each row has to be looked at."""
        import numpy as np

        narrowed = cls.element_format.narrow_array(rows.numbers)
        if narrowed is None or not rows.are_in_range():
            return None
        rows = rows._replace(numbers=narrowed).keep(cls.element_format.widen_array(narrowed) != 0)
        counts = np.diff(rows.pointers)
        most = cls.info.max_nnz
        if most is not None and (counts > most).any():
            return None
        return cls._join(rows, set(counts.tolist()))

    @classmethod
    def _join(cls, rows: CompressedRows, counts: set[int]) -> list[Self]:
        """Make values of the bytes of rows that have `counts` entries each."""
        headers = {nnz: cls._pack_header(rows.dimensions, nnz) for nnz in counts}
        indices = memoryview(rows.columns.astype(cls.index_format.wire_dtype).tobytes())
        elements = memoryview(rows.numbers.tobytes())
        wide, high = cls.index_format.width, cls.element_format.width
        return [
            wrap(
                cls,
                b"".join(
                    (
                        headers[stop - start],
                        indices[start * wide : stop * wide],
                        elements[start * high : stop * high],
                    )
                ),
            )
            for start, stop in pairwise(rows.pointers.tolist())
        ]

    @classmethod
    def _pack_header(cls, dimensions: int, nnz: int) -> bytes:
        counts: dict[Any, int] = {"dimensions": dimensions, "nnz": nnz}
        return cls.header.pack(*(counts.get(meaning, meaning) for _, meaning in cls.header.fields))

    @classmethod
    def to_matrix(cls, values: RowsInput, /) -> sparse.csr_array:
        """Return values as one SciPy array of shape (values, dimensions) in CSR.

        Args:
            values: values, or other parameters of the type, of the same number of dimensions; or
                fetched records of one column.

        Raises:
            InvalidTypeError, InvalidValueError: a row is no parameter of the type, or has another
                number of dimensions than the first. The message has the row's number.
        """
        from scipy.sparse import csr_array

        rows = cls._read_values(values)
        refuse_ragged(rows)
        wires = [row.to_binary() for row in rows]
        start, wide = cls.header.size, cls.index_format.width
        counts = [(len(wire) - start) // (wide + cls.element_format.width) for wire in wires]
        ends = [start + wide * count for count in counts]
        indices = b"".join(wire[start:end] for wire, end in zip(wires, ends, strict=True))
        elements = b"".join(wire[end:] for wire, end in zip(wires, ends, strict=True))
        arrays = (
            for_scipy(cls.element_format.unpack_array(elements, 0)),
            cls.index_format.unpack_array(indices, 0),
            list(accumulate(counts, initial=0)),
        )
        return csr_array(arrays, shape=(len(rows), rows[0].dimensions() if rows else 0))


def for_scipy(numbers: NDArray[Any]) -> NDArray[Any]:
    """Widen float16, of which SciPy has no sparse arrays."""
    return numbers.astype("f4") if numbers.dtype.char == "e" else numbers
