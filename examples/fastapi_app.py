"""A service that stores and searches embeddings: FastAPI, Pydantic, SQLAlchemy, and this package.

    DATABASE_URL=postgresql+asyncpg://… .venv/bin/fastapi dev examples/fastapi_app.py
    DATABASE_URL=postgresql+asyncpg://… .venv/bin/python examples/fastapi_app.py

The second command stores two documents, and searches. Needs the packages of `make quick`, and
a server with pgvector 0.5. A `Vector` is the type of a field in the models, and of a column.
FastAPI reads it from a JSON array, refuses invalid arrays, and writes it as a JSON array.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from asyncpg_vector import Vector
from asyncpg_vector.pydantic import Dimensions
from asyncpg_vector.sqlalchemy import VECTOR, register_engine, vector_index

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

DIMENSIONS = 3

engine = create_async_engine(os.environ["DATABASE_URL"])
register_engine(engine)
sessions = async_sessionmaker(engine, expire_on_commit=False)

Embedding = Annotated[Vector, Dimensions(DIMENSIONS)]


class Base(DeclarativeBase):
    """The base class of the tables."""


class Document(Base):
    """A document in the database."""

    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    embedding: Mapped[Vector] = mapped_column(VECTOR(DIMENSIONS))

    __table_args__ = (vector_index("documents_embedding", "embedding", metric="cosine"),)


class NewDocument(BaseModel):
    """A document to store."""

    title: str
    embedding: Embedding


class StoredDocument(NewDocument):
    """A document that is stored, with its id."""

    model_config = ConfigDict(from_attributes=True)

    id: int


class Query(BaseModel):
    """A search for the documents nearest to an embedding."""

    embedding: Embedding
    limit: int = Field(5, ge=1, le=100)


class Match(BaseModel):
    """A document that was found, and its cosine distance from the query."""

    document: StoredDocument
    distance: float


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    """Create the extension and the tables before the first request."""
    async with engine.begin() as conn:
        await conn.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        await conn.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def new_session() -> AsyncGenerator[AsyncSession]:
    """Give each request a session, and a transaction."""
    async with sessions.begin() as session:
        yield session


Session = Annotated[AsyncSession, Depends(new_session, scope="function")]
app = FastAPI(title="Documents", lifespan=lifespan)


@app.post("/documents", status_code=201)
async def store(new: NewDocument, session: Session) -> StoredDocument:
    """Store a document."""
    document = Document(title=new.title, embedding=new.embedding)
    session.add(document)
    await session.flush()
    return StoredDocument.model_validate(document)


@app.post("/search")
async def search(query: Query, session: Session) -> list[Match]:
    """Find the documents that are nearest to an embedding."""
    distance = Document.embedding.cosine_distance(query.embedding)
    nearest = select(Document, distance).order_by(distance).limit(query.limit)
    return [
        Match(document=StoredDocument.model_validate(document), distance=found)
        for document, found in await session.execute(nearest)
    ]


async def ask() -> None:
    """Store two documents, and print them by their distance from a third embedding."""
    import httpx

    transport = httpx.ASGITransport(app)
    async with (
        lifespan(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        for title, embedding in (("far", [-1, 0, 0]), ("near", [1, 0.5, 0])):
            new = {"title": title, "embedding": embedding}
            (await client.post("/documents", json=new)).raise_for_status()
        matches = await client.post("/search", json={"embedding": [1, 0, 0]})
        for match in matches.raise_for_status().json():
            print(f"{match['distance']:.3f}  {match['document']}")


if __name__ == "__main__":
    asyncio.run(ask())
