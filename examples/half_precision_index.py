"""Keep 32-bit numbers in the table, and 16-bit numbers in the index.

    .venv/bin/python examples/half_precision_index.py [--dsn postgresql://…]

Needs the packages of `make demo`, and pgvector 0.7. The index is on an expression. A query uses the
index only if it orders by the same expression. An index on `halfvec` takes 4,000 dimensions, and
one on `vector` 2,000.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe import FULL, FULL_INDEX, load, measure, run

if TYPE_CHECKING:
    from recipe import Connection, Corpus, Row

INDEX = """
CREATE INDEX by_half ON documents
USING hnsw ((embedding::halfvec(256)) halfvec_cosine_ops)
"""
# The parameter is a vector too. Without ::vector, it would be a halfvec.
HALF = """
SELECT id FROM documents
ORDER BY embedding::halfvec(256) <=> $1::vector::halfvec(256) LIMIT 10
"""


def main() -> None:
    """Compare the indexes."""
    run(compare_indexes)


async def compare_indexes(conn: Connection, corpus: Corpus) -> list[Row]:
    """Measure an index on the column, and then the index on the expression in its place."""
    questions, exact = await load(conn, corpus)
    shown: list[Row] = []
    for index, create in (("by_vector", FULL_INDEX), ("by_half", INDEX)):
        await conn.execute(create)
        for order, query in (("embedding", FULL), ("embedding::halfvec(256)", HALF)):
            search = f"{index} exists, ORDER BY {order}"
            shown.append(await measure(conn, search, query, questions, exact))
        await conn.execute(f"DROP INDEX {index}")
    return shown


if __name__ == "__main__":
    main()
