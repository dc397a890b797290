"""SQLAlchemy behind a PgBouncer in transaction mode."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector
from tests.conftest import NewDatabase
from tests.integrations.conftest import MakeEngine, register_all
from tests.integrations.models import Item
from tests.pgbouncer import SERVER_CONNECTIONS

TASKS = 100


@pytest.fixture(params=["registered", "unregistered"])
async def engine(
    request: pytest.FixtureRequest,
    new_models_database: NewDatabase,
    make_engine: MakeEngine,
    pgbouncer: Callable[[str], str],
) -> AsyncEngine:
    """An engine with the options that docs/poolers.md advises."""
    engine = make_engine(
        pgbouncer(await new_models_database()),
        pool_size=20,
        connect_args={
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"statement_{uuid4()}",
        },
    )
    return register_all(engine) if request.param == "registered" else engine


async def test_many_sessions_share_few_servers(engine: AsyncEngine) -> None:
    async def use(n: int) -> int:
        written = {
            "vector": Vector([n, 1, 0]),
            "halfvec": HalfVector([n, 1, 0]),
            "sparsevec": SparseVector({4: n}, 5),
            "bit": Bit([n % 2, 1, 0]),
            "vectors": [Vector([n, 2, 0]), None],
        }
        async with AsyncSession(engine) as session, session.begin():
            item = Item(**written)
            session.add(item)
            await session.flush()
            id_ = item.id
        async with AsyncSession(engine) as session:
            item = await session.get_one(Item, id_)
            assert {name: getattr(item, name) for name in written} == written
            nearest = select(Item.id).order_by(Item.vector.l2_distance([n, 1, 0])).limit(1)
            assert await session.scalar(nearest) == id_
            return (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()

    servers = await asyncio.gather(*map(use, range(1, TASKS)))
    assert 1 < len(set(servers)) <= SERVER_CONNECTIONS
