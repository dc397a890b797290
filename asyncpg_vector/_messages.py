"""Shows objects in error messages."""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = ["describe", "shorten"]


class _Shortener(reprlib.Repr):
    """Shortens the repr of an object, alike on every Python.

    `reprlib.Repr` before Python 3.12 goes by the name of the class, and takes any class called
    ``list`` for a list. If an object's own repr fails, as that of an int with more digits than
    `sys.get_int_max_str_digits()`, it raises or shows an address.
    """

    def repr1(self, x: Any, level: int) -> str:
        known = type(x).__module__ in ("builtins", "array", "collections")
        return super().repr1(x, level) if known else self.repr_instance(x, level)

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if _has_repr(x) else self.fillvalue

    def repr_instance(self, x: Any, level: int) -> str:
        return super().repr_instance(x, level) if _has_repr(x) else f"<{type(x).__name__} ...>"


_SHORTENER = _Shortener()


def describe(value: object) -> str:
    """Name an object: its type, and the beginning of its repr."""
    return f"{type(value).__name__} {shorten(value)}"


def shorten(value: object) -> str:
    """Return the beginning of an object's repr."""
    return _SHORTENER.repr(value)


def _has_repr(value: object) -> bool:
    try:
        repr(value)
    except Exception:  # noqa: BLE001  # a class's __repr__ may raise anything
        return False
    return True
