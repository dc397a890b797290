"""Find the setting of an index that reaches a wanted recall, and the time of a search with it.

    .venv/bin/python examples/tune_search.py [--dsn postgresql://… --table items --column embedding]

Needs the packages of `make demo`, and pgvector 0.7; a picture (--draw) needs those of `make
recall`. Rows of the table are the queries. Each is searched for without an index, and by each
index, with growing settings. The recall is the share of the nearest rows that the index finds.
Without --table, the rows are the standard library's docstrings, as in semantic_search.py.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
from corpus import embed_standard_library, running_server
from index_progress import build_with_bar
from recall_picture import check_drawing, draw
from recall_report import Measurement, advise, to_tables
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from searched_table import (
    SETTINGS,
    Column,
    Index,
    Way,
    choose_indexes,
    find_column,
    find_indexes,
    make_statements,
    make_ways,
)

from asyncpg_vector import (
    INDEX_METHODS,
    InvalidValueError,
    Vector,
    VectorError,
    register_vector,
    search_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Connection: TypeAlias = asyncpg.Connection[Any]
    Row: TypeAlias = tuple[int, int]

EF_SEARCH = (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 1000)
TURNS = 5
WARM_UP = 5
"""Queries of each turn that are not timed."""

console = Console(highlight=False)


class Query(NamedTuple):
    """A row of the table, and the rows that are nearest to it: more than k if some tie."""

    row: Row
    embedding: Any
    nearest: frozenset[Row]


def main() -> None:
    """Read the command line and run."""
    arguments = make_parser().parse_args()
    with running_server(arguments.dsn) as dsn:
        try:
            asyncio.run(tune(dsn, arguments))
        except (OSError, asyncpg.PostgresError, VectorError) as error:
            sys.exit(f"The search was not tuned: {error}")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--dsn", help="a server, instead of an embedded one")
    add("--table", help="a table, instead of the demo's text")
    add("--column", default="embedding", help="its column, of vector or halfvec (embedding)")
    add("--metric", default="cosine", help="the metric of the searches (cosine)")
    add("--k", type=at_least_one, default=10, help="the rows that a search returns (10)")
    add("--queries", type=at_least_one, default=200, help="how many rows are queries (200)")
    add("--recall", type=float, default=0.95, help="the wanted recall (0.95)")
    add("--index", help="the only index to use")
    add("--build", action="store_true", help="build missing indexes, while writes wait; they stay")
    add("--method", choices=SETTINGS, default="hnsw", help="the method of new indexes (hnsw)")
    add("--draw", type=Path, metavar="PATH", help="draw PATH-light.svg and PATH-dark.svg")
    return parser


def at_least_one(text: str) -> int:
    """Read a number of the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return number


async def tune(dsn: str, arguments: argparse.Namespace) -> None:
    """Measure, print a table and the best setting, and draw."""
    if arguments.draw:
        check_drawing(arguments.draw)
    conn = await asyncpg.connect(dsn)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
            column = await prepare(conn, dsn, arguments, progress)
            indexes = choose_indexes(await find_indexes(conn, column), column, arguments.index)
            exact, measured = await measure_all(conn, column, indexes, arguments, progress)
    finally:
        await conn.close()
    for table in to_tables(measured, arguments.recall):
        console.print(table)
    console.print(advise(exact, measured, arguments.recall))
    if arguments.draw:
        draw(arguments.draw, exact, measured, arguments.k, arguments.recall)


async def prepare(
    conn: Connection, dsn: str, arguments: argparse.Namespace, progress: Progress
) -> Column:
    """Find the column, or load the demo's, and build missing indexes if that is wanted."""
    table = arguments.table or await load_demo(conn, progress)
    await register_vector(conn)
    column = await find_column(conn, table, arguments.column, arguments.metric)
    if arguments.build or not arguments.table:
        present = await find_indexes(conn, column)
        for statement in make_statements(column, present, arguments.method):
            await build_with_bar(conn, dsn, statement, progress, column.rows)
    return column


async def load_demo(conn: Connection, progress: Progress) -> str:
    """Load the docstrings' embeddings into a temporary table, and return its name."""
    _, values, _ = embed_standard_library(Vector, progress)
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await register_vector(conn)
    await conn.execute(f"CREATE TEMPORARY TABLE documents (embedding vector({len(values[0])}))")
    records = [(value,) for value in values]
    await conn.copy_records_to_table("documents", records=records)
    await conn.execute("ANALYZE documents")
    return "documents"


# The measurements


async def measure_all(
    conn: Connection,
    column: Column,
    indexes: Sequence[Index],
    arguments: argparse.Namespace,
    progress: Progress,
) -> tuple[Measurement, list[Measurement]]:
    """Measure the search without an index, and those by the indexes; say what each uses."""
    k = arguments.k
    queries, exact = await ask_exactly(conn, column, k, arguments.queries, progress)
    console.print(
        f"{len(queries)} of {column.rows:,} rows are queries for the {k} nearest other rows by "
        f"{arguments.metric}.\nWithout an index: {exact.median:.2f} ms, "
        f"and {exact.slow:.2f} ms for 95 %"
    )
    ways = [way for index in indexes for way in make_ways(column, index, k)]
    runs: list[tuple[Way, int]] = []
    for way in ways:
        values = await find_values(conn, way, queries[0])
        console.print(say_what_is_used(way, len(values)))
        runs += [(way, value) for value in values]
    if not runs:
        raise InvalidValueError(
            f"expected a plan with {', '.join(index.name for index in indexes)}, got others: the "
            f"planner prefers another index, or to scan all {column.rows:,} rows"
        )
    return exact, await measure(conn, runs, queries, k, progress)


