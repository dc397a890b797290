"""How error messages show an object."""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = ["describe", "shorten"]


class _Shortener(reprlib.Repr):
    """Shows an object alike on every Python.

    Python before 3.12 takes for a list what is only called so. What has no repr, such as an int of
    more digits than `sys.get_int_max_str_digits()`, raises, or shows an address.
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
    except Exception:  # noqa: BLE001  # whatever its class raises
        return False
    return True
