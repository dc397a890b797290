"""Pickles and copies: pickles name the public package, and those of release 0.2 still load."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import asyncpg_vector
from asyncpg_vector import Bit, HalfVector, SparseVector, Vector
from tests.spec_types import SpecType, each_type
from tests.test_values import sample

# Made by asyncpg_vector 0.2.0, in the protocols 2 and 5.
OLD_PICKLES: list[tuple[Any, bytes]] = [
    (Vector([1, -2.5, 0.1]), b"\x80\x02c__builtin__\ngetattr\nq\x00casyncpg_vector._generated.vector\nVector\nq\x01X\x0b\x00\x00\x00from_binaryq\x02\x86q\x03Rq\x04c_codecs\nencode\nq\x05X\x15\x00\x00\x00\x00\x03\x00\x00?\xc2\x80\x00\x00\xc3\x80 \x00\x00=\xc3\x8c\xc3\x8c\xc3\x8dq\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\t\x85q\nRq\x0b."),
    (Vector([1, -2.5, 0.1]), b"\x80\x05\x95o\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c asyncpg_vector._generated.vector\x94\x8c\x06Vector\x94\x93\x94\x8c\x0bfrom_binary\x94\x86\x94R\x94C\x10\x00\x03\x00\x00?\x80\x00\x00\xc0 \x00\x00=\xcc\xcc\xcd\x94\x85\x94R\x94."),
    (HalfVector([1, -2.5, 0.1]), b"\x80\x02c__builtin__\ngetattr\nq\x00casyncpg_vector._generated.halfvec\nHalfVector\nq\x01X\x0b\x00\x00\x00from_binaryq\x02\x86q\x03Rq\x04c_codecs\nencode\nq\x05X\x0b\x00\x00\x00\x00\x03\x00\x00<\x00\xc3\x81\x00.fq\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\t\x85q\nRq\x0b."),
    (HalfVector([1, -2.5, 0.1]), b"\x80\x05\x95n\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c!asyncpg_vector._generated.halfvec\x94\x8c\nHalfVector\x94\x93\x94\x8c\x0bfrom_binary\x94\x86\x94R\x94C\n\x00\x03\x00\x00<\x00\xc1\x00.f\x94\x85\x94R\x94."),
    (SparseVector({1: 2, 4: 0.5}, 5), b"\x80\x02c__builtin__\ngetattr\nq\x00casyncpg_vector._generated.sparsevec\nSparseVector\nq\x01X\x0b\x00\x00\x00from_binaryq\x02\x86q\x03Rq\x04c_codecs\nencode\nq\x05X\x1c\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x04@\x00\x00\x00?\x00\x00\x00q\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\t\x85q\nRq\x0b."),
    (SparseVector({1: 2, 4: 0.5}, 5), b"\x80\x05\x95\x84\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c#asyncpg_vector._generated.sparsevec\x94\x8c\x0cSparseVector\x94\x93\x94\x8c\x0bfrom_binary\x94\x86\x94R\x94C\x1c\x00\x00\x00\x05\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x04@\x00\x00\x00?\x00\x00\x00\x94\x85\x94R\x94."),
    (Bit("10100000011"), b"\x80\x02c__builtin__\ngetattr\nq\x00casyncpg_vector._generated.bit\nBit\nq\x01X\x0b\x00\x00\x00from_binaryq\x02\x86q\x03Rq\x04c_codecs\nencode\nq\x05X\x07\x00\x00\x00\x00\x00\x00\x0b\xc2\xa0`q\x06X\x06\x00\x00\x00latin1q\x07\x86q\x08Rq\t\x85q\nRq\x0b."),
    (Bit("10100000011"), b"\x80\x05\x95_\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c\x1dasyncpg_vector._generated.bit\x94\x8c\x03Bit\x94\x93\x94\x8c\x0bfrom_binary\x94\x86\x94R\x94C\x06\x00\x00\x00\x0b\xa0`\x94\x85\x94R\x94."),
]  # fmt: skip


@each_type
def test_a_class_is_of_the_public_package(type_: SpecType) -> None:
    value_class = type_.value_class
    assert f"{value_class.__module__}.{value_class.__qualname__}" in repr(value_class)
    assert value_class.__module__ == asyncpg_vector.__name__


@each_type
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_names_the_public_package(type_: SpecType, protocol: int) -> None:
    value = sample(type_)
    data = pickle.dumps(value, protocol)
    assert b"asyncpg_vector._" not in data
    again = pickle.loads(data)
    assert type(again) is type_.value_class
    assert again.to_binary() == value.to_binary()


@pytest.mark.parametrize(("value", "data"), OLD_PICKLES)
def test_an_older_pickle_loads(value: Any, data: bytes) -> None:
    again = pickle.loads(data)
    assert type(again) is type(value)
    assert again.to_binary() == value.to_binary()


@each_type
@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_same_value(type_: SpecType, make: Any) -> None:
    value = sample(type_)
    again = make(value)
    assert type(again) is type_.value_class
    assert again.to_binary() == value.to_binary()
