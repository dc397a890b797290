"""Slices of matrices of any kind, of which one is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["slice_rows"]

_BLOCK = 256
"""Rows that are taken at a time: so many that the work for a block does not count."""


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
