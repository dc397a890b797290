"""Distances, SQL functions and arithmetic: they are the server's, and each type has its own."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, cast, func, literal, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import Double, TypeDecorator

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    SparseVector,
    Vector,
)
from asyncpg_vector import sqlalchemy as functions
from asyncpg_vector.sqlalchemy import (
    ARRAY,
    BIT,
    HALFVEC,
    SPARSEVEC,
    VECTOR,
    binary_quantize,
    cosine_distance,
    l2_normalize,
    max_sim,
    subvector,
    vector_dims,
)
from tests.integrations.models import Document, Item
from tests.integrations.test_columns import DIALECT
from tests.needs import needs_pgvector
from tests.spec_types import SPEC, TYPES, SpecType, type_named

SAMPLES: dict[str, Any] = {
    "vector": Vector([3, -4, 0]),
    "halfvec": HalfVector([3, -4, 0]),
    "sparsevec": SparseVector({0: 3, 1: -4}, 3),
    "bit": Bit("101"),
}

DISTANCES = [
    pytest.param(name, each.sql_name, each.metric, id=f"{name}-{each.sql_name}")
    for name, group in SPEC.distances.items()
    for each in group
]
FUNCTIONS = [
    pytest.param(name, each.sql_name, each.function, id=f"{name}-{each.sql_name}")
    for name, group in SPEC.functions.items()
    for each in group
]
RESULTS = {"integer": "integer", "float64": "double precision"}


def sql(expression: Any) -> str:
    return str(expression.compile(dialect=DIALECT))


def table() -> Table:
    columns = [Column(type_.sql_name, type_.column_type(3)) for type_ in TYPES]
    return Table("t", MetaData(), *columns, Column("a", ARRAY(VECTOR(3))), Column("i", Integer))


# The spec and the server


@needs_pgvector("0.7.0")
async def test_all_functions_of_the_server(conn: asyncpg.Connection) -> None:
    """Every function of the extension on one value is in the spec, but for casts and support."""
    rows = await conn.fetch(
        """
        SELECT p.proname AS name, p.proargtypes[0]::regtype::text AS type,
            p.prorettype::regtype::text AS result, p.pronargs AS arguments
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector'
        WHERE p.prokind = 'f' AND p.proargtypes[0]::regtype::text = ANY($1)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast WHERE castfunc = p.oid)
            AND p.prorettype <> ALL ('{cstring, bytea, boolean}'::regtype[])
            AND (p.pronargs = 1 OR p.proargtypes[1] <> p.proargtypes[0])
        """,
        [type_.sql_name for type_ in TYPES],
    )
    assert {(row["name"], row["type"], row["result"], row["arguments"]) for row in rows} == {
        (
            name,
            each.sql_name,
            RESULTS.get(each.function.returns, each.function.returns),
            1 + len(each.function.arguments),
        )
        for name, group in SPEC.functions.items()
        for each in group
    }


@needs_pgvector("0.7.0")
async def test_all_operators_of_the_server(conn: asyncpg.Connection) -> None:
    """Every operator of the extension is a metric, a comparison, or arithmetic of the spec."""
    rows = await conn.fetch(
        """
        SELECT o.oprname AS operator, o.oprleft::regtype::text AS type,
            o.oprresult::regtype::text AS result
        FROM pg_catalog.pg_operator o
        JOIN pg_catalog.pg_depend d
            ON d.classid = 'pg_catalog.pg_operator'::regclass AND d.objid = o.oid
        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'vector'
        WHERE o.oprresult <> 'boolean'::regtype
        """
    )
    of_spec = {
        (metric.operator, type_.sql_name, "double precision")
        for type_ in TYPES
        for metric in type_.model.metrics.values()
    } | {
        (operator, type_.sql_name, type_.sql_name)
        for type_ in TYPES
        if not type_.model.built_in  # PostgreSQL's own
        for operator in type_.model.arithmetic
    }
    assert {(row["operator"], row["type"], row["result"]) for row in rows} == of_spec


@pytest.mark.parametrize(("name", "sql_name", "metric"), DISTANCES)
def test_a_distance(name: str, sql_name: str, metric: Any) -> None:
    """The function does what the column's method does."""
    column = table().c[sql_name]
    distance = getattr(functions, name)(column, SAMPLES[sql_name])
    assert sql(distance) == sql(getattr(column, name)(SAMPLES[sql_name]))
    assert f" {metric.operator} " in sql(distance).replace("%%", "%")
    assert isinstance(distance.type, Double)


@needs_pgvector("0.7.0")
@pytest.mark.parametrize(("name", "sql_name", "function"), FUNCTIONS)
async def test_a_function(registered: AsyncEngine, name: str, sql_name: str, function: Any) -> None:
    """It calls the server's, and its result has the type of the spec."""
    column_type = type_named(sql_name).column_type(3)
    arguments = [1, 2][: len(function.arguments)]
    value = literal(SAMPLES[sql_name], column_type)
    called = getattr(functions, name)(value, *arguments)
    values = ", ".join([f"'{SAMPLES[sql_name].to_text()}'::{sql_name}", *map(str, arguments)])
    async with registered.connect() as connection:
        found = (await connection.execute(select(called))).scalar_one()
        wanted = (await connection.execute(text(f"SELECT {name}({values})"))).scalar_one()
    assert (type(found), found) == (type(wanted), wanted)
    returned = SPEC.types.get(function.returns)
    if returned:
        assert type(found).__name__ == returned.class_name
        assert called.type.size is None


