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


# Fixtures whose models have columns of types that pgvector 0.7 added.
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
    """Make engines, and dispose of them afterwards: the server allows few connections."""
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
    """A database with the tables of the models, which tests share."""
    return await new_models_database()


def register_all(engine: AsyncEngine) -> AsyncEngine:
    """Register every type with an engine, built-in types included."""
    register_engine(engine, types=VALUE_CLASSES, missing_ok=True)
    return engine


@pytest.fixture(scope="session")
def registered(models_dsn: str, make_engine_to_share: MakeEngine) -> AsyncEngine:
    return register_all(make_engine_to_share(models_dsn))


@pytest.fixture(scope="session")
def unregistered(models_dsn: str, make_engine_to_share: MakeEngine) -> AsyncEngine:
    """An engine without registered types."""
    return make_engine_to_share(models_dsn)


@pytest.fixture(scope="session", params=["registered", "unregistered"])
def engine(request: pytest.FixtureRequest) -> AsyncEngine:
    engine: AsyncEngine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture(scope="session")
def psycopg_engine(models_dsn: str) -> Iterator[Engine]:
    """A synchronous engine, which migrations often use."""
    engine = create_engine(make_url(models_dsn).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()
