"""Where register_vector finds types, and what it does if types are missing."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import pytest

from asyncpg_vector import (
    Bit,
    ExtensionNotFoundError,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    MalformedWireError,
    SparseVector,
    TypesNotFoundError,
    Vector,
    register_vector,
)
from asyncpg_vector.runtime import Bits, Dense, Sparse, Value
from examples.own_type.own_types import TinyVector
from tests.needs import needs_numpy, needs_pgvector, np, types_of
from tests.own_types import CREATE_SQL
from tests.spec_types import SPEC

if TYPE_CHECKING:
    from tests.conftest import NewDatabase

Connect: TypeAlias = Callable[[str], Awaitable[asyncpg.Connection]]

OF_PGVECTOR = ["vector", "halfvec", "sparsevec"]
OF_EXTENSIONS = [name for name, model in SPEC.types.items() if model.extension]


async def there(conn: asyncpg.Connection) -> list[str]:
    """The extension's types of the spec that the database has, extension in the search path."""
    return [name for name in await types_of(conn) if name in OF_EXTENSIONS]


@pytest.fixture(scope="module")
def of_pgvector(server_types: list[str]) -> list[str]:
    """The types that CREATE EXTENSION creates on this server."""
    return [name for name in OF_PGVECTOR if name in server_types]


# A type of any name and schema, with pgvector's functions; only its owner differs from pgvector's type.
TYPE_SQL = """
CREATE TYPE {name};
CREATE FUNCTION {name}_in(cstring, oid, integer) RETURNS {name}
    AS '$libdir/vector', '{of}_in' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION {name}_out({name}) RETURNS cstring
    AS '$libdir/vector', '{of}_out' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION {name}_recv(internal, oid, integer) RETURNS {name}
    AS '$libdir/vector', '{of}_recv' LANGUAGE c IMMUTABLE STRICT;
CREATE FUNCTION {name}_send({name}) RETURNS bytea
    AS '$libdir/vector', '{of}_send' LANGUAGE c IMMUTABLE STRICT;
CREATE TYPE {name} (
    INPUT = {name}_in, OUTPUT = {name}_out, RECEIVE = {name}_recv, SEND = {name}_send
);
"""


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return a function that connects to a database until the test ends."""
    async with AsyncExitStack() as stack:

        async def connect(dsn: str) -> asyncpg.Connection:
            conn = await asyncpg.connect(dsn)
            stack.push_async_callback(conn.close)
            return conn

        yield connect


# Makes a database look like one with pgvector 0.6; a server that has 0.6 needs no change.
PGVECTOR_0_6 = """
CREATE EXTENSION vector;
DO $$ BEGIN
    IF to_regtype('halfvec') IS NOT NULL THEN
        ALTER EXTENSION vector DROP TYPE halfvec; ALTER TYPE halfvec RENAME TO of_later;
        ALTER EXTENSION vector DROP TYPE sparsevec; ALTER TYPE sparsevec RENAME TO of_later_too;
    END IF;
