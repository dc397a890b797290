"""The methods of asyncpg_vector 0.1 that have other names today.

They are found at run time alone: a type checker names each call that is to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from warnings import warn

from asyncpg_vector.runtime import Value

__all__ = ["RENAMED", "add_old_names"]

RENAMED: Mapping[str, str] = {
    "from_database_binary": "from_binary",
    "from_float_list": "__new__",
    "to_database_binary": "to_binary",
    "to_float_list": "to_list",
}
"""The names of today, by those of 0.1.

``size()`` is not among them: array libraries read an attribute ``size`` as a number.
"""


def add_old_names(value_class: type[Value]) -> None:
    """Give a class the methods that it had in 0.1; each warns, and calls the method of today."""
    for old, new in RENAMED.items():
        setattr(value_class, old, _OldName(old, new))


class _OldName:
    """A method under its name of 0.1."""

    def __init__(self, old: str, new: str) -> None:
        self._old = old
        self._new = new

    def __get__(self, value: Value | None, value_class: type[Value]) -> Callable[..., Any]:
        is_constructor = self._new == "__new__"
        owner = value_class if value is None else value
        method = value_class if is_constructor else getattr(owner, self._new)
        name = value_class.__name__
        advice = f"{name}(...)" if is_constructor else f"{name}.{self._new}()"

        def call(*arguments: Any) -> Any:
            warn(
                f"{name}.{self._old}() is of asyncpg_vector 0.1; write {advice}",
                DeprecationWarning,
                stacklevel=2,
            )
            return method(*arguments)

        return call
