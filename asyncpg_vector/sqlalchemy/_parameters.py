"""Parameters, by what the connection that they are sent on has registered."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect

from asyncpg_vector.runtime import Bits, Value
from asyncpg_vector.runtime.holders import LIST

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
    if isinstance(value, Bits) and value.info.built_in and dialect.driver == "asyncpg":
        return value.to_bitstring()  # asyncpg has a codec of its own for PostgreSQL's types
    return value.to_text()


def print_values(
    parameters: Sequence[Any], registered: Collection[str], dialect: Dialect
) -> Sequence[Any]:
    """Print the values whose types are not registered, in arrays too.

    Args:
        parameters: of a statement, or of an array of it.
        registered: the SQL names of the types that are.
        dialect: of the engine.

    Returns:
        `parameters` themselves, if there is none to be printed.
    """

    def print_one(parameter: Any) -> Any:
        if isinstance(parameter, Value):
            known = parameter.info.sql_name in registered
            return parameter if known else print_value(parameter, dialect)
        # Of other classes, such as named tuples, another codec makes its own.
        if type(parameter) in {LIST, tuple} and _may_hold_values(parameter):
            return print_values(parameter, registered, dialect)
        return parameter

    printed = [print_one(parameter) for parameter in parameters]
    if all(map(operator.is_, printed, parameters)):
        return parameters
    return tuple(printed) if isinstance(parameters, tuple) else printed


def _may_hold_values(array: Iterable[Any]) -> bool:
    """Tell by its first element, so that a long array of numbers is not looked through."""
    first = next((element for element in array if element is not None), None)
    return isinstance(first, (Value, str, list, tuple))
