"""`typing.get_type_hints` evaluates the annotations of everything public, with NumPy and without."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from unittest import mock

import pytest

import asyncpg_vector
from asyncpg_vector import Bit, SparseVector, Vector, errors, info
from tests.needs import needs_numpy, np, sparse
from tests.processes import run_python
from tests.spec_types import ROOT, SPEC, SpecType, each_type

SPECIAL = {"__new__", "__init__", "__getitem__", "__len__", "__array__", "__eq__"}
"""Public methods, although their names begin with an underscore."""


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The public functions and classes of a module, and the classes' methods and properties."""
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.isclass(thing):
            yield name, thing
            yield from (
                (f"{name}.{member}", function)
                for member, function in map(unwrapped, [thing] * len(dir(thing)), dir(thing))
                if inspect.isfunction(function) and (member[0] != "_" or member in SPECIAL)
            )
        elif inspect.isfunction(thing):
            yield name, thing


def unwrapped(owner: type, name: str) -> tuple[str, Any]:
    """A member's name and its function, without the descriptor around it."""
    member = inspect.getattr_static(owner, name)
    return name, getattr(member, "__func__", getattr(member, "fget", member))


PUBLIC = dict(pair for module in (asyncpg_vector, info, errors) for pair in public(module))
NO_LIBRARY = dict.fromkeys(["numpy", "numpy.typing", "scipy", "scipy.sparse", "pydantic_core"])

ALONE = """
import importlib, sys, typing
for name in sys.argv[1:]:
    typing.get_type_hints(importlib.import_module(f"asyncpg_vector._generated.{name}"))
"""

each_public_thing = pytest.mark.parametrize("name", PUBLIC)


def test_all_public_things_are_found() -> None:
    assert {"Vector", "Vector.__new__", "Vector.to_matrix", "SparseVector.from_coo"} <= {*PUBLIC}
    assert {"register_vector", "Bit.to_numpy", "TypeInfo", "Metric", "VectorError"} <= {*PUBLIC}


@each_public_thing
def test_hints(name: str) -> None:
    hints = typing.get_type_hints(PUBLIC[name])
    assert hints.keys() >= getattr(PUBLIC[name], "__annotations__", {}).keys()


@each_public_thing
def test_hints_without_libraries(name: str) -> None:
    with mock.patch.dict(sys.modules, NO_LIBRARY):
        assert typing.get_type_hints(PUBLIC[name]) is not None


@each_type
def test_hints_of_a_types_functions(type_: SpecType) -> None:
    encode, decode = (getattr(type_.module, f"{verb}_{type_}") for verb in ("encode", "decode"))
    assert typing.get_type_hints(decode) == {"data": bytes, "return": type_.value_class}
    assert typing.get_type_hints(encode)["return"] is bytes


def test_hints_of_a_module_alone() -> None:
    """In a new process: Python before 3.14 caches results of earlier evaluations."""
    run_python(ROOT, "-c", ALONE, *SPEC.types)


@needs_numpy
def test_hints_name_the_libraries_types() -> None:
    from numpy.typing import NDArray

    for function, expected in (
        (Bit.to_numpy, NDArray[np.bool_]),
        (SparseVector.to_coo, sparse.coo_array),
    ):
        assert typing.get_type_hints(function)["return"] == expected


def test_hints_are_any_without_the_library() -> None:
    with mock.patch.dict(sys.modules, NO_LIBRARY):
        for function in (Vector.to_numpy, Bit.to_numpy, SparseVector.to_coo):
            assert typing.get_type_hints(function)["return"] is Any
