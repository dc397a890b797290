"""Slices of matrices of any kind, of which one is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from asyncpg_vector._annotations import NDArray

__all__ = ["cut_for_cache", "rows_for_cache", "slice_rows"]

_BLOCK = 256
"""Rows that are taken at a time: so many that the work for a block does not count."""
_CACHE = 1 << 19
"""Bytes of rows that are converted at a time, so that the copies stay in the processor's cache."""


def slice_rows(matrix: Any) -> Iterator[Any]:
    """Slice a matrix into blocks of rows. An object that has no slices is one block."""
    try:
        # SciPy's only form whose rows are quick to take is CSR.
        rows = matrix.tocsr() if hasattr(matrix, "tocsr") else matrix
        count = rows.shape[0] if hasattr(rows, "shape") else len(rows)
        first = _take(rows, range(min(_BLOCK, count)))
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        yield matrix  # such as a sparse tensor
        return
    yield first
    for start in range(_BLOCK, count, _BLOCK):
        yield _take(rows, range(start, min(start + _BLOCK, count)))


def _take(matrix: Any, rows: range) -> Any:
    """Take rows of a matrix, as a matrix of the same kind."""
    if hasattr(matrix, "column_name"):  # a column of a dataset, whose slices are plain lists
        return matrix.source.select(rows)[matrix.column_name]
    by_place = getattr(matrix, "iloc", matrix)  # pandas' own slices may go by labels
    return by_place[rows.start : rows.stop]


def cut_for_cache(rows: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Cut an ndarray of two dimensions into blocks of rows; yield each first number and block."""
    step = rows_for_cache(rows.itemsize * rows.shape[1])
    for start in range(0, len(rows), step):
        yield start, rows[start : start + step]


def rows_for_cache(width: int) -> int:
    """Return how many rows are converted at a time, given the bytes of one."""
    return max(1, _CACHE // max(1, width))
