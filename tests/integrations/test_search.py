"""Settings of searches on SQLAlchemy's sessions, connections and engines, on any driver."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_scoped_session,
    async_sessionmaker,
)
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from asyncpg_vector import (
    InvalidTypeError,
    InvalidValueError,
    SettingsNotFoundError,
    server_settings,
)
from asyncpg_vector.sqlalchemy import search_settings
from tests.conftest import NewDatabase
from tests.integrations.conftest import MakeEngine
from tests.needs import needs_pgvector

SETTINGS: Any = {"hnsw.ef_search": 77, "hnsw.scan_mem_multiplier": 2.0}

MAKERS = [AsyncSession, AsyncConnection]

pytestmark = needs_pgvector("0.8.0")  # the first release with all of these settings


@asynccontextmanager
async def using(engine: AsyncEngine, maker: type) -> AsyncIterator[Any]:
    """A session or a connection."""
    async with AsyncSession(engine) if maker is AsyncSession else engine.connect() as made:
        yield made


async def shown(session: Any, name: str = "hnsw.ef_search") -> str:
    found = await session.execute(text("SELECT current_setting(:name, true)"), {"name": name})
    return found.scalar_one()


@pytest.mark.parametrize("maker", MAKERS)
async def test_in_the_block(engine: AsyncEngine, maker: type) -> None:
    """The settings hold in the block, and the old ones after it."""
    async with using(engine, maker) as session:
        for _ in range(2):
            async with search_settings(session, SETTINGS):
                assert [await shown(session, name) for name in SETTINGS] == ["77", "2"]
            assert [await shown(session, name) for name in SETTINGS] == ["40", "1"]
        await session.execute(text("SET LOCAL hnsw.ef_search = 50"))
        async with search_settings(session, SETTINGS):
            async with search_settings(session, {"hnsw.ef_search": 200}):
                assert await shown(session) == "200"
            assert await shown(session) == "77"
        assert await shown(session) == "50"


async def test_each_transaction_of_a_session(engine: AsyncEngine) -> None:
    """A commit in the block does not lose the settings, and the block leaves none behind."""
    async with AsyncSession(engine) as session:
        async with search_settings(session, SETTINGS):
            for end in (session.commit, session.rollback, session.commit):
                assert await shown(session) == "77"
                await end()
        assert not session.in_transaction()
        assert await shown(session) == "40"
        await session.commit()
        assert await shown(session) == "40"


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("statement", ["SELECT 1/0", None])
async def test_an_error_in_the_block(
    engine: AsyncEngine, maker: type, statement: str | None
) -> None:
    """The error comes out, and the old settings hold."""
    async with using(engine, maker) as session:
        with pytest.raises(DBAPIError if statement else ZeroDivisionError):  # noqa: PT012
            async with search_settings(session, SETTINGS):
                if statement:
                    await session.execute(text(statement))
                raise ZeroDivisionError
        if statement:
            await session.rollback()
        assert await shown(session) == "40"


@pytest.mark.parametrize("maker", MAKERS)
async def test_autocommit(engine: AsyncEngine, maker: type) -> None:
    """Where each statement is a transaction, the settings would be lost with the next statement."""
    message = re.escape("in which hnsw.ef_search stays 77, got 40, since each statement commits")
    async with using(engine.execution_options(isolation_level="AUTOCOMMIT"), maker) as session:
        with pytest.raises(InvalidValueError, match=message):  # a session's begins later
            async with search_settings(session, SETTINGS):
                await shown(session)
        assert await shown(session) == "40"


def test_without_asyncio(psycopg_engine: Engine) -> None:
    """Sessions and connections of other drivers have `with`."""
    with Session(psycopg_engine) as session, search_settings(session, SETTINGS):
        session.commit()
        assert ef_search(session) == "77"
    with psycopg_engine.connect() as connection:
        with search_settings(connection, SETTINGS):
            assert ef_search(connection) == "77"
        assert ef_search(connection) == "40"


def ef_search(session: Session | Connection) -> Any:
    return session.execute(text("SELECT current_setting('hnsw.ef_search')")).scalar_one()


async def test_all_connections_of_an_engine(models_dsn: str, make_engine: MakeEngine) -> None:
    engine = make_engine(models_dsn, connect_args={"server_settings": server_settings(SETTINGS)})
    async with engine.connect() as connection:
        await connection.execute(text("SELECT '[1]'::vector"))
        assert await shown(connection) == "77"


async def test_what_the_server_lacks(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    engine = make_engine(await new_database("SELECT"))
    async with AsyncSession(engine) as session:
        with pytest.raises(SettingsNotFoundError, match="vector 0.5.0, which has not been created"):
            async with search_settings(session, SETTINGS):
                await session.scalar(text("SELECT 1"))
        await session.rollback()
        assert await session.scalar(text("SELECT 1")) == 1


async def test_errors(engine: AsyncEngine, psycopg_engine: Engine) -> None:
    with pytest.raises(
        InvalidTypeError, match="expected a session or a connection of SQLAlchemy, got AsyncEngine"
    ):
        search_settings(engine, SETTINGS)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="expected hnsw.ef_search from 1 to 1000, got 0"):
        search_settings(AsyncSession(engine), {"hnsw.ef_search": 0})
    with pytest.raises(
        InvalidTypeError, match="expected async with for this AsyncSession, got with"
    ):
        search_settings(AsyncSession(engine), SETTINGS).__enter__()
    with pytest.raises(InvalidTypeError, match="expected with for this Session, got async with"):
        await search_settings(Session(psycopg_engine), SETTINGS).__aenter__()


async def test_all_settings_are_looked_at(engine: AsyncEngine) -> None:
    """Also where the first has the value that it had before."""
    settings: Any = {"hnsw.ef_search": 40, "hnsw.iterative_scan": "strict_order"}
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with autocommit.connect() as connection:
        with pytest.raises(
            InvalidValueError, match="hnsw.iterative_scan stays strict_order, got off"
        ):
            await search_settings(connection, settings).__aenter__()


async def test_a_transaction_that_begins_in_the_block(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, search_settings(session, SETTINGS):
        async with session.begin():
            assert await shown(session) == "77"
        async with session.begin(), session.begin_nested():
            assert await shown(session) == "77"


async def test_what_the_block_leaves_to_the_user(engine: AsyncEngine) -> None:
    """A savepoint in the block keeps the user's own value; another transaction has no old one."""
    async with AsyncSession(engine) as session:
        await session.execute(text("SET LOCAL hnsw.ef_search = 50"))
        async with search_settings(session, SETTINGS):
            await session.execute(text("SET LOCAL hnsw.ef_search = 123"))
            async with session.begin_nested():
                assert await shown(session) == "123"
            await session.commit()
            assert await shown(session) == "77"
        assert await shown(session) == "40"


