"""The pages are true: their blocks run, in their order, and print what they say they print."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import asyncpg
import pytest
from markdown_it import MarkdownIt
from readme_renderer.markdown import render
from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.asyncio import AsyncEngine

import asyncpg_vector.sqlalchemy  # noqa: F401  # from now on, SQLAlchemy reflects the types
from tests.conftest import NewDatabase
from tests.own_types import EXAMPLE
from tests.processes import run_python
from tests.proof import read_targets
from tests.spec_types import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
REPOSITORY = "https://github.com/asyncpg-vector/asyncpg_vector"
SITE = "https://asyncpg-vector.readthedocs.io/en/latest/"
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "tests/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
TESTED_ELSEWHERE = {
    "docs/beyond-one-server.md": "test_beyond_one_server.py",  # on the four servers of its example
    "docs/bulk-loading.md": "test_load_parquet.py",  # with the files that the page loads
    "docs/recipes.md": "test_recipes.py",  # which compares each block with an example
    "docs/tuning.md": "test_tune_search.py",  # on a table of its own
}
NOT_RUN = {"docs/frameworks.md": "The releases that are named were tried by hand"}
"""Pages whose blocks no test runs, and what they say of it: the frameworks are not installed."""
PROMISED = re.compile(r"^ *print\(.*?\)(?:  |\n *)# (.*)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block, and the number of the lines before its text."""

    language: str
    text: str
    line: int


class Run(NamedTuple):
    """What the blocks of a page share: a page, a folder for files, and the names of Python."""

    page: str
    folder: Path
    names: dict[str, Any]


def read_blocks(page: str) -> list[Block]:
    """Read the fenced blocks of a page, and those that are indented; directives are none."""
    tokens = MarkdownIt().parse((ROOT / page).read_text())
    return [
        Block(token.info, token.content, token.map[0] + (token.type == "fence"))
        for token in tokens
        if token.type in {"fence", "code_block"} and not token.info.startswith("{")
    ]


async def run_python_block(run: Run, block: Block) -> None:
    tree = ast.increment_lineno(ast.parse(block.text), block.line)
    code = compile(tree, run.page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    running = eval(code, run.names)
    if isawaitable(running):
        await running


async def run_sql_block(run: Run, block: Block) -> None:
    conn = await asyncpg.connect(run.names["dsn"])
    await conn.execute(block.text)
    await conn.close()


async def save_toml_block(run: Run, block: Block) -> None:
    """Save a spec, for the commands that follow."""
    (run.folder / "types.toml").write_text(block.text)


async def run_sh_block(run: Run, block: Block) -> None:
    """Run the generator. The commands that install or run tests name what is there."""
    for line in block.text.replace("\\\n", "").splitlines():
        match shlex.split(line, comments=True):
            case []:
                pass
            case ["python", "-m", "asyncpg_vector.codegen", *arguments]:
                run_python(run.folder, "-m", "codegen", *arguments, PYTHONPATH=str(ROOT))
            case ["pip", "install", package]:
                extra = re.fullmatch(r"asyncpg_vector(?:\[(\w+)\])?", package)
                assert extra[1] is None or extra[1] in EXTRAS
            case ["sed", "-i", *_]:
                pass  # test_coming_from.py applies it to old revisions
            case ["git", "clone", url, "&&", "cd", folder]:
                assert url == REPOSITORY
                assert folder == url.rpartition("/")[2]
            case ["git", "checkout", path] | [".venv/bin/pytest", path]:
                assert (ROOT / path).exists()
            case ["make", target, *_]:
                assert target in read_targets(MAKEFILE)
            case _:
                pytest.fail(f"{run.page}: no test runs {line}")


RUNNERS: Mapping[str, Callable[[Run, Block], Awaitable[None]]] = {
    "python": run_python_block,
    "sh": run_sh_block,
    "sql": run_sql_block,
    "toml": save_toml_block,
}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if read_blocks(page) and page not in {*TESTED_ELSEWHERE, *NOT_RUN}],
)
async def test_blocks(
    page: str,
    new_database: NewDatabase,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Each block runs; each call of print says what it prints."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(tmp_path)
    run = Run(page, tmp_path, {"dsn": await new_database("CREATE EXTENSION vector")})
    blocks = read_blocks(page)
    try:
        # An import of pgvector.sqlalchemy makes SQLAlchemy reflect its types.
        with patch.dict(PGDialect.ischema_names):
            for block in blocks:
                await RUNNERS[block.language](run, block)
    finally:
        await close_all(run.names)
    of_python = [block.text for block in blocks if block.language == "python"]
    promised = [line for text in of_python for line in PROMISED.findall(text)]
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == sum(text.count("print(") for text in of_python)


async def close_all(names: Mapping[str, Any]) -> None:
    """Close the connections, pools and engines of a page."""
    for value in names.values():
        if type(value) in (asyncpg.Connection, asyncpg.Pool):  # and no connection of a pool
            await value.close()
        elif isinstance(value, AsyncEngine):
            await value.dispose()
        elif isinstance(value, Engine):
            value.dispose()


def test_blocks_that_are_tested_elsewhere() -> None:
    for page, test in TESTED_ELSEWHERE.items():
        assert Path(page).name in (ROOT / "tests" / test).read_text()
        assert read_blocks(page)


def test_blocks_that_no_test_runs() -> None:
    for page, reason in NOT_RUN.items():
        assert reason in (ROOT / page).read_text()
        assert read_blocks(page)


def test_most_pages_run() -> None:
    languages = [block.language for page in PAGES for block in read_blocks(page)]
    assert languages.count("python") > 40
    assert {*RUNNERS} <= {*languages}


def test_the_readme_on_pypi() -> None:
    """PyPI renders README.md; its links lead to pages and files that are there."""
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 130
    html = render(readme, variant="GFM")
    assert html.count("<table>") == readme.count("\n|---")
    assert html.count("<pre") == readme.count("```") / 2
    links = re.findall(r'<a href="([^"#][^"]*)"', html)  # and not those to headings
    assert "](" not in html
    assert len(links) == len(re.findall(r"\]\(", readme)) > 10
    for link in links:
        assert link.startswith("https://")
        if link.startswith(SITE):
            path = ROOT / "docs" / link.removeprefix(SITE).partition("#")[0]
            assert path.with_suffix(".md").exists() or path.with_suffix(".rst").exists(), link
        elif link.startswith(f"{REPOSITORY}/"):
            assert (ROOT / link.removeprefix(f"{REPOSITORY}/blob/main/")).exists(), link


def test_the_spec_is_the_examples() -> None:
    (spec,) = (
        block.text for block in read_blocks("docs/your-own-types.md") if block.language == "toml"
    )
    assert (EXAMPLE / "types.toml").read_text().endswith(f"\n\n{spec}")


@pytest.mark.parametrize("page", PAGES)
def test_links(page: str) -> None:
    """A relative link leads to a file; make docs checks the headings."""
    for link in re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text()):
        if "://" not in link and not link.startswith("#"):
            assert (ROOT / page).parent.joinpath(link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_is_there(page: str) -> None:
    targets = read_targets(MAKEFILE)
    named = re.findall("`make ([a-z-]+)", (ROOT / page).read_text())
    assert {*named} <= {*targets}


def test_every_make_target_is_explained() -> None:
    text = "".join((ROOT / page).read_text() for page in PAGES)
    missing = {target for target in read_targets(MAKEFILE) if f"make {target}" not in text}
    assert missing <= {"clean"}
