"""What generated functions of expressions stand on: the types of columns, and their operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar, cast

from sqlalchemy import ColumnElement, Float, func
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.types import TypeEngine

from asyncpg_vector._messages import describe, shorten
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.info import Metric, TypeInfo
from asyncpg_vector.sqlalchemy.columns import DISTANCE, ColumnType, unwrap

__all__ = ["Expression", "array_distance", "call", "distance", "find_metric", "type_of"]

ItemT = TypeVar("ItemT")

Expression: TypeAlias = SQLCoreOperations[ItemT | None] | ItemT | None
"""An expression of a Python type. SQLModel declares the attribute of a class as a value."""

_REAL: TypeEngine[float] = Float(24)


def distance(column: Any, metric: str, other: Any) -> ColumnElement[float]:
    """Apply a metric between values, whose result is ``double precision`` for every type."""
    expression, type_ = _read(column)
    found = find_metric(type_.python_type.info, metric)
    return expression.op(found.operator, return_type=DISTANCE)(other)


def array_distance(column: Any, metric: str, other: Any) -> ColumnElement[float]:
    """Apply a metric between arrays, whose result is ``real``."""
    expression, type_ = _read(column, is_array=True)
    found = find_metric(type_.python_type.info, metric, is_array=True)
    return expression.op(found.operator, return_type=_REAL)(other)


def call(
    name: str, results: Mapping[str, TypeEngine[Any]], column: Any, *arguments: Any
) -> ColumnElement[Any]:
    """Call a SQL function.

    Args:
        name: the function's name.
        results: the type of the result, by the SQL name of the column's type.
        column: the first argument.
        arguments: the others.
    """
    expression, type_ = _read(column)
    sql_name = type_.python_type.info.sql_name
    if sql_name not in results:
        raise InvalidValueError(
            f"expected a type with {name} among {', '.join(results)}, got {sql_name}"
        )
    function: ColumnElement[Any] = getattr(func, name)(
        expression, *arguments, type_=results[sql_name]
    )
    return function


def find_metric(info: TypeInfo, metric: str, *, is_array: bool = False) -> Metric:
    """Return a metric of a type, or between its arrays; raise InvalidValueError if it has none."""
    metrics = info.array_metrics if is_array else info.metrics
    if not isinstance(metric, str) or metric not in metrics:
        owner, known = f"{info.sql_name}{'[]' * is_array}", ", ".join(metrics) or "none"
        raise InvalidValueError(
            f"expected a metric of {owner} among {known}, got {shorten(metric)}"
        )
    return metrics[metric]


def type_of(expression: ColumnElement[Any], *, is_array: bool = False) -> ColumnType[Any] | None:
    """Return the column type of an expression, or of an array's elements; None for others."""
    type_ = unwrap(expression.type)
    if is_array:
        type_ = getattr(type_, "item_type", None)
    is_ours = isinstance(type_, ColumnType)
    return cast("ColumnType[Any]", type_) if is_ours else None


def _read(column: Any, *, is_array: bool = False) -> tuple[ColumnElement[Any], ColumnType[Any]]:
    """Return an expression and its type."""
    what = "an array of a vector type" if is_array else "a vector type"
    if not _is_expression(column):
        raise InvalidTypeError(f"expected an expression of {what}, got {describe(column)}")
    expression: ColumnElement[Any] = coercions.expect(roles.ExpressionElementRole, column)
    type_ = type_of(expression, is_array=is_array)
    if type_ is None:
        raise InvalidTypeError(
            f"expected an expression of {what}, got {expression} of {expression.type!r}"
        )
    return expression, type_


def _is_expression(column: Any) -> bool:
    return isinstance(column, ColumnElement) or hasattr(column, "__clause_element__")
