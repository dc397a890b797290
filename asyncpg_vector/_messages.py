"""How error messages show an object."""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = ["describe", "shorten"]


class _Shortener(reprlib.Repr):
    """Takes nothing for a list or an array that is only called so, as Python 3.12's does not."""

    def repr1(self, x: Any, level: int) -> str:
        known = type(x).__module__ in ("builtins", "array", "collections")
        return super().repr1(x, level) if known else self.repr_instance(x, level)


_SHORTENER = _Shortener()


def describe(value: object) -> str:
    """Name an object: its type, and the beginning of its repr."""
    return f"{type(value).__name__} {shorten(value)}"


def shorten(value: object) -> str:
    """Return the beginning of an object's repr."""
    try:
        return _SHORTENER.repr(value)
    except ValueError:  # an int of more digits than sys.get_int_max_str_digits()
        return "..."
