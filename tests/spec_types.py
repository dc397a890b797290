"""The types of the spec for tests, with their classes, and strategies for their values.

They are derived from specs/types.toml and not from the generated modules, so that a type that was
not generated fails a test.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Callable
from itertools import chain, islice
from math import isfinite
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import strategies as st

import asyncpg_vector
from asyncpg_vector import VectorError
from asyncpg_vector.runtime import NumberFormat, number_format
from asyncpg_vector.testing import numbers as numbers_of
from asyncpg_vector.testing import special_numbers, tiled
from codegen.spec import BitsType, Constant, DenseType, Format, SparseType, Type, load_spec

ROOT = Path(__file__).parent.parent
SPEC_PATH = ROOT / "specs" / "types.toml"
SPEC = load_spec(SPEC_PATH)


class SpecType:
    """A type of the spec, with its value class, codec and column type."""

    def __init__(self, sql_name: str, model: Any) -> None:
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

    @property
    def element_format(self) -> NumberFormat:
        """The format of a numeric type's elements."""
        return number_format(self.model.element.format, self.model.byte_order)

    @property
    def text_of_one(self) -> str:
        """The text form of a value with one element or bit, which is 1."""
        if self.model.layout == "sparse":
            return f"{{{self.model.text.first_index}:1}}/1"
        return {"dense": "[1]", "bits": "1"}[self.model.layout]

    def encode(self, value: Any) -> bytes:
        return getattr(self.module, f"encode_{self.sql_name}")(value)

    def decode(self, data: bytes) -> Any:
        return getattr(self.module, f"decode_{self.sql_name}")(data)

    def inputs(self) -> st.SearchStrategy[tuple[Any, ...]]:
        """Arguments for the constructor, of small values."""
        return _inputs(self.model)

    def values(self) -> st.SearchStrategy[Any]:
        return self.inputs().map(lambda arguments: self.value_class(*arguments))

    def batches(self) -> st.SearchStrategy[list[Any]]:
        """A few values at a time."""
        return st.lists(self.values(), min_size=1, max_size=20)


class AtLimits(SpecType):
    """A type whose largest values alone are drawn: so few that a test meets each."""

    def inputs(self) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.sampled_from(_largest(self.model))

    def batches(self) -> st.SearchStrategy[list[Any]]:
        """A small value, and the largest after it."""
        arguments = [([1],), *_largest(self.model)]
        return st.just([self.value_class(*each) for each in arguments])


TYPES = [SpecType(sql_name, model) for sql_name, model in SPEC.types.items()]
DENSE = [type_ for type_ in TYPES if isinstance(type_.model, DenseType)]
SPARSE = [type_ for type_ in TYPES if isinstance(type_.model, SparseType)]

each_type = pytest.mark.parametrize("type_", TYPES, ids=repr)
each_dense_type = pytest.mark.parametrize("type_", DENSE, ids=repr)
each_sparse_type = pytest.mark.parametrize("type_", SPARSE, ids=repr)
each_numeric_type = pytest.mark.parametrize("type_", [*DENSE, *SPARSE], ids=repr)


def _to_limits(types: list[SpecType]) -> pytest.MarkDecorator:
    """Parametrise a test with each type, once for small values and once for the largest."""
    # The longest bits take 10 MB, and their length makes no difference.
    at_limits = [AtLimits(str(type_), type_.model) for type_ in types if type_ in [*DENSE, *SPARSE]]
    ids = [*map(str, types), *(f"{type_}-at limits" for type_ in at_limits)]
    return pytest.mark.parametrize("type_", [*types, *at_limits], ids=ids)


each_type_to_limits = _to_limits(TYPES)
each_dense_type_to_limits = _to_limits(DENSE)
each_sparse_type_to_limits = _to_limits(SPARSE)


def wire_of(make: Callable[[Any], Any], given_: Any) -> bytes | None:
    """The wire payload that `make` makes of an input, or None if it raises a VectorError."""
    try:
        made = make(given_)
    except VectorError:
        return None
    wire: bytes = made if isinstance(made, bytes) else made.to_binary()
    return wire


def type_named(sql_name: str) -> SpecType:
    (type_,) = (type_ for type_ in TYPES if type_.sql_name == sql_name)
    return type_


def numbers(element: Format) -> st.SearchStrategy[Any]:
    """All numbers that an element can hold."""
    return numbers_of(number_format(element.format, "big"))


def pack_header(model: Type, **counts: int) -> bytes:
    """The header of a payload with the given counts; its attributes are 0."""
    fields = (
        field.constant if isinstance(field, Constant) else counts.get(field.name, 0)
        for field in model.header
    )
    return struct.pack(model.header_layout, *fields)


def _inputs(model: Type) -> st.SearchStrategy[tuple[Any, ...]]:
    if isinstance(model, DenseType):
        return st.tuples(tiled(numbers(model.element), st.integers(1, 100)))
    if isinstance(model, SparseType):
        elements = tiled(numbers(model.element), st.integers(0, 100))
        dimensions = st.integers(1, model.max_dimensions)
        return st.builds(_scatter, elements, dimensions, dimensions, dimensions)
    assert isinstance(model, BitsType)
    return st.tuples(st.text("01"))


def _scatter(
    elements: list[Any], first: int, step: int, dimensions: int
) -> tuple[dict[int, Any], int]:
    """Arguments for the constructor: the elements in any order, zeros among them.

    Of two elements with the same index, the later is kept.
    """
    return {
        (first + step * place) % dimensions: element for place, element in enumerate(elements)
    }, dimensions


def _largest(model: Type) -> list[tuple[Any, ...]]:
    """Arguments for the constructor, at the limits and one below."""
    if isinstance(model, DenseType):
        most = model.max_dimensions
        return [(_elements(model.element, size),) for size in (most - 1, most)]
    assert isinstance(model, SparseType)
    apart = model.max_dimensions // model.max_nnz
    from_last = range(model.max_dimensions - 1, -1, -apart)
    return [
        (_fill(model, range(model.max_nnz - 1)), model.max_dimensions - 1),
        (_fill(model, from_last[: model.max_nnz]), model.max_dimensions),
    ]


def _fill(model: SparseType, indices: range) -> dict[int, Any]:
    """Elements at these indices, none of them zero."""
    elements = filter(None, _elements(model.element, 2 * len(indices)))
    return dict(zip(indices, elements, strict=False))


def _elements(element: Format, count: int) -> list[Any]:
    """The special elements, then finite ones with random bits."""
    format_ = number_format(element.format, "big")
    drawn = format_.unpack(Random(count).randbytes(2 * count * element.width), 0, 2 * count)
    return list(islice(chain(special_numbers(format_), filter(isfinite, drawn)), count))
