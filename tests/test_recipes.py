"""The recipes show what they claim, and docs/recipes.md has their statements and their results."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest

from asyncpg_vector import Vector, search_settings
from tests.conftest import NewDatabase
from tests.needs import needs_pgvector
from tests.spec_types import ROOT

pytestmark = needs_pgvector("0.8.0")

EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "recipes.md").read_text()
SECTIONS = {
    name: section
    for section in PAGE.split("\n## ")[1:]
    for name in re.findall(r"^\[examples/(\w+)\.py\]", section, re.MULTILINE)
}


@pytest.fixture(scope="module")
def load() -> Iterator[Callable[[str], Any]]:
    """Imports an example."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield import_module


@pytest.fixture(scope="module")
def recipe(load: Callable[[str], Any]) -> Any:
    return load("recipe")


@pytest.fixture(scope="module")
def corpus(recipe: Any) -> Any:
    """The text, which is embedded once for all recipes."""
    return recipe.read_corpus()


@pytest.fixture
async def conn(dsn: str, recipe: Any) -> AsyncIterator[Any]:
    """A connection whose tables are temporary, as a recipe's are."""
    async with recipe.connect(dsn) as conn:
        yield conn


@pytest.fixture
def check_page(recipe: Any, capsys: pytest.CaptureFixture[str]) -> Callable[[str, list[Any]], None]:
    """Compares what a recipe prints with its section: all but the numbers and the names found."""

    def check(name: str, rows: list[Any]) -> None:
        capsys.readouterr()
        recipe.show(rows)
        printed = capsys.readouterr().out
        lines = printed.splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80
        assert "…" not in printed
        (on_page,) = blocks(SECTIONS[name], "text")
        assert words(on_page) == words(printed)

    return check


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def words(table: str) -> list[list[str]]:
    """The words of each line, with # for a number, for a missing one, and for a name found."""
    variable = re.compile(r"-|[\d.]+|\w+(\.\w+)+")
    return [
        ["#" if variable.fullmatch(word) else word for word in line.split()]
        for line in table.splitlines()
    ]


def test_each_recipe_is_on_the_page() -> None:
    importing = {
        path.stem for path in EXAMPLES.glob("*.py") if "from recipe import" in path.read_text()
    }
    assert importing == {*SECTIONS, "load_parquet"}  # which has a page of its own
    assert len(SECTIONS) == 7


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_quotes_the_recipe(load: Callable[[str], Any], name: str) -> None:
    example = load(name)
    statements = {value.strip() for value in vars(example).values() if isinstance(value, str)}
    quoted = blocks(SECTIONS[name], "sql")
    for block in quoted:
        assert block.strip() in statements
    assert len(quoted) >= 2
    source = without_indents(inspect.getsource(example))
    for block in blocks(SECTIONS[name], "python"):
        assert without_indents(block) in source


def without_indents(code: str) -> str:
    return re.sub(r"^ +", "", dedent(code), flags=re.MULTILINE).strip()


@pytest.mark.parametrize("name", SECTIONS)
def test_a_recipe_says_what_it_needs_and_how_to_run_it(name: str) -> None:
    first = Path(EXAMPLES / f"{name}.py").read_text().split('"""')[1]
    assert f"examples/{name}.py" in first
    assert re.search(
        r"^Needs the packages of `make (demo|quick|test)`, and pgvector 0", first, re.MULTILINE
    )


async def test_filtered_search(load: Any, conn: Any, corpus: Any, check_page: Any) -> None:
    rows = await load("filtered_search").compare_scans(conn, corpus)
    exact, off, more, strict, relaxed, limited = rows
    assert [row["index"] for row in rows] == [None, *["by_cosine"] * 5]
    assert exact["rows"] == exact["right"] == 10
    assert off["rows"] <= more["rows"] < 10
    assert strict["rows"] == relaxed["rows"] == 10
    assert min(strict["right"], relaxed["right"]) >= 9
    assert off["rows"] < limited["rows"] < 10
    check_page("filtered_search", rows)


async def test_hybrid_search(load: Any, conn: Any, corpus: Any, check_page: Any) -> None:
    example = load("hybrid_search")
    *rows, total = await example.compare_rankings(conn, corpus)
    assert total["both"] > max(total["words"], total["meaning"]) > 0
    assert any(row["both"] == 1 and 1 not in {row["words"], row["meaning"]} for row in rows)
    check_page("hybrid_search", [*rows, total])

    question = "log in to an SMTP server"
    found = await conn.fetch(example.SEARCH, question, *corpus.embed([question]))
    scores = [
        sum(1 / (60 + rank) for rank in (row["words"], row["meaning"]) if rank) for row in found
    ]
    assert [float(row["score"]) for row in found] == pytest.approx(scores)
    assert scores == sorted(scores, reverse=True)
    assert {row["meaning"] for row in found} >= {*range(1, 41)}


async def test_binary_quantization(load: Any, conn: Any, corpus: Any, check_page: Any) -> None:
    example = load("binary_quantization")
    rows = await example.compare_recalls(conn, corpus)
    check_second_ranking(rows, "by_bits")
    assert rows[0]["kB"] > 3 * rows[1]["kB"]
    check_page("binary_quantization", rows)

    inner = example.RANKED_AGAIN.partition("FROM (")[2].partition(") AS")[0]
    counts = []
    settings: Any
    for settings in ({}, {"hnsw.ef_search": 160}, {"hnsw.iterative_scan": "strict_order"}):
        async with search_settings(conn, settings):
            counts.append(len(await conn.fetch(inner, corpus.embeddings[0], 160)))
    assert counts == [40, 160, 160]


