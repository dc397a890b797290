"""What the recipes share: their command line, their table of documents, and how they measure.

A part of the recipes, such as filtered_search.py, and of asyncpg_service.py.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
from corpus import Document, embed, embed_standard_library, require_model, running_server
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from asyncpg_vector import Vector, register_vector

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
    from typing import TypeAlias

    Connection: TypeAlias = asyncpg.Connection[Any]
    Row: TypeAlias = dict[str, object]
    Recipe: TypeAlias = Callable[[Connection, "Corpus"], Awaitable[list[Row]]]

ANSWERS = {
    "walk a directory tree": "os.walk",
    "compress a folder into an archive": "shutil.make_archive",
    "the square root of a number": "math.sqrt",
    "remember the results of calls in an LRU cache": "functools.lru_cache",
    "ignore exceptions in a with statement": "contextlib.suppress",
    "parse a date by strptime": "time.strptime",
    "decode a JSON document into Python objects": "json.loads",
    "cancel a coroutine after a timeout": "asyncio.timeouts.timeout",
    "print a stack trace": "traceback.print_stack",
    "a temporary folder that is deleted": "tempfile.TemporaryDirectory",
    "WSGI server for testing": "wsgiref.simple_server.make_server",
    "log in to an SMTP server": "smtplib.SMTP.login",
    "mock an object in a test": "unittest.mock.patch",
    "the median of data": "statistics.median",
    "TLS certificate of the peer": "ssl.SSLObject.getpeercert",
}
"""Questions, and the name that answers each. docs/recipes.md says how they were chosen."""


class Corpus(NamedTuple):
    """Documents, their embeddings, and the model that embedded them."""

    documents: list[Document]
    embeddings: list[Vector]
    model: Any

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Embed questions, or parts of documents."""
        return embed(self.model, Vector, texts, Progress(disable=True))

    def summaries(self) -> list[Vector]:
        """Embed the first line of every fiftieth document: questions that resemble documents."""
        return self.embed([document.text.splitlines()[0] for document in self.documents[::50]])


def run(recipe: Recipe) -> None:
    """Run a recipe on the server of the command line, or on an embedded one, and print its rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn", help="a server with pgvector 0.8, instead of an embedded one")
    arguments = parser.parse_args()
    corpus = read_corpus()
    with running_server(arguments.dsn) as dsn:
        show(asyncio.run(run_on(dsn, recipe, corpus)))


def read_corpus() -> Corpus:
    """Read and embed the standard library's docstrings."""
    require_model()
    with Progress(transient=True) as progress:
        return Corpus(*embed_standard_library(Vector, progress))


async def run_on(dsn: str, recipe: Recipe, corpus: Corpus) -> list[Row]:
    """Run a recipe on a server."""
    async with connect(dsn) as conn:
        return await recipe(conn, corpus)


@asynccontextmanager
async def connect(dsn: str) -> AsyncGenerator[Connection]:
    """Connect with all types registered. Tables are temporary: their schema is pg_temp."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await register_vector(conn, types="all")
    await conn.execute(
        "SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), false)"
    )
    try:
        yield conn
    finally:
        await conn.close()


async def copy(conn: Connection, corpus: Corpus, **more: Sequence[object]) -> None:
    """Load names, texts, embeddings, and the values of more columns, by a binary COPY."""
    names, texts = zip(*corpus.documents, strict=True)
    columns = {"name": names, "text": texts, "embedding": corpus.embeddings, **more}
    await conn.copy_records_to_table(
        "documents", records=zip(*columns.values(), strict=True), columns=[*columns]
    )
    await conn.execute("ANALYZE documents")


# Measurements of what an index finds


TABLE = """
CREATE TABLE documents (
    id bigserial PRIMARY KEY,
    name text,
    text text,
    embedding vector(256)
)
"""
FULL_INDEX = "CREATE INDEX by_vector ON documents USING hnsw (embedding vector_cosine_ops)"
FULL = "SELECT id FROM documents ORDER BY embedding <=> $1 LIMIT 10"


async def load(conn: Connection, corpus: Corpus) -> tuple[list[Vector], list[list[int]]]:
    """Load the documents; return questions, and the exact answers: there is no index yet."""
    await conn.execute(TABLE)
    await copy(conn, corpus)
    questions = corpus.summaries()
    return questions, await search_all(conn, FULL, questions)


async def search_all(
    conn: Connection, query: str, questions: Iterable[Vector], *parameters: object
) -> list[list[int]]:
    """Return the ids that a query finds for each question."""
    statement = await conn.prepare(query)
    return [
        [row["id"] for row in await statement.fetch(question, *parameters)]
        for question in questions
    ]


def recall(found: Sequence[Sequence[int]], exact: Sequence[Sequence[int]]) -> float:
    """Return the share of the exact answers that was found."""
    both = [len({*ids} & {*answers}) for ids, answers in zip(found, exact, strict=True)]
    return sum(both) / sum(map(len, exact))


async def find_index(conn: Connection, query: str, *parameters: object) -> str | None:
    """Return the name of the index that PostgreSQL plans to use, or None."""
    plan = await conn.fetch(f"EXPLAIN {query}", *parameters)
    names = [match[1] for (line,) in plan if (match := re.search(r"Index Scan using (\w+)", line))]
    return names[0] if names else None


async def kilobytes(conn: Connection, index: str | None) -> int | None:
    """Return the size of an index."""
    size: int | None = await conn.fetchval("SELECT pg_relation_size($1::text::regclass)", index)
    return size and size // 1024


async def measure(
    conn: Connection,
    search: str,
    query: str,
    questions: Sequence[Vector],
    exact: Sequence[Sequence[int]],
    *parameters: object,
) -> Row:
    """Search for all questions, and return the index that was used, its size, and the recall."""
    index = await find_index(conn, query, questions[0], *parameters)
    found = await search_all(conn, query, questions, *parameters)
    return {
        "search": search,
        "index": index,
        "kB": await kilobytes(conn, index),
        "recall@10": recall(found, exact),
    }


def summarise(rows: Sequence[Row]) -> Row:
    """Count the answers that each column ranks among the first ten."""
    text, *columns = rows[0]
    ranks = {column: [row[column] for row in rows] for column in columns}
    return {
        text: f"answers among the first 10, of {len(rows)}",
        **{
            column: sum(isinstance(rank, int) and rank <= 10 for rank in found)
            for column, found in ranks.items()
        },
    }


# The table on the screen


def show(rows: Sequence[Row]) -> None:
    """Print rows as a table, whose headers are the keys."""
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        is_text = any(isinstance(row[name], str) for row in rows)
        table.add_column(name, justify="left" if is_text else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(write, row.values()))
    Console(highlight=False).print(table)


def write(value: object) -> str:
    """Write a value of a row."""
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
