"""How error messages show an object."""

from __future__ import annotations

import reprlib

__all__ = ["describe", "shorten"]


def describe(value: object) -> str:
    """Name an object: its type, and the beginning of its repr."""
    return f"{type(value).__name__} {shorten(value)}"


def shorten(value: object) -> str:
    """Return the beginning of an object's repr."""
    try:
        return reprlib.repr(value)
    except ValueError:  # an int of more digits than sys.get_int_max_str_digits()
        return "..."
