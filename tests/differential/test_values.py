"""Valid values: in binary, as text, compared, and narrowed."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

import asyncpg
import numpy as np
import pytest

from asyncpg_vector import InvalidValueError
from asyncpg_vector._numpy import loaded_numpy
from codegen.spec import Format
from tests.differential.batches import (
    SIZE,
    assert_same,
    draw_elements,
    draw_wires,
    each_batch,
    each_batch_of_each_kind,
)
from tests.differential.conftest import with_and_without_numpy
from tests.needs import needs_pgvector
from tests.spec_types import DENSE, SpecType, each_dense_type, each_numeric_type, each_type

HALF = Format(format="float16", width=2)
HALVES = [type_ for type_ in DENSE if type_.model.element.format == HALF.format]
MANY = 16_000
ODD_NUMBERS = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e300, 1e-300, 1e-46, 6e-8, 3e-8, 2.9e-8]


@each_type
@each_batch_of_each_kind
async def test_echo(server: asyncpg.Connection, type_: SpecType, seed: int, kind: str) -> None:
    wires = draw_wires(type_.model, kind, seed)
    values = [type_.value_class.from_binary(wire) for wire in wires]
    echoed = await server.fetchval(f'SELECT $1::"{type_}"[]', values)
    assert_same(f"binary echo, {type_}", values, wires, [value.to_binary() for value in echoed])


@each_type
@with_and_without_numpy
@pytest.mark.usefixtures("numpy")
@each_batch_of_each_kind
async def test_text(server: asyncpg.Connection, type_: SpecType, seed: int, kind: str) -> None:
    """The text form equals the server's, and both sides read it as the same bits."""
    wires = draw_wires(type_.model, kind, seed)
    values = [type_.value_class.from_binary(wire) for wire in wires]
    texts = [value.to_text() for value in values]
    printed = await server.fetchval(f'SELECT $1::"{type_}"[]::text[]', values)
    assert_same(f"text form, {type_}", values, texts, printed)
    read = await server.fetchval(f'SELECT $1::text[]::"{type_}"[]', texts)
    ours = [type_.value_class.from_text(text).to_binary() for text in texts]
    assert_same(f"text form read, {type_}", texts, ours, [value.to_binary() for value in read])
    assert_same(f"text form read back, {type_}", texts, ours, wires)


@each_dense_type
@with_and_without_numpy
@pytest.mark.usefixtures("numpy")
@each_batch_of_each_kind
async def test_text_of_many_dimensions(
    server: asyncpg.Connection, type_: SpecType, seed: int, kind: str
) -> None:
    """With NumPy, other code prints long values than short ones."""
    draw = np.random.default_rng(seed)
    await _compare_texts(
        server, type_, draw_elements(type_.model.element, kind, type_.model.max_dimensions, draw)
    )


@with_and_without_numpy
@pytest.mark.usefixtures("numpy")
@pytest.mark.parametrize("type_", HALVES, ids=repr)
async def test_text_of_every_half(server: asyncpg.Connection, type_: SpecType) -> None:
    halves = np.arange(1 << 16, dtype="u2").view("f2")
    finite = halves[np.isfinite(halves)]
    assert len(finite) == 63_488
    for row in np.array_split(finite, 4):
        await _compare_texts(server, type_, row)


async def _compare_texts(server: asyncpg.Connection, type_: SpecType, elements: Any) -> None:
    packed = elements.astype(elements.dtype.newbyteorder(">")).tobytes()
    value = type_.value_class.from_binary(struct.pack(">HH", len(elements), 0) + packed)
    printed = await server.fetchval(f"SELECT $1::{type_}::text", value)
    texts = value.to_text()
    assert_same(f"elements in text, {type_}", elements, texts.split(","), printed.split(","))
    assert type_.value_class.from_text(texts).to_binary() == value.to_binary()


@needs_pgvector("0.7.0")  # earlier releases do not compare values of different dimensions
@each_type
@each_batch_of_each_kind
async def test_equality(server: asyncpg.Connection, type_: SpecType, seed: int, kind: str) -> None:
    """Values are equal exactly if the server says so; equal values have equal hashes."""
    few = draw_wires(type_.model, kind, seed, 40)
    left, right = (
        [type_.value_class.from_binary(wire) for wire in Random(draw).choices(few, k=SIZE)]
        for draw in (seed, seed + 1)
    )
    equal = await server.fetchval(
        f'SELECT array_agg(a = b ORDER BY n) FROM unnest($1::"{type_}"[], $2::"{type_}"[])'
        " WITH ORDINALITY AS pair (a, b, n)",
        left,
        right,
    )
    pairs = list(zip(left, right, strict=True))
    assert_same(f"equality, {type_}", pairs, [a == b for a, b in pairs], equal)
    assert all(hash(a) == hash(b) for a, b in pairs if a == b)


@each_numeric_type
@with_and_without_numpy
@pytest.mark.usefixtures("numpy")
@each_batch
async def test_narrowing(server: asyncpg.Connection, type_: SpecType, seed: int) -> None:
    """A float32 narrows to an element as in the server's casts from ``real[]``."""
    draw = np.random.default_rng(seed)
    halves = np.abs(draw_elements(HALF, "any bits", MANY, draw))
    singles = halves.astype("f4")
    half_way = (singles + np.nextafter(halves, np.float16(0)).astype("f4")) / 2
    near = [np.nextafter(half_way, np.float32(toward)) for toward in (0, np.inf)]
    for numbers in (singles, half_way, *near):
        fitting = numbers * draw.choice(np.float32([-1, 1]), MANY)
        cast = await server.fetchval(f"SELECT $1::real[]::vector::{type_}", fitting.tolist())
        for given_ in (fitting.tolist(), fitting) if loaded_numpy() else (fitting.tolist(),):
            assert_same(
                f"narrowing, {type_}", fitting, type_.value_class(given_).to_list(), cast.to_list()
            )


@each_dense_type
@each_batch
async def test_numbers_that_fit(judge: asyncpg.Connection, type_: SpecType, seed: int) -> None:
    """The server accepts the numbers that the client accepts, and no others."""
    draw = np.random.default_rng(seed)
    largest = float(np.finfo(type_.model.element.format).max)
    around = np.float64(largest) * (
        1 + draw.integers(-20, 40, 300) / 2.0 ** draw.integers(8, 30, 300)
    )
    numbers = [*around.tolist(), *(-around).tolist(), *draw.choice(ODD_NUMBERS, 100).tolist()]
    accepted = [number for number in numbers if _accepts(type_, number)]
    refused = [[number] for number in numbers if number not in accepted]
    assert accepted
    assert refused
    values = [type_.value_class([number]) for number in accepted]
    echoed = await judge.fetchval(f"SELECT $1::{type_}[]", values)
    assert_same(f"accepted number, {type_}", accepted, values, echoed)
    for number in refused:
        judged = await judge.fetchval(
            f"SELECT pg_temp.judge_{type_}($1::double precision[])", number
        )
        assert_same(f"refused number, {type_}", number, [None], [judged])


def _accepts(type_: SpecType, number: float) -> bool:
    try:
        type_.value_class([number])
    except InvalidValueError:
        return False
    return True
