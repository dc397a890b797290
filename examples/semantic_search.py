"""Search the standard library by meaning: real text, a real model, a real PostgreSQL.

    .venv/bin/python examples/semantic_search.py [--dsn postgresql://…] ["compress a folder"]

Needs the packages of `make demo`, which runs it, and pgvector 0.7. Embeds the docstrings of the
standard library's public functions and classes, loads them into a `halfvec` column by COPY, indexes
them with HNSW, and prints the nearest ones to each question.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

import asyncpg
from corpus import embed_standard_library, require_model, running_server
from index_progress import build_with_bar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from asyncpg_vector import HalfVector, VectorError, register_vector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from corpus import Document

QUESTIONS = (
    "read a file line by line",
    "run a function on all processors in parallel",
    "how many days lie between two dates",
)
ROWS = 10
"""Matches for all questions together, which fit on a screen of 24 lines."""
COSINE = HalfVector.info.metrics["cosine"]

console = Console(highlight=False)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("questions", nargs="*", default=QUESTIONS, help="what to search for")
    parser.add_argument(
        "--dsn", help="a server with pgvector 0.7 or later, instead of an embedded one"
    )
    arguments = parser.parse_args()
    require_model()
    if not arguments.dsn:
        console.print("Starting a PostgreSQL")
    with running_server(arguments.dsn) as dsn:
        try:
            asyncio.run(demonstrate(dsn, arguments.questions))
        except (OSError, asyncpg.PostgresError, VectorError) as error:
            sys.exit(f"The demo needs a PostgreSQL with pgvector 0.7 or later: {error}")


async def demonstrate(dsn: str, questions: Sequence[str]) -> None:
    """Embed, load, index and search, and print a summary."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await register_vector(conn)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        documents, embeddings, model = embed_standard_library(HalfVector, progress)
        seconds = await load(conn, documents, embeddings, progress)
        await index(conn, dsn, len(documents), progress)
    console.print("Nearest, by cosine distance:")
    matches = max(1, ROWS // len(questions))
    milliseconds = [await search(conn, model, question, matches) for question in questions]
    await conn.close()
    console.print(
        f"\n{len(documents):,} rows of {len(embeddings[0])} dimensions, "
        f"{len(documents) / seconds:,.0f} rows a second in, "
        f"{sum(milliseconds) / len(milliseconds):.1f} milliseconds a query"
    )


async def load(
    conn: asyncpg.Connection[Any],
    documents: Sequence[Document],
    embeddings: Sequence[HalfVector],
    progress: Progress,
) -> float:
    """Load all rows by one binary COPY, and return the seconds that it took."""
    await conn.execute(
        "CREATE TEMPORARY TABLE documents "
        f"(name text, text text, embedding halfvec({len(embeddings[0])}))"
    )
    pairs = zip(documents, embeddings, strict=True)
    rows = ((*document, embedding) for document, embedding in pairs)
    start = time.perf_counter()
    await conn.copy_records_to_table(
        "documents",
        records=progress.track(rows, total=len(documents), description="Loading"),
    )
    return time.perf_counter() - start


async def index(conn: asyncpg.Connection[Any], dsn: str, rows: int, progress: Progress) -> None:
    """Build an HNSW index, and show its progress."""
    statement = (
        f"CREATE INDEX ON documents USING hnsw (embedding {COSINE.operator_classes['hnsw']})"
    )
    await build_with_bar(conn, dsn, statement, progress, rows)


async def search(conn: asyncpg.Connection[Any], model: Any, question: str, matches: int) -> float:
    """Print the nearest documents to a question, and return the milliseconds of the query."""
    embedding = HalfVector(model.embed([question], norm=True)[0])
    start = time.perf_counter()
    rows = await conn.fetch(
        f"SELECT name, text, embedding {COSINE.operator} $1 AS distance "
        f"FROM documents ORDER BY distance LIMIT {matches}",
        embedding,
    )
    milliseconds = 1000 * (time.perf_counter() - start)
    table = Table(
        title=f"\n{question}",
        title_justify="left",
        title_style="bold",
        show_header=False,
        expand=True,
        box=None,
    )
    table.add_column("distance", no_wrap=True)
    table.add_column("name", no_wrap=True, style="cyan", width=34)
    table.add_column("docstring", no_wrap=True, ratio=1)
    for row in rows:
        table.add_row(f"{row['distance']:.3f}", row["name"], " ".join(row["text"].split()))
    console.print(table)
    return milliseconds


if __name__ == "__main__":
    main()
