"""Search by words and by meaning, and merge both rankings by reciprocal rank fusion.

    .venv/bin/python examples/hybrid_search.py [--dsn postgresql://…]

Needs the packages of `make demo`, and pgvector 0.5. A document's score is the sum of 1 / (60 +
rank) over the rankings that have it. Ranks can be added, whereas distances and ts_rank have
different scales. `websearch_to_tsquery` matches documents that have all words of a question: few,
but good ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe import ANSWERS, copy, run, summarise

if TYPE_CHECKING:
    from recipe import Connection, Corpus, Row

TABLE = """
CREATE TABLE documents (
    id bigserial PRIMARY KEY,
    name text,
    text text,
    embedding vector(256),
    words tsvector GENERATED ALWAYS AS (
        to_tsvector('english', translate(name, '._', '  ') || ' ' || text)
    ) STORED
)
"""
INDEXES = """
CREATE INDEX ON documents USING gin (words);
CREATE INDEX ON documents USING hnsw (embedding vector_cosine_ops);
"""
SEARCH = """
WITH by_words AS (
    SELECT id, row_number() OVER (ORDER BY ts_rank(words, query) DESC, id) AS rank
    FROM documents, websearch_to_tsquery('english', $1) AS query
    WHERE words @@ query ORDER BY rank LIMIT 40
), by_meaning AS (
    SELECT id, row_number() OVER (ORDER BY distance, id) AS rank FROM (
        SELECT id, embedding <=> $2 AS distance FROM documents ORDER BY distance LIMIT 40
    ) AS nearest
)
SELECT name, by_words.rank AS words, by_meaning.rank AS meaning,
    coalesce(1.0 / (60 + by_words.rank), 0) + coalesce(1.0 / (60 + by_meaning.rank), 0) AS score
FROM by_words FULL JOIN by_meaning USING (id) JOIN documents USING (id)
ORDER BY score DESC, id
"""


def main() -> None:
    """Compare the rankings."""
    run(compare_rankings)


async def compare_rankings(conn: Connection, corpus: Corpus) -> list[Row]:
    """Find the rank that each way gives to the answer of each question."""
    await conn.execute(TABLE)
    await copy(conn, corpus)
    await conn.execute(INDEXES)
    shown: list[Row] = []
    for question, embedding in zip(ANSWERS, corpus.embed([*ANSWERS]), strict=True):
        rows = await conn.fetch(SEARCH, question, embedding)
        ranks: Row = {"question": question, "words": None, "meaning": None, "both": None}
        for rank, row in enumerate(rows, start=1):
            if row["name"] == ANSWERS[question]:
                ranks |= {"words": row["words"], "meaning": row["meaning"], "both": rank}
        shown.append(ranks)
    return [*shown, summarise(shown)]


if __name__ == "__main__":
    main()
