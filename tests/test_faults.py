"""Failures half-way: the error is clear, nothing is stored, and the pool stays usable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from asyncpg_vector import ExtensionNotFoundError, InvalidValueError, Vector, register_vector
from asyncpg_vector._generated import VALUE_CLASSES
from tests.spec_types import TYPES

if TYPE_CHECKING:
    from tests.conftest import NewDatabase

# asyncpg 0.32 and later keep a pool at its `min_size`, by connecting in the background.
restores_min_size = tuple(map(int, asyncpg.__version__.split(".")[:2])) >= (0, 32)

FOREVER = 600  # seconds, which a test ends earlier


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async def poll() -> None:
        while not await condition():  # noqa: ASYNC110  # the server sends no event
            await asyncio.sleep(0.01)

    await asyncio.wait_for(poll(), 60)


class Items:
    """A table with a column for each type that the server has, two rows, and a pool of one."""

    def __init__(self, pool: asyncpg.Pool, admin: asyncpg.Connection, types: list[str]) -> None:
        self.pool = pool
        self.admin = admin
        self.columns = types
        self.rows = [self.row([1, 0, 1]), self.row([0, 1, 1])]

    def row(self, numbers: list[Any]) -> tuple[Any, ...]:
        return tuple(
            type_.value_class(numbers) for type_ in TYPES if type_.sql_name in self.columns
        )

    @property
    def quoted(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    def falls_asleep(self) -> str:
        """A query that sleeps after rows have been sent: the server sends them 8 kB at a time."""
        return f"""
            SELECT {self.quoted}, CASE WHEN n = 1000 THEN pg_sleep({FOREVER}) END
            FROM (SELECT * FROM items WHERE id = 1) AS one, generate_series(1, 1000) AS n
        """

    @property
    def insert(self) -> str:
        values = ", ".join(f"${n}" for n in range(1, len(self.columns) + 1))
        return f"INSERT INTO items ({self.quoted}) VALUES ({values})"

    async def copy(self, records: Any, **options: Any) -> None:
        await self.pool.copy_records_to_table(
            "items", records=records, columns=self.columns, **options
        )

    async def pid(self) -> int:
        return await self.pool.fetchval("SELECT pg_backend_pid()")

    async def kill(self, pid: int) -> None:
        """End the server process of a connection, and wait for its end."""
        assert await self.admin.fetchval("SELECT pg_terminate_backend($1, 60000)", pid)

    async def until_asleep(self, pid: int) -> None:
        query = "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
        await until(lambda: self.admin.fetchval(query, pid))

    async def until_copied(self, pid: int) -> None:
        """Wait until the server has stored rows of the running COPY."""
        query = "SELECT tuples_processed > 0 FROM pg_stat_progress_copy WHERE pid = $1"
        await until(lambda: self.admin.fetchval(query, pid))

    async def check(self) -> None:
        """Check that the table is as before, and that the pool reads, binds, copies and stores."""
        query = f"SELECT {self.quoted} FROM items ORDER BY id"
        assert [tuple(row) for row in await self.pool.fetch(query)] == self.rows
        new = self.row([1, 1, 1])
        await self.pool.execute(self.insert, *new)
        await self.copy([new])
        assert [tuple(row) for row in await self.pool.fetch(query)] == [*self.rows, new, new]


@pytest.fixture(scope="module")
async def database(new_database: NewDatabase) -> str:
    return await new_database()


@pytest.fixture
async def items(database: str) -> AsyncIterator[Items]:
    async def init(conn: asyncpg.Connection) -> None:
        await register_vector(conn, types=VALUE_CLASSES, missing_ok=True)

    admin = await asyncpg.connect(database)
    types = await register_vector(admin, types=VALUE_CLASSES, missing_ok=True)
    columns = ", ".join(f'"{name}" "{name}"(3)' for name in types)
    await admin.execute(f"DROP TABLE IF EXISTS items; CREATE TABLE items (id serial, {columns})")
    async with asyncpg.create_pool(database, init=init, min_size=1, max_size=1) as pool:
        items = Items(pool, admin, types)
        await items.copy(items.rows)
        yield items
    await admin.close()


class Interrupted:
    """Rows for a COPY, with an event in their middle, when the server has stored some of them."""

    ROWS = 100_000

    def __init__(self, items: Items, pid: int) -> None:
        self.items = items
        self.pid = pid

    async def __aiter__(self) -> AsyncIterator[tuple[Any, ...]]:
        row = self.items.row([1, 1, 0])
        for _ in range(self.ROWS):
            yield row
        await self.items.until_copied(self.pid)
        await self.happen()
        for _ in range(self.ROWS):
            yield row

    async def happen(self) -> None:
        raise NotImplementedError


# The server ends the connection


def closed_by_the_server() -> Any:
    return pytest.raises(asyncpg.ConnectionDoesNotExistError, match="closed in the middle of")


async def test_killed_in_copy_in(items: Items) -> None:
    class Killed(Interrupted):
        async def happen(self) -> None:
            await until(all_sent)
            await self.items.kill(self.pid)
            await closed.wait()

    async def all_sent() -> bool:
        return conn._transport.get_write_buffer_size() == 0

    closed = asyncio.Event()
    async with items.pool.acquire() as conn:
        conn.add_termination_listener(lambda _: closed.set())
        records = Killed(items, conn.get_server_pid())
        with closed_by_the_server():
            await conn.copy_records_to_table("items", records=records, columns=items.columns)
    await items.check()


async def test_killed_in_copy_in_that_waits_to_send(items: Items) -> None:
    """asyncpg 0.32 does not notice, and its own `timeout` does not fire; asyncio's does."""
    await items.admin.execute(
        f"""
        CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN PERFORM pg_sleep({FOREVER}); RETURN NEW; END';
        CREATE TRIGGER sleep BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION sleep();
        """
    )
    pid = await items.pid()
    rows = (items.row([1, 1, 0]) for _ in range(Interrupted.ROWS))
    copy = asyncio.create_task(items.copy(rows))
    await items.until_asleep(pid)
    await items.kill(pid)
    with pytest.raises((asyncio.TimeoutError, asyncpg.ConnectionDoesNotExistError)):
        await asyncio.wait_for(copy, 1)
    await items.admin.execute("DROP FUNCTION sleep CASCADE")
    await items.check()