END $$;
SET allow_system_table_mods = on;
UPDATE pg_extension SET extversion = '0.6.2' WHERE extname = 'vector';
"""


async def test_registers_what_the_extension_owns(plain: asyncpg.Connection) -> None:
    assert await register_vector(plain) == await there(plain) >= ["vector"]
    assert await plain.fetchval("SELECT '[1,2]'::vector") == Vector([1, 2])


@needs_pgvector("0.7.0")
async def test_registers_all_of_pgvector(plain: asyncpg.Connection) -> None:
    assert await register_vector(plain) >= OF_PGVECTOR
    assert await plain.fetchval("SELECT '[1,2]'::halfvec") == HalfVector([1, 2])
    assert await plain.fetchval("SELECT '{1:2}/3'::sparsevec") == SparseVector({0: 2}, 3)


async def test_bit_only_when_named(plain: asyncpg.Connection) -> None:
    await register_vector(plain)
    assert isinstance(await plain.fetchval("SELECT B'101'"), asyncpg.BitString)
    assert await register_vector(plain, types="bit") == ["bit"]
    assert await register_vector(plain, types=("vector", "bit")) == ["vector", "bit"]
    assert await plain.fetchval("SELECT B'101'") == Bit("101")


@needs_pgvector("0.7.0")
async def test_types_picks(plain: asyncpg.Connection) -> None:
    assert await register_vector(plain, types=["halfvec"]) == ["halfvec"]
    assert await plain.fetchval("SELECT '[1]'::halfvec") == HalfVector([1])
    assert await plain.fetchval("SELECT '[1]'::vector") == "[1]"
    assert await register_vector(plain, types=[]) == []


@pytest.mark.parametrize("types", [["vectr"], ["vector", "public.vector"], "vectr", ["all"]])
async def test_unknown_type(plain: asyncpg.Connection, types: Any) -> None:
    with pytest.raises(
        InvalidValueError, match=f"types among {', '.join(SPEC.types)}, or value classes, got '"
    ):
        await register_vector(plain, types=types)


@pytest.mark.parametrize("types", [5, [5], [["vector"]]])
async def test_types_that_are_no_names(plain: asyncpg.Connection, types: Any) -> None:
    with pytest.raises((InvalidTypeError, InvalidValueError), match=r"types.*, got .*(5|vector)"):
        await register_vector(plain, types=types)


async def test_no_connection() -> None:
    dsn: Any = "postgresql:///"
    message = "expected a connection of asyncpg, got str 'postgresql:///'"
    with pytest.raises(InvalidTypeError, match=message):
        await register_vector(dsn)


# Value classes


class Embedding(Vector):
    """A user's subclass."""

    __slots__ = ()


async def test_a_value_class(plain: asyncpg.Connection) -> None:
    assert await register_vector(plain, types=Vector) == ["vector"]
    assert await register_vector(plain, types=["vector", Vector, "vector"]) == ["vector"]
    assert type(await plain.fetchval("SELECT $1::vector", [1, 2])) is Vector


async def test_a_subclass(plain: asyncpg.Connection) -> None:
    """A fetch returns the subclass; a parameter may be of either class."""
    assert await register_vector(plain, types=[Embedding]) == ["vector"]
    for value in (Embedding([1, 2]), Vector([1, 2]), [1, 2], "[1,2]"):
        fetched = await plain.fetchrow("SELECT $1::vector, ARRAY[$1::vector]", value)
        assert tuple(fetched) == (Vector([1, 2]), [Vector([1, 2])])
        assert type(fetched[0]) is type(fetched[1][0]) is Embedding
    await register_vector(plain, types=[Embedding], returns="list")
    assert type(await plain.fetchval("SELECT '[1,2]'::vector")) is list


async def test_two_classes_of_a_type(plain: asyncpg.Connection) -> None:
    message = "expected one class for vector, got Vector and Embedding"
    for types in (["vector", Embedding], [Vector, "bit", Embedding]):
        with pytest.raises(InvalidValueError, match=f"^{message}$"):
            await register_vector(plain, types=types)
    assert await plain.fetchval("SELECT '[1]'::vector") == "[1]"


@pytest.mark.parametrize("types", [Dense, [Sparse], ["vector", Bits], Value, int, [Vector([1])]])
async def test_classes_of_no_type(plain: asyncpg.Connection, types: Any) -> None:
    message = r"types among .*, or value classes, got (<class '.*'>|Vector\(\[1\]\))$"
    with pytest.raises((InvalidTypeError, InvalidValueError), match=message):
        await register_vector(plain, types=types)


async def test_all(plain: asyncpg.Connection) -> None:
    """``all`` means the types of this package that the database has, built-in types included."""
    registered = await register_vector(plain, types="all")
    assert registered == await types_of(plain)
    assert "bit" in registered
    assert await plain.fetchval("SELECT B'101'") == Bit("101")


async def test_all_of_an_older_extension(new_database: NewDatabase, connect: Connect) -> None:
    conn = await connect(await new_database(PGVECTOR_0_6))
    assert await register_vector(conn, types="all") == ["vector", "bit"]


async def test_all_without_the_extension(new_database: NewDatabase, connect: Connect) -> None:
    """The extension is required, although the built-in type exists."""
    conn = await connect(await new_database("SELECT 1"))
    with pytest.raises(ExtensionNotFoundError, match="run CREATE EXTENSION vector"):
        await register_vector(conn, types="all")
    assert isinstance(await conn.fetchval("SELECT B'101'"), asyncpg.BitString)
    assert await register_vector(conn, types="all", missing_ok=True) == ["bit"]


