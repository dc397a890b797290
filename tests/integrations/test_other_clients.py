"""Column types of other clients, which send and parse text, on an engine with this package's codecs.

docs/results.md names the clients that were tried. llama-index-vector-stores-postgres and
advanced-alchemy use the column types of pgvector-python, and langchain-postgres parses JSON.
"""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Column, Double, Integer, MetaData, Table, insert, select, text, update
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator, UserDefinedType

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector
from asyncpg_vector.sqlalchemy import ARRAY, BIT, HALFVEC, SPARSEVEC, VECTOR, register_engine
from tests.conftest import NewDatabase
from tests.integrations.conftest import MakeEngine
from tests.needs import needs_pgvector

# An import makes SQLAlchemy reflect the other package's types.
with patch.dict(PGDialect.ischema_names):
    import pgvector.sqlalchemy

pytestmark = needs_pgvector("0.7.0")


class ParsesText(UserDefinedType[list[float]]):
    """As the column type of an older pgvector-python, without a cast."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "vector"

    def bind_processor(self, dialect: object) -> Any:  # noqa: ARG002
        return lambda value: value and str([float(number) for number in value])

    def result_processor(self, dialect: object, coltype: object) -> Any:  # noqa: ARG002
        return lambda value: value and [float(number) for number in value[1:-1].split(",")]


class Decorated(TypeDecorator[list[float]]):
    """As advanced-alchemy's, around pgvector-python's."""

    impl = pgvector.sqlalchemy.VECTOR
    cache_ok = True

    def process_result_value(self, value: Any, dialect: object) -> Any:  # noqa: ARG002
        return None if value is None else list(value)


THEIRS: dict[str, Any] = {
    "text": ParsesText(),
    "vector": pgvector.sqlalchemy.VECTOR(3),
    "decorated": Decorated(3),
}
each_theirs = pytest.mark.parametrize("name", THEIRS)


@pytest.fixture
async def engine(new_database: NewDatabase, make_engine: MakeEngine) -> AsyncEngine:
    return make_engine(await new_database("CREATE EXTENSION vector"))


def table_of(type_: Any) -> Table:
    columns = Column("id", Integer, primary_key=True), Column("embedding", type_)
    return Table("items", MetaData(), *columns)


async def store(engine: AsyncEngine, table: Table) -> None:
    async with engine.begin() as conn:
        await conn.run_sync(table.metadata.create_all)
        rows = [{"embedding": [1, 2, 0.5]}, {"embedding": None}]
        await conn.execute(insert(table), rows)


@each_theirs
async def test_text(engine: AsyncEngine, name: str) -> None:
    """INSERT, UPDATE, SELECT, distances and NULL."""
    register_engine(engine, returns="text")
    table = table_of(THEIRS[name])
    await store(engine, table)
    column = table.c.embedding
    async with engine.begin() as conn:
        fetched = (await conn.scalars(select(column).order_by(table.c.id))).all()
        assert fetched == [[1, 2, 0.5], None]
        distance = column.op("<->", return_type=Double())([1, 2, 0.5])
        assert (await conn.scalars(select(distance).order_by(distance))).first() == 0
        await conn.execute(update(table).values(embedding=[4, 5, 6]).where(table.c.id == 1))
        assert await conn.scalar(select(column).where(table.c.id == 1)) == [4, 5, 6]
        (written,) = await conn.scalars(text("SELECT embedding FROM items WHERE id = 1"))
        assert json.loads(written) == [4, 5, 6]  # as langchain-postgres's MMR


@pytest.mark.parametrize("returns", ["value", "list"])
@each_theirs
async def test_other_forms_fail(engine: AsyncEngine, name: str, returns: Any) -> None:
    """The INSERT works, and the SELECT fails."""
    register_engine(engine, returns=returns)
    table = table_of(THEIRS[name])
    await store(engine, table)
    async with engine.connect() as conn:
        with pytest.raises(AttributeError, match="object has no attribute 'split'"):
            (await conn.scalars(select(table.c.embedding))).all()


@pytest.mark.parametrize("returns", ["text", {"vector": "text", "bit": "text"}, Vector.to_binary])
async def test_columns_of_this_package_beside_them(engine: AsyncEngine, returns: Any) -> None:
    """They make values of the text, or of the payload."""
    register_engine(engine, types=["vector", "halfvec", "sparsevec", "bit"], returns=returns)
    values = {
        "vector": Vector([1, 0.1]),
        "vectors": [Vector([1, 0.1]), None],
        "halfvec": HalfVector([0.1]),
        "sparsevec": SparseVector({1: 0.1}, 3),
        "bit": Bit("101"),
    }
    types = [VECTOR(2), ARRAY(VECTOR), HALFVEC(1), SPARSEVEC(3), BIT(3)]
    columns = [Column(name, type_) for name, type_ in zip(values, types, strict=True)]
    table = Table("items", MetaData(), *columns)
    async with engine.begin() as conn:
        await conn.run_sync(table.metadata.create_all)
        await conn.execute(insert(table), values)
        row = (await conn.execute(select(table))).one()
    assert tuple(row) == tuple(values.values())


async def test_a_callable_for_an_engine(engine: AsyncEngine) -> None:
    """Columns of this package leave its result as it is, unless it is a text or a payload."""
    register_engine(engine, returns={"vector": len})
    async with engine.connect() as conn:
        assert await conn.scalar(text("SELECT CAST('[1,2]' AS vector)")) == 2
        column = select(Column("v", VECTOR())).select_from(text("(VALUES ('[1]'::vector)) t (v)"))
        assert await conn.scalar(column) == 1
