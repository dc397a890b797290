"""Arrays of vectors, on drivers too that do not know how to take them apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator

from asyncpg_vector._layouts.value import Value

if TYPE_CHECKING:
    from sqlalchemy import Dialect

    from asyncpg_vector.sqlalchemy._column_type import ColumnType, Processor

__all__ = ["ARRAY"]

ValueT = TypeVar("ValueT", bound=Value)

# No text form of a value has a quote or a backslash in it, so that none is escaped.
_ITEM = re.compile(r'"([^"]*)"|NULL|([^,]+)')


class ARRAY(TypeDecorator[list["ValueT | None"]]):
    """An array of one dimension, of values of a vector type.

    With asyncpg, SQLAlchemy's own ``ARRAY`` does the same. Other drivers fetch an array of a type
    that they do not know as one text, which SQLAlchemy's would take for a list of characters.

    Args:
        item_type: a column type of this package.
    """

    impl = postgresql.ARRAY
    cache_ok = True

    def __init__(self, item_type: ColumnType[ValueT]) -> None:
        super().__init__(item_type, dimensions=1)
        self.item_type = item_type

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        of_list: Any = super().result_processor(dialect, coltype)

        def process(value: Any) -> Any:
            return of_list(_split(value) if isinstance(value, str) else value)

        return process


def _split(text: str) -> list[str | None]:
    """Take the text of an array apart (PostgreSQL, section 8.15.6): ``{"[1,2]",[3],NULL}``."""
    return [match[2] if match[1] is None else match[1] for match in _ITEM.finditer(text[1:-1])]
