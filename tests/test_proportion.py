"""The cost of a value follows from its elements, and not from its dimensions or from its header."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

import asyncpg_vector
from asyncpg_vector import InvalidValueError, MalformedWireError
from codegen.spec import Count
from tests.cost import at_most
from tests.needs import np
from tests.spec_types import (
    TYPES,
    SpecType,
    each_dense_type,
    each_sparse_type,
    each_type,
    pack_header,
)

MEGABYTE = 1_000_000
NAMES = {name: getattr(asyncpg_vector, name) for name in asyncpg_vector.__all__}


SECONDS = 10
"""More than any operation takes on a slow machine; writing out all zeros would take minutes."""

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "to_binary and back": lambda value: type(value).from_binary(value.to_binary()),
    "encode and decode": lambda value: type(value).decode(type(value).encode(value)),
    "to_text and back": lambda value: type(value).from_text(value.to_text()),
    "to_json and back": lambda value: type(value).from_json(value.to_json()),
    "to_dict and back": lambda value: type(value)(value.to_dict(), value.dimensions()),
    "repr": lambda value: eval(repr(value), NAMES),
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.deepcopy,
    "hash": lambda value: {value: value}[value],
    "made of another": lambda value: type(value)(value),
}
if np:
    OPERATIONS["to_coo and back"] = lambda value: type(value)(value.to_coo())


def largest(type_: SpecType, nnz: int) -> Any:
    """A value with the most dimensions, and elements all over them."""
    dimensions = type_.model.max_dimensions
    return type_.value_class({n * (dimensions // nnz): 1.5 for n in range(nnz)}, dimensions)


@pytest.mark.parametrize("operation", OPERATIONS)
@each_sparse_type
def test_the_most_dimensions(type_: SpecType, operation: str) -> None:
    value = largest(type_, 2)
    OPERATIONS[operation](value)  # imports SciPy
    with at_most(MEGABYTE, SECONDS):
        assert OPERATIONS[operation](value) == value
        assert len(str(value)) < 200


@pytest.mark.parametrize("operation", OPERATIONS)
@each_sparse_type
def test_the_most_dimensions_and_elements(type_: SpecType, operation: str) -> None:
    value = largest(type_, type_.model.max_nnz)
    with at_most(40 * MEGABYTE, SECONDS):  # Python's compiler takes most of it, for the repr
        assert OPERATIONS[operation](value) == value
        assert len(str(value)) < 200


@each_sparse_type
def test_comparing_the_most_dimensions(type_: SpecType) -> None:
    values = [largest(type_, nnz) for nnz in (1, 2, 3)]
    with at_most(MEGABYTE, SECONDS):
        assert all(value != following for value, following in pairwise(values))
        assert values[0] not in values[1:]
        assert values[0] != values[0].to_text()


@each_dense_type
def test_the_most_dimensions_are_no_dense_value(type_: SpecType) -> None:
    """The value is refused before its zeros are written out."""
    sparse = largest(next(type_ for type_ in TYPES if type_.model.layout == "sparse"), 2)
    with at_most(MEGABYTE, SECONDS):
        with pytest.raises(InvalidValueError, match=f"got {sparse.dimensions()}"):
            type_.value_class(sparse)
        if np:
            with pytest.raises(InvalidValueError, match=f"row 0: .* got {sparse.dimensions()}"):
                type_.value_class.from_matrix([sparse])
        with pytest.raises(asyncpg_vector.InvalidTypeError, match="convert"):
            type_.encode(sparse)


LONG = [range(10**10), range(10**30)]
if np:
    LONG += [np.broadcast_to(one, 10**10) for one in (np.float32(1), 1.0, 1, True)]


TOO_LONG = (
    r"^expected .*, got (10000000000|range range\(0, 1.*\)|int 2(;.*)?|[0-9]+ up to index [0-9]+)$"
)


@pytest.mark.parametrize("row", LONG, ids=lambda row: f"{getattr(row, 'dtype', row)}")
@each_type
def test_too_long_a_row(type_: SpecType, row: Any) -> None:
    """The row is refused before its elements, which take no memory, are made."""
    for make in (type_.value_class, type_.encode):
        with at_most(MEGABYTE, SECONDS), pytest.raises(InvalidValueError, match=TOO_LONG):
            make(row)


@each_sparse_type
def test_a_long_row_of_zeros(type_: SpecType) -> None:
    rows: list[Any] = [[0] * 10**6]
    if np:
        rows.append(np.broadcast_to(0.0, type_.model.max_dimensions))
    for row in rows:
        with at_most(10 * MEGABYTE, SECONDS):
            assert type_.value_class(row) == type_.value_class({}, len(row))


@each_sparse_type
def test_too_many_that_are_not_zero(type_: SpecType) -> None:
    most = type_.model.max_nnz
    rows: list[Any] = [range(1, 10**9)]
    if np:
        rows.append(np.broadcast_to(1.0, 10**9))
    for row in rows:
        message = f"expected 0 to {most} non-zero elements .* got [0-9]+ up to index [0-9]+$"
        with at_most(20 * MEGABYTE, SECONDS), pytest.raises(InvalidValueError, match=message):
            type_.value_class(row)
    with at_most(MEGABYTE, SECONDS), pytest.raises(InvalidValueError, match="got 1000000000 ind"):
        type_.value_class.from_coo(range(10**9), [1], 5)


@each_type
def test_a_header_that_announces_more_than_there_is(type_: SpecType) -> None:
    """Of each count, the largest and the smallest number that its format holds."""
    for count in (field for field in type_.model.header if isinstance(field, Count)):
        for end in {count.number_format.most, count.number_format.least} - {0}:
            wire = pack_header(type_.model, **{count.name: end}) + bytes(8)
            for read in (type_.value_class.from_binary, type_.decode):
                with (
                    at_most(MEGABYTE, SECONDS),
                    pytest.raises((MalformedWireError, InvalidValueError)),
                ):
                    read(wire)
