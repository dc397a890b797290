"""`register_engine`: which connections have the types' codecs, and from when on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, NamedTuple

import asyncpg
import pytest
from asyncpg import BitString
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, StaticPool
from sqlalchemy.util import await_only

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    TypesNotFoundError,
    Vector,
)
from asyncpg_vector.registration import Registration
from asyncpg_vector.runtime import Dense
from asyncpg_vector.sqlalchemy import ARRAY, BIT, VECTOR, register_engine
from asyncpg_vector.sqlalchemy._parameters import print_values
from examples.own_type.own_types import TinyVector
from examples.own_type.own_types.sqlalchemy import TINYVEC
from tests.conftest import NewDatabase
from tests.integrations.conftest import MakeEngine
from tests.needs import needs_pgvector
from tests.own_types import CREATE_SQL
from tests.test_registration import OF_BOTH, PGVECTOR_0_6, TWO_SCHEMAS, Embedding

CREATE = text("CREATE EXTENSION IF NOT EXISTS vector")
DROP = text("DROP EXTENSION IF EXISTS vector")


async def knows(conn: AsyncConnection) -> bool:
    """Return whether a connection has the codec; statements with a typed column work without it."""
    try:
        fetched = await conn.scalar(text("SELECT CAST('[1,2]' AS vector)"))
    except Exception:
        await conn.rollback()
        raise
    assert await conn.scalar(select(literal([1, 2], VECTOR()))) == Vector([1, 2])
    return isinstance(fetched, Vector)


async def create_anew(conn: AsyncConnection) -> None:
    await conn.execute(DROP)
    await conn.execute(CREATE)


@pytest.fixture
async def bare(new_database: NewDatabase, make_engine: MakeEngine) -> AsyncEngine:
    """A registered engine of a database without the extension."""
    engine = make_engine(await new_database("SELECT 1"))
    register_engine(engine)
    return engine


@pytest.fixture
async def created(bare: AsyncEngine) -> AsyncEngine:
    """A registered engine that has created the extension."""
    async with bare.begin() as conn:
        await conn.execute(CREATE)
    return bare


async def test_the_engine_creates_the_extension(bare: AsyncEngine) -> None:
    """The types are known in the transaction, on its connection, and on old and new ones."""
    async with bare.connect() as early:
        assert await early.scalar(text("SELECT 1")) == 1
    async with bare.connect() as early:
        async with bare.begin() as conn:
            await conn.execute(CREATE)
            assert await knows(conn)
        async with bare.connect() as same:
            assert await knows(same)
        await early.close()
        async with bare.connect() as one, bare.connect() as two:
            assert await knows(one)
            assert await knows(two)


async def test_somebody_else_creates_the_extension(
    bare: AsyncEngine, make_engine: MakeEngine
) -> None:
    """A connection knows the extension after its next checkout."""
    async with bare.connect() as conn:
        assert await conn.scalar(text("SELECT 1")) == 1
    async with make_engine(bare.url.render_as_string(hide_password=False)).begin() as other:
        await other.execute(CREATE)
    async with bare.connect() as conn:
        assert await knows(conn)


async def test_a_lost_connection_is_replaced(bare: AsyncEngine, make_engine: MakeEngine) -> None:
    """The lost connection had no extension, so that the checkout asks the server again."""
    async with bare.connect() as conn:
        pid = await conn.scalar(text("SELECT pg_backend_pid()"))
    async with make_engine(bare.url.render_as_string(hide_password=False)).begin() as other:
        assert await other.scalar(text(f"SELECT pg_terminate_backend({pid}, 60000)"))
    async with bare.connect() as conn:
        assert await conn.scalar(text("SELECT pg_backend_pid()")) != pid


async def test_lost_while_it_is_asked(
    dsn: str, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(dsn)
    register_engine(engine)
    async with engine.connect() as conn:
        pid = await conn.scalar(text("SELECT pg_backend_pid()"))

    async def lose(conn: asyncpg.Connection, **_: Any) -> None:
        conn.terminate()
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr("asyncpg_vector.sqlalchemy._engine.find_oids", lose)
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT pg_backend_pid()")) != pid
            assert await knows(conn)


async def test_what_has_just_been_connected_is_not_replaced(
    dsn: str, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The types change all the time, and SQLAlchemy would give up after two replacements."""
    engine = make_engine(dsn, pool_size=1, max_overflow=0)
    register_engine(engine)
    oids = count()

    async def find_others(*_: Any, **__: Any) -> frozenset[int]:
        return frozenset({next(oids)})

    monkeypatch.setattr("asyncpg_vector.sqlalchemy._engine.find_oids", find_others)
    pids = set()
    for _ in range(3):
        async with engine.connect() as conn:
            pids.add(await conn.scalar(text("SELECT pg_backend_pid()")))
    assert len(pids) == 3


