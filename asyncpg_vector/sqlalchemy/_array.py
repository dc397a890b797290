"""Arrays of vectors, also on drivers that fetch an array as one text or one wire payload."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError
from asyncpg_vector.runtime import Value
from asyncpg_vector.sqlalchemy.columns import ColumnType, ComparedInSQL, Processor

__all__ = ["ARRAY"]

ValueT = TypeVar("ValueT", bound=Value)

_INT32 = struct.Struct(">i")
# The text form of a value has no quotes and no backslashes, so an array's text escapes nothing.
_PART = re.compile(r'[{}]|"[^"]*"|[^,{}"]+')

if TYPE_CHECKING:
    _ArrayComparator = postgresql.ARRAY.Comparator[Any]
else:  # SQLAlchemy's Comparator is not generic before 2.0.40
    _ArrayComparator = postgresql.ARRAY.Comparator


class _Comparator(  # pyright: ignore[reportIncompatibleVariableOverride]  # `type`, SQLAlchemy's
    ComparedInSQL, TypeDecorator.Comparator[Any], _ArrayComparator
):
    """SQL operations on an array."""


class ARRAY(TypeDecorator[list["ValueT | None"]]):
    """A one-dimensional array of values of a vector type.

    On asyncpg, SQLAlchemy's own ``ARRAY(..., dimensions=1)`` does the same. Other drivers fetch an
    array of an unknown type as one text, which SQLAlchemy's own takes for a list of characters.
    PostgreSQL does not enforce the number of dimensions of an array column: an array with more
    dimensions is fetched as nested lists.

    Args:
        item_type: a column type of this package.
    """

    impl = postgresql.ARRAY
    cache_ok = True
    hashable = False
    comparator_factory = _Comparator  # pyright: ignore[reportAssignmentType]  # a property there

    def __init__(
        self, item_type: ColumnType[ValueT] | type[ColumnType[ValueT]]
    ) -> None:  # pragma: no mutate block
        self.item_type = item_type() if isinstance(item_type, type) else item_type
        super().__init__(self.item_type, dimensions=1)

    def __repr__(self) -> str:
        # Alembic puts ARRAY's module before this text. The item type has to name its own module.
        return f"ARRAY({type(self.item_type).__module__}.{self.item_type!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # While SQLAlchemy's TypeDecorator (2.1.9) is unpickled, it looks for an attribute in its
        # impl, which is not restored yet, and then keeps the class of the impl as its impl.
        return type(self), (self.item_type,)

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        return self.impl_instance.coerce_compared_value(op, value)  # the impl knows subscripts

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        if value is not None and not _is_list(value):
            raise InvalidTypeError(f"expected a list of values, got {describe(value)}")
        return value

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        of_list: Any = postgresql.ARRAY(self.item_type).result_processor(dialect, coltype)

        def process(value: Any) -> Any:
            if isinstance(value, str):
                return of_list(_split(value))
            if isinstance(value, bytes):
                return of_list(_unpack(value))
            return of_list(value)

        return process

    def compare_values(self, x: Any, y: Any) -> bool:
        """Tell whether two arrays have the same values, to the bit."""
        if x is None or y is None:
            return x is y
        return len(x) == len(y) and all(map(self.item_type.compare_values, x, y))


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def _unpack(wire: bytes) -> Any:
    """Parse the wire payload of an array (PostgreSQL, array_recv)."""
    (dimensions,) = _INT32.unpack_from(wire)  # then flags, and the OID of the elements' type
    start = 3 * _INT32.size
    end = start + 2 * _INT32.size * dimensions
    sizes = [size for (size,) in struct.iter_unpack(">i4x", wire[start:end])]  # and lower bounds
    elements: list[Any] = list(_unpack_elements(wire, end))
    for size in reversed(sizes[1:]):
        elements = [elements[place : place + size] for place in range(0, len(elements), size)]
    return elements


def _unpack_elements(wire: bytes, start: int) -> Iterator[bytes | None]:
    while start < len(wire):
        (length,) = _INT32.unpack_from(wire, start)  # -1 for NULL
        start += _INT32.size
        yield wire[start : start + length] if length >= 0 else None
        start += max(length, 0)


def _split(text: str) -> Any:
    """Parse the text of an array (PostgreSQL, section 8.15.6): ``{"[1,2]",[3],NULL}``."""
    lists: list[list[Any]] = [[]]
    for part in _PART.findall(text, text.index("{")):  # after the subscripts' bounds, if any
        if part == "{":
            lists.append([])
        elif part == "}":
            complete = lists.pop()
            lists[-1].append(complete)
        else:
            lists[-1].append(None if part == "NULL" else part.strip('"'))
    return lists[0][0]
