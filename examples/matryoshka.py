"""Index the first 64 of 256 dimensions, and rank the nearest again by all of them.

    .venv/bin/python examples/matryoshka.py [--dsn postgresql://…]

Needs the packages of `make demo`, and pgvector 0.7. A Matryoshka model, as wordllama's is, puts the
most of a text's meaning into the first dimensions, so that a prefix of an embedding is an embedding
too: wordllama itself cuts to 64 or 128 dimensions with `trunc_dim`. The table stores whole
embeddings. Cosine distance needs no unit vectors, so that a prefix need not be normalised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe import FULL, FULL_INDEX, load, measure, run

from asyncpg_vector import search_settings

if TYPE_CHECKING:
    from recipe import Connection, Corpus, Row

INDEX = """
CREATE INDEX by_prefix ON documents
USING hnsw ((subvector(embedding, 1, 64)::vector(64)) vector_cosine_ops)
"""
PREFIX = """
SELECT id FROM documents
ORDER BY subvector(embedding, 1, 64)::vector(64) <=> subvector($1::vector, 1, 64) LIMIT 10
"""
RANKED_AGAIN = """
SELECT id FROM (
    SELECT id, embedding FROM documents
    ORDER BY subvector(embedding, 1, 64)::vector(64) <=> subvector($1::vector, 1, 64)
    LIMIT $2
) AS nearest_by_prefix
ORDER BY embedding <=> $1 LIMIT 10
"""


def main() -> None:
    """Compare the recalls."""
    run(compare_recalls)


async def compare_recalls(conn: Connection, corpus: Corpus) -> list[Row]:
    """Find the exact answers before there is an index, and compare what each index finds."""
    questions, exact = await load(conn, corpus)
    await conn.execute(FULL_INDEX)
    await conn.execute(INDEX)
    shown = [
        await measure(conn, "256 dimensions", FULL, questions, exact),
        await measure(conn, "64 dimensions", PREFIX, questions, exact),
    ]
    for limit in (20, 40, 80):
        name = f"{limit} by 64 dimensions, ranked again"
        async with search_settings(conn, {"hnsw.ef_search": limit}):
            row = await measure(conn, name, RANKED_AGAIN, questions, exact, limit)
        shown.append(row)
    return shown


if __name__ == "__main__":
    main()
