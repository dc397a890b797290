"""Names that reach SQL through SQLAlchemy stay names."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select, text

from asyncpg_vector import InvalidValueError, Vector
from asyncpg_vector.sqlalchemy import VECTOR, register_engine, vector_index
from tests.conftest import NewDatabase
from tests.integrations.conftest import MakeEngine
from tests.test_security import HOSTILE, quote


async def test_hostile_names(new_database: NewDatabase, make_engine: MakeEngine) -> None:
    name = HOSTILE[0]
    dsn = await new_database(
        f"CREATE TABLE kept (); CREATE SCHEMA {quote(name)}; "
        f"CREATE EXTENSION vector SCHEMA {quote(name)}"
    )
    search_path = {"server_settings": {"search_path": quote(name)}}
    engine = make_engine(dsn, connect_args=search_path)
    register_engine(engine, name)
    metadata = MetaData(schema=name)
    for other in HOSTILE:
        column: Column[Any] = Column(f"{other}.", VECTOR(2))
        index = vector_index(f"{other} index", column, metric="cosine")
        Table(f"{other} table", metadata, column, index)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.create_all)
        for table in metadata.tables.values():
            (column,) = table.columns
            await conn.execute(insert(table).values({column: [1, 2]}))
            query = select(column).order_by(column.l2_distance(Vector([1, 2])))
            assert await conn.scalar(query) == Vector([1, 2])
        assert await conn.scalar(text("SELECT to_regclass('public.kept') IS NOT NULL"))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_metrics_and_methods(name: str) -> None:
    for options in ({"metric": name}, {"metric": "cosine", "using": name}):
        with pytest.raises(InvalidValueError, match="among"):
            Table("items", MetaData(), Column("v", VECTOR(2)), vector_index("i", "v", **options))
