"""The server's answers, for every type of the spec."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import InvalidValueError, Vector
from codegen.project import TRIED
from tests.needs import needs_pgvector
from tests.spec_types import (
    TYPES,
    SpecType,
    each_dense_type,
    each_numeric_type,
    each_sparse_type,
    each_type,
    each_type_to_limits,
)
from tests.test_text import ACCEPTED, DIGITS, MALFORMED, REFUSED


@each_type_to_limits
@given(data=st.data())
async def test_echo(server: asyncpg.Connection, type_: SpecType, data: st.DataObject) -> None:
    """A bound value comes back with the same bits."""
    values = data.draw(type_.batches())
    echoed = await server.fetchval(f'SELECT $1::"{type_}"[]', values)
    assert [type(value) for value in echoed] == [type_.value_class] * len(values)
    assert [value.to_binary() for value in echoed] == [value.to_binary() for value in values]


@each_type_to_limits
@given(data=st.data())
async def test_text(server: asyncpg.Connection, type_: SpecType, data: st.DataObject) -> None:
    """The text form equals the server's, and the server reads it as the same bits."""
    values = data.draw(type_.batches())
    rows = await server.fetch(
        f'SELECT v::text AS printed, v::text::"{type_}" AS read FROM unnest($1::"{type_}"[]) AS v',
        values,
    )
    assert [row["printed"] for row in rows] == [value.to_text() for value in values]
    read = [type_.value_class.from_text(row["printed"]) for row in rows]
    assert [row["read"].to_binary() for row in rows] == [value.to_binary() for value in read]


# The tables of test_text.py hold for the server too.


async def test_digits_by_hand(server: asyncpg.Connection) -> None:
    printed = await server.fetchval(
        "SELECT $1::real[]::vector::text", [number for _, number in DIGITS]
    )
    assert printed == f"[{','.join(text for text, _ in DIGITS)}]"


@pytest.mark.parametrize(("value_class", "text", "numbers"), ACCEPTED)
async def test_accepted_text(
    server: asyncpg.Connection, value_class: Any, text: str, numbers: list[Any]
) -> None:
    read = await server.fetchval(f'SELECT $1::text::"{value_class.info.sql_name}"', text)
    assert read.to_list() == value_class(numbers).to_list()
    assert read.to_binary() == value_class.from_text(text).to_binary()
    bound = await server.fetchval(f'SELECT $1::"{value_class.info.sql_name}"', text)
    assert bound.to_binary() == read.to_binary()


REFUSED_TEXTS = [
    *[(value_class, text) for value_class, text in MALFORMED if "\0" not in text],
    *[(value_class, text) for value_class, text, _ in REFUSED],
]


# pgvector before 0.7 reads these texts as [1].
REFUSED_SINCE_0_7 = {(Vector, "[,1]"), (Vector, "[1],")}


async def test_refused_text(server: asyncpg.Connection, server_types: list[str]) -> None:
    for value_class, text in REFUSED_TEXTS:
        known = value_class.info.sql_name in server_types
        if known and (value_class, text) not in REFUSED_SINCE_0_7:
            await refuse(server, value_class, text)


@needs_pgvector("0.7.0")
async def test_text_refused_since_0_7(server: asyncpg.Connection) -> None:
    for value_class, text in REFUSED_SINCE_0_7:
        await refuse(server, value_class, text)


async def refuse(server: asyncpg.Connection, value_class: Any, text: str) -> None:
    """Check that the server refuses a text, and so does the encoder."""
    with pytest.raises((asyncpg.DataError, asyncpg.ProgramLimitExceededError)):
        await server.fetchval(f'SELECT $1::text::"{value_class.info.sql_name}"', text)
    with pytest.raises(asyncpg.DataError, match="invalid input for query argument"):
        await server.fetchval(f'SELECT $1::"{value_class.info.sql_name}"', text)


# The facts of the spec are those of the server.