async def test_killed_in_copy_out(items: Items) -> None:
    pid = await items.pid()
    received = bytearray()

    async def receive(data: bytes) -> None:
        received.extend(data)

    query = items.falls_asleep()
    copy = asyncio.create_task(items.pool.copy_from_query(query, output=receive, format="binary"))
    await items.until_asleep(pid)
    await items.kill(pid)
    with closed_by_the_server():
        await copy
    assert received
    await items.check()


async def test_killed_in_fetch(items: Items) -> None:
    pid = await items.pid()
    fetch = asyncio.create_task(items.pool.fetch(items.falls_asleep()))
    await items.until_asleep(pid)
    await items.kill(pid)
    with closed_by_the_server():
        await fetch
    await items.check()


async def test_killed_between_two_rows_of_a_cursor(items: Items) -> None:
    async with items.pool.acquire() as conn:
        await conn.transaction().start()
        await conn.execute(items.insert, *items.rows[0])
        rows = aiter(conn.cursor(f"SELECT {items.quoted} FROM items ORDER BY id", prefetch=1))
        assert tuple(await anext(rows)) == items.rows[0]
        closed = asyncio.Event()
        conn.add_termination_listener(lambda _: closed.set())
        await items.kill(conn.get_server_pid())
        await closed.wait()  # before that, asyncpg 0.32 may raise another error: not idle
        with pytest.raises(asyncpg.InterfaceError, match="connection is closed"):
            await anext(rows)
    await items.check()


# The task is cancelled


async def test_cancelled_copy(items: Items) -> None:
    class Cancelled(Interrupted):
        async def happen(self) -> None:
            copy.cancel()
            await asyncio.sleep(FOREVER)

    pid = await items.pid()
    copy = asyncio.create_task(items.copy(Cancelled(items, pid)))
    with pytest.raises(asyncio.CancelledError):
        await copy
    await items.check()
    assert await items.pid() == pid


