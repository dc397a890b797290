"""The types of the spec, as the tests use them: with their classes, and strategies for their values.

Everything is derived from specs/types.toml and not from what was generated of it, so that a type
that fails to generate fails a test.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

import asyncpg_vector
from asyncpg_vector import VectorError
from codegen.spec import BitsType, DenseType, Format, SparseType, Type, load_spec

ROOT = Path(__file__).parent.parent
SPEC_PATH = ROOT / "specs" / "types.toml"
SPEC = load_spec(SPEC_PATH)


class SpecType:
    """A type of the spec and what the package makes of it."""

    def __init__(self, sql_name: str, model: Type) -> None:
        self.sql_name = sql_name
        self.model = model

    def __repr__(self) -> str:
        return self.sql_name

    @property
    def value_class(self) -> Any:
        return getattr(asyncpg_vector, self.model.class_name)

    @property
    def module(self) -> Any:
        return importlib.import_module(f"asyncpg_vector._generated.{self.sql_name}")

    @property
    def column_type(self) -> Any:
        module = importlib.import_module("asyncpg_vector.sqlalchemy")
        return getattr(module, self.sql_name.upper())

    def encode(self, value: Any) -> bytes:
        return getattr(self.module, f"encode_{self.sql_name}")(value)

    def decode(self, data: bytes) -> Any:
        return getattr(self.module, f"decode_{self.sql_name}")(data)

    def inputs(self) -> st.SearchStrategy[tuple[Any, ...]]:
        """Arguments for the constructor, up to the limits of the type."""
        return _inputs(self.model)

    def values(self) -> st.SearchStrategy[Any]:
        return self.inputs().map(lambda arguments: self.value_class(*arguments))


TYPES = [SpecType(sql_name, model) for sql_name, model in SPEC.types.items()]
DENSE = [type_ for type_ in TYPES if isinstance(type_.model, DenseType)]
SPARSE = [type_ for type_ in TYPES if isinstance(type_.model, SparseType)]

each_type = pytest.mark.parametrize("type_", TYPES, ids=repr)
each_dense_type = pytest.mark.parametrize("type_", DENSE, ids=repr)
each_sparse_type = pytest.mark.parametrize("type_", SPARSE, ids=repr)
each_numeric_type = pytest.mark.parametrize("type_", [*DENSE, *SPARSE], ids=repr)


def wire_of(make: Callable[[Any], Any], given_: Any) -> bytes | None:
    """The wire payload of what is made of this, or None if it is refused as the package refuses."""
    try:
        made = make(given_)
    except VectorError:
        return None
    wire: bytes = made if isinstance(made, bytes) else made.to_binary()
    return wire


def type_named(sql_name: str) -> SpecType:
    (type_,) = (type_ for type_ in TYPES if type_.sql_name == sql_name)
    return type_


def numbers(element: Format[Any]) -> st.SearchStrategy[Any]:
    """Every number that an element can be."""
    if element.python_type == "int":
        limit = 1 << (8 * element.width - 1)
        return st.integers(-limit, limit - 1)
    return st.floats(width=8 * element.width, allow_nan=False, allow_infinity=False)


def _inputs(model: Type) -> st.SearchStrategy[tuple[Any, ...]]:
    if isinstance(model, DenseType):
        sizes = _sizes(1, model.max_dimensions)
        return st.tuples(st.builds(_tile, st.lists(numbers(model.element), min_size=1), sizes))
    if isinstance(model, SparseType):
        return _mostly(_few(model), _full(model))
    assert isinstance(model, BitsType)
    return st.tuples(st.text("01"))


def _sizes(least: int, most: int) -> st.SearchStrategy[int]:
    """Small sizes, and those at the limit."""
    return _mostly(st.integers(least, min(most, 50)), st.sampled_from([most - 1, most]))


def _mostly(usual: st.SearchStrategy[Any], large: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Now and then something large, which takes a hundred times as long."""
    return st.one_of(*[usual] * 15, large)


def _tile(pattern: list[Any], size: int) -> list[Any]:
    return list(islice(cycle(pattern), size))


def _few(model: SparseType) -> st.SearchStrategy[tuple[Any, ...]]:
    """A few elements anywhere, zeros among them."""
    return st.integers(1, model.max_dimensions).flatmap(
        lambda dimensions: st.tuples(
            st.dictionaries(st.integers(0, dimensions - 1), numbers(model.element)),
            st.just(dimensions),
        )
    )


def _full(model: SparseType) -> st.SearchStrategy[tuple[Any, ...]]:
    """As many elements as there can be."""

    def build(pattern: list[Any], stride: int) -> tuple[Any, ...]:
        indices = range(0, model.max_nnz * stride, stride)
        return dict(zip(indices, _tile(pattern, model.max_nnz), strict=True)), model.max_dimensions

    not_zero = numbers(model.element).filter(bool)
    most = model.max_dimensions // model.max_nnz
    return st.builds(build, st.lists(not_zero, min_size=1), st.integers(1, most))
