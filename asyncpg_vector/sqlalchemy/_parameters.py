"""Parameters of statements: values if the connection has their type registered, else texts."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect

from asyncpg_vector.runtime import Bits, Value
from asyncpg_vector.runtime.holders import LIST

__all__ = ["print_value", "print_values", "registered_types"]

# SQLAlchemy makes a dialect for each engine, and passes it to the functions that bind parameters.
_REGISTERED: WeakKeyDictionary[Dialect, set[str]] = WeakKeyDictionary()


def registered_types(dialect: Dialect) -> set[str]:
    """Return the SQL names that an engine registers if its database has them, as a live set.

    Parameters of these types stay values until a statement meets a connection without the type.
    """
    return _REGISTERED.setdefault(dialect, set())


def print_value(value: Value, dialect: Dialect) -> Any:
    """Return a value as a parameter for a driver that lacks this package's codec."""
    if isinstance(value, Bits) and value.info.built_in and dialect.driver == "asyncpg":
        return value.to_bitstring()  # asyncpg has a codec of its own for PostgreSQL's types
    return value.to_text()


def print_values(
    parameters: Sequence[Any], registered: Collection[str], dialect: Dialect
) -> Sequence[Any]:
    """Print the values whose types are not registered, in arrays too.

    Args:
        parameters: the parameters of a statement, or the elements of an array among them.
        registered: the SQL names of the registered types.
        dialect: the dialect of the engine.

    Returns:
        `parameters` itself, if it has no value to print.
    """

    def print_one(parameter: Any) -> Any:
        if isinstance(parameter, Value):
            known = parameter.info.sql_name in registered
            return parameter if known else print_value(parameter, dialect)
        # Sequences of other classes, such as named tuples, are for other codecs.
        if type(parameter) in {LIST, tuple} and _may_hold_values(parameter):
            return print_values(parameter, registered, dialect)
        return parameter

    printed = [print_one(parameter) for parameter in parameters]
    if all(map(operator.is_, printed, parameters)):
        return parameters
    return tuple(printed) if isinstance(parameters, tuple) else printed


def _may_hold_values(array: Iterable[Any]) -> bool:
    """Tell by the first element, so that a long array of numbers is not searched."""
    first = next((element for element in array if element is not None), None)
    return isinstance(first, (Value, str, list, tuple))
