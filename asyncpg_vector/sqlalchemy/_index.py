"""Indexes whose operator classes come from the spec."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import ColumnElement, Index, Table, event
from sqlalchemy.types import TypeDecorator

from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector._messages import shorten
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.info import TypeInfo
from asyncpg_vector.runtime import Bits
from asyncpg_vector.sqlalchemy.columns import ColumnType

__all__ = ["vector_index"]


def vector_index(
    name: str | None, column: Any, *, metric: str, using: str = "hnsw", **options: Any
) -> Index:
    """Make an index for nearest-neighbour searches by a metric.

    The errors are raised when the index is attached to its table.

    Args:
        name: the name of the index; None for a name by the metadata's naming convention.
        column: a column of a vector type, its name, or an expression of a vector type with a label.
        metric: a metric of the type in the spec, such as ``cosine``. The index serves only queries
            that order by this metric.
        using: an index method of the spec: ``hnsw`` or ``ivfflat``.
        options: options of `sqlalchemy.Index`, such as ``postgresql_with={"m": 16}``.

    Raises:
        InvalidTypeError: the column is of another type, or the expression has no label.
        InvalidValueError: the type lacks the metric, or an operator class for the metric and the
            method; or the column has no number of dimensions, or more than the method indexes.
    """
    index = Index(name, column, postgresql_using=using, postgresql_ops={}, **options)

    def choose(index: Index, _table: Table) -> None:
        expression = cast("ColumnElement[Any]", index.expressions[0])
        type_ = _column_type(expression)
        operator_class = _operator_class(type_.python_type.info, metric, using)
        _check_size(type_, using)
        index.dialect_kwargs["postgresql_ops"] = {expression.key: operator_class}

    if index.table is None:
        event.listen(index, "after_parent_attach", choose)
    else:
        choose(index, index.table)
    return index


def _column_type(expression: ColumnElement[Any]) -> ColumnType[Any]:
    given: Any = expression.type
    type_: Any = given.impl_instance if isinstance(given, TypeDecorator) else given
    is_ours = isinstance(type_, ColumnType)
    if not is_ours:
        raise InvalidTypeError(f"expected an index on a vector type, got {expression} of {type_!r}")
    if expression.key is None:
        raise InvalidTypeError(f"expected an expression with a label, got {expression}")
    return cast("ColumnType[Any]", type_)


def _operator_class(info: TypeInfo, metric: str, using: str) -> str:
    if metric not in info.metrics:
        raise InvalidValueError(
            f"expected a metric of {info.sql_name} among {', '.join(info.metrics)}, "
            f"got {shorten(metric)}"
        )
    operator_classes = info.metrics[metric].operator_classes
    if using not in operator_classes:
        raise InvalidValueError(
            f"expected using among {', '.join(operator_classes)} for {metric} of {info.sql_name}, "
            f"got {shorten(using)}"
        )
    return operator_classes[using]


def _check_size(type_: ColumnType[Any], using: str) -> None:
    """Refuse a size for which the server would not build the index (hnswbuild.c, ivfbuild.c)."""
    info, size = type_.python_type.info, type_.size
    most = info.max_indexed.get(using)
    if most is None:
        return
    if size is None:
        raise InvalidValueError(
            f"expected a column with a number of dimensions for {using}, got {type_!r}"
        )
    if info.max_nnz is None and size > most:  # a sparse type's limit counts elements
        raise InvalidValueError(
            f"expected at most {most} dimensions of {info.sql_name} for {using}, got {size}"
            f"{_way_out(size, using)}"
        )


def _way_out(size: int, using: str) -> str:
    """Advise to index a cast to the type with the lowest limit that suffices, if there is one."""
    limits = {
        value_class: value_class.info.max_indexed.get(using, 0)
        for value_class in VALUE_CLASSES.values()
        if value_class.info.max_nnz is None
    }
    enough = [(most, cls) for cls, most in limits.items() if most >= size]
    if not enough:
        return ""
    most, cls = min(enough, key=lambda pair: pair[0])
    name = cls.info.sql_name
    column = "func.binary_quantize(column)" if issubclass(cls, Bits) else "column"
    return f"; for up to {most}, index cast({column}, {name.upper()}({size})).label(...)"
