"""Values of every type, up to its limits, survive each conversion and its inverse."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import asyncpg_vector
from tests.needs import needs_numpy, np
from tests.spec_types import (
    SpecType,
    each_dense_type,
    each_dense_type_to_limits,
    each_numeric_type,
    each_sparse_type,
    each_sparse_type_to_limits,
    each_type_to_limits,
    tiled,
)

# The names with which eval() reads a repr.
NAMES = {name: getattr(asyncpg_vector, name) for name in asyncpg_vector.__all__}


@each_type_to_limits
@given(data=st.data())
def test_wire(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    wire = type_.encode(value)
    assert type(wire) is bytes
    for again in (type_.decode(wire), type_.value_class.from_binary(wire)):
        assert type(again) is type_.value_class
        assert again == value
        assert again.to_binary() == wire


@each_type_to_limits
@given(data=st.data())
def test_text(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    assert type_.value_class.from_text(value.to_text()).to_binary() == value.to_binary()
    assert type_.encode(value.to_text()) == value.to_binary()


@each_type_to_limits
@given(data=st.data())
def test_pickle_copy_and_repr(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    for again in (
        pickle.loads(pickle.dumps(value)),
        copy.deepcopy(value),
        eval(repr(value), NAMES),
    ):
        assert type(again) is type_.value_class
        assert again == value
        assert hash(again) == hash(value)


@each_type_to_limits
@given(data=st.data())
def test_str_is_short(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    assert len(str(value)) < 200


@each_dense_type_to_limits
@given(data=st.data())
def test_dense_numbers(type_: SpecType, data: st.DataObject) -> None:
    (numbers,) = data.draw(type_.inputs())
    value = type_.value_class(numbers)
    assert same(value.to_list(), numbers)
    assert same(list(value), numbers)
    assert value.dimensions() == len(value) == len(numbers)


@needs_numpy
@each_dense_type_to_limits
@given(data=st.data())
def test_dense_array(type_: SpecType, data: st.DataObject) -> None:
    (numbers,) = data.draw(type_.inputs())
    value = type_.value_class(numbers)
    array = value.to_numpy()
    assert array.dtype == np.dtype(type_.element_format.dtype)
    assert array.dtype.isnative
    assert same(array.tolist(), numbers)
    assert type_.value_class(array).to_binary() == value.to_binary()


@each_sparse_type_to_limits
@given(data=st.data())
def test_sparse_numbers(type_: SpecType, data: st.DataObject) -> None:
    elements, dimensions = data.draw(type_.inputs())
    value = type_.value_class(elements, dimensions)
    kept = {index: number for index, number in sorted(elements.items()) if number}
    assert value.to_dict() == kept
    assert value.indices() == list(kept)
    assert value.values() == list(kept.values())
    assert value.dimensions() == dimensions
    assert value.nnz() == len(kept)
    again = type_.value_class.from_coo(value.indices()[::-1], value.values()[::-1], dimensions)
    assert again == value


def rows(type_: SpecType) -> st.SearchStrategy[list[int]]:
    """Rows of few dimensions, and one with the most elements of a sparse value."""
    return tiled(st.integers(-3, 3), st.integers(1, 100)) | st.just([1, 0] * type_.model.max_nnz)


@each_sparse_type
@given(data=st.data())
def test_sparse_to_dense_and_back(type_: SpecType, data: st.DataObject) -> None:
    numbers = data.draw(rows(type_))
    value = type_.value_class(numbers)
    assert value.to_list() == numbers
    assert type_.value_class(value.to_list()) == value


@needs_numpy
@each_sparse_type
@given(data=st.data())
def test_sparse_to_arrays_and_back(type_: SpecType, data: st.DataObject) -> None:
    numbers = data.draw(rows(type_))
    value = type_.value_class(numbers)
    assert value.to_numpy().tolist() == numbers
    for again in (value.to_numpy(), np.asarray(value), value.to_coo()):
        assert type_.value_class(again) == value


@each_numeric_type
@given(data=st.data())
def test_values_of_other_classes_convert(type_: SpecType, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(-128, 127), min_size=1))
    for name in ("Vector", "HalfVector", "SparseVector"):
        other = getattr(asyncpg_vector, name)(numbers)
        assert type_.value_class(other) == type_.value_class(numbers)


@pytest.mark.parametrize(
    "sliced", [slice(1, 3), slice(None, None, 2), slice(-2, None), slice(None)]
)
@each_dense_type
def test_slices_are_values(type_: SpecType, sliced: slice) -> None:
    numbers = [1, 2, 3, 4, 5]
    assert type_.value_class(numbers)[sliced] == type_.value_class(numbers[sliced])


def same(left: list[Any], right: list[Any]) -> bool:
    """Tell whether the numbers are the same; 0.0 and -0.0 differ."""
    return list(map(repr, map(float, left))) == list(map(repr, map(float, right)))