async def test_classes_and_names(new_database: NewDatabase, connect: Connect) -> None:
    """Types of no extension, of an extension and of PostgreSQL are registered together."""
    conn = await connect(await new_database(f"CREATE EXTENSION vector; {CREATE_SQL}"))
    registered = await register_vector(conn, types=("vector", TinyVector, Bit))
    assert registered == ["vector", "tinyvec", "bit"]
    query = "SELECT '[1]'::vector, $1::tinyvec, ARRAY[$1::tinyvec], $1 <-> $2, B'101'"
    row = await conn.fetchrow(query, [3, -128], TinyVector([0, -124]))
    value = TinyVector([3, -128])
    assert tuple(row) == (Vector([1]), value, [value], 5.0, Bit("101"))


TWO_SCHEMAS = f"""
CREATE SCHEMA one; CREATE SCHEMA two;
SET search_path = one; {CREATE_SQL}
SET search_path = two; {CREATE_SQL}
"""
OF_BOTH = r"SELECT '\x000105'::one.tinyvec, '\x000105'::two.tinyvec"
IN_BYTES, IN_VALUES = "\\x000105", TinyVector([5])


@pytest.mark.parametrize(
    ("path", "schema", "fetched"),
    [
        ("one, two", None, (IN_VALUES, IN_BYTES)),
        ("public, two, one", None, (IN_BYTES, IN_VALUES)),
        ("public", "one", (IN_VALUES, IN_BYTES)),
        ("one", "two", (IN_BYTES, IN_VALUES)),
    ],
)
async def test_a_type_of_no_extension_in_two_schemas(
    new_database: NewDatabase, connect: Connect, path: str, schema: str | None, fetched: object
) -> None:
    """The search path selects the type, unless the caller names a schema."""
    conn = await connect(await new_database(TWO_SCHEMAS))
    await conn.execute(f"SET search_path = {path}")
    assert await register_vector(conn, schema, types=[TinyVector]) == ["tinyvec"]
    assert tuple(await conn.fetchrow(OF_BOTH)) == fetched


async def test_a_type_of_no_extension_that_is_missing(
    new_database: NewDatabase, connect: Connect
) -> None:
    """Another schema has the type, and is not searched."""
    conn = await connect(await new_database(TWO_SCHEMAS))
    database = await conn.fetchval("SELECT current_database()")
    advice = "create the type, or pass the schema that has it"
    for schema, where in ((None, ""), ("three", " in schema 'three'")):
        message = f"expected tinyvec{where} in database '{database}', found nothing; {advice}"
        with pytest.raises(TypesNotFoundError, match=f"^{message}$") as caught:
            await register_vector(conn, schema, types=[TinyVector])
        assert caught.type is TypesNotFoundError
    message = f"expected vector, tinyvec in .*; {advice}; run CREATE EXTENSION vector, then register again"
    with pytest.raises(ExtensionNotFoundError, match=f"^{message}$"):
        await register_vector(conn, types=["vector", TinyVector])
    assert await register_vector(conn, types=[TinyVector], missing_ok=True) == []


# Pools


async def test_pool(dsn: str) -> None:
    """Every connection of the pool is registered, and stays registered after its release."""
    async with asyncpg.create_pool(dsn, init=register_vector, min_size=2, max_size=2) as pool:
        for _ in range(3):
            found = await asyncio.gather(*[pool.fetchval("SELECT '[1]'::vector") for _ in range(4)])
            assert found == [Vector([1])] * 4


