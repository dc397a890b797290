"""Parameters, by what the connection that they are sent on has registered."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect

from asyncpg_vector._layouts.bits import Bits
from asyncpg_vector._layouts.value import Value

__all__ = ["print_value", "print_values", "registered_types"]

# SQLAlchemy makes a dialect for each engine, and gives it to what makes parameters of values.
_REGISTERED: WeakKeyDictionary[Dialect, set[str]] = WeakKeyDictionary()


def registered_types(dialect: Dialect) -> set[str]:
    """Return the live set of the SQL names that an engine registers, where its database has them.

    Parameters of these types stay values until a connection is known to lack them.
    """
    return _REGISTERED.setdefault(dialect, set())


def print_value(value: Value, dialect: Dialect) -> Any:
    """Return what a driver takes for a value that it has no codec of ours for."""
    built_in = value.info.extension is None
    if isinstance(value, Bits) and built_in and dialect.driver == "asyncpg":
        return value.to_bitstring()  # asyncpg has a codec of its own for PostgreSQL's types
    return value.to_text()


def print_values(parameters: Any, registered: Collection[str], dialect: Dialect) -> Any:
    """Print the values, at any depth of lists and tuples, whose types are not registered."""
    if isinstance(parameters, Value):
        if parameters.info.sql_name in registered:
            return parameters
        return print_value(parameters, dialect)
    if isinstance(parameters, (list, tuple)):
        given = cast("Iterable[Any]", parameters)
        printed = [print_values(parameter, registered, dialect) for parameter in given]
        return printed if isinstance(parameters, list) else tuple(printed)
    return parameters