async def test_matryoshka(load: Any, conn: Any, corpus: Any, check_page: Any) -> None:
    rows = await load("matryoshka").compare_recalls(conn, corpus)
    check_second_ranking(rows, "by_prefix")
    assert rows[0]["kB"] > 2 * rows[1]["kB"]
    check_page("matryoshka", rows)
    without_cast = (
        "CREATE INDEX ON documents USING hnsw (subvector(embedding, 1, 64) vector_l2_ops)"
    )
    with pytest.raises(asyncpg.InvalidParameterValueError, match="column does not have dimensions"):
        await conn.execute(without_cast)


def check_second_ranking(rows: list[Any], index: str) -> None:
    assert [row["index"] for row in rows] == ["by_vector", *[index] * (len(rows) - 1)]
    full, *recalls = [row["recall@10"] for row in rows]
    assert full > 0.95
    assert all(before < after for before, after in pairwise(recalls))
    assert recalls[0] < 0.8
    assert recalls[-1] >= 0.9


def test_a_prefix_is_the_models_own(corpus: Any) -> None:
    """The model that is cut to 64 dimensions makes the first 64 dimensions of the embeddings."""
    import wordllama

    folder = Path(wordllama.__file__).parent
    short = wordllama.WordLlama.load(cache_dir=folder, trunc_dim=64, disable_download=True)
    cut = short.embed([corpus.documents[0].text], norm=True)[0]
    prefix = corpus.embeddings[0].to_numpy()[:64]
    np.testing.assert_allclose(cut, prefix / np.linalg.norm(prefix), rtol=1e-3, atol=1e-5)


async def test_half_precision_index(load: Any, conn: Any, corpus: Any, check_page: Any) -> None:
    rows = await load("half_precision_index").compare_indexes(conn, corpus)
    assert [row["index"] for row in rows] == ["by_vector", None, None, "by_half"]
    assert min(row["recall@10"] for row in rows) > 0.95
    assert rows[3]["kB"] < 0.7 * rows[0]["kB"]
    check_page("half_precision_index", rows)


async def test_several_vectors(
    load: Any, recipe: Any, conn: Any, corpus: Any, check_page: Any
) -> None:
    example = load("several_vectors")
    *rows, total = await example.compare_rankings(conn, corpus)
    assert total["several"] > total["one vector"]
    check_page("several_vectors", [*rows, total])

    question = rows[0]["question"]
    parameters = (*corpus.embed([question]), corpus.embed(question.split()))
    assert await recipe.find_index(conn, example.SEARCH, *parameters)
    found = {row["name"]: row for row in await conn.fetch(example.SEARCH, *parameters)}
    stored = await conn.fetch(
        "SELECT name, sentences FROM documents WHERE name = ANY($1)", [*found]
    )
    expected = {row["name"]: max_sim(row["sentences"], parameters[1]) for row in stored}
    assert {name: row["max_sim"] for name, row in found.items()} == pytest.approx(expected)
    ranking = sorted(found.values(), key=lambda row: row["several"])
    similarities = [row["max_sim"] for row in ranking]
    assert similarities == sorted(similarities, reverse=True)
    with pytest.raises(asyncpg.DataError, match="^expected 256 dimensions, not 2$"):
        await conn.execute("UPDATE documents SET sentences = $1", [Vector([1, 2])])


def max_sim(document: list[Any], question: list[Any]) -> float:
    similarities = (
        np.array([row.to_numpy() for row in question])
        @ np.array([row.to_numpy() for row in document]).T
    )
    return float(similarities.max(axis=1).sum())


async def test_service(
    load: Any,
    corpus: Any,
    new_database: NewDatabase,
    monkeypatch: pytest.MonkeyPatch,
    check_page: Any,
) -> None:
    monkeypatch.setenv("DATABASE_URL", await new_database("SELECT 1"))
    example = load("asyncpg_service")
    rows = await example.ask(corpus)
    everywhere, filtered = rows[:5], rows[5:]
    assert "shutil.make_archive" in [row["title"] for row in everywhere]
    assert len(filtered) == 5
    assert all(row["title"].startswith("tarfile.") for row in filtered)
    for matches in (everywhere, filtered):
        distances = [row["distance"] for row in matches]
        assert distances == sorted(distances)
    check_page("asyncpg_service", rows)

    transport = httpx.ASGITransport(example.app)
    async with (
        example.lifespan(example.app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        pool = example.app.state.pool
        assert await pool.fetchval("SHOW hnsw.ef_search") == "100"
        embedding = [0.5, -0.0, *[0.25] * 254]
        new = {"module": "here", "title": "new", "embedding": embedding}
        stored = await client.post("/documents", json=new)
        assert stored.status_code == 201
        assert stored.json() == {**new, "id": stored.json()["id"]}
        query = {"embedding": embedding, "module": "here", "limit": 100}
        found = await client.post("/search", json=query)
        assert found.json() == [{"document": stored.json(), "distance": 0}]
        for bad, message in (
            (embedding[1:], "expected a Vector of 256 dimensions, got 255"),
            ([1e39, *embedding[1:]], "expected a number that fits float32 at index 0, got 1e+39"),
        ):
            for path in ("/documents", "/search"):
                refused = await client.post(path, json={**new, "embedding": bad})
                assert refused.status_code == 422
                (error,) = refused.json()["detail"]
                assert (error["loc"], error["msg"]) == (["body", "embedding"], message)