async def test_cancelled_fetch(items: Items) -> None:
    pid = await items.pid()
    fetch = asyncio.create_task(items.pool.fetch(items.falls_asleep()))
    await items.until_asleep(pid)
    fetch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetch
    await items.check()
    assert await items.pid() == pid


def sleeping_rows(items: Items) -> tuple[str, Iterator[tuple[Any, ...]]]:
    """A statement and rows for `executemany`; the server sleeps at the fifth row."""
    values = ", ".join(f"${n}" for n in range(1, len(items.columns) + 1))
    insert = f"""
        INSERT INTO items ({items.quoted})
        SELECT {values} FROM pg_sleep(${len(items.columns) + 1})
    """
    return insert, ((*items.rows[0], FOREVER if n == 5 else 0) for n in range(1, 10))


async def test_cancelled_executemany(items: Items) -> None:
    pid = await items.pid()
    store = asyncio.create_task(items.pool.executemany(*sleeping_rows(items)))
    await items.until_asleep(pid)
    store.cancel()
    with pytest.raises(asyncio.CancelledError):
        await store
    await items.check()
    assert await items.pid() == pid


# Time runs out


STATEMENT_TIMEOUT = "SET statement_timeout = '100ms'"


def timed_out() -> Any:
    return pytest.raises(
        asyncpg.QueryCanceledError, match="canceling statement due to statement timeout"
    )


async def test_statement_timeout_in_copy(items: Items) -> None:
    """The server waits for rows beyond its timeout, and gives up at the next row."""
    row = items.row([1, 1, 0])

    async def late() -> AsyncIterator[tuple[Any, ...]]:
        yield row
        await asyncio.sleep(0.2)
        for _ in range(Interrupted.ROWS):
            yield row

    async with items.pool.acquire() as conn:
        await conn.execute(STATEMENT_TIMEOUT)
        with timed_out():
            await conn.copy_records_to_table("items", records=late(), columns=items.columns)
    await items.check()


async def test_statement_timeout_in_fetch(items: Items) -> None:
    async with items.pool.acquire() as conn:
        await conn.execute(STATEMENT_TIMEOUT)
        with timed_out():
            await conn.fetch(items.falls_asleep())
    await items.check()


async def test_statement_timeout_in_executemany(items: Items) -> None:
    async with items.pool.acquire() as conn:
        await conn.execute(STATEMENT_TIMEOUT)
        with timed_out():
            await conn.executemany(*sleeping_rows(items))
    await items.check()


async def test_timeout_of_the_client(items: Items) -> None:
    pid = await items.pid()
    with pytest.raises(asyncio.TimeoutError):
        await items.pool.fetch(items.falls_asleep(), timeout=0.1)
    with pytest.raises(asyncio.TimeoutError):
        await items.pool.executemany(*sleeping_rows(items), timeout=0.1)
    await items.check()
    assert await items.pid() == pid


# A row is refused


def rows_with(items: Items, fifth: Any) -> list[tuple[Any, ...]]:
    """Nine rows; the first value of the fifth is replaced."""
    rows = [items.row([1, 1, 0]) for _ in range(9)]
    rows[4] = (fifth, *rows[4][1:])
    return rows


async def test_a_row_that_the_client_refuses(items: Items) -> None:
    rows = rows_with(items, [1, float("nan"), 0])
    message = "expected a finite number at index 1, got nan"
    with pytest.raises(asyncpg.DataError, match=rf"\$1 in element #4 of executemany.*{message}"):
        await items.pool.executemany(items.insert, rows)
    with pytest.raises(InvalidValueError, match=message):
        await items.copy(rows)
    await items.check()


async def test_a_row_that_the_server_refuses(items: Items) -> None:
    rows = rows_with(items, [1, 0])
    message = "expected 3 dimensions, not 2"
    with pytest.raises(asyncpg.DataError, match=message):
        await items.pool.executemany(items.insert, rows)
    with pytest.raises(asyncpg.DataError, match=message) as error:
        await items.copy(rows)
    assert error.value.as_dict()["context"] == f"COPY items, line 5, column {items.columns[0]}"
    await items.check()


async def test_rows_that_end_in_an_error(items: Items) -> None:
    """COPY raises the error of the iterator of its rows."""

    class Fails(Interrupted):
        async def happen(self) -> None:
            raise LookupError("no more rows")

    with pytest.raises(LookupError, match="no more rows"):
        await items.copy(Fails(items, await items.pid()))
    await items.check()


