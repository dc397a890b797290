"""Tables of SQLModel, which have Pydantic's fields and SQLAlchemy's columns."""

from __future__ import annotations

import json

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from asyncpg_vector import HalfVector, SparseVector, Vector
from tests.integrations.models import Document


async def test_tables(engine: AsyncEngine) -> None:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        conn = await session.connection()
        await conn.run_sync(Document.metadata.create_all)
        given = {"embedding": "[1,2,3]", "half": [1, 2, 3], "sparse": None}
        document = Document.model_validate(given)
        assert (document.embedding, document.half) == (Vector([1, 2, 3]), HalfVector([1, 2, 3]))
        session.add_all([document, Document(embedding=[4, 5, 6], half=HalfVector([1, 2, 3]))])
        await session.flush()
        session.expire_all()
        nearest = select(Document).order_by(col(Document.embedding).l2_distance([4, 5, 5]))
        found = (await session.exec(nearest)).first()
        assert found is not None
        assert json.loads(found.model_dump_json()) == {
            "id": found.id,
            "embedding": [4.0, 5.0, 6.0],
            "half": [1.0, 2.0, 3.0],
            "sparse": None,
        }
        found.sparse = SparseVector({1: 1}, 5)
        await session.flush()
        await session.refresh(found)
        assert found.sparse == SparseVector({1: 1}, 5)
        await session.rollback()


def test_not_validated() -> None:
    """SQLModel does not validate tables. Their inputs are serialised as the values that they make."""
    document = Document(embedding=[1, 2], half="[1]")
    assert document.embedding == [1, 2]
    assert json.loads(document.model_dump_json())["embedding"] == [1.0, 2.0]
    assert json.loads(document.model_dump_json())["half"] == [1.0]
