"""The README is true: its Python blocks run, in their order, and print what it says they print."""

from __future__ import annotations

import ast
import re
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import pytest

from asyncpg_vector._first_release import RENAMED
from tests.own_types import EXAMPLE
from tests.processes import run_python
from tests.proof import read_targets
from tests.spec_types import ROOT, TYPES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import NewDatabase

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
BLOCKS = [
    (match.start(1), match[1]) for match in re.finditer(r"```python\n(.*?)```", README, re.DOTALL)
]
PROMISED = re.compile(r"^ *print\(.*?\)(?:  |\n)# (.*)$", re.MULTILINE)


async def test_blocks(
    new_database: NewDatabase,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(tmp_path)
    generate_own_types(tmp_path)
    namespace: dict[str, Any] = {"dsn": await new_database("SELECT 1")}
    promised: list[str] = []
    for start, block in BLOCKS:
        promised += PROMISED.findall(block)
        lines_before = README.count("\n", 0, start)
        tree = ast.increment_lineno(ast.parse(block), lines_before)
        code = compile(tree, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        running = eval(code, namespace)
        if isawaitable(running):
            await running
    assert capsys.readouterr().out.splitlines() == promised
    assert len(promised) == sum(block.count("print(") for _, block in BLOCKS) > 10
    await namespace["conn"].close()
    await namespace["pool"].close()
    await namespace["engine"].dispose()


def generate_own_types(folder: Path) -> None:
    """Run the README's commands on the README's spec; --check among them finds no difference."""
    (spec,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (folder / "types.toml").write_text(spec)
    commands = re.findall(r"^python -m asyncpg_vector\.codegen (.*)$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        run_python(folder, "-m", "codegen", *command.split(), PYTHONPATH=str(ROOT))


def test_the_spec_is_the_examples() -> None:
    (spec,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert (EXAMPLE / "types.toml").read_text().endswith(f"\n\n{spec}")


def test_every_public_name_of_a_value_is_there() -> None:
    names = {name for type_ in TYPES for name in dir(type_.value_class) if not name.startswith("_")}
    missing = {
        name
        for name in names - {*RENAMED}
        if not re.search(rf"[.`]{name}\(|\.{name}\.|`{name}`", README)
    }
    assert not missing
    assert names > {"coerce", "to_list", "nnz", "to_bitstring"}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "tests/README.md"])
def test_every_make_target_is_there(page: str) -> None:
    targets = read_targets(MAKEFILE)
    named = re.findall("(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE)
    assert {*named} <= {*targets}
    assert named


def test_every_make_target_is_explained() -> None:
    text = README + (ROOT / "CONTRIBUTING.md").read_text()
    missing = {target for target in read_targets(MAKEFILE) if f"make {target}" not in text}
    assert missing <= {"clean"}
