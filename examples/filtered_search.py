"""Search with a selective filter: iterative scans find all rows; a single scan finds few.

    .venv/bin/python examples/filtered_search.py [--dsn postgresql://…]

Needs the packages of `make demo`, and pgvector 0.8. An HNSW index knows nothing of the filter: a
scan returns the `hnsw.ef_search` nearest rows, 40 by default, and PostgreSQL then drops those of
other modules. An iterative scan goes on until enough rows are left, or until it has visited
`hnsw.max_scan_tuples` rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe import copy, find_index, run

from asyncpg_vector import search_settings

if TYPE_CHECKING:
    from recipe import Connection, Corpus, Row

    from asyncpg_vector import SearchSettings

TABLE = """
CREATE TABLE documents (
    name text PRIMARY KEY,
    module text GENERATED ALWAYS AS (split_part(name, '.', 1)) STORED,
    text text,
    embedding vector(256)
)
"""
INDEX = "CREATE INDEX by_cosine ON documents USING hnsw (embedding vector_cosine_ops)"
SEARCH = """
SELECT name, embedding <=> $1 AS distance FROM documents
WHERE module = $2 ORDER BY distance LIMIT 10
"""
QUESTION, MODULE = "read a file line by line", "ssl"

SCANS: dict[str, SearchSettings] = {
    "off, the default": {},
    "off, ef_search = 200": {"hnsw.ef_search": 200},
    "strict_order": {"hnsw.iterative_scan": "strict_order"},
    "relaxed_order": {"hnsw.iterative_scan": "relaxed_order"},
    "strict_order, max_scan_tuples = 1000": {
        "hnsw.iterative_scan": "strict_order",
        "hnsw.max_scan_tuples": 1000,
    },
}


def main() -> None:
    """Compare the scans."""
    run(compare_scans)


async def compare_scans(conn: Connection, corpus: Corpus) -> list[Row]:
    """Search exactly, without an index, and then by the index with each setting."""
    await conn.execute(TABLE)
    await copy(conn, corpus)
    (question,) = corpus.embed([QUESTION])
    rows = await conn.fetch(SEARCH, question, MODULE)
    exact = {row["name"] for row in rows}
    index = await find_index(conn, SEARCH, question, MODULE)
    shown: list[Row] = [
        {
            "iterative_scan": "no index: exact",
            "index": index,
            "rows": len(rows),
            "right": len(exact),
        }
    ]

    await conn.execute(INDEX)
    # PostgreSQL would read these few thousand rows one by one, which is exact, and here cheaper. It
    # chooses the index by itself for a larger table.
    await conn.execute("SET enable_seqscan = off")
    for name, settings in SCANS.items():
        async with search_settings(conn, settings):
            rows = await conn.fetch(SEARCH, question, MODULE)
            index = await find_index(conn, SEARCH, question, MODULE)
        right = len(exact & {row["name"] for row in rows})
        shown.append({"iterative_scan": name, "index": index, "rows": len(rows), "right": right})
    return shown


if __name__ == "__main__":
    main()