@pytest.mark.parametrize("run", ["text", "driver", "ddl"])
async def test_ways_to_create_it(bare: AsyncEngine, run: str) -> None:
    from sqlalchemy import DDL

    ways: dict[str, Callable[[AsyncConnection], Awaitable[Any]]] = {
        "text": lambda conn: conn.execute(text("create\nextension vector")),
        "driver": lambda conn: conn.exec_driver_sql('CREATE EXTENSION "vector"'),
        "ddl": lambda conn: conn.execute(DDL("CREATE EXTENSION vector")),
    }
    async with bare.begin() as conn:
        await ways[run](conn)
        assert await knows(conn)


async def test_in_use_while_somebody_else_creates_it(
    new_database: NewDatabase, make_engine: MakeEngine
) -> None:
    """The pool replaces a connection that has prepared statements without the codec."""
    dsn = await new_database("SELECT 1")
    engine = make_engine(dsn, pool_size=1, max_overflow=0)
    register_engine(engine, types=["vector", "bit"])
    query = select(literal([1, 2], VECTOR()), literal("101", BIT(3)))
    async with engine.connect() as conn:
        assert await conn.scalar(text("SELECT 1")) == 1
        async with make_engine(dsn).begin() as other:
            await other.execute(CREATE)
        assert tuple((await conn.execute(query)).one()) == (Vector([1, 2]), Bit("101"))
    async with engine.connect() as conn:
        assert tuple((await conn.execute(query)).one()) == (Vector([1, 2]), Bit("101"))
        assert await knows(conn)


async def test_what_needs_no_extension(bare: AsyncEngine) -> None:
    """A built-in type is registered without the extension, and after the extension was dropped."""
    register_engine(bare, types=["vector", "bit"])
    for statement in (text("SELECT 1"), CREATE, DROP):
        async with bare.begin() as conn:
            await conn.execute(statement)
        async with bare.connect() as conn:
            assert await conn.scalar(text("SELECT B'101'")) == Bit("101")
            assert await conn.scalar(select(literal("101", BIT(3)))) == Bit("101")


async def test_the_other_connections_of_the_pool(created: AsyncEngine) -> None:
    """The other connections know the types of the extension that was created anew."""
    async with created.connect() as one, created.connect() as two:
        assert await knows(one)
        assert await knows(two)
    async with created.begin() as conn:
        await create_anew(conn)
    for _ in range(2):
        async with created.connect() as one, created.connect() as two:
            assert await knows(one)
            assert await knows(two)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE EXTENSION IF NOT EXISTS vector",
        "CREATE EXTENSION IF NOT EXISTS plpgsql",
        "ALTER EXTENSION vector UPDATE",
        "SELECT 'a' AS extension, extname FROM pg_extension",
    ],
)
async def test_a_connection_is_replaced_for_nothing_else(
    dsn: str, make_engine: MakeEngine, statement: str
) -> None:
    """Ten statements in turn, none of which changes a type, use one server process."""
    engine = make_engine(dsn)
    register_engine(engine)
    pids = set()
    for _ in range(10):
        async with engine.begin() as conn:
            await conn.execute(text(statement))
            assert await knows(conn)
            pids.add(await conn.scalar(text("SELECT pg_backend_pid()")))
    assert len(pids) == 1


