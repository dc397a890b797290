"""Rows: many values that are read at once, and errors that have the row's number."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, Self, TypeAlias

import asyncpg

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, VectorError
from asyncpg_vector.runtime.arrays import ArrayWithGaps, NullableRows, open_blocks
from asyncpg_vector.runtime.checks import require_two_dimensions
from asyncpg_vector.runtime.holders import LIST, SupportsArray
from asyncpg_vector.runtime.slices import slice_rows
from asyncpg_vector.runtime.value import Value, wrap

__all__ = ["ColumnInput", "Rows", "RowsInput", "Tensor", "refuse_ragged"]


class Tensor(Protocol):
    """An array or tensor of any library, which has no null rows."""

    @property
    def ndim(self) -> int: ...
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...


class Column(Protocol):
    """A column of rows, of Arrow, pandas, polars or a dataset, which may have null rows."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: Any, /) -> Any: ...


ColumnInput: TypeAlias = Column | SupportsArray
"""A column, or an object that becomes an ndarray."""

RowsInput: TypeAlias = Iterable[Value | asyncpg.Record]
"""Values, or records of one column, that become a matrix."""


class Lead(NamedTuple):
    """The first row that is not null, whose dimensions those after it have."""

    number: int
    dimensions: int


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
        return cls._read_blocks(open_blocks(matrix), first, cls._read_array, cls._make)

    @classmethod
    def _read_blocks(
        cls,
        blocks: Sequence[Any],
        first: int,
        read_array: Callable[[NDArray[Any], int], list[Any]],
        read_row: Callable[[Any], Any],
    ) -> list[Any]:
        """Make a value of each row of ndarrays and of lists of rows, which follow each other."""
        values: list[Any] = []
        for block in blocks:
            values += cls._read_any_block(block, first + len(values), read_array, read_row)
        if len(blocks) > 1:
            refuse_ragged(values, first)
        return values

    @classmethod
    def _read_any_block(
        cls,
        block: Any,
        first: int,
        read_array: Callable[[NDArray[Any], int], list[Any]],
        read_row: Callable[[Any], Any],
    ) -> list[Any]:
        if isinstance(block, ArrayWithGaps):
            try:
                return block.fill(read_array(block.rows, first))
            except VectorError:  # whose number of the row does not count null rows
                block = block.fill(block.rows)
        if not is_ndarray(block):
            return cls._read_list(block, first, read_row)
        if block.shape == (0,):
            return []
        require_two_dimensions(block.shape)
        return read_array(block, first)

    @classmethod
    @abstractmethod
    def _read_array(cls, rows: NDArray[Any], first: int) -> list[Any]:
        """Make a value of each row of an ndarray of two dimensions."""

    @classmethod
    def _read_list(
        cls, rows: Sequence[Any], first: int, read_row: Callable[[Any], Any]
    ) -> list[Any]:
        """Make a value of each row of a list that is not null."""
        may_be_null = type(rows) is NullableRows
        read = partial(_read_nullable, read_row) if may_be_null else read_row
        values = cls._read_rows(rows, read, first)
        refuse_ragged(values, first)
        return values

    @classmethod
    def _wrap_rows(cls, header: bytes, bodies: NDArray[Any]) -> list[Self]:
        """Make a value of the header and of each row of a matrix in the wire's format."""
        import numpy as np

        wires = np.empty(len(bodies), cls._wire_dtype(bodies.dtype, bodies.shape[1]))
        wires["header"] = np.void(header)
        wires["body"] = bodies
        return [wrap(cls, wire) for wire in wires.view(f"V{wires.itemsize}").tolist()]

    @classmethod
    def _wire_dtype(cls, body: Any, count: int) -> list[Any]:
        """Describe a payload to NumPy: the header, and the dtype and the count of what follows."""
        return [("header", f"V{cls.header.size}"), ("body", body, (count,))]

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
        for block in chain.from_iterable(map(slice_rows, matrices)):
            values: list[Self | None] = cls._read_matrix(block, number)
            given = next((place for place, value in enumerate(values) if value is not None), 0)
            lead = refuse_ragged(values[given : given + 1], number + given, lead)  # all are alike
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
        rows = _take_out(values)
        if type(rows) is LIST and {*map(type, rows)} == {cls}:
            return [*rows]
        return cls._read_rows(rows, cls._read_record)

    @classmethod
    def _read_rows(
        cls, rows: Iterable[Any], read: Callable[[Any], Self], first: int = 0
    ) -> list[Self]:
        """Read each row; `first` is the number of the first in messages."""
        return [cls._read_row(row, read, index) for index, row in enumerate(rows, first)]

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


def _read_nullable(read: Callable[[Any], Any], row: Any) -> Any:
    return None if row is None else read(row)


def _take_out(rows: Iterable[Any]) -> Iterable[Any]:
    """Take the values out of a list of records of one column, all of them at once."""
    if type(rows) is LIST and {*map(type, rows)} == {asyncpg.Record} and {*map(len, rows)} == {1}:
        return [*map(itemgetter(0), rows)]
    return rows


def refuse_ragged(
    rows: Iterable[Value | None], first: int = 0, lead: Lead | None = None
) -> Lead | None:
    """Raise if a row has another number of dimensions than those before it; null rows have none.

    Args:
        rows: values, and None for a null row.
        first: the number of the first row in messages.
        lead: what the rows before these returned.

    Returns:
        The first row that is not null, if there was one.
    """
    for number, row in enumerate(rows, first):
        if row is None:
            continue
        dimensions = row.dimensions()
        lead = lead or Lead(number, dimensions)
        if dimensions != lead.dimensions:
            raise InvalidValueError(
                f"row {number}: expected {lead.dimensions} dimensions, as row {lead.number} has, "
                f"got {dimensions}"
            )
    return lead
