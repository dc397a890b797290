"""Index one bit a dimension, and rank the nearest again by the vectors themselves.

    .venv/bin/python examples/binary_quantization.py [--dsn postgresql://…]

Needs the packages of `make demo`, and pgvector 0.7. The index is on an expression, so that the
table stores no bits. The inner query finds more rows than are asked for, by Hamming distance; the
outer query ranks them by cosine distance. `hnsw.ef_search` has to be at least the inner limit,
since a scan returns no more rows than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe import FULL, FULL_INDEX, load, measure, run

from asyncpg_vector import search_settings

if TYPE_CHECKING:
    from recipe import Connection, Corpus, Row

INDEX = """
CREATE INDEX by_bits ON documents
USING hnsw ((binary_quantize(embedding)::bit(256)) bit_hamming_ops)
"""
BITS = """
SELECT id FROM documents
ORDER BY binary_quantize(embedding)::bit(256) <~> binary_quantize($1::vector)::bit(256) LIMIT 10
"""
RANKED_AGAIN = """
SELECT id FROM (
    SELECT id, embedding FROM documents
    ORDER BY binary_quantize(embedding)::bit(256) <~> binary_quantize($1::vector)::bit(256)
    LIMIT $2
) AS nearest_by_bits
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
        await measure(conn, "vectors", FULL, questions, exact),
        await measure(conn, "bits", BITS, questions, exact),
    ]
    for limit in (20, 40, 80, 160):
        name = f"{limit} by bits, ranked again"
        async with search_settings(conn, {"hnsw.ef_search": limit}):
            row = await measure(conn, name, RANKED_AGAIN, questions, exact, limit)
        shown.append(row)
    return shown


if __name__ == "__main__":
    main()