async def ask_exactly(
    conn: Connection, column: Column, k: int, number: int, progress: Progress
) -> tuple[list[Query], Measurement]:
    """Take rows as queries, and find the rows nearest to each by scans of the table."""
    filled = f"FROM {column.table} WHERE {column.name} IS NOT NULL"
    queries: list[Query] = []
    times: list[float] = []
    async with conn.transaction():
        await conn.execute(
            "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SELECT setseed(0)"
        )
        rows = await conn.fetch(
            f"SELECT ctid, {column.name} {filled} ORDER BY random() LIMIT {number}"
        )
        search = await conn.prepare(
            f"SELECT ctid {filled} AND ctid <> $2 ORDER BY {column.forms[0].distance} "
            f"FETCH FIRST {k} ROWS WITH TIES"
        )
        for row, embedding in progress.track(rows, description="Searching without an index"):
            start = time.perf_counter()
            nearest = await search.fetch(embedding, row)
            times.append(1000 * (time.perf_counter() - start))
            queries.append(Query(row, embedding, frozenset(each[0] for each in nearest)))
    return queries, Measurement("exact", "", 0, 1.0, *summarize(times))


async def find_values(conn: Connection, way: Way, query: Query) -> list[int]:
    """Return the values of the setting with which the planner uses the index."""
    values: list[int] = []
    for value in steps_of(way):
        async with search_settings(conn, settings_of(way, value)):
            search = await conn.prepare(way.statement)
            (plan,) = await search.explain(query.embedding)
        if way.by.name not in indexes_in(plan["Plan"]):
            break  # with larger values, the planner expects still more of the index
        values.append(value)
    return values


async def measure(
    conn: Connection,
    runs: Sequence[tuple[Way, int]],
    queries: Sequence[Query],
    k: int,
    progress: Progress,
) -> list[Measurement]:
    """Measure all ways with all values, in turns: what disturbs the machine disturbs all."""
    samples: list[list[tuple[float, float]]] = [[] for _ in runs]
    task = progress.add_task("Searching by indexes", total=len(runs) * len(queries))
    for turn in range(TURNS):
        for (way, value), seen in zip(runs, samples, strict=True):
            of_turn = queries[turn::TURNS]
            async with search_settings(conn, settings_of(way, value)):
                seen.extend(await time_queries(conn, way, of_turn, k))
            progress.advance(task, len(of_turn))
    return [
        Measurement(
            way.name,
            SETTINGS[way.by.method],
            value,
            statistics.fmean(recall for recall, _ in seen),
            *summarize([milliseconds for _, milliseconds in seen]),
        )
        for (way, value), seen in zip(runs, samples, strict=True)
    ]


async def time_queries(
    conn: Connection, way: Way, queries: Sequence[Query], k: int
) -> list[tuple[float, float]]:
    """Return the recall and the milliseconds of each query."""
    search = await conn.prepare(way.statement)
    for query in queries[:WARM_UP]:
        await search.fetch(query.embedding)
    samples: list[tuple[float, float]] = []
    for query in queries:
        start = time.perf_counter()
        rows = await search.fetch(query.embedding)
        milliseconds = 1000 * (time.perf_counter() - start)
        samples.append((recall_of(query, [row[0] for row in rows], k), milliseconds))
    return samples


def settings_of(way: Way, value: int) -> Any:
    """Return the settings of a search."""
    return {SETTINGS[way.by.method]: value}


def steps_of(way: Way) -> list[int]:
    """Return the values of a way's setting, at which an index can return as many rows."""
    if way.by.method == "hnsw":
        if way.rows > EF_SEARCH[-1]:
            raise InvalidValueError(
                f"expected k below {EF_SEARCH[-1]}, the most rows of a search by HNSW, "
                f"got {way.rows - 1}"
            )
        return [value for value in EF_SEARCH if value >= way.rows]
    lists: Any = way.by.lists or INDEX_METHODS["ivfflat"].options["lists"].default
    return [*(2**n for n in range(lists.bit_length()) if 2**n < lists), lists]


def indexes_in(plan: dict[str, Any]) -> set[str]:
    """Return the names of all indexes that a plan uses."""
    below = (indexes_in(each) for each in plan.get("Plans", ()))
    return {plan.get("Index Name", "")}.union(*below)


def recall_of(query: Query, found: Iterable[Row], k: int) -> float:
    """Return the share of the nearest rows that were found, the query's own row left out."""
    others = [row for row in found if row != query.row][:k]
    wanted = min(k, len(query.nearest))
    return len(query.nearest.intersection(others)) / wanted if wanted else 1.0


def summarize(times: Sequence[float]) -> tuple[float, float]:
    """Return the median, and the time within which 95 % are; quantiles() takes two or more."""
    return statistics.median(times), statistics.quantiles([*times, *times], n=20)[-1]


def say_what_is_used(way: Way, used: int) -> str:
    """Say which index a way uses, and with which values the planner does without it."""
    left = steps_of(way)[used:]
    limit = f" if {SETTINGS[way.by.method]} < {left[0]}" if left else ""
    return f"{way.name} uses {way.by.name}{limit}"


if __name__ == "__main__":
    main()