def test_expressions_of_expressions() -> None:
    """A result is an expression of its type, for another function."""
    columns = table().c
    half = cast(subvector(columns.vector, 1, columns.i), HALFVEC(2))
    assert re.sub("::INTEGER", "", sql(half)) == (  # which SQLAlchemy 2.0 leaves out
        "CAST(subvector(t.vector, %(subvector_1)s, t.i) AS HALFVEC(2))"
    )
    nested = cosine_distance(l2_normalize(columns.vector), [1, 2, 3])
    assert sql(nested) == "l2_normalize(t.vector) <=> %(l2_normalize_1)s::VECTOR"
    assert sql(vector_dims(Item.vector)) == "vector_dims(items.vector)"
    assert sql(binary_quantize(Document.half)) == "binary_quantize(document.half)"


def test_an_array() -> None:
    """VectorChord's metric, on arrays of this package and of SQLAlchemy."""
    ours = max_sim(table().c.a, [Vector([1, 2, 3])])
    assert sql(ours) == "t.a @# %(a_1)s::VECTOR[]"
    theirs = Column("a", postgresql.ARRAY(HALFVEC(3)))
    assert sql(max_sim(theirs, [[1, 2, 3]])) == "a @# %(a_1)s::HALFVEC[]"


def test_a_type_of_ones_own() -> None:
    class Mine(TypeDecorator[Any]):
        impl = VECTOR
        cache_ok = True

    assert sql(cosine_distance(Column("v", Mine(3)), [1, 2, 3])).startswith("v <=> ")


WRONG = [
    (lambda c: cosine_distance(c.bit, "101"), InvalidValueError, "expected a metric of bit among hamming, jaccard, got 'cosine'"),
    (lambda _: max_sim(table().c.vector, []), InvalidTypeError, r"expected an expression of an array of a vector type, got t.vector of VECTOR\(dim=3\)"),
    (lambda _: max_sim(Column("b", ARRAY(BIT(3))), []), InvalidValueError, r"expected a metric of bit\[\] among none, got 'max_sim'"),
    (lambda c: cosine_distance(c.i, [1]), InvalidTypeError, r"expected an expression of a vector type, got t.i of Integer\(\)"),
    (lambda c: cosine_distance(c.a, [1]), InvalidTypeError, "expected an expression of a vector type, got t.a of ARRAY"),
    (lambda _: cosine_distance("v", [1]), InvalidTypeError, "expected an expression of a vector type, got str 'v'"),
    (lambda _: cosine_distance(Vector([1]), [1]), InvalidTypeError, "expected an expression of a vector type, got Vector "),
    (lambda c: vector_dims(c.sparsevec), InvalidValueError, "expected a type with vector_dims among vector, halfvec, got sparsevec"),
    (lambda c: c.sparsevec + c.sparsevec, InvalidValueError, r"expected an operator of sparsevec among none, got \+"),
    (lambda c: [1] - c.sparsevec, InvalidValueError, "expected an operator of sparsevec among none, got -"),
    (lambda c: c.vector / 2, InvalidValueError, r"expected an operator of vector among \+ - \* \|\|, got /"),
    (lambda c: -c.vector, InvalidValueError, "expected an operator of vector among .*, got - before a value"),
    (lambda c: c.vector // 2, InvalidValueError, "expected an operator of vector among .*, got //"),
    (lambda c: c.bit + c.bit, InvalidValueError, r"expected an operator of bit among \|\|, got \+"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), WRONG)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(table().c)


@needs_pgvector("0.7.0")
@pytest.mark.parametrize("type_", TYPES, ids=repr)
async def test_arithmetic(registered: AsyncEngine, type_: SpecType) -> None:
    """Each operator of the spec has the server's result, as a value."""
    sample = SAMPLES[type_.sql_name]
    column_type = type_.column_type(3)
    for operator in type_.model.arithmetic:
        left, right = literal(sample, column_type), literal(sample, column_type)
        result = {
            "+": lambda a, b: a + b,
            "-": lambda a, b: a - b,
            "*": lambda a, b: a * b,
            "||": lambda a, b: a.concat(b),
        }[operator](left, right)
        text_of = f"'{sample.to_text()}'::{type_.sql_name}(3)"
        async with registered.connect() as connection:
            found = (await connection.execute(select(result))).scalar_one()
            wanted = await connection.execute(
                text(f"SELECT ({text_of} {operator} {text_of})::text")
            )
        assert (type(found), found.to_text()) == (type(sample), wanted.scalar_one())
        assert result.type.size == (None if operator == "||" else 3)
        if operator == "+":
            assert sql(sample.to_list() + right).startswith("%(")


def test_a_length_that_is_open() -> None:
    """It is any length in SQL, where the keyword alone would mean one bit."""
    assert sql(cast(func.f(), BIT(None))) == "CAST(f() AS pg_catalog.bit)"
    assert BIT(None).size is None
    assert SPARSEVEC().without_size().size is None
    assert re.fullmatch(r"BIT\(length=None\)", repr(BIT(3).without_size()))
