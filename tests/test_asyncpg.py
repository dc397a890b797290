"""Every way in which asyncpg binds and fetches values: parameters, arrays, composites, COPY."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from asyncpg_vector import Bit, HalfVector, InvalidTypeError, SparseVector, Vector
from tests.needs import needs_pgvector, np
from tests.spec_types import SpecType, each_type

VALUES = {
    "vector": [Vector([1, 2, 3]), Vector([4, 5, 6])],
    "halfvec": [HalfVector([1, 2, 3]), HalfVector([4, 5, 6])],
    "sparsevec": [SparseVector({0: 1}, 3), SparseVector({1: 2, 2: 3}, 3)],
    "bit": [Bit("101"), Bit("011")],
}

each_known_type = pytest.mark.parametrize("sql_name", VALUES)


@pytest.fixture
def values(server_types: list[str]) -> dict[str, list[Any]]:
    """The values of types that the server has."""
    return {name: values for name, values in VALUES.items() if name in server_types}


@pytest.fixture
async def table(conn: asyncpg.Connection, values: dict[str, list[Any]]) -> str:
    columns = ", ".join(f"{sql_name} {sql_name}(3)" for sql_name in values)
    await conn.execute(f"CREATE TEMP TABLE t (id serial PRIMARY KEY, {columns})")
    return "t"


@each_type
async def test_null(conn: asyncpg.Connection, type_: SpecType) -> None:
    assert await conn.fetchval(f'SELECT $1::"{type_}"', None) is None
    assert await conn.fetchval(f'SELECT $1::"{type_}" IS NULL', None) is True


@each_known_type
async def test_forms_of_a_parameter(conn: asyncpg.Connection, sql_name: str) -> None:
    """A value, an input for one, or its text: callers of all three share a connection."""
    value = VALUES[sql_name][0]
    for parameter in (
        value,
        value.to_list(),
        tuple(value.to_list()),
        *([value.to_numpy()] if np else []),
        value.to_text(),
    ):
        assert await conn.fetchval(f'SELECT $1::"{sql_name}"', parameter) == value


@each_known_type
async def test_array(conn: asyncpg.Connection, sql_name: str) -> None:
    """Values have a length but are not iterable: asyncpg takes each for an element, not for a row."""
    one, two = VALUES[sql_name]
    parameter = [one, None, tuple(two.to_list()), two.to_text()]
    assert await conn.fetchval(f'SELECT $1::"{sql_name}"[]', parameter) == [one, None, two, two]
    nested = [[one, two], [two, one]]
    assert await conn.fetchval(f'SELECT $1::"{sql_name}"[]', nested) == nested
    assert await conn.fetchval(f'SELECT $1::"{sql_name}"[]', []) == []


async def test_an_iterable_value_cannot_be_in_an_array(conn: asyncpg.Connection) -> None:
    """With __iter__, asyncpg passes the encoder one number at a time: so the classes have none."""

    class Iterable(Vector):
        def __iter__(self) -> Any:
            return iter(self.to_list())

    with pytest.raises(asyncpg.DataError, match="got float"):
        await conn.fetchval("SELECT $1::vector[]", [Iterable([1, 2])])
    assert await conn.fetchval("SELECT $1::vector", Iterable([1, 2])) == Vector([1, 2])


NESTED_ROWS = [[[1.0, 2.0], [3.0, 4.0]]]
if np:
    NESTED_ROWS += [np.eye(2), [np.ones(2)]]


@pytest.mark.parametrize("rows", NESTED_ROWS)
async def test_nested_rows_say_how_to_bind_them(conn: asyncpg.Connection, rows: Any) -> None:
    with pytest.raises(asyncpg.DataError, match=r"write \[Vector\(row\) for row in rows\]"):
        await conn.fetchval("SELECT $1::vector[]", rows)
    bound = await conn.fetchval("SELECT $1::vector[]", [Vector(row) for row in rows])
    assert bound == [Vector(row) for row in rows]


@each_known_type
async def test_domain(conn: asyncpg.Connection, sql_name: str) -> None:
    one, two = VALUES[sql_name]
    await conn.execute(f'CREATE DOMAIN pg_temp.of_three AS "{sql_name}"')
    assert await conn.fetchval("SELECT $1::pg_temp.of_three", one) == one
    assert await conn.fetchval("SELECT $1::pg_temp.of_three[]", [one, two]) == [one, two]


@each_known_type
async def test_composite(conn: asyncpg.Connection, sql_name: str) -> None:
    one, two = VALUES[sql_name]
    await conn.execute(
        f'CREATE TYPE pg_temp.pair AS (name text, v "{sql_name}", vs "{sql_name}"[])'
    )
    row = await conn.fetchval("SELECT $1::pg_temp.pair", ("a", one, [two, None]))
    assert tuple(row) == ("a", one, [two, None])


@each_known_type
async def test_executemany_and_cursor(conn: asyncpg.Connection, table: str, sql_name: str) -> None:
    parameters = [*VALUES[sql_name], None, VALUES[sql_name][0].to_list()]
    await conn.executemany(
        f"INSERT INTO {table} ({sql_name}) VALUES ($1)", [(p,) for p in parameters]
    )
    expected = [*VALUES[sql_name], None, VALUES[sql_name][0]]
    async with conn.transaction():
        cursor = conn.cursor(f"SELECT {sql_name} FROM {table} ORDER BY id", prefetch=1)
        assert [row[sql_name] async for row in cursor] == expected


async def test_copy_in_and_out(
    conn: asyncpg.Connection, table: str, values: dict[str, list[Any]]
) -> None:
    records = [*zip(*values.values(), strict=True), (None,) * len(values)]
    raw = [tuple(value and value.to_list() for value in record) for record in records]
    for rows in (records, raw):
        await conn.execute(f"TRUNCATE {table}")
        await conn.copy_records_to_table(table, records=rows, columns=list(values))
        fetched = await conn.fetch(f"SELECT {', '.join(values)} FROM {table} ORDER BY id")
        assert [tuple(row) for row in fetched] == records


async def test_prepared_statement(conn: asyncpg.Connection) -> None:
    statement = await conn.prepare("SELECT $1::vector + $2 AS sum")
    assert await statement.fetchval(Vector([1, 2]), [3, 4]) == Vector([4, 6])


# pgvector 0.7 added the other metrics, and those of bits.
EARLY_METRICS = ("l2", "inner_product", "cosine")


@pytest.mark.parametrize(
    ("sql_name", "metric"),
    [
        pytest.param(name, metric, marks=() if metric in EARLY_METRICS else needs_pgvector("0.7.0"))
        for name, values in VALUES.items()
        for metric in type(values[0]).info.metrics
    ],
)
async def test_search(conn: asyncpg.Connection, sql_name: str, metric: str) -> None:
    operator = type(VALUES[sql_name][0]).info.metrics[metric].operator
    query = f'SELECT $1::"{sql_name}" {operator} $2::"{sql_name}"'
    assert isinstance(await conn.fetchval(query, *VALUES[sql_name]), float)


@each_known_type
async def test_a_bad_parameter_is_not_sent(
    conn: asyncpg.Connection, table: str, sql_name: str
) -> None:
    """The client raises the error, the statement does not run, and the connection stays usable."""
    good, bad = VALUES[sql_name][0], object()
    insert = f"INSERT INTO {table} ({sql_name}) VALUES ($1)"
    with pytest.raises(asyncpg.DataError, match=r"query argument \$1.*expected a sequence"):
        await conn.execute(insert, bad)
    with pytest.raises(asyncpg.DataError):
        await conn.executemany(insert, [(good,), (bad,)])
    with pytest.raises(InvalidTypeError, match="expected a sequence"):
        await conn.copy_records_to_table(table, records=[(good,), (bad,)], columns=[sql_name])
    assert await conn.fetchval(f"SELECT count(*) FROM {table}") == 0
    await conn.execute(insert, good)
    assert await conn.fetchval(f"SELECT {sql_name} FROM {table}") == good


async def test_a_value_of_another_class_is_refused_with_advice(conn: asyncpg.Connection) -> None:
    with pytest.raises(
        asyncpg.DataError, match=r"got a HalfVector; to convert it, write Vector\(value"
    ):
        await conn.fetchval("SELECT $1::vector", HalfVector([1]))


async def test_a_dimension_mismatch_is_the_servers_error(
    conn: asyncpg.Connection, table: str
) -> None:
    with pytest.raises(asyncpg.DataError, match="expected 3 dimensions, not 2"):
        await conn.execute(f"INSERT INTO {table} (vector) VALUES ($1)", Vector([1, 2]))
