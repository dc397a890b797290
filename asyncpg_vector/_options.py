"""Build options of indexes, and settings of sessions: checks them, and writes them for SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

from asyncpg_vector._messages import describe, shorten
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.info import Parameter, ParameterType

__all__ = ["Checked", "check", "find", "write"]

Checked: TypeAlias = bool | int | float | str | list[float]
"""A value of a parameter."""

_EXPECTED: Mapping[ParameterType, str] = {
    "integer": "a whole number",
    "number": "a number",
    "integers": "a list of whole numbers",
    "boolean": "True or False",
    "choice": "a str",
}


def find(parameters: Mapping[str, Parameter], name: object, what: str) -> Parameter:
    """Return the parameter of a name.

    Args:
        parameters: all of them.
        name: the name that a caller gave.
        what: the parameters' common name in the message, such as "a setting".

    Raises:
        InvalidValueError: none has this name.
    """
    if isinstance(name, str) and name in parameters:
        return parameters[name]
    prefix = str(name).partition(".")[0] + "."  # of the settings of one index method
    known = [each for each in parameters if each.startswith(prefix)] or parameters
    raise InvalidValueError(
        f"expected {what} among {', '.join(known) or 'none'}, got {shorten(name)}"
    )


def check(parameter: Parameter, name: str, value: Any) -> Checked:
    """Return a value that a parameter can have.

    Raises:
        InvalidTypeError: it is of another type.
        InvalidValueError: it is out of the range, or none of the words.
    """
    if parameter.type == "integers":
        if not _is_list(value):
            raise _type_error(parameter, name, value)
        return [_check_number(parameter, name, each) for each in value]
    if parameter.type == "choice":
        return _check_choice(parameter, name, value)
    if parameter.type == "boolean":
        if not isinstance(value, bool):
            raise _type_error(parameter, name, value)
        return value
    return _check_number(parameter, name, value)


def write(value: Checked) -> str:
    """Return a checked value as the server reads it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def _check_choice(parameter: Parameter, name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _type_error(parameter, name, value)
    if value not in parameter.values:
        raise InvalidValueError(
            f"expected {name} among {', '.join(parameter.values)}, got {shorten(value)}"
        )
    return parameter.values[parameter.values.index(value)]  # and no subclass of str, as an Enum


def _check_number(parameter: Parameter, name: str, value: Any) -> int | float:
    is_real = parameter.type == "number"
    if not _is_number(value, Real if is_real else Integral):
        raise _type_error(parameter, name, value)
    least, most = parameter.least or 0, parameter.most or 0
    if not least <= value <= most:
        raise InvalidValueError(f"expected {name} from {least} to {most}, got {shorten(value)}")
    return float(value) if is_real else int(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_number(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _type_error(parameter: Parameter, name: str, value: Any) -> InvalidTypeError:
    return InvalidTypeError(
        f"expected {_EXPECTED[parameter.type]} for {name}, got {describe(value)}"
    )
