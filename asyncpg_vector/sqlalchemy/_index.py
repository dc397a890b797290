"""Indexes that find their operator classes in the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Index, Table, event
from sqlalchemy.types import TypeDecorator

from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.sqlalchemy._column_type import ColumnType

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from asyncpg_vector.info import TypeInfo

__all__ = ["vector_index"]


def vector_index(
    name: str | None, column: Any, *, metric: str, using: str = "hnsw", **options: Any
) -> Index:
    """Make an index for the nearest neighbours by a metric.

    Args:
        name: of the index; None for what the metadata's naming convention makes.
        column: a column or its name, or an expression with a label, of one of the vector types.
        metric: as the type has it in the spec, such as ``cosine``. The index serves queries that
            order by this metric, and no others.
        using: the index method, as the spec has it: ``hnsw`` or ``ivfflat``.
        options: of `sqlalchemy.Index`, such as ``postgresql_with={"m": 16}``.

    Raises:
        InvalidTypeError: the column is of another type, or an expression has no label.
        InvalidValueError: the type has no such metric, or no operator class of it for this method.
            Both come when the index meets its table.
    """
    index = Index(name, column, postgresql_using=using, postgresql_ops={}, **options)

    def choose(index: Index, _table: Table) -> None:
        expression = cast("ColumnElement[Any]", index.expressions[0])
        operator_class = _operator_class(_info(expression), metric, using)
        index.dialect_kwargs["postgresql_ops"] = {expression.key: operator_class}

    if index.table is None:
        event.listen(index, "after_parent_attach", choose)
    else:
        choose(index, index.table)
    return index


def _info(expression: ColumnElement[Any]) -> TypeInfo:
    type_: Any = expression.type
    if isinstance(type_, TypeDecorator):
        type_ = type_.impl_instance
    if not isinstance(type_, ColumnType):
        raise InvalidTypeError(f"expected an index on a vector type, got {expression} of {type_!r}")
    if expression.key is None:
        raise InvalidTypeError(f"expected an expression with a label, got {expression}")
    return type_.python_type.info


def _operator_class(info: TypeInfo, metric: str, using: str) -> str:
    if metric not in info.metrics:
        raise InvalidValueError(
            f"expected a metric of {info.sql_name} among {', '.join(info.metrics)}, got {metric!r}"
        )
    operator_classes = info.metrics[metric].operator_classes
    if using not in operator_classes:
        raise InvalidValueError(
            f"expected using among {', '.join(operator_classes)} for {metric} of {info.sql_name}, "
            f"got {using!r}"
        )
    return operator_classes[using]
