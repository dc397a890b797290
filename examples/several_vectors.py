"""Store a vector for each sentence of a document, and compare them with those of a question.

    .venv/bin/python examples/several_vectors.py [--dsn postgresql://…]

Needs the packages of `make demo`, and pgvector 0.5. One vector for a long text blurs what its
sentences say. MaxSim looks for the most similar sentence for each vector of the question, and adds
the similarities. No index of pgvector finds arrays: the first stage takes the 100 documents that
are nearest by a vector of the whole text, by an index, and MaxSim ranks these again.

VectorChord's operator `@#` is MaxSim with an index (`vector_maxsim_ops`), in one stage. It could
not be tried here.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING

from recipe import ANSWERS, copy, run, summarise

from asyncpg_vector import search_settings

if TYPE_CHECKING:
    from recipe import Connection, Corpus, Row

    from asyncpg_vector import Vector

TABLE = """
CREATE TABLE documents (
    id bigserial PRIMARY KEY,
    name text,
    text text,
    embedding vector(256),
    sentences vector(256)[]
)
"""
INDEX = "CREATE INDEX ON documents USING hnsw (embedding vector_cosine_ops)"
SEARCH = """
WITH nearest AS (
    SELECT id, name, sentences, embedding <=> $1 AS distance
    FROM documents ORDER BY distance LIMIT 100
)
SELECT name, max_sim, row_number() OVER (ORDER BY distance, id) AS single,
    row_number() OVER (ORDER BY max_sim DESC, id) AS several
FROM nearest, LATERAL (
    SELECT sum(similarity) AS max_sim FROM unnest($2::vector[]) AS word, LATERAL (
        SELECT max(-(sentence <#> word)) AS similarity FROM unnest(sentences) AS sentence
    ) AS most_similar
) AS compared
"""


def main() -> None:
    """Compare the rankings."""
    run(compare_rankings)


async def compare_rankings(conn: Connection, corpus: Corpus) -> list[Row]:
    """Find the rank that one vector, and several, give to the answer of each question."""
    await conn.execute(TABLE)
    await copy(conn, corpus, sentences=embed_sentences(corpus))
    await conn.execute(INDEX)
    shown: list[Row] = []
    async with search_settings(conn, {"hnsw.ef_search": 100}):
        for question, answer in ANSWERS.items():
            (embedding,) = corpus.embed([question])
            rows = await conn.fetch(SEARCH, embedding, corpus.embed(question.split()))
            ranks = {row["name"]: (row["single"], row["several"]) for row in rows}
            single, several = ranks.get(answer, (None, None))
            shown.append({"question": question, "one vector": single, "several": several})
    return [*shown, summarise(shown)]


def embed_sentences(corpus: Corpus) -> list[list[Vector]]:
    """Embed the sentences of all documents at once, and return those of each document."""
    sentences = [split(document.text) for document in corpus.documents]
    embeddings = iter(corpus.embed([*chain(*sentences)]))
    return [list(islice(embeddings, len(each))) for each in sentences]


def split(text: str) -> list[str]:
    """Split a text after sentences and paragraphs."""
    return [part for part in re.split(r"\n\s*\n|(?<=[.!?])\s+", text) if part.strip()]


if __name__ == "__main__":
    main()
