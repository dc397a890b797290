"""Behind PgBouncer in transaction mode, where each transaction may meet another server process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from asyncpg_vector import register_vector, search_settings, server_settings
from asyncpg_vector._generated import VALUE_CLASSES
from tests.pgbouncer import SERVER_CONNECTIONS, keeps_server_after_copy, knows_statements
from tests.spec_types import SpecType, each_type

if TYPE_CHECKING:
    from tests.conftest import NewDatabase

TASKS = 200
SHOW = "SELECT current_setting('hnsw.ef_search', true)"


@pytest.fixture(scope="module")
async def pooled_dsn(new_database: NewDatabase, pgbouncer: Callable[[str], str]) -> str:
    return pgbouncer(await new_database())


def create_pool(dsn: str, **options: Any) -> asyncpg.Pool:
    async def init(conn: asyncpg.Connection) -> None:
        await register_vector(conn, types=VALUE_CLASSES, missing_ok=True)

    return asyncpg.create_pool(dsn, init=init, min_size=20, max_size=20, **options)


@pytest.fixture
async def pool(pooled_dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool with the options that docs/poolers.md advises."""
    async with create_pool(pooled_dsn, statement_cache_size=0) as pool:
        yield pool


async def use(pool: asyncpg.Pool, type_: SpecType, table: str, n: int) -> int:
    """Bind and fetch in every way; return the last server process."""
    one, two = (type_.value_class(numbers) for numbers in ([1, 0, n % 2], [0, 1, 1]))
    assert await pool.fetchval(f'SELECT $1::"{type_}"', one) == one
    assert await pool.fetchval(f'SELECT $1::"{type_}"', one.to_list()) == one
    assert await pool.fetchval(f'SELECT $1::"{type_}"[]', [one, None, two]) == [one, None, two]
    rows = [(n, value) for value in (one, None, two)]
    insert = f"INSERT INTO {table} VALUES ($1, $2)"
    await pool.executemany(insert, rows)
    if keeps_server_after_copy():
        await pool.executemany(insert, rows)
    else:
        await pool.copy_records_to_table(table, records=rows)
    query = f"SELECT n, v FROM {table} WHERE n = $1"
    assert sorted(map(repr, await pool.fetch(query, n))) == sorted(
        f"<Record n={n} v={value!r}>" for _, value in rows * 2
    )
    async with pool.acquire() as conn, conn.transaction():
        found = [row["v"] async for row in conn.cursor(query, n, prefetch=1)]
    assert found.count(one) == found.count(two) == found.count(None) == 2
    return await pool.fetchval("SELECT pg_backend_pid()")


async def test_settings_of_a_search(pool: asyncpg.Pool) -> None:
    """Each block has its own settings, on whichever server it is, and leaves none behind."""

    async def search(ef_search: int) -> None:
        async with pool.acquire() as conn:
            for _ in range(5):
                async with search_settings(conn, {"hnsw.ef_search": ef_search}):
                    await conn.execute("SELECT pg_sleep(0.001)")
                    assert await conn.fetchval(SHOW) == str(ef_search)
                assert await conn.fetchval(SHOW) in ("40", None)

    await asyncio.gather(*map(search, range(100, 150)))


async def test_settings_of_a_start(pooled_dsn: str) -> None:
    """PgBouncer refuses them."""
    with pytest.raises(
        asyncpg.PostgresError, match="unsupported startup parameter: hnsw.ef_search"
    ):
        await asyncpg.connect(pooled_dsn, server_settings=server_settings({"hnsw.ef_search": 50}))


@each_type
async def test_many_tasks_share_few_servers(pool: asyncpg.Pool, type_: SpecType) -> None:
    table = f"of_{type_}"
    await pool.execute(f'CREATE TABLE {table} (n integer, v "{type_}"(3))')
    servers = await asyncio.gather(*[use(pool, type_, table, n) for n in range(TASKS)])
    assert 1 < len(set(servers)) <= SERVER_CONNECTIONS


async def test_a_bad_value_leaves_the_servers_usable(pool: asyncpg.Pool) -> None:
    async def refuse() -> None:
        with pytest.raises(asyncpg.DataError, match="expected a finite number"):
            await pool.fetchval("SELECT $1::vector", [float("nan")])
        with pytest.raises(asyncpg.DataError, match="different vector dimensions 1 and 2"):
            await pool.fetchval("SELECT $1::vector <-> $2", [1], [1, 2])

    await asyncio.gather(*[refuse() for _ in range(TASKS)])
    assert await pool.fetchval("SELECT $1::vector::text", [1]) == "[1]"


async def test_with_a_statement_cache(pooled_dsn: str) -> None:
    """A statement is prepared on one server connection; the client's next one may be another.

    Later releases of PgBouncer keep the statements of their clients apart.
    """
    client = await asyncpg.connect(pooled_dsn)
    query = "SELECT pg_backend_pid()"
    prepared_on = await client.fetchval(query)
    others = [
        await asyncpg.connect(pooled_dsn, statement_cache_size=0) for _ in range(SERVER_CONNECTIONS)
    ]
    for other in others:
        await other.execute("BEGIN")
    for other in others:  # all server connections are taken; this gives those back that are another
        if await other.fetchval(query) != prepared_on:
            await other.execute("ROLLBACK")
    if knows_statements():
        assert await client.fetchval(query) != prepared_on
    else:
        with pytest.raises(asyncpg.InvalidSQLStatementNameError, match="prepared statement"):
            await client.fetchval(query)
    for conn in (client, *others):
        await conn.close()


async def test_clients_that_copy(pooled_dsn: str) -> None:
    """With PgBouncer 1.26, a client may keep its server connection after a COPY, until it disconnects.

    This happens if CopyDone arrives before the server's answer to COPY, for which asyncpg does not
    wait. It is a matter of luck: a few of many clients are enough to keep every server connection.
    """
    connect = partial(asyncpg.connect, pooled_dsn, statement_cache_size=0)
    clients = [await connect() for _ in range(20 * SERVER_CONNECTIONS)]
    await clients[0].execute("CREATE TABLE copied (n integer)")
    copies = [
        asyncio.create_task(client.copy_records_to_table("copied", records=[(1,)]))
        for client in clients
    ]
    timeout = 5 if keeps_server_after_copy() else 60  # longer than any COPY takes
    done, waiting = await asyncio.wait(copies, timeout=timeout)
    for client in clients:
        client.terminate()
    await asyncio.gather(*waiting, return_exceptions=True)
    later = await connect()
    assert await later.fetchval("SELECT count(*) FROM copied") == len(done)
    await later.close()
    assert bool(waiting) == keeps_server_after_copy()


async def test_clients_that_close_after_copying(pooled_dsn: str) -> None:
    """docs/poolers.md advises this for PgBouncer 1.26; every other release serves these clients too."""

    async def copy(n: int) -> None:
        client = await asyncpg.connect(pooled_dsn, statement_cache_size=0)
        await client.copy_records_to_table("copied_once", records=[(n,)])
        await client.close()

    conn = await asyncpg.connect(pooled_dsn, statement_cache_size=0)
    await conn.execute("CREATE TABLE copied_once (n integer)")
    await asyncio.gather(*map(copy, range(20 * SERVER_CONNECTIONS)))
    assert await conn.fetchval("SELECT count(*) FROM copied_once") == 20 * SERVER_CONNECTIONS
    await conn.close()