async def test_connection_of_a_pool(dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as proxy:
            assert await register_vector(proxy) == await there(proxy)
            assert await proxy.fetchval("SELECT $1::vector", [1, 2]) == Vector([1, 2])
            await proxy.reset()
            await proxy.reload_schema_state()
        assert await pool.fetchval("SELECT $1::vector", [1, 2]) == Vector([1, 2])


async def test_a_pool_is_no_connection(dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=1) as pool:
        message = (
            "expected a connection, got a Pool; to register all its connections, "
            "write asyncpg.create_pool(..., init=register_vector)"
        )
        with pytest.raises(InvalidTypeError, match=f"^{re.escape(message)}$"):
            await register_vector(pool)


async def test_without_a_statement_cache(dsn: str) -> None:
    """A pooler in transaction mode requires this."""
    conn = await asyncpg.connect(dsn, statement_cache_size=0)
    await register_vector(conn)
    assert await conn.fetchval("SELECT $1::vector", [1, 2]) == Vector([1, 2])
    await conn.close()


async def test_statements_and_arrays_of_before_are_read_anew(plain: asyncpg.Connection) -> None:
    query = "SELECT ARRAY['[1]'::vector] AS vs, '[1]'::vector AS v"
    assert tuple(await plain.fetchrow(query)) == (["[1]"], "[1]")
    await register_vector(plain)
    assert tuple(await plain.fetchrow(query)) == ([Vector([1])], Vector([1]))


# What a fetch returns


@needs_pgvector("0.7.0")
async def test_returns_list(plain: asyncpg.Connection) -> None:
    await register_vector(plain, types=[*OF_PGVECTOR, "bit"], returns="list")
    row = await plain.fetchrow(
        "SELECT '[1,2]'::vector, '[1,2]'::halfvec, ARRAY['[1]'::vector, NULL], "
        "'{1:2}/3'::sparsevec, B'1', NULL::vector"
    )
    assert tuple(row) == (
        [1.0, 2.0],
        [1.0, 2.0],
        [[1.0], None],
        SparseVector({0: 2}, 3),
        Bit("1"),
        None,
    )
    assert type(row[0]) is list


@needs_numpy
@needs_pgvector("0.7.0")
async def test_returns_numpy(plain: asyncpg.Connection) -> None:
    await register_vector(plain, returns="numpy")
    row = await plain.fetchrow("SELECT '[1,2]'::vector, '[1,2]'::halfvec, '{1:2}/3'::sparsevec")
    for array, dtype in zip(row[:2], (np.float32, np.float16), strict=True):
        assert array.dtype == dtype
        assert array.dtype.isnative
        assert array.tolist() == [1, 2]
    assert row[2] == SparseVector({0: 2}, 3)


async def test_returns_can_be_changed(plain: asyncpg.Connection) -> None:
    kinds = {"list": list, **({"numpy": np.ndarray} if np else {}), "value": Vector}
    for returns, kind in kinds.items():
        await register_vector(plain, returns=returns)
        assert type(await plain.fetchval("SELECT '[1]'::vector")) is kind


async def test_numpy_is_missed_at_once(
    plain: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ImportError, match="numpy"):
        await register_vector(plain, returns="numpy")
    assert await plain.fetchval("SELECT '[1]'::vector") == "[1]"


# Where the types are


async def test_other_schema(
    new_database: NewDatabase, connect: Connect, of_pgvector: list[str]
) -> None:
    dsn = await new_database("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
    conn = await connect(dsn)
    for schema in (None, "extensions"):
        assert await register_vector(conn, schema) == of_pgvector
    value = await conn.fetchval("SELECT $1::extensions.vector", [1, 2])
    assert value == Vector([1, 2])
    with pytest.raises(
        TypesNotFoundError, match="extension vector is in schema 'extensions': pass"
    ):
        await register_vector(conn, "public")
    await conn.execute('CREATE SCHEMA "Odd ""name"; ALTER EXTENSION vector SET SCHEMA "Odd ""name"')
    assert await register_vector(conn) == of_pgvector


async def test_bit_is_found_beside_a_schema(new_database: NewDatabase, connect: Connect) -> None:
    dsn = await new_database("CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions")
    conn = await connect(dsn)
    assert await register_vector(conn, "extensions", types=["bit", "vector"]) == ["bit", "vector"]


async def test_one_query_finds_them(plain: asyncpg.Connection) -> None:
    queries: list[str] = []
    plain.add_query_logger(lambda record: queries.append(record.query))
    registered = await register_vector(plain)
    await asyncio.sleep(0)  # loggers are called a little later
    assert len([query for query in queries if "pg_extension" in query]) == 1
    # The other queries are asyncpg's: set_type_codec looks up each type by name.
    assert len(queries) == 1 + len(registered)


@needs_pgvector("0.7.0")
async def test_types_of_the_same_name(new_database: NewDatabase, connect: Connect) -> None:
    """A user's own types, first in the search path, are left alone, even with the same payload."""
    dsn = await new_database(
        f"""
        CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions;
        CREATE TYPE vector AS (x integer);
        {TYPE_SQL.format(name="halfvec", of="halfvec")}
        CREATE DOMAIN sparsevec AS text;
        CREATE TYPE bit AS ENUM ('on', 'off');
        CREATE SCHEMA other; CREATE TABLE other.vector (x integer);
        """
    )
    conn = await connect(dsn)
    assert await register_vector(conn, types=[*OF_PGVECTOR, "bit"]) == [*OF_PGVECTOR, "bit"]
    row = await conn.fetchrow(
        "SELECT '(1)'::vector, '[1]'::halfvec, 'a'::sparsevec, 'on'::public.bit, B'1', "
        "'[1]'::extensions.vector, '[1]'::extensions.halfvec, '{}/1'::extensions.sparsevec"
    )
    own, theirs = tuple(row)[:4], tuple(row)[4:]
    assert own == ((1,), "[1]", "a", "on")
    assert theirs == (Bit("1"), Vector([1]), HalfVector([1]), SparseVector({}, 1))
    assert await register_vector(conn, "public") == ["halfvec"]
    assert await conn.fetchval("SELECT '[1]'::halfvec") == HalfVector([1])


async def test_only_types_of_the_same_name(new_database: NewDatabase, connect: Connect) -> None:
    conn = await connect(await new_database(TYPE_SQL.format(name="vector", of="vector")))
    with pytest.raises(TypesNotFoundError):
        await register_vector(conn)
    assert await register_vector(conn, missing_ok=True) == []
    assert await conn.fetchval("SELECT '[1]'::vector") == "[1]"
    assert await register_vector(conn, "public") == ["vector"]
    assert await conn.fetchval("SELECT '[1]'::vector") == Vector([1])


@pytest.mark.parametrize("step", [1, -1])
async def test_a_base_type_called_bit(
    new_database: NewDatabase, connect: Connect, step: int
) -> None:
    """The quoted name is a user's type; PostgreSQL's is found, in either order of the answer."""
    sql = TYPE_SQL.format(name='public."bit"', of="vector").replace('"bit"_', "bit_")
    conn = await connect(await new_database(sql))

    async def fetch(*arguments: Any) -> list[asyncpg.Record]:
        rows = await conn.fetch(*arguments)
        assert len(rows) == 2
        return rows[::step]

    answering = SimpleNamespace(fetch=fetch, set_type_codec=conn.set_type_codec)
    assert await register_vector(answering, types="bit") == ["bit"]  # type: ignore[arg-type]
    assert await conn.fetchval("SELECT B'1'") == Bit("1")
    assert await conn.fetchval("""SELECT '[1]'::public."bit" """) == "[1]"


async def test_built_into_the_server(new_database: NewDatabase, connect: Connect) -> None:
    """CockroachDB and openGauss have the types in pg_catalog, without an extension."""
    sql = TYPE_SQL.format(name="vector", of="vector")
    dsn = await new_database(
        f"SET allow_system_table_mods = on; SET search_path = pg_catalog; {sql}; RESET search_path"
    )
    conn = await connect(dsn)
    assert (
        await conn.fetchval(
            "SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'vector'"
        )
        == "pg_catalog"
    )
    assert await register_vector(conn) == ["vector"]
    assert await conn.fetchval("SELECT $1::vector", [1, 2]) == Vector([1, 2])


async def test_of_another_extension_in_pg_catalog(
    new_database: NewDatabase, connect: Connect
) -> None:
    sql = TYPE_SQL.format(name="vector", of="vector")
    dsn = await new_database(
        f"SET allow_system_table_mods = on; SET search_path = pg_catalog; {sql}; "
        "ALTER EXTENSION plpgsql ADD TYPE vector"
    )
    assert await register_vector(await connect(dsn), missing_ok=True) == []


# The operand types of register_vector's comparisons, without those that asyncpg compares too.
EQUALS = [("name", "text"), ('"char"', '"char"'), ("oid", "regclass")]
HOSTILE_EQUALS = """
CREATE FUNCTION hostile.same({0}, {1}) RETURNS boolean LANGUAGE sql AS 'SELECT {2}';
CREATE OPERATOR hostile.= (FUNCTION = hostile.same, LEFTARG = {0}, RIGHTARG = {1});
"""


async def test_hostile_search_path(
    new_database: NewDatabase, connect: Connect, of_pgvector: list[str]
) -> None:
    dsn = await new_database(
        """
        CREATE EXTENSION vector; CREATE SCHEMA hostile;
        CREATE VIEW hostile.pg_type AS SELECT * FROM pg_catalog.pg_type WHERE false;
        CREATE VIEW hostile.pg_extension AS SELECT * FROM pg_catalog.pg_extension WHERE false;
        """
        + "".join(HOSTILE_EQUALS.format(left, right, "false") for left, right in EQUALS)
    )
    conn = await connect(dsn)
    await conn.execute("SET search_path = hostile, pg_catalog")
    found = await register_vector(conn, types=OF_PGVECTOR, missing_ok=True)
    assert found == of_pgvector


@pytest.mark.parametrize("compared", ["name", "oid"])
async def test_hostile_equals(new_database: NewDatabase, connect: Connect, compared: str) -> None:
    """asyncpg's look-up would use the hostile ``=``, and set the codec for a wrong type."""
    hostile = HOSTILE_EQUALS.format(compared, compared, "true")
    dsn = await new_database(f"CREATE EXTENSION vector; CREATE SCHEMA hostile; {hostile}")
    conn = await connect(dsn)
    await conn.execute("SET search_path = hostile, pg_catalog")
    path = "search_path 'hostile, pg_catalog'; put pg_catalog first, or leave it out"
    with pytest.raises(InvalidValueError, match=f"^expected .*, got another by {path}$"):
        await register_vector(conn)
    assert await conn.fetchval("SELECT true") is True
    await conn.execute("SET search_path = hostile")
    assert "vector" in await register_vector(conn)
    query = "SELECT true, 'name'::name, $1::public.vector"
    assert tuple(await conn.fetchrow(query, [1, 2])) == (True, "name", Vector([1, 2]))


async def test_not_only_types_have_the_name(
    new_database: NewDatabase, connect: Connect, of_pgvector: list[str]
) -> None:
    """Functions, casts and operators of a user's own, first in the search path, change nothing."""
    dsn = await new_database(
        """
        CREATE SCHEMA extensions; CREATE EXTENSION vector SCHEMA extensions;
        CREATE FUNCTION vector(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION vector(extensions.vector) RETURNS text LANGUAGE sql AS $$ SELECT 'own' $$;
        CREATE CAST (extensions.vector AS text)
            WITH FUNCTION vector(extensions.vector) AS IMPLICIT;
        CREATE FUNCTION differ(extensions.vector, extensions.vector) RETURNS text
            LANGUAGE sql AS $$ SELECT 'own' $$;
        CREATE OPERATOR <-> (
            FUNCTION = differ, LEFTARG = extensions.vector, RIGHTARG = extensions.vector
        );
        """
    )
    conn = await connect(dsn)
    assert await register_vector(conn) == of_pgvector
    query = "SELECT $1::extensions.vector, ARRAY[$1], vector($2::text), $1 <-> $1, vector($1)"
    value = Vector([1, 2])
    assert tuple(await conn.fetchrow(query, [1, 2], "own")) == (value, [value], *["own"] * 3)


@needs_pgvector("0.7.0")  # its functions implement the type
async def test_an_unreadable_value_ends_the_fetch(
    new_database: NewDatabase, connect: Connect
) -> None:
    """A user's own type, registered by its schema, has another payload."""
    conn = await connect(await new_database(TYPE_SQL.format(name="vector", of="halfvec")))
    assert await register_vector(conn, "public", types=["vector"]) == ["vector"]
    with pytest.raises(MalformedWireError, match="expected 16 bytes for this vector, got 10"):
        await conn.fetch("SELECT n, '[1,2,3]'::vector FROM generate_series(1, 1000) AS n")
    assert await conn.fetchval("SELECT 'the next answer'") == "the next answer"


# Where types are missing


async def test_no_extension(new_database: NewDatabase, connect: Connect) -> None:
    dsn = await new_database("SELECT 1")
    conn = await connect(dsn)
    database = await conn.fetchval("SELECT current_database()")
    message = (
        f"expected {', '.join(OF_EXTENSIONS)} in database '{database}', found nothing; "
        "run CREATE EXTENSION vector, then register again"
    )
    with pytest.raises(ExtensionNotFoundError, match=f"^{message}$"):
        await register_vector(conn)
    message = f'in schema \'we"ird\' in database \'{database}\', .* run CREATE EXTENSION vector SCHEMA "we""ird"'
    with pytest.raises(ExtensionNotFoundError, match=message):
        await register_vector(conn, 'we"ird')
    with pytest.raises(LookupError):
        await register_vector(conn)
    assert await register_vector(conn, missing_ok=True) == []
    assert await register_vector(conn, types=["vector", "bit"], missing_ok=True) == ["bit"]


async def test_older_extension(new_database: NewDatabase, connect: Connect) -> None:
    """pgvector 0.6 has vector and nothing else."""
    dsn = await new_database(PGVECTOR_0_6)
    conn = await connect(dsn)
    assert await register_vector(conn) == ["vector"]
    assert await conn.fetchval("SELECT $1::vector", [1, 2]) == Vector([1, 2])


async def test_a_named_type_must_be_there(new_database: NewDatabase, connect: Connect) -> None:
    """If a named type is missing, no type is registered."""
    dsn = await new_database(PGVECTOR_0_6)
    conn = await connect(dsn)
    message = "vector is at 0.6.2, halfvec came with 0.7.0: .* run ALTER EXTENSION vector UPDATE"
    with pytest.raises(TypesNotFoundError, match=message) as caught:
        await register_vector(conn, types=["vector", "halfvec"])
    assert caught.type is TypesNotFoundError  # and not ExtensionNotFoundError
    with pytest.raises(
        TypesNotFoundError, match="halfvec came .* register again; .* sparsevec came"
    ):
        await register_vector(conn, types=["halfvec", "sparsevec"])
    assert await conn.fetchval("SELECT '[1]'::vector") == "[1]"
    found = await register_vector(conn, types=["vector", "halfvec"], missing_ok=True)
    assert found == ["vector"]


async def test_dropped_and_created_again(
    new_database: NewDatabase, connect: Connect, of_pgvector: list[str]
) -> None:
    conn = await connect(await new_database("CREATE EXTENSION vector"))
    query = "SELECT $1::vector AS v, ARRAY[$1::vector] AS vs"
    await register_vector(conn)
    assert tuple(await conn.fetchrow(query, [1])) == (Vector([1]), [Vector([1])])
    await conn.execute("DROP EXTENSION vector")
    assert await register_vector(conn, missing_ok=True) == []
    await conn.execute("CREATE EXTENSION vector")
    assert await register_vector(conn) == of_pgvector
    assert tuple(await conn.fetchrow(query, [1])) == (Vector([1]), [Vector([1])])


async def test_created_after_connecting(
    new_database: NewDatabase, connect: Connect, of_pgvector: list[str]
) -> None:
    conn = await connect(await new_database("SELECT 1"))
    assert await register_vector(conn, missing_ok=True) == []
    await conn.execute("CREATE EXTENSION vector")
    assert await register_vector(conn) == of_pgvector
    assert await conn.fetchval("SELECT $1::vector", [1]) == Vector([1])


async def test_moved_to_another_schema(new_database: NewDatabase, of_pgvector: list[str]) -> None:
    """A moved type keeps its OID: registrations and cached statements stay valid."""
    dsn = await new_database("CREATE EXTENSION vector; CREATE SCHEMA moved")
    query = "SELECT $1::vector AS v, ARRAY[$1::vector] AS vs"
    expected = (Vector([1]), [Vector([1])])
    async with asyncpg.create_pool(dsn, init=register_vector, min_size=2, max_size=2) as pool:
        async with pool.acquire() as one, pool.acquire() as other:
            for conn in (one, other):
                assert tuple(await conn.fetchrow(query, [1])) == expected
            await one.execute("ALTER EXTENSION vector SET SCHEMA moved")
            for conn in (one, other):
                moved = query.replace("vector", "moved.vector")
                assert tuple(await conn.fetchrow(moved, [1])) == expected
                await conn.execute("SET search_path = moved")
                assert tuple(await conn.fetchrow(query, [1])) == expected
                assert await register_vector(conn) == of_pgvector
                assert tuple(await conn.fetchrow(query, [1])) == expected
        await pool.expire_connections()
        assert tuple(await pool.fetchrow(moved, [1])) == expected


async def test_created_anew_under_a_pool(
    new_database: NewDatabase, connect: Connect, of_pgvector: list[str]
) -> None:
    """The test registers connections in use; the pool registers replacements of expired ones."""
    dsn = await new_database("CREATE EXTENSION vector")
    admin = await connect(dsn)
    query = "SELECT $1::vector AS v, ARRAY[$1::vector] AS vs"
    expected = (Vector([1]), [Vector([1])])
    anew = "DROP EXTENSION vector; CREATE EXTENSION vector"
    async with asyncpg.create_pool(dsn, init=register_vector, min_size=2, max_size=2) as pool:
        async with pool.acquire() as one, pool.acquire() as other:
            for conn in (one, other):
                assert tuple(await conn.fetchrow(query, [1])) == expected
            await admin.execute(anew)
            for conn in (one, other):
                with pytest.raises(asyncpg.InternalServerError, match="cache lookup failed"):
                    await conn.fetchrow(query, [1])
                with pytest.raises(asyncpg.DataError, match=r"\[1\] \(expected str, got list\)"):
                    await conn.fetchrow("SELECT $1::vector", [1])
                assert await register_vector(conn) == of_pgvector
                assert tuple(await conn.fetchrow(query, [1])) == expected
        assert tuple(await pool.fetchrow(query, [1])) == expected
        await admin.execute(anew)
        await pool.expire_connections()
        results = await asyncio.gather(*[pool.fetchrow(query, [1]) for _ in range(4)])
        assert [tuple(row) for row in results] == [expected] * 4


class Disturbed:
    """A connection for register_vector that calls a function before it sets each codec."""

    def __init__(self, conn: asyncpg.Connection, happens: Callable[[str], Awaitable[Any]]) -> None:
        self._conn = conn
        self._happens = happens
        self.fetch = conn.fetch

    async def set_type_codec(self, name: str, **options: Any) -> None:
        await self._happens(name)
        await self._conn.set_type_codec(name, **options)


async def cancel(_: object = None) -> None:
    """Cancel the current task."""
    task = asyncio.current_task()
    assert task
    task.cancel()
    await asyncio.sleep(0)


@needs_pgvector("0.7.0")
async def test_cancelled_half_way(plain: asyncpg.Connection) -> None:
    """A cancelled registration has set some codecs; a second one sets all."""

    async def happens(name: str) -> None:
        if name == "halfvec":
            await cancel()

    task = asyncio.create_task(register_vector(Disturbed(plain, happens)))  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        await task
    query = "SELECT '[1]'::vector, '[1]'::halfvec"
    assert tuple(await plain.fetchrow(query)) == (Vector([1]), "[1]")
    assert await register_vector(plain) >= OF_PGVECTOR
    assert tuple(await plain.fetchrow(query)) == (Vector([1]), HalfVector([1]))


async def test_cancelled_in_a_pool(dsn: str) -> None:
    """The pool closes the connection; the next connection has all types."""
    made: list[asyncpg.Connection] = []

    async def init(conn: asyncpg.Connection) -> None:
        made.append(conn)
        first = len(made) == 1
        await register_vector(Disturbed(conn, cancel) if first else conn)  # type: ignore[arg-type]

    async with asyncpg.create_pool(dsn, min_size=0, max_size=1, init=init) as pool:
        task = asyncio.create_task(pool.fetchval("SELECT 1"))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert made[0].is_closed()
        assert await pool.fetchval("SELECT '[1]'::vector") == Vector([1])


async def test_dropped_half_way(new_database: NewDatabase, connect: Connect) -> None:
    dsn = await new_database("CREATE EXTENSION vector")
    conn, other = await connect(dsn), await connect(dsn)

    async def drop(_: str) -> None:
        await other.execute("DROP EXTENSION IF EXISTS vector")

    message = "expected vector in schema 'public', found nothing: it was dropped while"
    with pytest.raises(TypesNotFoundError, match=message):
        await register_vector(Disturbed(conn, drop))  # type: ignore[arg-type]
