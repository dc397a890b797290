"""`typing.get_type_hints` evaluates the public annotations of the SQLAlchemy integration."""

from __future__ import annotations

import inspect
import typing
from types import FunctionType

import pytest

import asyncpg_vector.sqlalchemy
from asyncpg_vector.sqlalchemy._generated import COLUMN_TYPES
from tests.test_hints import public

PUBLIC = {
    name: thing
    for name, thing in public(asyncpg_vector.sqlalchemy)
    # The members of SQLAlchemy's own classes do not count.
    if inspect.isfunction(thing) and thing.__module__.startswith("asyncpg_vector.")
}


def test_all_public_things_are_found() -> None:
    constructors = {f"{name.upper()}.__init__" for name in COLUMN_TYPES}
    assert {"ARRAY.__init__", "register_engine", "vector_index", *constructors} <= {*PUBLIC}


@pytest.mark.parametrize("thing", PUBLIC.values(), ids=PUBLIC)
def test_hints(thing: FunctionType) -> None:
    assert typing.get_type_hints(thing).keys() == thing.__annotations__.keys()


@pytest.mark.parametrize("column_type", COLUMN_TYPES.values(), ids=COLUMN_TYPES)
def test_hints_of_methods(column_type: type) -> None:
    """The methods are those of an expression of the type."""
    comparator = column_type.comparator_factory  # type: ignore[attr-defined]
    for name in [name for name in vars(comparator) if name[0] != "_"]:
        assert "return" in typing.get_type_hints(getattr(comparator, name))
