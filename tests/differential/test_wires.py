"""Wire payloads: `from_binary` accepts and refuses the bytes that the type's ``recv`` does."""

from __future__ import annotations

from random import Random

import asyncpg

from tests.differential.batches import (
    assert_same,
    compared,
    damage,
    draw_wires,
    each_batch_of_each_kind,
)
from tests.spec_types import SpecType, each_type, wire_of

FEW = 250
"""The number of payloads in a batch. Each takes a statement, since a refused payload ends it."""


@each_type
@each_batch_of_each_kind
async def test_wires(raw: asyncpg.Connection, type_: SpecType, seed: int, kind: str) -> None:
    random = Random(seed)
    wires = [damage(wire, random) for wire in draw_wires(type_.model, kind, seed, FEW)]
    statement = await raw.prepare(f'SELECT $1::"{type_}"')
    judged = [await _judge(statement, wire) for wire in wires]
    ours = [wire_of(type_.value_class.from_binary, wire) for wire in wires]
    shown = [wire.hex() for wire in wires]
    assert_same(f"wire payload accepted or refused, {type_}", shown, ours, judged)
    compared[f"wire payload accepted, {type_}"] += len(
        [wire for wire in judged if wire is not None]
    )


async def _judge(statement: asyncpg.prepared_stmt.PreparedStatement, wire: bytes) -> bytes | None:
    try:
        return await statement.fetchval(wire)
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, asyncpg.ProtocolViolationError):
        return None
