"""A service that stores and searches embeddings: FastAPI, Pydantic, asyncpg, and this package.

    DATABASE_URL=postgresql://… .venv/bin/fastapi dev examples/asyncpg_service.py
    .venv/bin/python examples/asyncpg_service.py    # asks it on an embedded server, with real text

Needs the packages of `make quick`, and pgvector 0.8. It is fastapi_app.py without SQLAlchemy:
SQL instead of models, and a pool instead of an engine. A request's embedding is a `Vector`, so that
FastAPI refuses an invalid one. A response has lists, which the pool fetches as such.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, Field

from asyncpg_vector import (
    Vector,
    register_vector,
    require_settings,
    search_settings,
    server_settings,
)
from asyncpg_vector.pydantic import Dimensions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from recipe import Connection, Corpus, Row

    from asyncpg_vector import SearchSettings

DIMENSIONS = 256
CREATE = f"""
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE IF NOT EXISTS documents (
    id bigserial PRIMARY KEY,
    module text NOT NULL,
    title text NOT NULL,
    embedding vector({DIMENSIONS}) NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_embedding
ON documents USING hnsw (embedding vector_cosine_ops);
"""
STORE = "INSERT INTO documents (module, title, embedding) VALUES ($1, $2, $3) RETURNING *"
SEARCH = """
SELECT *, embedding <=> $1 AS distance FROM documents
WHERE $2::text IS NULL OR module = $2 ORDER BY distance LIMIT $3
"""
EVERYWHERE: SearchSettings = {"hnsw.ef_search": 100}
FILTERED: SearchSettings = {"hnsw.iterative_scan": "strict_order"}

Embedding = Annotated[Vector, Dimensions(DIMENSIONS)]


class NewDocument(BaseModel):
    """A document to store."""

    module: str
    title: str
    embedding: Embedding


class StoredDocument(BaseModel):
    """A document that is stored, with its id."""

    id: int
    module: str
    title: str
    embedding: list[float]


class Query(BaseModel):
    """A search for the documents nearest to an embedding, in one module or in all."""

    embedding: Embedding
    module: str | None = None
    limit: int = Field(5, ge=1, le=100)


class Match(BaseModel):
    """A document that was found, and its cosine distance from the query."""

    document: StoredDocument
    distance: float


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Create the extension and the table, and then the pool, which registers the types."""
    url = os.environ["DATABASE_URL"]
    conn = await asyncpg.connect(url)
    await conn.execute(CREATE)
    await conn.close()
    settings = server_settings(EVERYWHERE)
    async with asyncpg.create_pool(url, init=prepare, server_settings=settings) as app.state.pool:
        yield


async def prepare(conn: Connection) -> None:
    """Fetch lists, and fail at the start on a server that lacks a setting."""
    await register_vector(conn, returns="list")
    await require_settings(conn, {*EVERYWHERE, *FILTERED})


def get_pool(request: Request) -> Any:
    """Give a request the pool."""
    return request.app.state.pool


Pool = Annotated[Any, Depends(get_pool)]
app = FastAPI(title="Documents", lifespan=lifespan)


@app.post("/documents", status_code=201)
async def store(new: NewDocument, pool: Pool) -> StoredDocument:
    """Store a document."""
    return StoredDocument(**await pool.fetchrow(STORE, new.module, new.title, new.embedding))


@app.post("/search")
async def search(query: Query, pool: Pool) -> list[Match]:
    """Find the documents that are nearest to an embedding."""
    settings: SearchSettings = FILTERED if query.module else {}
    async with pool.acquire() as conn, search_settings(conn, settings):
        rows = await conn.fetch(SEARCH, query.embedding, query.module, query.limit)
    return [
        Match(document=StoredDocument.model_validate(dict(row)), distance=row["distance"])
        for row in rows
    ]


def main() -> None:
    """Start an embedded server, and ask the service."""
    from corpus import running_server
    from recipe import read_corpus, show

    corpus = read_corpus()
    with running_server() as dsn:
        os.environ["DATABASE_URL"] = dsn
        show(asyncio.run(ask(corpus)))


async def ask(corpus: Corpus) -> list[Row]:
    """Store the documents of some modules, and search all modules and one."""
    import httpx

    (question,) = corpus.embed(["compress a folder into an archive"])
    shown: list[Row] = []
    transport = httpx.ASGITransport(app)
    async with (
        lifespan(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        for (title, _), embedding in zip(corpus.documents, corpus.embeddings, strict=True):
            module = title.partition(".")[0]
            if module in {"gzip", "shutil", "tarfile", "zipfile"}:
                new = {"module": module, "title": title, "embedding": embedding.to_list()}
                (await client.post("/documents", json=new)).raise_for_status()
        for chosen in (None, "tarfile"):
            query = {"embedding": question.to_list(), "module": chosen}
            matches = (await client.post("/search", json=query)).raise_for_status().json()
            for match in matches:
                title = match["document"]["title"]
                shown.append({"module": chosen, "title": title, "distance": match["distance"]})
    return shown


if __name__ == "__main__":
    main()
