"""Text forms: `from_text` accepts and refuses the strings that the type's ``in`` function does."""

from __future__ import annotations

from random import Random

import asyncpg
import pytest

from tests.differential.batches import SIZE, assert_same, compared, each_batch
from tests.differential.conftest import with_and_without_numpy
from tests.differential.texts import draw_text
from tests.needs import needs_pgvector
from tests.spec_types import SpecType, each_type, wire_of


@needs_pgvector("0.7.0")  # earlier releases read [,1] and [1], as [1]
@each_type
@with_and_without_numpy
@pytest.mark.usefixtures("numpy")
@each_batch
async def test_texts(judge: asyncpg.Connection, type_: SpecType, seed: int) -> None:
    random = Random(seed)
    texts = [draw_text(type_.model, random) for _ in range(SIZE)]
    judged = await judge.fetchval(
        f"SELECT array_agg(pg_temp.judge_{type_}(t) ORDER BY n) FROM unnest($1::text[])"
        " WITH ORDINALITY AS drawn (t, n)",
        texts,
    )
    ours = [wire_of(type_.value_class.from_text, text) for text in texts]
    assert_same(f"text accepted or refused, {type_}", texts, ours, judged)
    accepted = len([wire for wire in judged if wire is not None])
    compared[f"text accepted, {type_}"] += accepted
    assert SIZE / 20 < accepted < SIZE * 19 / 20