async def test_old_values_stay_defaults(engine: AsyncEngine) -> None:
    """VectorChord lets a setting of the session win over an index's option."""
    source = text("SELECT source FROM pg_settings WHERE name = 'hnsw.ef_search'")
    async with AsyncSession(engine) as session:
        async with search_settings(session, SETTINGS):
            assert await session.scalar(source) == "session"
        assert await session.scalar(source) == "default"


async def test_a_session_of_a_connection(engine: AsyncEngine) -> None:
    """The connection's transaction goes on after the session's."""
    async with engine.connect() as connection:
        await connection.begin()
        async with AsyncSession(bind=connection) as session:
            async with search_settings(session, SETTINGS):
                assert await shown(session) == "77"
                await session.commit()
            assert await shown(session) == "40"


async def test_a_connection_that_commits_in_the_block(engine: AsyncEngine) -> None:
    """The settings are lost, which is an error, but not in place of another one."""
    async with engine.connect() as connection:
        message = "expected the transaction of the connection to last as long as the block"
        with pytest.raises(InvalidValueError, match=message):
            async with search_settings(connection, SETTINGS):
                await connection.commit()
        with pytest.raises(ZeroDivisionError):  # noqa: PT012
            async with search_settings(connection, SETTINGS):
                await connection.commit()
                raise ZeroDivisionError


async def test_an_error_that_is_handled_in_the_block(engine: AsyncEngine) -> None:
    """The failed transaction restores the old settings, once it is undone."""
    async with AsyncSession(engine) as session:
        async with search_settings(session, SETTINGS):
            with pytest.raises(DBAPIError):
                await session.execute(text("SELECT 1/0"))
        await session.rollback()
        assert await shown(session) == "40"


async def test_a_block_within_itself(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, search_settings(session, SETTINGS) as block:
        with pytest.raises(
            InvalidValueError, match="expected a block of its own for each search_settings"
        ):
            await block.__aenter__()


async def test_scoped_sessions(engine: AsyncEngine, psycopg_engine: Engine) -> None:
    scoped = async_scoped_session(async_sessionmaker(engine), scopefunc=lambda: 1)
    async with search_settings(scoped, SETTINGS):
        assert await shown(scoped) == "77"
    await scoped.remove()
    of_threads = scoped_session(sessionmaker(psycopg_engine))
    with search_settings(of_threads, SETTINGS):
        assert ef_search(of_threads()) == "77"
    of_threads.remove()


async def test_a_connection_that_is_lost(models_dsn: str, make_engine: MakeEngine) -> None:
    """The error of the block comes out, and not one of the settings."""
    async with AsyncSession(make_engine(models_dsn)) as session:
        with pytest.raises(DBAPIError, match="terminat|closed"):
            async with search_settings(session, SETTINGS):
                await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        await session.rollback()
        assert await shown(session) in ("40", None)


def test_old_values_that_cannot_be_set(
    psycopg_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any error but that of a failed transaction comes out."""

    def fail(*_: object) -> None:
        raise DBAPIError("SELECT", None, RuntimeError("no room"))

    with psycopg_engine.connect() as connection:
        block = search_settings(connection, SETTINGS)
        block.__enter__()
        monkeypatch.setattr("asyncpg_vector.sqlalchemy.search._execute", fail)
        with pytest.raises(DBAPIError, match="no room"):
            block.__exit__(None, None, None)
