"""The example that tunes a search measures recall rightly, and names the smallest setting."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import numpy as np
import pytest

from asyncpg_vector import INDEX_METHODS, InvalidValueError, Vector, VectorError, register_vector
from tests.conftest import NewDatabase
from tests.spec_types import ROOT

EXAMPLES = ROOT / "examples"
DIMENSIONS = 32
INDEXES = """
CREATE INDEX plain ON "Items" USING hnsw ("my vector" vector_l2_ops) WITH (m = 4);
CREATE INDEX half ON "Items" USING hnsw (("my vector"::halfvec(32)) halfvec_l2_ops);
CREATE INDEX bits ON "Items" USING hnsw ((binary_quantize("my vector")::bit(32)) bit_hamming_ops);
CREATE INDEX "other metric" ON "Items" USING hnsw ("my vector" vector_cosine_ops);
CREATE INDEX part ON "Items" USING hnsw ("my vector" vector_l2_ops) WHERE id < 100;
ANALYZE "Items";
"""


@pytest.fixture(scope="module")
def example() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        modules = ("tune_search", "searched_table", "recall_report", "recall_picture")
        return SimpleNamespace(**{name: import_module(name) for name in modules})


def clusters() -> np.ndarray:
    """2,000 rows around 50 centres."""
    random = np.random.default_rng(0)
    centres = np.repeat(random.normal(size=(50, DIMENSIONS)), 40, axis=0)
    return (centres + 0.5 * random.normal(size=centres.shape)).astype(np.float32)


@pytest.fixture(scope="module")
async def table(new_database: NewDatabase) -> AsyncIterator[tuple[asyncpg.Connection, str]]:
    """A table with names that need quotes, three indexes that serve l2, and two that do not."""
    dsn = await new_database()
    conn = await asyncpg.connect(dsn)
    await register_vector(conn)
    await conn.execute(
        f"""
        CREATE TABLE "Items" (id serial, "my vector" vector({DIMENSIONS}), size vector, name text);
        CREATE TABLE "none" ("my vector" halfvec(3));
        CREATE TABLE bare ("my vector" halfvec(3));
        INSERT INTO bare VALUES ('[1,2,3]'), ('[4,5,6]');
        """
    )
    records = [(value,) for value in Vector.from_matrix(clusters())]
    await conn.copy_records_to_table("Items", records=records, columns=["my vector"])
    await conn.execute('INSERT INTO "Items" (name) VALUES (NULL)')
    await conn.execute(INDEXES)
    yield conn, dsn
    await conn.close()


async def run(example: Any, dsn: str, *options: str) -> None:
    words = ["--dsn", dsn, "--table", "Items", "--column", "my vector", "--metric", "l2", *options]
    await example.tune_search.tune(dsn, example.tune_search.make_parser().parse_args(words))


async def indexes_of(conn: asyncpg.Connection) -> list[str]:
    query = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    return [row[0] for row in await conn.fetch(query)]


async def test_exact(example: Any, table: tuple[asyncpg.Connection, str]) -> None:
    """The exact answers are those of NumPy, and never the query's own row, or an index's."""
    conn, _ = table
    await conn.execute("SET enable_seqscan = off; SET hnsw.ef_search = 10")
    column = await example.searched_table.find_column(conn, "Items", "my vector", "l2")
    with example.tune_search.Progress(disable=True) as progress:
        queries, exact = await example.tune_search.ask_exactly(conn, column, 10, 50, progress)
    assert (exact.recall, exact.median <= exact.slow) == (1, True)
    assert len({query.row for query in queries}) == 50
    await conn.execute("RESET enable_seqscan; RESET hnsw.ef_search")
    rows = await conn.fetch('SELECT ctid, "my vector" FROM "Items" WHERE "my vector" IS NOT NULL')
    matrix = Vector.to_matrix([row["my vector"] for row in rows])
    for query in queries:
        order = np.argsort(((matrix - query.embedding.to_numpy()) ** 2).sum(axis=1))
        assert rows[order[0]]["ctid"] == query.row
        assert query.nearest == {rows[n]["ctid"] for n in order[1:11]}


async def test_measured(
    example: Any,
    table: tuple[asyncpg.Connection, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Recall rises with hnsw.ef_search; the table fits a screen; no index is made."""
    conn, dsn = table
    before = await indexes_of(conn)
    await run(
        example, dsn, "--queries", "40", "--recall", "0.9", "--draw", str(tmp_path / "recall")
    )
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0] == "40 of 2,000 rows are queries for the 10 nearest other rows by l2."
    assert [re.match("(.*?) uses (.*?)(?: if |$)", line).groups() for line in lines[2:5]] == [
        ("vector", "plain"),
        ("halfvec", "half"),
        ("bits", "bits"),
    ]
    rows = [line for line in lines if re.match(r" +\d+ .*\d", line)]
    values = [int(row[:17]) for row in rows]
    vector, halfvec, bits = (
        [row[start : start + 19].split() for row in rows] for start in (17, 36, 55)
    )
    assert values[:3] == [15, 20, 30]
    limit = int(re.search(r" if hnsw\.ef_search < (\d+)$", lines[2])[1])
    assert [len(cell) for cell in vector] == [3 if value < limit else 0 for value in values]
    assert all(0 < float(median) <= float(slow) for _, median, slow in halfvec[:3])
    recalls = [float(cell[0]) for cell in vector if cell]
    assert recalls[-1] > 0.9
    assert recalls == pytest.approx(sorted(recalls), abs=0.02)
    assert float(bits[0][0]) < max(float(cell[0]) for cell in bits if cell)
    words = " ".join(" ".join(lines).split())
    assert re.search(r"hnsw\.ef_search = (\d+) reaches recall 0\.9 at [\d.]+ ms a query;", words)
    assert re.search(r'use server_settings\(\{"hnsw\.ef_search": \d+\}\)$', words)
    assert await indexes_of(conn) == before
    for theme in ("light", "dark"):
        picture = (tmp_path / f"recall-{theme}.svg").read_text()
        assert all(f">{way}<" in picture for way in ("vector", "halfvec", "bits"))
        assert ">without an index<" in picture


