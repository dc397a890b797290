"""The example loads Parquet files: nothing twice, nothing lost, whatever interrupts it."""

from __future__ import annotations

import ast
import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from asyncpg_vector import InvalidValueError, Vector, register_vector
from tests.conftest import NewDatabase
from tests.spec_types import ROOT

Run: TypeAlias = Callable[..., None]

PAGE = (ROOT / "docs" / "bulk-loading.md").read_text()
EXAMPLE = ROOT / "examples" / "load_parquet.py"
ROWS, DIMENSIONS, GROUP = 1000, 8, 90
NULLS = (0, 7, 500, 999)
LISTS = pa.list_(pa.float32())


@pytest.fixture(scope="module")
def example() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLE.parent)
        module = import_module("load_parquet")
        patch.setattr(module.parquet_file, "BATCH", 16)
        yield module


@pytest.fixture
def run(example: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the example's command line in this process."""

    def run_main(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["load_parquet.py", *arguments])
        example.main()

    return run_main


@pytest.fixture(scope="module")
async def dsn(new_database: NewDatabase) -> str:
    return await new_database()


@pytest.fixture
async def conn(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to an empty table."""
    conn = await asyncpg.connect(dsn)
    await register_vector(conn)
    await conn.execute(
        f"""
        DROP TABLE IF EXISTS loaded_row_groups;
        DROP TABLE IF EXISTS "My items";
        CREATE TABLE "My items" (id int PRIMARY KEY, embedding vector({DIMENSIONS}))
        """
    )
    yield conn
    await conn.close()


Embeddings: TypeAlias = list[Any]


def draw(rows: int = ROWS) -> Embeddings:
    """Embeddings, some of them NULL."""
    matrix = np.random.default_rng(20261129).normal(size=(rows, DIMENSIONS)).astype("f2")
    return [None if row in NULLS else embedding for row, embedding in enumerate(matrix)]


def write(path: Path, embeddings: Embeddings, type_: Any = LISTS, group: int = GROUP) -> Path:
    if isinstance(type_, pa.FixedShapeTensorType):
        storage = pa.array(embeddings, type_.storage_type)
        column = pa.ExtensionArray.from_storage(type_, storage)
    else:
        column = pa.array(embeddings, type_)
    table = pa.table(
        {"id": range(len(embeddings)), "more": ["x"] * len(embeddings), "embedding": column}
    )
    pq.write_table(table, path, row_group_size=group)
    return path


async def load(
    example: Any, conn: asyncpg.Connection, path: Path, report: Callable[[int], object] = bool
) -> None:
    await example.load(conn, example.ParquetFile(path), '"My items"', report)


async def check(conn: asyncpg.Connection, embeddings: Embeddings) -> None:
    rows = await conn.fetch('SELECT id, embedding FROM "My items" ORDER BY id')
    assert [row["id"] for row in rows] == [*range(len(embeddings))]
    for row, embedding in zip(rows, embeddings, strict=True):
        expected = None if embedding is None else Vector(embedding)
        assert row["embedding"] == expected


@pytest.mark.parametrize(
    "type_",
    [
        LISTS,
        pa.list_(pa.float64()),
        pa.list_(pa.float16()),
        pa.large_list(pa.float32()),
        pa.list_(pa.float32(), DIMENSIONS),
        pa.list_(pa.float16(), DIMENSIONS),
        pa.fixed_shape_tensor(pa.float32(), [DIMENSIONS]),
    ],
    ids=str,
)
async def test_lists(example: Any, conn: asyncpg.Connection, tmp_path: Path, type_: Any) -> None:
    embeddings = draw()
    seen: list[int] = []
    await load(example, conn, write(tmp_path / "file", embeddings, type_), seen.append)
    await check(conn, embeddings)
    assert sum(seen) == ROWS
    assert max(seen) <= 16


async def test_halves(example: Any, conn: asyncpg.Connection, tmp_path: Path) -> None:
    """The type of the table's column decides."""
    await conn.execute('ALTER TABLE "My items" ALTER embedding TYPE halfvec')
    embeddings = draw()
    await load(example, conn, write(tmp_path / "file", embeddings))
    await conn.execute(f'ALTER TABLE "My items" ALTER embedding TYPE vector({DIMENSIONS})')
    await check(conn, embeddings)


@pytest.mark.parametrize("stop", [1, 300, ROWS])
async def test_cancelled(example: Any, conn: asyncpg.Connection, tmp_path: Path, stop: int) -> None:
    """A row group is stored whole or not at all, and loaded once."""
    embeddings, seen = draw(), 0
    path = write(tmp_path / "file", embeddings)

    def report(rows: int) -> None:
        nonlocal seen
        seen += rows
        if seen >= stop:
            loading.cancel()

    loading = asyncio.create_task(load(example, conn, path, report))
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert await conn.fetchval('SELECT count(*) FROM "My items"') == stop // GROUP * GROUP
    await load(example, conn, path)
    await check(conn, embeddings)


async def test_interrupted(
    example: Any, conn: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    """Ctrl-C stops a process whose row group waits for the server."""
    embeddings = draw(1500)
    path = write(tmp_path / "file", embeddings, group=10)
    running = await asyncio.create_subprocess_exec(
        sys.executable, EXAMPLE, path, "--dsn", dsn, "--table", '"My items"',
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30), conn.transaction():
        while not await conn.fetchval('SELECT count(*) FROM "My items"'):
            pass
        await conn.execute('LOCK "My items"')  # the next COPY waits for it
        stored = await conn.fetchval('SELECT count(*) FROM "My items"')
        running.send_signal(signal.SIGINT)
        _, said = await running.communicate()
    assert (running.returncode, said) == (1, b"Interrupted. The same command goes on.\n")
    assert 0 < stored < 1500
    assert await conn.fetchval('SELECT count(*) FROM "My items"') == stored
    await load(example, conn, path)
    await check(conn, embeddings)


async def test_two_at_once(
    example: Any, conn: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    """One of them fails, and nothing is stored twice."""
    await conn.execute('ALTER TABLE "My items" DROP CONSTRAINT "My items_pkey"')
    embeddings = draw()
    path = write(tmp_path / "file", embeddings)
    other = await asyncpg.connect(dsn)
    await register_vector(other)
    await conn.execute(example.CREATE_LOADED)
    both = (load(example, conn, path), load(example, other, path))
    results = await asyncio.gather(*both, return_exceptions=True)
    await other.close()
    assert [type(result).__name__ for result in results if result] == ["LoadError"]
    await check(conn, embeddings)


async def test_what_is_the_same_file(
    example: Any, conn: asyncpg.Connection, tmp_path: Path
) -> None:
    """A file that was moved is the same; one that was written anew, or another table, is not."""
    path, moved = write(tmp_path / "file", draw(40)), tmp_path / "moved"
    await load(example, conn, path)
    path.rename(moved)
    await load(example, conn, moved)
    footer = pq.read_metadata(moved).to_dict()
    embeddings = draw(40)
    embeddings[1:3] = embeddings[2:0:-1]
    write(moved, embeddings)
    assert pq.read_metadata(moved).to_dict() == footer  # which has the extremes alone
    with pytest.raises(example.LoadError, match="duplicate key"):
        await load(example, conn, moved)
    await conn.execute('CREATE TABLE new (LIKE "My items"); DROP TABLE "My items"')
    await conn.execute('ALTER TABLE new RENAME TO "My items"')
    path = write(tmp_path / "file", draw(40))
    await load(example, conn, path)
    await check(conn, draw(40))


@pytest.mark.parametrize(
    ("spoiled", "message"),
    [
        (
            (95, [1, 2, 3, np.nan]),
            "row group 1: row 5: expected a finite number at index 3, got nan",
        ),
        ((185, [1, 2, 3, 4]), "row group 2: row 5: expected 8 dimensions, as row 0 has, got 4"),
    ],
)
async def test_refused_here(
    example: Any, conn: asyncpg.Connection, tmp_path: Path, spoiled: Any, message: str
) -> None:
    """An error names file, row group and row; the row groups before it are stored."""
    row, embedding = spoiled
    embeddings = draw()
    embeddings[row] = embedding
    path = write(tmp_path / "file", embeddings)
    with pytest.raises(example.LoadError, match=re.escape(f"{path}, {message}")):
        await load(example, conn, path)
    assert await conn.fetchval('SELECT count(*) FROM "My items"') == row // GROUP * GROUP


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            'INSERT INTO "My items" VALUES (100)',
            (
                r"row group 1: duplicate key [^/]* Key \(id\)=\(100\) already exists\. "
                r"\(COPY My items, line 11\)"
            ),
        ),
        (
            'ALTER TABLE "My items" ALTER embedding TYPE vector(9)',
            r"row group 0: expected 9 dimensions, not 8 \(COPY My items, line 2, column embedding\)",
        ),
    ],
)
async def test_refused_by_the_server(
    example: Any, conn: asyncpg.Connection, tmp_path: Path, sql: str, message: str
) -> None:
    """The server's line is there too."""
    await conn.execute(sql)
    path = write(tmp_path / "file", draw())
    with pytest.raises(example.LoadError, match=f"^{re.escape(str(path))}, {message}$"):
        await load(example, conn, path)


def no_parquet(folder: Path) -> Path:
    (folder / "text").write_text("id,embedding\n1,[1]\n")
    return folder / "text"


def some_file(folder: Path) -> Path:
    return write(folder / "file", draw(3))


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda folder: folder / "nothing", [], "Not loaded: .*nothing"),
        (no_parquet, [], "Not loaded: Parquet magic bytes not found"),
        (some_file, ["--table", "none"], "Not loaded: expected a table with a column 'embedding' of vector or halfvec, got 'none'"),
        (some_file, ["--embedding", "id"], "Not loaded: expected a table with a column 'id' of vector or halfvec, got .*"),
        (some_file, ["--id", "nothing"], "Not loaded: .*file, row group 0: .*nothing"),
        (some_file, ["--dsn", "postgresql://127.0.0.1:1/nothing"], "Not loaded: .*Connect call failed"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("conn")
def test_refused_at_the_command_line(
    run: Run, dsn: str, tmp_path: Path, *, make: Any, options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(str(make(tmp_path)), "--dsn", dsn, "--table", '"My items"', *options)
    assert re.match(message, str(ended.value))


def test_no_server(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("file")
    assert "expected --dsn" in capsys.readouterr().err


def test_the_example_shows_itself(
    example: Any, run: Run, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of texts, every tenth has few words."""
    texts = ["some words", *["a few words more than that"] * 9] * 200
    documents = [SimpleNamespace(name="name", text=text) for text in texts]
    embeddings = [*Vector.iter_matrix(np.ones((len(texts), 256), "f4"))]
    monkeypatch.setattr(
        example.parquet_file, "embed_standard_library", lambda *_: (documents, embeddings, None)
    )
    printed = StringIO()
    monkeypatch.setattr(example, "console", Console(file=printed))
    run("--dsn", dsn)
    assert [line for line in printed.getvalue().splitlines() if "rows" in line] == [
        "Interrupted, with 500 rows, 50 of them NULL, in the table",
        "Loaded, with 2,000 rows, 200 of them NULL, in the table",
    ]


async def test_the_page(
    conn: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its blocks run in their order, print what they say, and lose no bit."""
    monkeypatch.chdir(tmp_path)
    matrix = np.random.default_rng(20261129).normal(size=(1500, 256)).astype("f4")
    np.save("embeddings.npy", matrix)
    table = pa.table({"id": range(1500, 1503), "embedding": pa.array([matrix[0], None, matrix[1]])})
    pq.write_table(table, "documents.parquet")
    await conn.execute("CREATE TEMP TABLE items (id int, embedding vector(256))")
    namespace: dict[str, Any] = {"conn": conn}
    promised: list[str] = []
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        promised += re.findall(r"print\(.*\)  # (.*)$", block, re.MULTILINE)
        code = compile(block, "bulk-loading.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, namespace)
        if running:
            await running
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == 4
    assert np.load("out.npy").tobytes() == np.concatenate([matrix, matrix[:2]]).tobytes()
    assert await conn.fetchval("SELECT id FROM items WHERE embedding IS NULL") == 1501
    with pytest.raises(InvalidValueError, match="^row 1: expected a finite"):
        await conn.copy_records_to_table("items", records=namespace["read_records"](blocks()))
    assert await conn.fetchval("SELECT count(*) FROM items") == 1503


async def blocks() -> AsyncIterator[tuple[list[int], Any]]:
    yield [1, 2], np.ones((2, 256))
    yield [3, 4], np.array([[1.0] * 256, [np.inf] * 256])


def test_the_page_quotes_the_example(example: Any) -> None:
    (statement,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    assert statement.strip() == example.CREATE_LOADED.strip()
