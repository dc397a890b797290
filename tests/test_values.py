"""Values are immutable, hashable and comparable, and have the facts of the spec in `info`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import Bit, HalfVector, InvalidTypeError, Metric, SparseVector, Vector
from tests.docstrings import run_examples
from tests.needs import needs_numpy, np
from tests.spec_types import SpecType, each_dense_type, each_dense_type_to_limits, each_type

SAMPLES = {"dense": [1, 0, 3], "sparse": [1, 0, 3], "bits": "101"}


def sample(type_: SpecType) -> Any:
    return type_.value_class(SAMPLES[type_.model.layout])


@each_type
def test_immutable(type_: SpecType) -> None:
    value = sample(type_)
    with pytest.raises(AttributeError, match=f"^{type(value).__name__} is immutable"):
        value._wire = b""
    with pytest.raises(AttributeError, match=f"^{type(value).__name__} is immutable"):
        value.colour = "red"
    with pytest.raises(AttributeError, match=f"^{type(value).__name__} is immutable"):
        del value._wire
    assert not hasattr(value, "__dict__")


@each_type
def test_a_value_does_not_change_with_the_buffer_it_was_read_from(type_: SpecType) -> None:
    wire = bytearray(sample(type_).to_binary())
    values = [type_.value_class.decode(wire), type_.value_class.from_binary(wire)]
    wire[-1] ^= 1
    assert values == [sample(type_)] * 2
    assert len({*values}) == 1


@each_type
def test_info_is_read_only(type_: SpecType) -> None:
    info = type_.value_class.info
    with pytest.raises(TypeError):
        info.max_indexed["hnsw"] = 1
    with pytest.raises(TypeError):
        info.metrics["l2"] = None
    for metric in info.metrics.values():
        with pytest.raises(TypeError):
            metric.operator_classes["hnsw"] = ""
    with pytest.raises(AttributeError):
        info.sql_name = "other"


@each_type
def test_lists_and_arrays_of_a_value_can_be_changed(type_: SpecType) -> None:
    """They are copies, which belong to the caller."""
    value = sample(type_)
    value.to_list()[0] = 0
    if np:
        value.to_numpy()[0] = 0
    assert value == sample(type_)


@each_type
@pytest.mark.parametrize("count", [8, 800])
def test_memory_is_the_wire_bytes(type_: SpecType, count: int) -> None:
    """A fetched value holds the server's bytes, and no other data."""
    wire = type_.value_class([1] * count).to_binary()
    value = type_.decode(wire)
    assert value.to_binary() is wire
    assert sys.getsizeof(value) <= 64


@each_type
def test_not_iterable_so_that_arrays_of_them_can_be_bound(type_: SpecType) -> None:
    """asyncpg would take an iterable element for another array dimension; see test_asyncpg.py."""
    assert not isinstance(sample(type_), Iterable)


def test_a_vector_iterates_by_index() -> None:
    assert list(Vector([1, 2])) == [1, 2]
    assert [*reversed(Vector([1, 2]))] == [2, 1]
    assert 2 in Vector([1, 2])


@each_dense_type
def test_index(type_: SpecType) -> None:
    value = sample(type_)
    assert [value[0], value[1], value[2], value[-1], value[-3]] == [1, 0, 3, 3, 1]
    assert type(value[0]) is type(value.to_list()[0])
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"from -3 to 2, got {index}"):
            value[index]
    with pytest.raises(IndexError, match="from -3 to 2, got"):
        value[10**5000]
    with pytest.raises(InvalidTypeError, match="^expected an index or a slice, got str '0'$"):
        value["0"]
    with pytest.raises(ValueError, match="dimensions"):
        value[3:]


