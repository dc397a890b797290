"""Hypothesis's plugin, which registers the value classes as types that Hypothesis can draw.

An import of Hypothesis loads this plugin. `asyncpg_vector.testing` may be the importer, and is then
incomplete. The plugin therefore imports `asyncpg_vector.testing` only when a value is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncpg_vector.runtime import Value
from asyncpg_vector.runtime.value import is_value_class

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["load", "register"]


def load() -> None:
    """Let ``st.from_type()`` draw values of every class; later classes register themselves."""
    for base_class in Value.__subclasses__():
        register(base_class)


def register(value_class: type[Value]) -> None:
    """Let ``st.from_type()`` draw values of a class and of its subclasses."""
    from hypothesis import strategies as st

    if is_value_class(value_class):
        st.register_type_strategy(value_class, _values)
    for subclass in value_class.__subclasses__():
        register(subclass)


def _values(value_class: type[Value]) -> SearchStrategy[Value]:
    from asyncpg_vector.testing import values

    return values(value_class)
