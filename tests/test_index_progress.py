"""The example's progress of an index: the server's phases, right shares, and errors that come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from io import StringIO
from itertools import groupby
from random import Random
from typing import Any

import asyncpg
import pytest

from asyncpg_vector import register_vector
from tests.conftest import NewDatabase
from tests.spec_types import ROOT

ROWS = 3000
HNSW = "CREATE INDEX built ON items USING hnsw (embedding vector_l2_ops)"
IVFFLAT = "CREATE INDEX built ON items USING ivfflat (embedding vector_l2_ops) WITH (lists = 500)"


@pytest.fixture(scope="module")
def example() -> Any:
    """The example, which looks at the progress more often than for people."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "examples")
        module = import_module("index_progress")
        patch.setattr(module, "SECONDS", 0.005)
        yield module


@pytest.fixture(scope="module")
async def filled(new_database: NewDatabase) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """A connection and its DSN; the table takes a while to index."""
    dsn = await new_database()
    conn = await asyncpg.connect(dsn)
    await register_vector(conn)
    await conn.execute("CREATE TABLE items (embedding vector(64))")
    random = Random(0)
    records = [([random.gauss() for _ in range(64)],) for _ in range(ROWS)]
    await conn.copy_records_to_table("items", records=records)
    yield conn, dsn
    await conn.close()


@pytest.fixture
async def table(
    filled: tuple[asyncpg.Connection, str],
) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    yield filled
    await filled[0].execute("RESET statement_timeout; DROP INDEX IF EXISTS built")


def ignore(_built: object) -> None:
    """Report nothing."""


async def is_built(conn: asyncpg.Connection) -> bool:
    return await conn.fetchval("SELECT to_regclass('built') IS NOT NULL")


@pytest.mark.parametrize(
    ("statement", "phases"),
    [
        (HNSW, ["loading tuples"]),
        (IVFFLAT, ["performing k-means", "assigning tuples", "loading tuples"]),
    ],
)
async def test_shares_grow_in_each_phase(
    example: Any, table: tuple[asyncpg.Connection, str], statement: str, phases: list[str]
) -> None:
    """The shortest phases may pass between two looks."""
    seen: list[Any] = []
    await example.build_index(*table, statement, seen.append)
    assert await is_built(table[0])
    by_phase = {
        phase: [built.share for built in group]
        for phase, group in groupby(seen, lambda built: built.phase)
        if phase != "initializing"
    }
    assert [phase for phase in phases if phase in by_phase] == [*by_phase]
    for phase, shares in by_phase.items():
        known = [share for share in shares if share is not None]
        assert known == sorted(known)
        assert all(0 <= share < 1 for share in known)
        assert not (phase == "performing k-means" and known)
    assert by_phase
    if statement == HNSW:  # IVFFlat may be built between a few looks
        assert len({*by_phase["loading tuples"]}) > 2


@pytest.mark.parametrize(
    ("phase", "blocks", "tuples", "expected"),
    [
        ("initializing", (0, 0), (0, 0), None),
        ("building index: loading tuples", (1, 4), (90, 0), ("loading tuples", 0.25)),
        ("building index: loading tuples", (4, 4), (400, 0), ("loading tuples", None)),
        ("building index: loading tuples", (4, 4), (100, 400), ("loading tuples", 0.25)),
        ("building index: loading tuples", (4, 4), (500, 400), ("loading tuples", None)),
    ],
)
def test_share(
    example: Any, phase: str, blocks: tuple[int, int], tuples: tuple[int, int], expected: Any
) -> None:
    row = {
        "phase": phase,
        "blocks_done": blocks[0],
        "blocks_total": blocks[1],
        "tuples_done": tuples[0],
        "tuples_total": tuples[1],
    }
    assert example.read_progress(row) == (expected or (phase, None))


async def test_bar(example: Any, table: tuple[asyncpg.Connection, str]) -> None:
    """The bar is never full before the index is there."""
    from rich.console import Console
    from rich.progress import Progress

    seen: list[tuple[str, float | None, float]] = []
    finished: list[bool] = []

    class Watched(Progress):
        def update(self, *args: Any, **kwargs: Any) -> None:
            super().update(*args, **kwargs)
            (task,) = self.tasks
            seen.append((task.description, task.total, task.completed))
            finished.append(task.finished)

    with Watched(console=Console(file=StringIO())) as progress:
        await example.build_with_bar(*table, HNSW, progress, ROWS)
    assert seen[-1] == ("Indexing", ROWS, ROWS)
    assert {description for description, _, _ in seen[:-1]} >= {"Indexing: loading tuples"}
    assert finished == [False] * (len(seen) - 1) + [True]
    assert len({completed for _, _, completed in seen}) > 2


async def test_bar_without_a_share(example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar has no end while the server does not count."""
    from rich.progress import Progress

    shown: list[tuple[str, float | None, float]] = []

    async def build_index(_conn: Any, _dsn: str, _statement: str, report: Any) -> None:
        for share in (None, 0.5, None):
            report(example.Built("loading tuples", share))
            (task,) = progress.tasks
            shown.append((task.description, task.total, task.completed))

    monkeypatch.setattr(example, "build_index", build_index)
    with Progress(disable=True) as progress:
        await example.build_with_bar(None, "", "", progress, 100)
    name = "Indexing: loading tuples"
    assert shown == [(name, None, 0), (name, 100, 50), (name, None, 0)]


async def test_a_statement_that_fails_at_once(
    example: Any, table: tuple[asyncpg.Connection, str]
) -> None:
    with pytest.raises(asyncpg.UndefinedObjectError):
        await example.build_index(*table, HNSW.replace("l2", "l3"), print)


async def test_a_build_that_fails(example: Any, table: tuple[asyncpg.Connection, str]) -> None:
    conn, dsn = table
    await conn.execute("SET statement_timeout = 200")
    with pytest.raises(asyncpg.QueryCanceledError):
        await example.build_index(conn, dsn, HNSW, ignore)
    assert not await is_built(conn)


async def test_cancelled(example: Any, table: tuple[asyncpg.Connection, str]) -> None:
    conn, dsn = table
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(example.build_index(conn, dsn, HNSW, ignore), 0.2)
    assert not await is_built(conn)


async def test_a_report_that_fails(example: Any, table: tuple[asyncpg.Connection, str]) -> None:
    """The build is undone, and the connection is free."""

    def report(_built: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await example.build_index(*table, HNSW, report)
    assert not await is_built(table[0])
