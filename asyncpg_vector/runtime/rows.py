"""Rows: many values that are read at once, and errors that have the row's number."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Self, TypeAlias

import asyncpg

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, VectorError
from asyncpg_vector.runtime.arrays import NullableRows, open_blocks
from asyncpg_vector.runtime.holders import LIST
from asyncpg_vector.runtime.value import Value

__all__ = ["Rows", "RowsInput", "refuse_ragged"]

RowsInput: TypeAlias = Iterable[Value | asyncpg.Record]
"""Values, or records of one column, that become a matrix."""

_BLOCK = 256
"""Rows that are values at a time: so many that the work for a block does not count."""


class Rows(Value):
    """A value of which many are read at once."""

    __slots__ = ()

    @classmethod
    def _read_matrix(cls, matrix: Any, first: int) -> list[Any]:
        """Make a value of each row of a matrix, or of a block of one; None stands for a null row.

        Args:
            matrix: what the layout's `from_matrix` takes.
            first: the number of the first row in messages.
        """
        blocks = open_blocks(matrix)
        values: list[Any] = []
        for block in blocks:
            start = first + len(values)
            is_array = is_ndarray(block)
            values += cls._read_array(block, start) if is_array else cls._read_list(block, start)
        if len(blocks) > 1:
            refuse_ragged(values, first)
        return values

    @classmethod
    @abstractmethod
    def _read_array(cls, rows: NDArray[Any], first: int) -> list[Any]:
        """Make a value of each row of an ndarray."""

    @classmethod
    def _read_list(cls, rows: Sequence[Any], first: int) -> list[Any]:
        are_nullable = type(rows) is NullableRows
        values = cls._read_rows(rows, cls._make_nullable if are_nullable else cls._make, first)
        refuse_ragged(values, first)
        return values

    @classmethod
    def _make_nullable(cls, row: Any) -> Any:
        return None if row is None else cls._make(row)

    @classmethod
    def iter_matrix(cls, matrix: Any, /) -> Iterator[Self | None]:
        """Yield the values of a matrix that may be larger than memory, a block at a time.

        Args:
            matrix: what `from_matrix` takes; or an iterator of such matrices, whose rows follow
                each other.

        Raises:
            InvalidTypeError, InvalidValueError: `from_matrix` would refuse the rows. The message
                has the row's number, which counts from the first matrix on.
        """
        number, lead = 0, None
        matrices = matrix if hasattr(matrix, "__next__") else [matrix]
        for block in chain.from_iterable(map(_slice, matrices)):
            values: Sequence[Self | None] = cls._read_matrix(block, number)
            lead = _refuse_other(values, number, lead)
            yield from values
            number += len(values)

    @classmethod
    def _read_values(cls, values: RowsInput) -> list[Self]:
        """Read values, other parameters, or records of one column.

        Raises:
            InvalidTypeError, InvalidValueError: `values` is not iterable, or a row is no parameter
                of the type. The message has the row's number.
        """
        if not isinstance(values, Iterable):
            raise InvalidTypeError(f"expected values, got {describe(values)}")
        return cls._read_rows(_take_out(values), cls._read_record)

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
                raise cls._columns_error(row)
            row = row[0]
        if row is None:
            raise InvalidTypeError(
                "expected a value, got None, which is NULL: leave such rows out, in SQL by "
                "WHERE ... IS NOT NULL"
            )
        return cls.coerce(row)

    @classmethod
    def _columns_error(cls, row: asyncpg.Record) -> InvalidTypeError:
        """Return the error for a record of several columns, with the column of values if any."""
        names = [*row.keys()]
        of_values = [name for name in names if isinstance(row[name], cls)]
        column = [*of_values, *names[-1:]][:1]  # none of a record without columns
        advice = "".join(f'; write [row["{name}"] for row in rows]' for name in column)
        return InvalidTypeError(f"expected one column, got {', '.join(names)}{advice}")


def _take_out(rows: Iterable[Any]) -> Iterable[Any]:
    """Take the values out of a list of records of one column, all of them at once."""
    if type(rows) is LIST and {*map(type, rows)} == {asyncpg.Record} and {*map(len, rows)} == {1}:
        return [*map(itemgetter(0), rows)]
    return rows


def _slice(matrix: Any) -> Iterator[Any]:
    """Slice a matrix into blocks of rows. An object that has no slices is one block."""
    if hasattr(matrix, "tocsr"):
        matrix = matrix.tocsr()  # SciPy's only form whose rows are quick to take
    try:
        count = matrix.shape[0] if hasattr(matrix, "shape") else len(matrix)
        first = _take(matrix, range(min(_BLOCK, count)))
    except (AttributeError, LookupError, RuntimeError, TypeError):  # such as of a sparse tensor
        yield matrix
        return
    yield first
    for start in range(_BLOCK, count, _BLOCK):
        yield _take(matrix, range(start, min(start + _BLOCK, count)))


def _take(matrix: Any, rows: range) -> Any:
    """Take rows of a matrix, as a matrix of the same kind."""
    if hasattr(matrix, "column_name"):  # a column of a dataset, whose slices are plain lists
        return matrix.source.select(rows)[matrix.column_name]
    by_place = getattr(matrix, "iloc", matrix)  # pandas' own slices may go by labels
    return by_place[rows.start : rows.stop]


def _refuse_other(
    values: Iterable[Value | None], number: int, lead: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Raise if a block, whose values are alike, has other dimensions than the blocks before it.

    Args:
        values: the block.
        number: the number of its first row.
        lead: the number and the dimensions of the first row that is not null, if there was one.

    Returns:
        `lead`, which this block may be the first to have.
    """
    sizes = (
        (row, value.dimensions()) for row, value in enumerate(values, number) if value is not None
    )
    found = next(sizes, None)
    if lead and found and found[1] != lead[1]:
        raise InvalidValueError(
            f"row {found[0]}: expected {lead[1]} dimensions, as row {lead[0]} has, got {found[1]}"
        )
    return lead or found


def refuse_ragged(rows: Sequence[Value | None], first: int = 0) -> None:
    """Raise if a row has another number of dimensions than those before it; null rows have none.

    Args:
        rows: values, and None for a null row.
        first: the number of the first row in messages.
    """
    given = [(n, row.dimensions()) for n, row in enumerate(rows, first) if row is not None]
    for index, dimensions in given:
        if dimensions != given[0][1]:
            raise InvalidValueError(
                f"row {index}: expected {given[0][1]} dimensions, as row {given[0][0]} has, "
                f"got {dimensions}"
            )
