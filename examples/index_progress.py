"""Build an index, and report how far the server is: `pg_stat_progress_create_index`.

A part of semantic_search.py and tune_search.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.progress import Progress

SECONDS = 0.1
"""Between two looks at the server's progress."""

PROGRESS = """
SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total
FROM pg_stat_progress_create_index WHERE pid = $1
"""


class Built(NamedTuple):
    """How much of a phase of the build is done."""

    phase: str
    """The server's name of the phase, such as ``loading tuples``."""

    share: float | None
    """From 0 to 1; None while the server does not say."""


async def build_index(
    conn: asyncpg.Connection[Any], dsn: str, statement: str, report: Callable[[Built], None]
) -> None:
    """Build an index on a connection, while another connection watches its progress.

    The server undoes the build if this task is cancelled, or if the other connection fails.

    Args:
        conn: the connection that builds.
        dsn: the same server.
        statement: the ``CREATE INDEX``.
        report: is called again and again during the build.
    """
    watcher = await asyncpg.connect(dsn)
    building = asyncio.create_task(conn.execute(statement))
    try:
        while not (await asyncio.wait([building], timeout=SECONDS))[0]:
            row = await watcher.fetchrow(PROGRESS, conn.get_server_pid())
            if row:
                report(read_progress(row))
        await building
    finally:
        building.cancel()
        await asyncio.wait([building])
        await watcher.close()


def read_progress(row: Mapping[str, Any] | asyncpg.Record) -> Built:
    """Return the phase and its share.

    HNSW counts blocks of the table. IVFFlat counts blocks, and then tuples, while the numbers of
    blocks stay. After the last block, HNSW writes its graph, which the server does not count.
    """
    phase = row["phase"].removeprefix("building index: ")
    done, total = (
        (row["tuples_done"], row["tuples_total"])
        if row["tuples_total"]
        else (row["blocks_done"], row["blocks_total"])
    )
    return Built(phase, done / total if done < total else None)


async def build_with_bar(
    conn: asyncpg.Connection[Any], dsn: str, statement: str, progress: Progress, rows: int
) -> None:
    """Build an index, with a bar that names the phase and counts up to the number of rows."""
    bar = progress.add_task("Indexing", total=None)
    shown = next(each for each in progress.tasks if each.id == bar)

    def show(built: Built) -> None:
        shown.total = None if built.share is None else rows  # update() would leave None out
        done = round(rows * (built.share or 0))
        progress.update(bar, description=f"Indexing: {built.phase}", completed=done)

    await build_index(conn, dsn, statement, show)
    progress.update(bar, description="Indexing", total=rows, completed=rows)
