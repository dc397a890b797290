"""Load a Parquet file of any size into a table, and go on after an interruption.

    .venv/bin/python examples/load_parquet.py [FILE --dsn postgresql://… --table items]

Needs the packages of `make quick`, and pgvector 0.7. Without a file, it writes one of real text,
and shows the rest on an embedded server. A row group is a COPY, which the server stores whole or
not at all. The same transaction notes the row group in the table loaded_row_groups, so that the
same command, run again, loads the others and none twice. The file has a column of ids and one of
embeddings, of any list type of Arrow; NULL stays NULL. The table has columns of the same names,
whose types decide. An error names the file, the row group, and the row in it, from 0.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import parquet_file
from corpus import require_model, running_server
from parquet_file import ParquetFile
from recipe import connect
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from asyncpg_vector import HalfVector, Vector, VectorError, register_vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from recipe import Connection

CLASSES: dict[str, type[Vector | HalfVector]] = {"vector": Vector, "halfvec": HalfVector}

CREATE_LOADED = """
CREATE TABLE IF NOT EXISTS loaded_row_groups (
    target oid,
    file text,
    row_group int,
    PRIMARY KEY (target, file, row_group)
)
"""
LOADED = "SELECT row_group FROM loaded_row_groups WHERE target = $1 AND file = $2"
NOTE = "INSERT INTO loaded_row_groups (target, file, row_group) VALUES ($1, $2, $3)"

FIND_TARGET = """
SELECT pg_class.oid, nspname AS schema, relname AS table, typname AS type
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
JOIN pg_attribute ON attrelid = pg_class.oid
JOIN pg_type ON pg_type.oid = atttypid
WHERE pg_class.oid = to_regclass($1) AND attname = $2
"""

console = Console(highlight=False)


class LoadError(Exception):
    """A row group that could not be loaded."""


class Target(NamedTuple):
    """A table, and the class of its embeddings."""

    oid: int
    schema: str
    table: str
    value_class: type[Vector | HalfVector]


async def find_target(conn: Connection, table: str, column: str) -> Target:
    """Ask the server for a table with a column of embeddings."""
    row = await conn.fetchrow(FIND_TARGET, table, column)
    if row is None or row["type"] not in CLASSES:
        raise LoadError(
            f"expected a table with a column {column!r} of {' or '.join(CLASSES)}, got {table!r}"
        )
    return Target(row["oid"], row["schema"], row["table"], CLASSES[row["type"]])


async def load(
    conn: Connection, file: ParquetFile, table: str, report: Callable[[int], object]
) -> None:
    """Load the row groups that are not loaded yet.

    Args:
        conn: a connection with registered types.
        file: the file.
        table: the name of the table, as in SQL.
        report: is called with the number of rows that have been loaded, or that go to the server.

    Raises:
        LoadError: the table has no such column; or a row group cannot be read, or is refused. It
            leaves nothing in the table; the row groups before it stay.
    """
    target = await find_target(conn, table, file.embedding)
    await conn.execute(CREATE_LOADED)
    loaded = {row[0] for row in await conn.fetch(LOADED, target.oid, file.digest)}
    for group, rows in enumerate(file.sizes):
        if group in loaded:
            report(rows)
            continue
        try:
            await load_group(conn, file, group, target, report)
        except Exception as error:
            where = getattr(error, "context", None)  # of the server, which counts lines from 1
            message = f"{error} ({where})" if where else str(error)
            raise LoadError(f"{file.path}, row group {group}: {message}") from error


async def load_group(
    conn: Connection, file: ParquetFile, group: int, target: Target, report: Callable[[int], object]
) -> None:
    """Load a row group and note it, both or neither."""
    async with conn.transaction():
        await conn.copy_records_to_table(
            target.table,
            schema_name=target.schema,
            columns=[file.id, file.embedding],
            records=file.records(group, target.value_class, report),
        )
        await conn.execute(NOTE, target.oid, file.digest, group)


async def load_with_bar(
    conn: Connection, file: ParquetFile, table: str, watch: Callable[[int], object] = bool
) -> None:
    """Load a file with a bar of its rows; `watch` is called with the rows that the bar has."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("Loading", total=sum(file.sizes))

        def report(rows: int) -> None:
            progress.advance(bar, rows)
            watch(int(progress.tasks[bar].completed))

        await load(conn, file, table, report)


# The command line


def main() -> None:
    """Read the command line, and load a file, or show it with one."""
    parser = argparse.ArgumentParser(description="Load a Parquet file, or the rest of it.")
    parser.add_argument("file", nargs="?", type=Path, help="a Parquet file")
    parser.add_argument("--dsn", help="the server")
    parser.add_argument("--table", default="items", help="the table (%(default)s)")
    parser.add_argument("--id", default="id", help="the column of ids (%(default)s)")
    parser.add_argument(
        "--embedding", default="embedding", help="the column of embeddings (%(default)s)"
    )
    arguments = parser.parse_args()
    if not arguments.file:
        demonstrate(arguments.dsn)
        return
    if not arguments.dsn:
        parser.error("expected --dsn, the server that has the table")
    file = ParquetFile(arguments.file, arguments.id, arguments.embedding)
    try:
        asyncio.run(load_file(arguments.dsn, file, arguments.table))
    except KeyboardInterrupt:
        sys.exit("Interrupted. The same command goes on.")
    except (OSError, ValueError, asyncpg.PostgresError, VectorError, LoadError) as error:
        sys.exit(f"Not loaded: {error}")


async def load_file(dsn: str, file: ParquetFile, table: str) -> None:
    """Load a file into a table of a server."""
    conn = await asyncpg.connect(dsn)
    try:
        await register_vector(conn)
        await load_with_bar(conn, file, table)
    finally:
        await conn.close()


def demonstrate(dsn: str | None) -> None:
    """Write a file of real text; load it, with an interruption, into a temporary table."""
    require_model()
    with tempfile.TemporaryDirectory() as folder:
        file = ParquetFile(Path(folder) / "documents.parquet")
        with Progress(console=console, transient=True) as progress:
            parquet_file.write_standard_library(file.path, progress)
        with running_server(dsn) as server:
            asyncio.run(load_twice(server, file))


async def load_twice(dsn: str, file: ParquetFile) -> None:
    """Load a file; be interrupted in the middle; go on; and count what is in the table."""
    async with connect(dsn) as conn:
        await conn.execute("CREATE TABLE items (id bigint PRIMARY KEY, embedding vector(256))")
        half = sum(file.sizes) // 2
        loading = asyncio.create_task(
            load_with_bar(conn, file, "items", lambda rows: rows < half or loading.cancel())
        )
        with suppress(asyncio.CancelledError):
            await loading
        console.print(f"Interrupted, with {await count(conn)} in the table")
        await load_with_bar(conn, file, "items")
        console.print(f"Loaded, with {await count(conn)} in the table")


async def count(conn: Connection) -> str:
    """Count the rows, and those without an embedding."""
    rows, embeddings = await conn.fetchrow("SELECT count(*), count(embedding) FROM items") or (0, 0)
    return f"{rows:,} rows, {rows - embeddings:,} of them NULL,"


if __name__ == "__main__":
    main()
