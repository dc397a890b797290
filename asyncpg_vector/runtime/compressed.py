"""Compressed sparse rows (CSR): the entries of many rows in three ndarrays."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import shorten
from asyncpg_vector.errors import InvalidValueError

__all__ = ["CompressedRows"]

_BLOCK = 1 << 16
"""Entries that are converted at a time, so that the copies stay in the processor's cache."""


class CompressedRows(NamedTuple):
    """Rows of a sparse matrix.

    Row n has the entries from ``pointers[n]`` to ``pointers[n + 1]``.
    """

    dimensions: int
    pointers: NDArray[Any]
    columns: NDArray[Any]
    """The column of each entry."""
    numbers: NDArray[Any]
    """The number of each entry."""

    @classmethod
    def of_csr(
        cls,
        shape: tuple[int, ...],
        pointers: NDArray[Any],
        columns: NDArray[Any],
        numbers: NDArray[Any],
    ) -> CompressedRows:
        """Check the pointers of another library's arrays.

        Raises:
            InvalidValueError: an entry is in no row, or in several.
        """
        rows, dimensions = shape
        count = len(columns)
        ascend = bool((pointers[:-1] <= pointers[1:]).all())
        if (
            len(pointers) != rows + 1
            or (pointers[0], pointers[-1]) != (0, count)
            or not ascend
            or len(numbers) != count
        ):
            raise InvalidValueError(
                f"expected {rows + 1} pointers that ascend from 0 to {len(numbers)} for "
                f"{count} columns, got {shorten(pointers.tolist())}"
            )
        return cls(dimensions, pointers.astype("i8"), columns, numbers)

    @classmethod
    def of_coo(
        cls,
        shape: tuple[int, ...],
        rows: NDArray[Any],
        columns: NDArray[Any],
        numbers: NDArray[Any],
    ) -> CompressedRows:
        """Make rows of coordinates in any order.

        Raises:
            InvalidValueError: a row is out of range.
        """
        import numpy as np

        if (rows[:-1] > rows[1:]).any():
            order = rows.argsort(kind="stable")
            rows, columns, numbers = rows[order], columns[order], numbers[order]
        pointers = np.searchsorted(rows, np.arange(shape[0] + 1))
        return cls.of_csr(shape, pointers, columns, numbers)

    @classmethod
    def of_dense(cls, matrix: NDArray[Any]) -> CompressedRows:
        """Make rows of the numbers of a matrix that are not zero."""
        import numpy as np

        # NumPy finds flags in one dimension ten times faster than numbers in two.
        (places,) = (matrix != 0).ravel().nonzero()
        rows, columns = np.divmod(places, matrix.shape[1])
        return cls.of_coo(matrix.shape, rows, columns, matrix[rows, columns])

    def blocks(self) -> Iterator[tuple[int, CompressedRows]]:
        """Yield some rows at a time, and the number of the first."""
        pointers: Any = self.pointers
        start = 0
        while start < len(pointers) - 1:
            stop = int(pointers.searchsorted(pointers[start] + _BLOCK, "right")) - 1
            stop = max(start + 1, stop)  # a row is not divided
            yield start, self._slice(start, stop)
            start = stop

    def _slice(self, start: int, stop: int) -> CompressedRows:
        pointers = self.pointers[start : stop + 1]
        entries = slice(int(pointers[0]), int(pointers[-1]))
        return self._replace(
            pointers=pointers - pointers[0],
            columns=self.columns[entries],
            numbers=self.numbers[entries],
        )

    def in_order(self) -> CompressedRows:
        """Sort the entries of each row by their columns, and add up those of the same column."""
        import numpy as np

        columns = self.columns
        rows = np.arange(len(self.pointers) - 1).repeat(np.diff(self.pointers))
        if ((columns[:-1] < columns[1:]) | (rows[:-1] < rows[1:])).all():
            return self
        order = np.lexsort((columns, rows))
        rows, columns = rows[order], columns[order]
        is_first = np.append(True, (rows[:-1] < rows[1:]) | (columns[:-1] < columns[1:]))
        (firsts,) = is_first.nonzero()
        return self._replace(
            pointers=rows[firsts].searchsorted(np.arange(len(self.pointers))),
            columns=columns[firsts],
            numbers=np.add.reduceat(self.numbers[order], firsts, dtype=self.numbers.dtype),
        )

    def are_in_range(self) -> bool:
        """Tell whether all columns are below the number of dimensions, and none is negative."""
        columns = self.columns
        return not len(columns) or bool(columns.min() >= 0 and columns.max() < self.dimensions)

    def keep(self, kept: NDArray[Any]) -> CompressedRows:
        """Keep the entries that are marked."""
        if kept.all():
            return self
        import numpy as np

        before = np.append(0, kept.cumsum())
        return self._replace(
            pointers=before[self.pointers],
            columns=self.columns[kept],
            numbers=self.numbers[kept],
        )

    def rows(self) -> Iterator[tuple[list[int], list[Any]]]:
        """Yield the columns and the numbers of each row."""
        columns, numbers = self.columns.tolist(), self.numbers.tolist()
        for start, stop in pairwise(self.pointers.tolist()):
            yield columns[start:stop], numbers[start:stop]
