"""The digits of float64, which no type of the spec has: the server's own type prints and reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import isfinite

import asyncpg
import numpy as np
import pytest

from asyncpg_vector.runtime import number_format, number_text
from codegen.spec import Format
from tests.differential.batches import KINDS, SIZE, assert_same, draw_elements, each_batch

DOUBLE = Format(format="float64", width=8)
TEXT = number_text("float64")
FLOAT64 = number_format("float64", "big")


def _draw_kind(kind: str, draw: np.random.Generator) -> list[float]:
    drawn: list[float] = draw_elements(DOUBLE, kind, SIZE, draw).tolist()
    return drawn


def _draw_large(draw: np.random.Generator) -> list[float]:
    """Whole numbers around 2**53, from where on some doubles are half-way between two decimals."""
    numbers = np.ldexp(1 + draw.random(SIZE), draw.integers(50, 72, SIZE))
    return np.round(numbers * draw.choice([-1, 1], SIZE)).tolist()


def _draw_neighbours(draw: np.random.Generator) -> list[float]:
    """Doubles on both sides of decimals that are half-way between them.

    Such a decimal has 54 significant bits, the last of which is 1: t * 10**k with an odd t.
    """
    numbers: list[float] = []
    while len(numbers) < SIZE:
        k = int(draw.integers(1, 23))
        least = -(-(2 ** (53 + k)) // 10**k)
        decimal = (int(draw.integers(least, 2 * least)) | 1) * 10**k
        nearest = float(decimal)
        other = np.nextafter(nearest, np.inf if decimal > nearest else -np.inf)
        numbers += [nearest, float(other)]
    return numbers


DRAWN: Mapping[str, Callable[[np.random.Generator], list[float]]] = {
    **{kind: partial(_draw_kind, kind) for kind in KINDS},
    "around 2**53": _draw_large,
    "beside half-way": _draw_neighbours,
}


@pytest.mark.parametrize("kind", DRAWN)
@each_batch
async def test_digits(server: asyncpg.Connection, kind: str, seed: int) -> None:
    numbers = DRAWN[kind](np.random.default_rng(seed))
    printed = await server.fetchval("SELECT $1::float8[]::text[]", numbers)
    assert_same("float64 printed", numbers, TEXT.print(numbers), printed)
    read = TEXT.read(",".join(printed), FLOAT64, None)
    assert_same("float64 read back", printed, map(repr, read), map(repr, numbers))


@each_batch
async def test_reading(server: asyncpg.Connection, seed: int) -> None:
    """Texts of more digits than a float64 has, exact half-way ones and such beside them too."""
    draw = np.random.default_rng(seed)
    texts = [f"{number:.{draw.integers(0, 40)}e}" for number in _draw_kind("any bits", draw)]
    for nearest, other in zip(*[iter(_draw_neighbours(draw))] * 2, strict=True):
        exact = (int(nearest) + int(other)) // 2
        texts += [f"{exact}.{'0' * 30}1", str(exact), f"{exact - 1}.{'9' * 30}"]
    texts = [text for text in texts if isfinite(float(text))]
    read = await server.fetchval("SELECT $1::text[]::float8[]", texts)
    assert_same(
        "float64 read", texts, map(repr, TEXT.read(",".join(texts), FLOAT64, None)), map(repr, read)
    )
