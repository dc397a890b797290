"""Engines on the suite's server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeAlias

import pytest
import sqlalchemy
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector.sqlalchemy import register_engine
from tests.conftest import NewDatabase
from tests.integrations.models import Base
from tests.needs import needs_pgvector

MakeEngine: TypeAlias = Callable[..., AsyncEngine]


# Whose models have columns of types that came with pgvector 0.7.
OF_MODELS = {
    "engine",
    "models_dsn",
    "new_models_database",
    "psycopg_engine",
    "registered",
    "unregistered",
}


def pytest_itemcollected(item: pytest.Item) -> None:
    if OF_MODELS & {*getattr(item, "fixturenames", ())}:
        item.add_marker(needs_pgvector("0.7.0"))


def pytest_configure() -> None:
    wanted = os.environ.get("ASYNCPG_VECTOR_TEST_SQLALCHEMY", "2.")
    assert sqlalchemy.__version__.startswith(wanted), f"expected SQLAlchemy {wanted}"


@asynccontextmanager
async def making_engines() -> AsyncIterator[MakeEngine]:
    """Make engines, and dispose of them afterwards, whose connections the server has few of."""
    async with AsyncExitStack() as stack:

        def make(dsn: str, **options: Any) -> AsyncEngine:
            url = make_url(dsn).set(drivername="postgresql+asyncpg")
            engine = create_async_engine(url, **options)
            stack.push_async_callback(engine.dispose)
            return engine

        yield make


@pytest.fixture
async def make_engine() -> AsyncIterator[MakeEngine]:
    """Makes engines for a test."""
    async with making_engines() as make:
        yield make


@pytest.fixture(scope="session")
async def make_engine_to_share() -> AsyncIterator[MakeEngine]:
    """Makes engines for the whole suite."""
    async with making_engines() as make:
        yield make


@pytest.fixture(scope="session")
def new_models_database(new_database: NewDatabase) -> NewDatabase:
    """Makes databases with the tables of the models."""

    async def make() -> str:
        dsn = await new_database()
        async with making_engines() as make_engine, make_engine(dsn).begin() as conn:
            await conn.run_sync(Base.metadata.create_all)
        return dsn

    return make


@pytest.fixture(scope="session")
async def models_dsn(new_models_database: NewDatabase) -> str:
    """The one that tests share."""
    return await new_models_database()


def register_all(engine: AsyncEngine) -> AsyncEngine:
    """Have every type registered with an engine, the built-in ones too."""
    register_engine(engine, types=VALUE_CLASSES, missing_ok=True)
    return engine


@pytest.fixture(scope="session")
def registered(models_dsn: str, make_engine_to_share: MakeEngine) -> AsyncEngine:
    return register_all(make_engine_to_share(models_dsn))


@pytest.fixture(scope="session")
def unregistered(models_dsn: str, make_engine_to_share: MakeEngine) -> AsyncEngine:
    """An engine that knows nothing of this package."""
    return make_engine_to_share(models_dsn)


@pytest.fixture(scope="session", params=["registered", "unregistered"])
def engine(request: pytest.FixtureRequest) -> AsyncEngine:
    engine: AsyncEngine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture(scope="session")
def psycopg_engine(models_dsn: str) -> Iterator[Engine]:
    """A synchronous engine, as migrations often have."""
    engine = create_engine(make_url(models_dsn).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()
