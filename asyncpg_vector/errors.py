"""The errors that asyncpg_vector raises.

Each error derives from `VectorError` and from a built-in exception: ``except VectorError`` and
``except ValueError`` both work. When an encoder raises a `TypeError` or `ValueError`, asyncpg
raises its own `asyncpg.DataError`, with the encoder's message in brackets.
"""

from __future__ import annotations

__all__ = [
    "ExtensionNotFoundError",
    "InvalidTypeError",
    "InvalidValueError",
    "MalformedTextError",
    "MalformedWireError",
    "SettingsNotFoundError",
    "TypesNotFoundError",
    "VectorError",
]


class VectorError(Exception):
    """Base of every error of this package."""


class InvalidTypeError(VectorError, TypeError):
    """An object that no value can be made from: a string among numbers, a nested list, a dict."""


class InvalidValueError(VectorError, ValueError):
    """An object of the right kind that the server would refuse: NaN, too many dimensions."""


class MalformedTextError(InvalidValueError):
    """A text form, or base64, that does not follow the grammar."""


class MalformedWireError(InvalidValueError):
    """A wire payload whose length or header is wrong."""


class TypesNotFoundError(VectorError, LookupError):
    """The database lacks the types that were to be registered."""


class ExtensionNotFoundError(TypesNotFoundError):
    """The types are missing because their extension has not been created in the database."""


class SettingsNotFoundError(VectorError, LookupError):
    """The server lacks settings of a search, or the index method that they belong to."""
