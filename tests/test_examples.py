"""Each example says in its first lines what it shows, what it needs, and how to run it."""

from __future__ import annotations

import re

import pytest

from tests.conftest import NewDatabase
from tests.examples import EXAMPLES, Example, read_examples, run
from tests.proof import read_targets
from tests.spec_types import ROOT

TARGETS = read_targets((ROOT / "Makefile").read_text())
FOUND = read_examples()
PROGRAMS = [example for example in FOUND if example.is_program]
PARTS = [example for example in FOUND if not example.is_program]


def each(examples: list[Example]) -> pytest.MarkDecorator:
    names = [str(example.path.relative_to(EXAMPLES)) for example in examples]
    return pytest.mark.parametrize("example", examples, ids=names)


@each(FOUND)
def test_the_first_line_says_what_it_shows(example: Example) -> None:
    first, *_ = example.docstring.split("\n")
    assert re.fullmatch(r"[A-Z].{20,}\.", first), first


@each(PROGRAMS)
def test_a_program_says_what_it_needs_and_how_to_run_it(example: Example) -> None:
    assert example.path.name in example.docstring.split("\n\n")[1]
    assert example.commands
    needs = re.search(r"^(?:.*\. )?Needs (.+)", example.docstring, re.MULTILINE)
    assert needs, example.docstring
    targets = {*re.findall("`make ([^`]+)`", example.docstring)}
    assert targets <= {*TARGETS}


@each(PARTS)
def test_a_part_says_of_what(example: Example) -> None:
    part = example.docstring.partition("\n\nA part of ")[2].partition("\n\n")[0]
    programs = re.findall(r"\w+\.py", part)
    assert programs, example.docstring
    for name in programs:
        imported = rf"^ *(from|import) {example.path.stem}\b"
        assert re.search(imported, (EXAMPLES / name).read_text(), re.MULTILINE), name


async def test_commands_run(new_database: NewDatabase, capfd: pytest.CaptureFixture[str]) -> None:
    """The commands of two examples; `make examples` runs all."""
    dsn = await new_database("SELECT 1")
    for example in FOUND:
        if example.path.name in {"fastapi_app.py", "search.py"}:
            for command in example.commands:
                run(example, command, dsn)
    printed = capfd.readouterr().out
    assert "0.106  {'title': 'near', 'embedding': [1.0, 0.5, 0.0], 'id': 2}" in printed
    assert "Compressing files and folders  TinyVector([" in printed
