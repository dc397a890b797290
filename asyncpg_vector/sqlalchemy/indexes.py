"""What a generated ``vector_index()`` stands on: operator classes, build options and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from sqlalchemy import ColumnElement, Index, Table, event

from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector._messages import shorten
from asyncpg_vector._options import check, find, write
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.info import IndexMethod, Metric
from asyncpg_vector.runtime import Bits
from asyncpg_vector.sqlalchemy.columns import ColumnType
from asyncpg_vector.sqlalchemy.expressions import find_metric, type_of

__all__ = ["IndexOptions", "for_sqlalchemy", "make_index"]


class IndexOptions(TypedDict, total=False):
    """The options of `sqlalchemy.Index` that an index of vectors can have."""

    quote: bool | None
    info: dict[Any, Any] | None
    postgresql_concurrently: bool
    postgresql_tablespace: str
    postgresql_where: Any
    postgresql_with: Mapping[str, Any]


def make_index(
    name: str | None, column: Any, metric: str, using: str, options: Mapping[str, Any]
) -> Index:
    """Make an index. The errors are those of a generated ``vector_index()``.

    Args:
        name: the name of the index, or None.
        column: a column, its name, or an expression with a label.
        metric: a metric of the column's type.
        using: an index method.
        options: options of `sqlalchemy.Index`, as `for_sqlalchemy` returns them.
    """
    index = Index(name, column, postgresql_using=using, postgresql_ops={}, **options)

    def choose(index: Index, _table: Table) -> None:
        expression = cast("ColumnElement[Any]", index.expressions[0])
        type_, found = _find_metric(expression, metric)
        operator_class = _operator_class(type_, metric, found, using)
        _check_size(type_, using)
        index.dialect_kwargs["postgresql_ops"] = {expression.key: operator_class}

    if index.table is None:
        event.listen(index, "after_parent_attach", choose)
    else:
        choose(index, index.table)
    return index


def for_sqlalchemy(
    methods: Mapping[str, IndexMethod], using: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Check the build options among some options, and return all as `sqlalchemy.Index` has them.

    Raises:
        InvalidTypeError: an option has another type.
        InvalidValueError: the method lacks an option, or an option is out of its range.
    """
    others = {name: options[name] for name in options if name in IndexOptions.__annotations__}
    given = {name: options[name] for name in options if name not in others}
    if not given:
        return others
    if not isinstance(using, str) or using not in methods:
        raise InvalidValueError(
            f"expected using among {', '.join(methods)} for {', '.join(given)}, "
            f"got {shorten(using)}"
        )
    by_hand: Mapping[str, Any] = others.get("postgresql_with") or {}
    stored = _store(methods[using], _check_options(methods[using], using, given, by_hand))
    twice = stored.keys() & by_hand.keys()
    if twice:
        raise InvalidValueError(
            f"expected {', '.join(sorted(twice))} by name or in postgresql_with, got both"
        )
    return {**others, "postgresql_with": {**by_hand, **stored}}


def _check_options(
    method: IndexMethod, using: str, given: Mapping[str, Any], by_hand: Mapping[str, Any]
) -> dict[str, Any]:
    """Check options that are given by name, beside those that are given to SQLAlchemy."""
    checked = {
        name: check(find(method.options, name, f"an option of {using}"), name, value)
        for name, value in given.items()
    }
    numbers = {name: by_hand[name] for name in by_hand if isinstance(by_hand[name], int)}
    for name, option in method.options.items():
        if option.multiple:
            _check_multiple(method, name, option.multiple, {**numbers, **checked})
    return checked


def _store(method: IndexMethod, checked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what WITH holds. A document is TOML, whose numbers, flags and lists are JSON's."""
    keys = {name: method.options[name].key for name in checked}
    stored = {name: _quote(value) for name, value in checked.items() if not keys[name]}
    lines = [f"{key} = {json.dumps(checked[name])}" for name, key in keys.items() if key]
    if method.document and lines:
        stored[method.document] = _quote("\n".join(lines))
    return stored


def _check_multiple(
    method: IndexMethod, name: str, multiple: tuple[int, str], checked: Mapping[str, Any]
) -> None:
    """Refuse an option below a multiple of another. Where one is not given, the default counts."""
    factor, other = multiple
    number, base = (checked.get(each, method.options[each].default) for each in (name, other))
    if number < factor * base:
        raise InvalidValueError(
            f"expected {name} of at least {factor} * {other}, which is {factor * base}, "
            f"got {number}"
        )


def _quote(value: Any) -> Any:
    """Return an option as SQLAlchemy writes it: it quotes nothing."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return "'" + write(value).replace("'", "''") + "'"


def _find_metric(expression: ColumnElement[Any], metric: str) -> tuple[ColumnType[Any], Metric]:
    """Return the type of an expression, or of its array's elements; and a metric that it has."""
    array = type_of(expression, is_array=True)
    type_ = array or type_of(expression)
    if type_ is None:
        raise InvalidTypeError(
            f"expected an index on a vector type, got {expression} of {expression.type!r}"
        )
    if expression.key is None:
        raise InvalidTypeError(f"expected an expression with a label, got {expression}")
    return type_, find_metric(type_.python_type.info, metric, is_array=array is not None)


def _operator_class(type_: ColumnType[Any], metric: str, found: Metric, using: str) -> str:
    if using not in found.operator_classes:
        raise InvalidValueError(
            f"expected using among {', '.join(found.operator_classes)} for {metric} of "
            f"{type_.python_type.info.sql_name}, got {shorten(using)}"
        )
    return found.operator_classes[using]


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