@each_dense_type_to_limits
@given(data=st.data())
def test_every_index_finds_what_to_list_has(type_: SpecType, data: st.DataObject) -> None:
    """So do loops, which read the indices from 0 on, until one fails."""
    value = data.draw(type_.values())
    elements = value.to_list()
    assert list(value) == elements
    assert list(reversed(value)) == elements[::-1]
    assert [value[index] for index in range(-len(value), 0)] == elements
    assert value[-len(value) // 2 :].to_list() == elements[-len(value) // 2 :]


@each_dense_type
@given(data=st.data())
def test_an_index_finds_what_to_list_has(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    elements = value.to_list()
    index = data.draw(st.integers(-len(value), len(value) - 1))
    assert value[index] == value[np.int64(index) if np else index] == elements[index]
    start, stop = sorted([index % len(value), data.draw(st.integers(0, len(value)))])
    if start < stop:
        assert value[start:stop].to_list() == elements[start:stop]


@needs_numpy
def test_an_index_of_few_bits_does_not_overflow() -> None:
    """The offset in the payload does not fit the index's dtype."""
    value = Vector(range(128))
    assert value[np.int8(100)] == value[np.uint8(100)] == 100
    assert value[True] == 1
    assert value[np.int8(-28)] == 100


def test_equality_is_the_servers() -> None:
    """0.0 equals -0.0, also when bytes that look like -0.0 stand across two elements."""
    for value_class in (Vector, HalfVector):
        assert value_class([0.0, 1]) == value_class([-0.0, 1])
        assert hash(value_class([0.0, 1])) == hash(value_class([-0.0, 1]))
        assert value_class([0.0, 1]).to_binary() != value_class([-0.0, 1]).to_binary()
        assert value_class([1]) != value_class([-1])
        assert value_class([1]) != value_class([1, 0])
    across = Vector.from_binary(bytes.fromhex("0002 0000 3f008000 00003f80"))
    assert across == Vector(across.to_list())
    assert hash(across) == hash(Vector(across.to_list()))
    assert SparseVector({0: 1}, 2) != SparseVector({0: 1}, 3)
    assert SparseVector({0: 1}, 2) == SparseVector([1, -0.0])
    assert Bit("1") != Bit("10")


@each_dense_type
def test_json_schema_of_dense(type_: SpecType) -> None:
    assert type_.value_class.json_schema() == {
        "type": "array",
        "items": {"type": {"float": "number", "int": "integer"}[type_.model.element.python_type]},
        "minItems": 1,
        "maxItems": type_.model.max_dimensions,
    }


def test_json_schemas_of_the_others() -> None:
    assert SparseVector.json_schema() == {
        "type": "object",
        "properties": {
            "indices": {
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**9},
                "maxItems": 16_000,
            },
            "values": {"type": "array", "items": {"type": "number"}, "maxItems": 16_000},
            "dimensions": {"type": "integer", "minimum": 1, "maximum": 10**9},
        },
        "required": ["indices", "values", "dimensions"],
        "additionalProperties": False,
    }
    assert Bit.json_schema() == {
        "type": "string",
        "pattern": "^[01]*$",
        "maxLength": 2_147_483_640,
    }


@each_type
def test_hashes_differ(type_: SpecType) -> None:
    values = [type_.value_class([0] * place + [1] + [0] * (99 - place)) for place in range(100)]
    assert len({hash(value) for value in values}) > 90


def test_values_of_different_types_are_not_equal() -> None:
    assert Vector([1]) != HalfVector([1])
    assert Vector([2**-7]) != HalfVector([1, 0])  # the elements are the same four bytes
    assert Vector([1]) != SparseVector([1])
    assert Vector([1]) != [1]
    assert len({Vector([1]), HalfVector([1]), SparseVector([1]), Vector([1.0])}) == 3


@each_type
def test_values_of_a_subclass_are_of_the_same_type(type_: SpecType) -> None:
    """Equality compares SQL values, and not the subclasses that a program defines."""
    value = sample(type_)

    class Embedding(type_.value_class):
        pass

    class Document(type_.value_class):
        pass

    embedding, document = (class_.decode(value.to_binary()) for class_ in (Embedding, Document))
    assert embedding == value == document == embedding
    assert {embedding, value, document} == {value}


@pytest.mark.parametrize(
    ("value", "short", "whole"),
    [
        (Vector([1, 2.5, 0.1]), "Vector([1, 2.5, 0.1])", None),
        (
            Vector([1, 2.5, 0.1, -3]),
            "Vector([1, 2.5, 0.1, ...], 4 dimensions)",
            "Vector([1, 2.5, 0.1, -3])",
        ),
        (SparseVector({}, 5), "SparseVector({}, 5)", None),
        (SparseVector([1, 1, 2]), "SparseVector({0: 1, 1: 1, 2: 2}, 3)", None),
        (
            SparseVector(range(6)),
            "SparseVector({1: 1, 2: 2, 3: 3, ...}, 6 dimensions, 5 not zero)",
            "SparseVector({1: 1, 2: 2, 3: 3, 4: 4, 5: 5}, 6)",
        ),
        (Bit(""), "Bit('')", None),
        (Bit("01" * 16), f"Bit('{'01' * 16}')", None),
        (Bit("01" * 20), f"Bit('{'01' * 16}...', 40 bits)", f"Bit('{'01' * 20}')"),
    ],
)
def test_str_and_repr(value: Any, short: str, whole: str | None) -> None:
    assert str(value) == short
    assert repr(value) == (whole or short)
    shown: list[str] = []
    first = next(cls for cls in type(value).__mro__ if {"__repr__", "_repr_pretty_"} & {*vars(cls)})
    vars(first)["_repr_pretty_"](value, SimpleNamespace(text=shown.append), cycle=False)
    assert shown == [short]  # which IPython prints: it takes the first of the two methods


def test_repr_where_the_servers_digits_would_not_do() -> None:
    """The double of 7.038531e-26 is half-way between two float32, and would round to the other."""
    value = Vector.from_text("[7.038531e-26, 0.1]")
    assert value.to_text() == "[7.038531e-26,0.1]"
    assert Vector([7.038531e-26])[0] != value[0]
    assert repr(value) == f"Vector([{value[0]!r}, 0.1])"
    assert repr(Vector([-0.0])) == "Vector([-0.0])"  # a literal -0 is 0


@each_type
def test_info_is_what_the_spec_says(type_: SpecType) -> None:
    info, model = type_.value_class.info, type_.model
    assert info.sql_name == type_.sql_name
    assert info.extension == model.extension
    assert info.since == model.since
    assert info.max_dimensions == model.max_dimensions
    assert info.max_nnz == getattr(model, "max_nnz", None)
    assert info.max_indexed == model.max_indexed
    assert info.metrics == {
        name: Metric(metric.operator, metric.operator_classes)
        for name, metric in model.metrics.items()
    }


def test_init_subclass_of_other_bases_runs() -> None:
    class Named:
        name = ""

        def __init_subclass__(cls, *, name: str) -> None:
            cls.name = name

    class Embedding(Vector, Named, name="embedding"):
        pass

    assert Embedding.name == "embedding"
    assert type(Embedding.decode(Embedding([1]).to_binary())) is Embedding


@each_type
def test_the_example_of_the_docstring(type_: SpecType) -> None:
    run_examples(type_.value_class)


@each_type
def test_the_docstring_names_each_distance(type_: SpecType) -> None:
    text = " ".join((type_.value_class.__doc__ or "").split())
    for metric in type_.model.metrics.values():
        assert f"``{metric.operator}``" in text
        assert metric.values is None or metric.values in text