async def test_a_table_of_the_same_name(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    """The row type of the table does not make a connection look out of date."""
    engine = make_engine(await new_database("CREATE EXTENSION vector; CREATE SCHEMA other"))
    register_engine(engine)
    pids = set()
    for n in range(3):
        async with engine.begin() as conn:
            await conn.execute(text(f"CREATE TABLE IF NOT EXISTS other.vector (n{n} integer)"))
            pids.add(await conn.scalar(text("SELECT pg_backend_pid()")))
    assert len(pids) == 1


# Ways to create the extension anew. The engine does not notice a function or another program.
ANEW = {
    "the engine": "DROP EXTENSION vector; CREATE EXTENSION vector",
    "a comment inside": "DROP /* x */ EXTENSION vector; CREATE /* y */ EXTENSION vector",
    "a function": "SELECT recreate()",
}


@pytest.mark.parametrize("statements", ANEW.values(), ids=ANEW)
@pytest.mark.parametrize("by", ["itself", "another engine", "another driver"])
async def test_whoever_creates_it_anew(
    new_database: NewDatabase, make_engine: MakeEngine, statements: str, by: str
) -> None:
    """Every connection of the pool knows the new types after its next checkout."""
    dsn = await new_database(
        "CREATE EXTENSION vector; CREATE FUNCTION recreate() RETURNS void LANGUAGE plpgsql AS "
        "$$ BEGIN DROP EXTENSION vector; CREATE EXTENSION vector; END $$"
    )
    engine, other = make_engine(dsn), make_engine(dsn)
    register_engine(engine)
    async with engine.connect() as one, engine.connect() as two:
        assert await knows(one)
        assert await knows(two)
    if by == "another driver":
        sync_url = engine.url.set(drivername="postgresql+psycopg")
        with create_engine(sync_url, poolclass=NullPool).begin() as sync_conn:
            sync_conn.exec_driver_sql(statements)
    else:
        async with (engine if by == "itself" else other).begin() as conn:
            for statement in statements.split("; "):
                await conn.execute(text(statement))
    for _ in range(2):
        async with engine.connect() as one, engine.connect() as two:
            assert await knows(one)
            assert await knows(two)


async def test_what_it_runs_itself_is_known_at_once(created: AsyncEngine) -> None:
    """The same transaction fetches values, and not texts; comments in the statement do not matter."""
    async with created.begin() as conn:
        await conn.execute(text("DROP /* x */ EXTENSION vector"))
        await conn.execute(text("CREATE /* y */ EXTENSION vector"))
        assert await knows(conn)


async def test_a_connection_without_beside_one_that_has_registered(bare: AsyncEngine) -> None:
    """Each connection has its own registration: the early one, without types, sends text."""
    table = Table(
        "t",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("v", VECTOR(2)),
        Column("vs", ARRAY(VECTOR(2))),
    )
    rows: list[dict[str, Any]] = [
        {"v": Vector([1, 2]), "vs": [Vector([1, 2]), None]},
        {"v": [3, 4], "vs": [(3, 4)]},
        {"v": None, "vs": None},
    ]
    wanted = [
        (Vector([1, 2]), [Vector([1, 2]), None]),
        (Vector([3, 4]), [Vector([3, 4])]),
        (None, None),
    ]
    async with bare.connect() as early:
        assert await early.scalar(text("SELECT 1")) == 1
        await early.rollback()
        async with bare.begin() as conn:
            await conn.execute(CREATE)
            await conn.run_sync(table.create)
            assert await knows(conn)
        async with early.begin():
            await early.execute(insert(table).values(rows[0]))
            await early.execute(insert(table), rows[1:])  # as executemany
            returned = await early.execute(insert(table).returning(table.c.v, table.c.vs), rows)
            assert [tuple(row) for row in returned] == wanted
            query = select(table.c.v, table.c.vs).order_by(table.c.id)
            assert [tuple(row) for row in await early.execute(query)] == wanted * 2
            nearest = select(table.c.v.l2_distance([1, 2])).where(table.c.v == [3, 4]).limit(1)
            assert await early.scalar(nearest) == 8**0.5
            query = text("SELECT CAST(:v AS vector), CAST(:vs AS vector[])")
            row = (await early.execute(query, {"v": Vector([1, 2]), "vs": [Vector([1])]})).one()
            assert tuple(row) == ("[1,2]", ["[1]"])


class Money(NamedTuple):
    amount: int
    currency: str


async def test_other_parameters_stay_what_they_are(bare: AsyncEngine) -> None:
    """Another codec and another listener work on a connection without the types too."""
    heard = []

    def listen(_cursor: object, statement: str, _parameters: object, _context: object) -> None:
        heard.append(statement)

    async def set_codec(conn: asyncpg.Connection) -> None:
        await conn.execute("CREATE TYPE money_of AS (amount integer, currency text)")
        await conn.set_type_codec(
            "money_of",
            encoder=lambda money: (money.amount, money.currency),
            decoder=lambda row: Money(*row),
            format="tuple",
        )

    event.listen(bare.sync_engine, "do_execute", listen)
    query = text("SELECT CAST(:m AS money_of), CAST(:n AS integer[])")
    async with bare.connect() as conn:
        raw = await conn.get_raw_connection()
        await set_codec(raw.driver_connection)
        row = (await conn.execute(query, {"m": Money(3, "x"), "n": [[1, 2], [3, 4]]})).one()
    assert tuple(row) == (Money(3, "x"), [[1, 2], [3, 4]])
    assert any("money_of" in statement for statement in heard)


def test_what_has_no_values_is_not_copied() -> None:
    dialect = postgresql.dialect()
    parameters = (1, "a", [1, 2], [None, "a"], ([1], (2,)), Money(3, "x"), Vector([1]))
    assert print_values(parameters, {"vector"}, dialect) is parameters
    printed = print_values(([None, Vector([1])], [[Vector([2])]], parameters[4]), (), dialect)
    assert printed == ([None, "[1]"], [["[2]"]], ([1], (2,)))
    assert printed[2] is parameters[4]
    bits = BitString("1")
    printed = print_values((Bit("1"), [Bit("1")]), (), postgresql.asyncpg.dialect())
    assert printed == (bits, [bits])


async def test_a_detached_connection(dsn: str, make_engine: MakeEngine) -> None:
    engine = make_engine(dsn)
    register_engine(engine, types=["vector"])
    async with engine.connect() as conn:
        await conn.run_sync(lambda sync_conn: sync_conn.detach())
        assert await knows(conn)
        await conn.execute(CREATE)
        assert await knows(conn)


async def test_connections_of_a_pool_of_asyncpgs(dsn: str, make_engine: MakeEngine) -> None:
    async with asyncpg.create_pool(dsn, min_size=0, max_size=2) as pool:
        engine = make_engine(dsn, async_creator=pool.acquire, poolclass=NullPool)
        register_engine(engine)
        async with engine.connect() as conn:
            assert await knows(conn)
        await engine.dispose()


@pytest.mark.parametrize("failed", [False, True], ids=["busy", "failed"])
async def test_a_shared_connection_is_not_disturbed(
    dsn: str, make_engine: MakeEngine, failed: bool
) -> None:
    """A second checkout from a StaticPool does not query on the connection in use."""
    engine = make_engine(dsn, poolclass=StaticPool)
    register_engine(engine)
    async with engine.connect() as one:
        assert await knows(one)
        if failed:
            with pytest.raises(DBAPIError, match="division by zero"):
                await one.execute(text("SELECT 1 / 0"))
            async with engine.connect():
                pass
            await one.rollback()
        else:
            slow = asyncio.create_task(one.scalar(text("SELECT 1 FROM pg_sleep(0.3)")))
            await asyncio.sleep(0.1)
            other = await engine.connect()
            assert await slow == 1
            await other.close()
        assert await knows(one)


async def test_a_shared_connection_without_a_transaction(dsn: str, make_engine: MakeEngine) -> None:
    """The connection is in use without a transaction; asyncpg would refuse a second query."""
    engine = make_engine(dsn, poolclass=StaticPool, isolation_level="AUTOCOMMIT")
    register_engine(engine)
    async with engine.connect() as one:
        assert await knows(one)
        slow = asyncio.create_task(one.scalar(text("SELECT 1 FROM pg_sleep(0.3)")))
        await asyncio.sleep(0.1)
        other = await engine.connect()
        assert await slow == 1
        assert await knows(other)


async def test_engines_that_options_make(dsn: str, make_engine: MakeEngine) -> None:
    """Derived engines share the pool and the registration, whichever engine is registered."""
    for first in (True, False):
        engine = make_engine(dsn)
        other = engine.execution_options(isolation_level="AUTOCOMMIT")
        register_engine(engine if first else other)
        for one in (engine, other):
            async with one.connect() as conn:
                assert await knows(conn)


async def test_missing_ok(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    """A named type that is missing is left out; the extension may be created later."""
    engine = make_engine(await new_database("SELECT 1"))
    register_engine(engine, types=["vector", "halfvec"], missing_ok=True)
    async with engine.begin() as conn:
        await conn.execute(CREATE)
        assert await knows(conn)
    engine = make_engine(await new_database(PGVECTOR_0_6))
    register_engine(engine, types=["vector", "halfvec"], missing_ok=True)
    async with engine.connect() as conn:
        assert await knows(conn)


async def test_created_and_rolled_back(bare: AsyncEngine) -> None:
    async with bare.connect() as conn:
        await conn.execute(CREATE)
        await conn.rollback()
    async with bare.begin() as conn:
        await conn.execute(CREATE)
        assert await knows(conn)
    async with bare.connect() as conn:
        assert await knows(conn)


async def test_created_anew(bare: AsyncEngine) -> None:
    """The types have new OIDs; connections and statements with the old types are replaced."""
    for n in range(2):
        async with bare.begin() as conn:
            await create_anew(conn)
            assert await conn.scalar(text(f"SELECT CAST('[{n}]' AS vector)")) == Vector([n])
        async with bare.connect() as conn:
            assert await knows(conn)


async def test_connected_before_the_extension_is_committed(created: AsyncEngine) -> None:
    """Such a connection has the old types, and is replaced after the commit."""
    async with created.connect() as changing:
        await create_anew(changing)
        async with created.connect() as other:
            assert await knows(other)
            await other.rollback()
            await changing.commit()
        async with created.connect() as other:
            assert await knows(other)
    async with created.connect() as one, created.connect() as two:
        assert await knows(one)
        assert await knows(two)


async def test_changed_without_a_transaction(created: AsyncEngine) -> None:
    async with created.connect() as changing:
        async with created.connect() as early:
            assert await knows(early)
        await changing.execution_options(isolation_level="AUTOCOMMIT")
        await create_anew(changing)
        async with created.connect() as late:
            assert await knows(late)


async def test_connected_while_the_extension_is_committed(created: AsyncEngine) -> None:
    """SQLAlchemy's event comes before the commit, and none comes after it."""
    early = []

    def connect(_: object) -> None:
        early.append(await_only(created.connect().start()))
        assert await_only(knows(early[0]))
        await_only(early[0].rollback())

    async with created.connect() as changing:
        await create_anew(changing)
        event.listen(created.sync_engine, "commit", connect, once=True)
        await changing.commit()
    await early[0].close()
    async with created.connect() as one, created.connect() as two:
        assert await knows(one)
        assert await knows(two)


@needs_pgvector("0.7.0")
async def test_updated(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    """Types that an update of the extension adds are known at once."""
    engine = make_engine(await new_database(PGVECTOR_0_6))
    register_engine(engine)
    query = text("SELECT CAST('[1]' AS halfvec)")
    async with engine.begin() as conn:
        await conn.execute(text("ALTER TYPE of_later RENAME TO halfvec"))
        await conn.execute(text("ALTER EXTENSION vector ADD TYPE halfvec"))
        assert await conn.scalar(query) == HalfVector([1])
    async with engine.connect() as conn:
        assert await conn.scalar(query) == HalfVector([1])


async def test_dropped_while_it_is_registered(
    new_database: NewDatabase, make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection works without the types; later connections have them again."""
    dsn = await new_database("CREATE EXTENSION vector")
    engine, other = make_engine(dsn), make_engine(dsn)
    register_engine(engine)
    set_codecs = Registration.set_codecs

    async def drop_and_set_codecs(*arguments: Any) -> None:
        async with other.begin() as conn:
            await conn.execute(DROP)
        await set_codecs(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Registration, "set_codecs", drop_and_set_codecs)
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT 1")) == 1
    async with other.begin() as conn:
        await conn.execute(CREATE)
    async with engine.connect() as conn:
        assert await knows(conn)


async def test_moved_to_another_schema(bare: AsyncEngine) -> None:
    async with bare.begin() as conn:
        await conn.execute(CREATE)
        await conn.execute(text("CREATE SCHEMA extensions"))
        await conn.execute(text("ALTER EXTENSION vector SET SCHEMA extensions"))
        await conn.execute(text("SET search_path TO public, extensions"))
        assert await knows(conn)


async def test_registered_late(dsn: str, make_engine: MakeEngine) -> None:
    """The pool replaces earlier connections, which have statements prepared without the codec."""
    engine = make_engine(dsn, pool_size=1, max_overflow=0)
    async with engine.connect() as conn:
        assert not await knows(conn)
        register_engine(engine)
        assert not await knows(conn)
    for _ in range(2):
        async with engine.connect() as conn:
            assert await knows(conn)


async def test_every_connection(dsn: str, make_engine: MakeEngine) -> None:
    for options in ({"pool_size": 2}, {"poolclass": NullPool}):
        engine = make_engine(dsn, **options)
        register_engine(engine)

        async def one(engine: AsyncEngine = engine) -> bool:
            async with engine.connect() as conn:
                await conn.execute(text("SELECT pg_sleep(0.05)"))
                return await knows(conn)

        for _ in range(2):
            assert all(await asyncio.gather(*(one() for _ in range(5))))
        await engine.dispose()
        assert await one()


async def test_types(dsn: str, make_engine: MakeEngine) -> None:
    """Only the named types are registered; a generator of names works for each connection."""
    engine = make_engine(dsn)
    register_engine(engine, types=(name for name in ("bit",)))
    for _ in range(2):
        async with engine.connect() as conn:
            assert await conn.scalar(text("SELECT B'101'")) == Bit("101")
            assert not await knows(conn)
            assert await conn.scalar(select(literal("101", BIT(3)))) == Bit("101")
        await engine.dispose()


async def test_registered_twice(dsn: str, make_engine: MakeEngine) -> None:
    """The second registration adds to the first, on earlier connections too."""
    engine = make_engine(dsn)
    register_engine(engine, types=["vector"])
    async with engine.connect() as conn:
        assert await knows(conn)
    register_engine(engine, types="bit")
    async with engine.connect() as conn:
        assert await knows(conn)
        assert await conn.scalar(text("SELECT B'101'")) == Bit("101")


async def test_registered_twice_asks_once(dsn: str, make_engine: MakeEngine) -> None:
    """A checkout costs one query, however often the engine was registered."""
    engine = make_engine(dsn, pool_size=1, max_overflow=0)
    register_engine(engine, types="vector")
    register_engine(engine, types="bit")
    queries: list[str] = []
    async with engine.connect() as conn:
        connection = (await conn.get_raw_connection()).driver_connection
        connection.add_query_logger(lambda record: queries.append(record.query))
    async with engine.connect():
        await asyncio.sleep(0)  # asyncpg calls the logger in the loop's next turn
        assert len(queries) == 1


@needs_pgvector("0.7.0")
async def test_registered_twice_before_the_extension(bare: AsyncEngine) -> None:
    """The connection that creates the extension knows the types of both registrations at once."""
    register_engine(bare, types="halfvec")
    async with bare.begin() as conn:
        await conn.execute(CREATE)
        row = (
            await conn.execute(text("SELECT CAST('[1]' AS vector), CAST('[1]' AS halfvec)"))
        ).one()
        assert tuple(row) == (Vector([1]), HalfVector([1]))


async def test_registered_twice_with_other_options(dsn: str, make_engine: MakeEngine) -> None:
    """The later options apply, on earlier connections too; equal options change nothing."""
    engine = make_engine(dsn)
    query = text("SELECT CAST('[1,2]' AS vector)")
    for options, wanted in (
        ({"types": ["vector"], "returns": "list"}, [1, 2]),
        ({}, Vector([1, 2])),
        ({}, Vector([1, 2])),
        ({"returns": "list"}, [1, 2]),
    ):
        register_engine(engine, **options)  # type: ignore[arg-type]
        for _ in range(2):
            async with engine.connect() as conn:
                assert await conn.scalar(query) == wanted


async def test_a_schema(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    dsn = await new_database("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
    options = {"connect_args": {"server_settings": {"search_path": "public, extensions"}}}
    for schema in (None, "extensions"):
        engine = make_engine(dsn, **options)
        register_engine(engine, schema)
        async with engine.connect() as conn:
            assert await knows(conn)
    engine = make_engine(dsn, **options)
    register_engine(engine, schema="public")
    with pytest.raises(
        TypesNotFoundError, match="extension vector is in schema 'extensions': pass that"
    ):
        await engine.connect()
    engine = make_engine(dsn, **options)
    register_engine(engine, schema="public", missing_ok=True)
    async with engine.connect() as conn:
        assert not await knows(conn)


async def test_an_older_pgvector(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    """Existing types are registered; a named type that is missing is an error at each connection."""
    dsn = await new_database(PGVECTOR_0_6)
    engine = make_engine(dsn)
    register_engine(engine)
    async with engine.connect() as conn:
        assert await knows(conn)
    engine = make_engine(dsn)
    register_engine(engine, types=["vector", "halfvec"])
    for _ in range(2):
        with pytest.raises(TypesNotFoundError, match=r"extension vector is at 0\.6\.2"):
            await engine.connect()


async def test_somebody_else_creates_an_older_extension(
    new_database: NewDatabase, make_engine: MakeEngine
) -> None:
    dsn = await new_database("SELECT 1")
    engine = make_engine(dsn)
    register_engine(engine, types=["vector", "halfvec"])
    async with engine.connect() as conn:
        assert await conn.scalar(text("SELECT 1")) == 1
    other = await asyncpg.connect(dsn)
    await other.execute(PGVECTOR_0_6)
    await other.close()
    for _ in range(2):
        with pytest.raises(TypesNotFoundError, match=r"extension vector is at 0\.6\.2"):
            await engine.connect()


async def test_a_connection_that_cannot_be_registered_is_closed(
    new_database: NewDatabase, make_engine: MakeEngine
) -> None:
    engine = make_engine(await new_database(PGVECTOR_0_6))
    made: list[asyncpg.Connection] = []
    event.listen(engine.sync_engine, "connect", lambda conn, _: made.append(conn.driver_connection))
    register_engine(engine, types=["halfvec"])
    with pytest.raises(TypesNotFoundError):
        await engine.connect()
    assert [conn.is_closed() for conn in made] == [True]


async def test_without_the_extension_the_server_says_so(bare: AsyncEngine) -> None:
    async with bare.connect() as conn:
        with pytest.raises(Exception, match='type "vector" does not exist'):
            await conn.scalar(select(literal([1, 2], VECTOR())))


def test_no_engine_of_asyncpg(dsn: str) -> None:
    url = dsn.replace("postgresql:", "postgresql+psycopg:")
    for engine in (create_engine(url), create_async_engine(url), None):
        message = rf"expected an AsyncEngine of postgresql\+asyncpg, got {type(engine).__name__}"
        with pytest.raises(InvalidTypeError, match=message):
            register_engine(engine)  # type: ignore[arg-type]


async def test_wrong_options(dsn: str, make_engine: MakeEngine) -> None:
    """The error is raised at once, and no type is registered."""
    engine = make_engine(dsn)
    with pytest.raises(InvalidValueError, match="expected returns among value, list, numpy"):
        register_engine(engine, returns="tuple")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="expected types among vector, .*, got 'vectors'"):
        register_engine(engine, types=["vectors"])
    async with engine.connect() as conn:
        assert not await knows(conn)


# Types of other packages


async def test_a_column_type_of_somebody_else(
    new_database: NewDatabase, make_engine: MakeEngine
) -> None:
    """A type without a text form travels in binary, beside a type of this package."""
    engine = make_engine(await new_database(f"CREATE EXTENSION vector; {CREATE_SQL}"))
    register_engine(engine, types=["vector", TinyVector])
    column = Column("embedding", TINYVEC())
    table = Table("items", MetaData(), Column("id", Integer, primary_key=True), column)
    async with engine.begin() as conn:
        await conn.run_sync(table.metadata.create_all)
        rows = [{"embedding": TinyVector([3, 4])}, {"embedding": [-128, 127]}]
        await conn.execute(insert(table), rows)
        distance = column.l2_distance([0, 0])
        nearest = (await conn.execute(select(column, distance).order_by(distance))).first()
        assert tuple(nearest or ()) == (TinyVector([3, 4]), 5.0)
        fetched = await conn.scalar(text("SELECT embedding FROM items WHERE id = 2"))
        assert fetched == TinyVector([-128, 127])
        assert await knows(conn)


async def test_a_subclass(dsn: str, make_engine: MakeEngine) -> None:
    """A fetch returns the subclass; a typed column fetches a value of the type."""
    engine = make_engine(dsn)
    register_engine(engine, types=[Embedding])
    async with engine.connect() as conn:
        for query in (text("SELECT CAST('[1,2]' AS vector)"), select(literal([1, 2], VECTOR()))):
            fetched = await conn.scalar(query)
            assert fetched == Vector([1, 2])
            assert isinstance(fetched, Vector)
        assert type(await conn.scalar(text("SELECT CAST('[1,2]' AS vector)"))) is Embedding


async def test_all(dsn: str, make_engine: MakeEngine) -> None:
    engine = make_engine(dsn)
    register_engine(engine, types="all")
    async with engine.connect() as conn:
        assert await conn.scalar(text("SELECT B'101'")) == Bit("101")
        assert await knows(conn)


async def test_all_before_the_extension(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    """PostgreSQL's own type is known at once, and the other types once they exist."""
    engine = make_engine(await new_database("SELECT 1"))
    register_engine(engine, types="all")
    async with engine.begin() as conn:
        assert await conn.scalar(text("SELECT B'101'")) == Bit("101")
        await conn.execute(CREATE)
        assert await knows(conn)


@pytest.mark.parametrize(
    ("path", "schema", "fetched"),
    [
        ("one, two", None, ["TinyVector", "str"]),
        ("two, one", None, ["str", "TinyVector"]),
        ("two", "one", ["TinyVector", "str"]),
    ],
)
async def test_a_type_of_no_extension_in_two_schemas(
    new_database: NewDatabase,
    make_engine: MakeEngine,
    path: str,
    schema: str | None,
    fetched: list[str],
) -> None:
    settings = {"server_settings": {"search_path": path}}
    engine = make_engine(await new_database(TWO_SCHEMAS), connect_args=settings)
    register_engine(engine, schema, types=TinyVector)
    async with engine.connect() as conn:
        row = (await conn.execute(text(OF_BOTH))).one()
        assert [type(value).__name__ for value in row] == fetched


async def test_a_type_of_no_extension_that_is_missing(
    new_database: NewDatabase, make_engine: MakeEngine
) -> None:
    """The missing type is an error at every connection, unless ``missing_ok`` is true."""
    dsn = await new_database("CREATE EXTENSION vector")
    engine = make_engine(dsn)
    register_engine(engine, types=["vector", TinyVector])
    for _ in range(2):
        with pytest.raises(TypesNotFoundError, match="found nothing; create the type, or pass"):
            await engine.connect()
    engine = make_engine(dsn)
    register_engine(engine, types=["vector", TinyVector], missing_ok=True)
    driver = await asyncpg.connect(dsn)
    async with engine.connect() as conn:
        assert await knows(conn)
    await driver.execute(CREATE_SQL)
    await driver.close()
    async with engine.connect() as conn:
        fetched = await conn.scalar(text(r"SELECT CAST('\x000105' AS tinyvec)"))
        assert fetched == TinyVector([5])


async def test_types_that_cannot_be(dsn: str, make_engine: MakeEngine) -> None:
    engine = make_engine(dsn)
    with pytest.raises(InvalidValueError, match="one class for vector, got Vector and Embedding"):
        register_engine(engine, types=["vector", Embedding])
    with pytest.raises(InvalidValueError, match="or value classes, got <class '.*Dense'>"):
        register_engine(engine, types=[Dense])
    async with engine.connect() as conn:
        assert not await knows(conn)
