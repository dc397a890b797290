"""`make proof` writes the results that its jobs printed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.proof import HEAD, PAGE, describe_commit, find_results, prove, read_rows, read_targets
from tests.spec_types import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = read_targets((ROOT / "Makefile").read_text())


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("== 12 passed, 3 deselected in 4.56s ==", "12 passed"),
        ("= 1 failed, 1200 passed in 9.00s =\nso\n= 5 passed in 75.01s (0:01:15) =",
         "1 failed, 1,205 passed in 2 runs"),
        ("vector: 5 inputs, 7 edges covered\n2,000 inputs, 0 findings", "2,000 inputs, 0 findings"),
        ("44 of 44 faults made by hand noticed\nx: survived\n3,743 noticed, 262 equivalent",
         "44 of 44 faults made by hand noticed; 3,743 noticed, 262 equivalent"),
        ("7 times the same as the server: text\n1,000 times the same as the server: wire\n= 2 passed in 1.00s =",
         "2 passed; 1,007 times the same as the server"),
        ("vector: 500 results, a1b2\nbit: 600 results, c3d4\n== 3 passed in 1.00s ==", "3 passed; 1,100 results"),
        ("ready", ""),
    ],
)  # fmt: skip
def test_results_of_a_job(output: str, found: str) -> None:
    assert find_results(output) == found


def test_a_row_replaces_the_last_row_of_its_job(tmp_path: Path) -> None:
    page = tmp_path / "proof.md"

    def say(job: str, text: str, status: int = 0) -> int:
        script = f"print({text!r}); raise SystemExit({status})"
        return prove(job, "does it", [sys.executable, "-c", script], page, "abc1234")

    assert say("load", "== 1 passed in 1.00s ==") == 0
    assert say("fuzz", "1 inputs") == 0
    assert say("load", "== 2 failed in 1.00s ==", status=2) == 2
    rows = read_rows(page.read_text())
    assert [*rows] == ["load", "fuzz"]
    assert "| does it |" in rows["fuzz"]
    assert "| 1 inputs |" in rows["fuzz"]
    assert "| **failed**: 2 failed |" in rows["load"]
    assert page.read_text() == HEAD + "".join(f"{row}\n" for row in rows.values())


def test_the_page_itself_does_not_change_the_commit(tmp_path: Path) -> None:
    def run_git(*arguments: str) -> None:
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        subprocess.run(("git", *identity, *arguments), cwd=tmp_path, check=True)

    page = tmp_path / PAGE.relative_to(ROOT)
    page.parent.mkdir()
    page.write_text(HEAD)
    run_git("init", "--quiet")
    run_git("add", ".")
    run_git("commit", "--quiet", "--message=All")
    page.write_text("")
    commit = describe_commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{7,}", commit)
    (tmp_path / "new").touch()
    assert describe_commit(tmp_path) == f"{commit}, changed"


def test_the_page_has_rows_of_existing_jobs_only() -> None:
    rows = read_rows(PAGE.read_text())
    assert {*rows} <= {*TARGETS}
    assert PAGE.read_text().startswith(HEAD)
