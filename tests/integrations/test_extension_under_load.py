"""Statements on extensions beside ordinary sessions, as at the start of a service's processes."""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg
import pytest
from sqlalchemy import literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from asyncpg_vector import Vector
from asyncpg_vector.sqlalchemy import VECTOR, register_engine
from tests.conftest import NewDatabase
from tests.integrations.conftest import MakeEngine

CREATE = text("CREATE EXTENSION IF NOT EXISTS vector")
AS_TEXT = text("SELECT CAST('[1,2]' AS vector)")
PARAMETER = select(literal([1, 2], VECTOR()))

# The errors of any client while another session drops the extension; and the error of an engine whose
# connection was checked out before, so that the new type is not registered with it.
GONE = (
    'type "vector" does not exist',
    "cache lookup failed",
    "cached statement plan",
    "could not resolve query result and/or argument types",
)
NOT_REGISTERED = "expected str, got Vector"


async def fetch(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        assert await conn.scalar(AS_TEXT) == Vector([1, 2])
        assert await conn.scalar(PARAMETER) == Vector([1, 2])


async def create(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        await conn.execute(CREATE)


@pytest.mark.parametrize("count", [3, 10, 20, 200])
async def test_statements_that_change_nothing(
    dsn: str, make_engine: MakeEngine, count: int
) -> None:
    """No task fails, and no connection is replaced: the pool makes only those that are used at once."""
    for _ in range(3):
        engine = make_engine(dsn)
        register_engine(engine)
        made = Counter[str]()

        async def count_backends(engine: AsyncEngine = engine, made: Counter[str] = made) -> None:
            async with engine.connect() as conn:
                made[str(await conn.scalar(text("SELECT pg_backend_pid()")))] += 1

        tasks = [create(engine) for _ in range(count)] + [fetch(engine) for _ in range(count)]
        await asyncio.gather(*tasks, *[count_backends() for _ in range(count)])
        assert len(made) <= 15  # the pool's size and its overflow
        await engine.dispose()


async def test_created_anew_beside_hundreds_of_tasks(
    new_database: NewDatabase, make_engine: MakeEngine
) -> None:
    """Tasks get no errors but that the type is gone, or new; afterwards every task succeeds."""
    dsn = await new_database("CREATE EXTENSION vector")
    engine, other = make_engine(dsn), make_engine(dsn)
    register_engine(engine)
    told = Counter[str]()

    async def attempt() -> None:
        try:
            async with engine.connect() as conn:
                told[repr(await conn.scalar(AS_TEXT))] += 1
                told[repr(await conn.scalar(PARAMETER))] += 1
        # SQLAlchemy up to 2.0.45 does not wrap asyncpg's InternalClientError in a DBAPIError.
        except (DBAPIError, asyncpg.InternalClientError) as error:
            known = (reason for reason in (*GONE, NOT_REGISTERED) if reason in str(error))
            told[next(known, str(error))] += 1

    async def read() -> None:
        for _ in range(3):
            await attempt()

    async def create_anew(by: AsyncEngine) -> None:
        for _ in range(5):
            async with by.begin() as conn:
                await conn.execute(text("DROP EXTENSION IF EXISTS vector"))
                await conn.execute(text("CREATE EXTENSION vector"))

    await asyncio.gather(*[read() for _ in range(300)], create_anew(other))
    await asyncio.gather(*[read() for _ in range(300)], create_anew(engine))
    known = {"Vector([1, 2])", "'[1,2]'", NOT_REGISTERED, *GONE}
    assert {*told} <= known
    assert told["Vector([1, 2])"] > told.total() / 2
    told.clear()
    await asyncio.gather(*[read() for _ in range(100)])
    assert told == {"Vector([1, 2])": 600}
