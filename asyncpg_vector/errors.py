"""The errors that asyncpg_vector raises.

Each one derives from `VectorError` and from the built-in exception that it is a case of, so that
``except ValueError`` and ``except VectorError`` both work. When an encoder raises a `TypeError` or
`ValueError`, asyncpg raises its own `asyncpg.DataError`, with the message in brackets.
"""

from __future__ import annotations

__all__ = [
    "ExtensionNotFoundError",
    "InvalidTypeError",
    "InvalidValueError",
    "MalformedTextError",
    "MalformedWireError",
    "TypesNotFoundError",
    "VectorError",
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


class ExtensionNotFoundError(TypesNotFoundError):
    """They are missing because their extension has not been created there."""