@needs_pgvector("0.7.0")
@each_type
async def test_operators(server: asyncpg.Connection, type_: SpecType) -> None:
    rows = await server.fetch(
        """
        SELECT operator.oprname AS operator, method.amname AS method, class.opcname AS operator_class
        FROM pg_opclass AS class
        JOIN pg_am AS method ON method.oid = class.opcmethod
        JOIN pg_amop AS member ON member.amopfamily = class.opcfamily
        JOIN pg_operator AS operator ON operator.oid = member.amopopr
        WHERE class.opcintype = to_regtype($1) AND member.amoppurpose = 'o'
        """,
        f'"{type_}"',
    )
    assert {tuple(row) for row in rows} == {
        (metric.operator, method, operator_class)
        for metric in type_.model.metrics.values()
        for method, operator_class in metric.operator_classes.items()
        if method in TRIED
    }


@each_numeric_type
async def test_most_dimensions(server: asyncpg.Connection, type_: SpecType) -> None:
    most = type_.model.max_dimensions
    await server.fetchval(f"SELECT NULL::{type_}({most})")
    with pytest.raises(asyncpg.InvalidParameterValueError, match=f"cannot exceed {most}"):
        await server.fetchval(f"SELECT NULL::{type_}({most + 1})")


@each_sparse_type
async def test_most_elements(server: asyncpg.Connection, type_: SpecType) -> None:
    most = type_.model.max_nnz
    text = ",".join(f"{index}:1" for index in range(1, most + 2))
    with pytest.raises(
        asyncpg.ProgramLimitExceededError, match=f"more than {most} non-zero elements"
    ):
        await server.fetchval(f"SELECT $1::text::{type_}", f"{{{text}}}/{most + 1}")


async def test_most_bits(server: asyncpg.Connection) -> None:
    bit = next(type_ for type_ in TYPES if type_.sql_name == "bit")
    most = bit.model.max_dimensions
    value = bit.value_class(bytes(most // 8))
    assert await server.fetchval('SELECT length($1::"bit")', value) == most


INDEXED = [
    pytest.param(type_, method, marks=needs_pgvector("0.7.0") if type_.model.built_in else ())
    for type_ in TYPES
    for method in type_.model.max_indexed
    if type_.model.layout != "sparse" and method in TRIED
]


@pytest.mark.parametrize(("type_", "method"), INDEXED, ids=repr)
async def test_most_dimensions_of_an_index(
    conn: asyncpg.Connection, type_: SpecType, method: str
) -> None:
    most = type_.model.max_indexed[method]
    metric = next(m for m in type_.model.metrics.values() if method in m.operator_classes)
    index = f"ON pg_temp.%s USING {method} (v {metric.operator_classes[method]})"
    await conn.execute(f"CREATE TEMP TABLE fits (v {type_}({most})); CREATE INDEX {index % 'fits'}")
    await conn.execute(f"CREATE TEMP TABLE exceeds (v {type_}({most + 1}))")
    # pgvector before 0.7 raises the second.
    errors = (asyncpg.ProgramLimitExceededError, asyncpg.InternalServerError)
    with pytest.raises(errors, match=f"more than {most} dimensions"):
        await conn.execute(f"CREATE INDEX {index % 'exceeds'}")


@needs_pgvector("0.7.0")
async def test_most_elements_of_a_sparse_index(conn: asyncpg.Connection) -> None:
    for type_ in TYPES:
        if type_.model.layout != "sparse" or not type_.model.max_indexed:
            continue
        ((method, most),) = type_.model.max_indexed.items()
        operator_class = type_.model.metrics["l2"].operator_classes[method]
        await conn.execute(
            f"CREATE TEMP TABLE t (v {type_}(5000)); CREATE INDEX ON t USING {method} (v {operator_class})"
        )
        fits, exceeds = (
            type_.value_class(dict.fromkeys(range(n), 1), 5000) for n in (most, most + 1)
        )
        await conn.execute("INSERT INTO t VALUES ($1)", fits)
        with pytest.raises(asyncpg.ProgramLimitExceededError, match=f"more than {most} non-zero"):
            await conn.execute("INSERT INTO t VALUES ($1)", exceeds)


@each_dense_type
async def test_least_dimensions(server: asyncpg.Connection, type_: SpecType) -> None:
    with pytest.raises(asyncpg.DataError, match="at least 1 dimension"):
        await server.fetchval(f"SELECT '[]'::{type_}")
    with pytest.raises(InvalidValueError):
        type_.value_class.from_text("[]")
