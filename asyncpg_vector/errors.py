"""The errors that asyncpg_vector raises.

Each one derives from `VectorError` and from the built-in exception that it is a case of, so that
``except ValueError`` and ``except VectorError`` both work. When an encoder raises a `TypeError` or
`ValueError`, asyncpg raises its own `asyncpg.DataError`, with the message in brackets.
"""

from __future__ import annotations

import reprlib

__all__ = [
    "InvalidTypeError",
    "InvalidValueError",
    "MalformedTextError",
    "MalformedWireError",
    "TypesNotFoundError",
    "VectorError",
    "describe",
    "shorten",
]


class VectorError(Exception):
    """Base of every error of this package."""


class InvalidTypeError(VectorError, TypeError):
    """An object that no value can be made from: a string among numbers, a nested list, a dict."""


class InvalidValueError(VectorError, ValueError):
    """The right kind of object, but the server would refuse it: NaN, too many dimensions."""


class MalformedTextError(InvalidValueError):
    """A text form, or base64, that does not follow the grammar."""


class MalformedWireError(InvalidValueError):
    """A wire payload whose length or header is wrong."""


class TypesNotFoundError(VectorError, LookupError):
    """The database lacks the types that were to be registered."""


def describe(value: object) -> str:
    """Name an object in a message: its type, and the beginning of its repr."""
    return f"{type(value).__name__} {shorten(value)}"


def shorten(value: object) -> str:
    """Return the beginning of an object's repr, for a message."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an int of more digits than sys.get_int_max_str_digits()
        return "..."