async def test_one_index(
    example: Any, table: tuple[asyncpg.Connection, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await run(example, table[1], "--queries", "5", "--index", "half", "--recall", "1.5")
    out = " ".join(capsys.readouterr().out.split())
    assert " half" in out
    assert "plain" not in out
    assert re.search(r"No setting reaches recall 1\.5: halfvec with hnsw\.ef_search = \d+", out)


async def test_build(
    example: Any, new_database: NewDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    """IVFFlat's indexes are built on demand; probes grow up to the number of lists."""
    dsn = await new_database()
    conn = await asyncpg.connect(dsn)
    await register_vector(conn)
    await conn.execute("CREATE TABLE many (embedding vector(3))")
    random = np.random.default_rng(0).normal(size=(3000, 3)).astype(np.float32)
    records = [(value,) for value in Vector.from_matrix(random)]
    await conn.copy_records_to_table("many", records=records)
    tune = example.tune_search
    words = [
        "--table",
        "many",
        "--metric",
        "l2",
        "--queries",
        "5",
        "--build",
        "--method",
        "ivfflat",
    ]
    with suppress(InvalidValueError):  # the planner may scan so small a table
        await tune.tune(dsn, tune.make_parser().parse_args(words))
    assert "ivfflat.probes" in capsys.readouterr().out
    column = await example.searched_table.find_column(conn, "many", "embedding", "l2")
    indexes = await example.searched_table.find_indexes(conn, column)
    assert {index.form.name: index.lists for index in indexes} == {
        "vector": 3,
        "halfvec": 3,
        "bits": 3,
    }
    ways = [way for index in indexes for way in example.searched_table.make_ways(column, index, 10)]
    names = ("vector", "halfvec", "bits x4", "bits x16", "bits x64")
    assert {way.name for way in ways} == {f"{name}, ivfflat" for name in names}
    assert [tune.steps_of(way) for way in ways] == [[1, 2, 3]] * 5
    await conn.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--table", "nothing"],
            "expected a table or a materialized view, got 'nothing', which is",
        ),
        (["--column", "nothing"], "got 'nothing'; Items has my vector$"),
        (["--column", "name"], "expected a column of vector or halfvec with .* got 'name'"),
        (["--column", "size"], "expected a column .* with a number of dimensions .* got 'size'"),
        (["--metric", "far"], "expected a metric among l2, .*, got 'far'"),
        (["--index", "part"], "expected the index 'part' .*, found bits, half, plain; --build"),
        (
            ["--metric", "inner_product", "--table", "bare"],
            "expected an index .* found none; --build",
        ),
        (["--table", "none"], "expected rows to search for in none (.*), found 0"),
        (["--k", "1000"], "expected k below 1000, the most rows of a search by HNSW, got 1000"),
    ],
)
async def test_refused(
    example: Any, table: tuple[asyncpg.Connection, str], options: list[str], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        await run(example, table[1], "--queries", "3", *options)


async def test_a_metric_of_bits_alone(example: Any, table: tuple[asyncpg.Connection, str]) -> None:
    """Any metric can compare the candidates again."""
    column = await example.searched_table.find_column(table[0], "Items", "my vector", "l1")
    indexes = await example.searched_table.find_indexes(table[0], column)
    assert [index.name for index in indexes] == ["bits"]


def test_no_server() -> None:
    command = [
        sys.executable,
        str(EXAMPLES / "tune_search.py"),
        "--dsn",
        "postgresql://127.0.0.1:1/x",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The search was not tuned: ")


async def test_no_matplotlib(
    example: Any, table: tuple[asyncpg.Connection, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example.recall_picture, "find_spec", lambda _name: None)
    with pytest.raises(VectorError, match="run pip install matplotlib"):
        await run(example, table[1], "--draw", "recall")


async def test_no_folder(
    example: Any, table: tuple[asyncpg.Connection, str], tmp_path: Path
) -> None:
    with pytest.raises(
        VectorError, match="expected a folder for the pictures, found no .*/nothing"
    ):
        await run(example, table[1], "--draw", str(tmp_path / "nothing" / "recall"))


def test_values_are_in_the_range_of_the_spec(example: Any) -> None:
    setting = INDEX_METHODS["hnsw"].settings["hnsw.ef_search"]
    values = example.tune_search.EF_SEARCH
    assert [*values] == sorted(values)
    assert values[0] >= setting.least
    assert values[-1] == setting.most
    assert setting.default in values


async def test_the_page(example: Any, new_database: NewDatabase) -> None:
    """Each index that the page names is one that the example knows, and the statement uses the last."""
    page = (ROOT / "docs" / "tuning.md").read_text()
    keys = re.findall(r"^ *\| `(.*_ops)` \|", page, re.MULTILINE)
    (statement,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    conn = await asyncpg.connect(await new_database())
    await register_vector(conn)
    await conn.execute(
        """
        CREATE TABLE items (id serial, embedding vector(256));
        INSERT INTO items (embedding) SELECT array_agg(n + random())::vector
        FROM generate_series(1, 256) n, generate_series(1, 30) row GROUP BY row;
        SET enable_seqscan = off;
        """
    )
    for key in keys:
        await conn.execute(f"CREATE INDEX ON items USING hnsw ({key})")
    column = await example.searched_table.find_column(conn, "items", "embedding", "cosine")
    indexes = await example.searched_table.find_indexes(conn, column)
    assert {index.form.name for index in indexes} == {"vector", "halfvec", "bits"}
    search = await conn.prepare(statement)
    (plan,) = await search.explain([1.0] * 256)
    assert "items_binary_quantize_idx" in example.tune_search.indexes_in(plan["Plan"])
    assert len(await search.fetch([1.0] * 256)) == 10
    await conn.close()


MADE_UP = [
    ("vector", 20, 0.90, 1.0),
    ("vector", 40, 0.96, 1.5),
    ("vector", 80, 0.99, 3.0),
    ("halfvec", 20, 0.89, 0.95),
    ("halfvec", 40, 0.95, 1.4),
    ("halfvec", 80, 0.99, 2.0),
    ("bits", 40, 0.70, 0.5),
    ("bits", 80, 0.94, 0.9),
]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (0.7, ("vector", 20)),  # within a tenth of the fastest, halfvec
        (0.93, ("bits", 80)),
        (0.95, ("vector", 40)),
        (0.97, ("halfvec", 80)),
        (0.995, None),
    ],
)
def test_choice(example: Any, wanted: float, expected: tuple[str, int] | None) -> None:
    measured = [
        example.recall_report.Measurement(way, "hnsw.ef_search", value, recall, median, median)
        for way, value, recall, median in MADE_UP
        if not (wanted == 0.7 and way == "bits")
    ]
    chosen = example.recall_report.choose(measured, wanted)
    assert (chosen and (chosen.way, chosen.value)) == expected


@pytest.mark.parametrize(
    ("nearest", "found", "expected"),
    [
        ([1, 2, 3], [0, 1, 2, 3], 1),  # 0 is the query's own row
        ([1, 2, 3], [1, 2, 3], 1),
        ([1, 2, 3], [0, 1, 2, 4], 2 / 3),
        ([1, 2, 3, 4], [0, 1, 2, 4], 1),  # 3 and 4 tie
        ([1, 2, 3], [4, 5, 6, 1], 0),
        ([1, 2], [0, 1, 2], 1),  # a table of three rows
        ([], [0], 1),
    ],
)
def test_recall(example: Any, nearest: list[int], found: list[int], expected: float) -> None:
    query = example.tune_search.Query((0, 0), None, frozenset((0, n) for n in nearest))
    assert example.tune_search.recall_of(query, [(0, n) for n in found], 3) == expected


def test_labels_do_not_overlap(example: Any) -> None:
    """Each way has its name; a setting without room for it is left out."""
    made = [
        example.recall_report.Measurement(way, "hnsw.ef_search", value, recall, median, median)
        for way, value, recall, median in MADE_UP
    ]
    exact = example.recall_report.Measurement("exact", "", 0, 1, 9, 9)
    theme = example.recall_picture.THEMES["light"]
    figure = example.recall_picture.draw_figure(theme, exact, made, 10, 0.95)
    texts = figure.axes[0].texts
    assert {text.get_text() for text in texts} >= {"vector", "halfvec", "bits", "without an index"}
    boxes = [text.get_window_extent() for text in texts]
    assert all(box.count_overlaps(boxes) == 1 for box in boxes)