# An answer is cut off


class Cut:
    """A proxy that hangs up after a number of bytes from the server."""

    def __init__(self, host: str, port: int) -> None:
        self.server = (host, port)
        self.allowed: int | None = None
        self.passed = 0

    async def __call__(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, questions = await self.open()
        await asyncio.gather(self.ask(client, questions), self.answer(server, answers))

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self.server
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def ask(self, client: asyncio.StreamReader, questions: asyncio.StreamWriter) -> None:
        while data := await client.read(65536):
            questions.write(data)
        questions.close()

    async def answer(self, server: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        while data := await server.read(65536):
            passed = data if self.allowed is None else data[: self.allowed - self.passed]
            self.passed += len(passed)
            answers.write(passed)
            if len(passed) < len(data):
                break
        answers.close()


async def test_an_answer_cut_anywhere(items: Items, database: str) -> None:
    """Either all rows arrive, or an error is raised."""
    query = f"SELECT {items.quoted} FROM items ORDER BY id"
    import psycopg  # has no wheel for a Python without a GIL

    with psycopg.connect(database) as info:
        cut = Cut(info.info.host, info.info.port)
    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()

    async def fetch(allowed: int | None) -> list[tuple[Any, ...]]:
        cut.allowed = None
        conn = await asyncpg.connect(database, host=host, port=port, ssl=False)
        try:
            await register_vector(conn, types=items.columns)
            await conn.execute("SELECT 1")
            cut.allowed, cut.passed = allowed, 0
            return [tuple(row) for row in await conn.fetch(query)]
        finally:
            await conn.close(timeout=10)

    assert await fetch(None) == items.rows
    whole = cut.passed
    assert whole > 0
    for allowed in range(0, whole, 5):
        with closed_by_the_server():
            await fetch(allowed)
    assert await fetch(whole) == items.rows
    server.close()
    await server.wait_closed()


# The extension is missing when a pool connects


async def test_a_pool_is_made_without_the_extension(new_database: NewDatabase) -> None:
    dsn = await new_database("SELECT 1")
    with pytest.raises(ExtensionNotFoundError, match="run CREATE EXTENSION vector"):
        await asyncpg.create_pool(dsn, init=register_vector)


async def test_a_pool_connects_again_without_the_extension(
    new_database: NewDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """A task that asks for a connection gets the error; errors in the background are logged.

    asyncpg 0.32 connects in the background until the extension exists. Earlier releases do not.
    """
    dsn = await new_database("CREATE EXTENSION vector")
    async with asyncpg.create_pool(dsn, init=register_vector, min_size=2, max_size=2) as pool:
        async with pool.acquire() as one, pool.acquire() as other:
            admin = await asyncpg.connect(dsn)
            await admin.execute("DROP EXTENSION vector")
            for conn in (one, other):
                # asyncpg cannot release a connection whose end it has read, until it closes it.
                closed = asyncio.Event()
                conn.add_termination_listener(lambda _, closed=closed: closed.set())
                pid = conn.get_server_pid()
                assert await admin.fetchval("SELECT pg_terminate_backend($1, 60000)", pid)
                await asyncio.wait_for(closed.wait(), 60)
        with pytest.raises(ExtensionNotFoundError, match="run CREATE EXTENSION vector"):
            await pool.fetchval("SELECT 1")

        async def has_tried() -> bool:
            return bool(caplog.records) or not restores_min_size

        await until(has_tried)
        assert {
            (record.name, record.levelname, record.exc_info and record.exc_info[0])
            for record in caplog.records
        } == ({("asyncpg.pool", "WARNING", ExtensionNotFoundError)} if restores_min_size else set())
        assert pool.get_size() == 0
        await admin.execute("CREATE EXTENSION vector")
        await admin.close()

        async def is_restored() -> bool:
            return pool.get_size() == 2 or not restores_min_size

        await until(is_restored)
        query = "SELECT $1::vector"
        assert await asyncio.gather(*[pool.fetchval(query, [n]) for n in range(4)]) == [
            Vector([n]) for n in range(4)
        ]
