"""Mutation testing: changes functions in thousands of ways; a test has to notice each change.

`make mutation` runs mutmut (its settings are in pyproject.toml) against a server of its own. Each
mutant that no test notices has to be explained in tests/equivalent_mutants.toml. tests/README.md
lists the code that mutmut does not change; tests/hand_made_mutants.py changes some of it.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from rich.console import Console

from tests.server import run_server

MUTMUT = [sys.executable, "-m", "mutmut", "run"]
EXPLAINED = Path(__file__).parent / "equivalent_mutants.toml"
NOTICED = {"killed", "segfault"}
MEMORY = 8 << 30
"""Bytes of addresses for a process. Some mutants would otherwise take all of the machine's memory."""

console = Console(soft_wrap=True, highlight=False, markup=False)


class Change(NamedTuple):
    """A function, and its lines that a mutant changes, without their indentation."""

    function: str
    removed: str
    added: str

    def __str__(self) -> str:
        return f"{self.function}\n- {self.removed}\n+ {self.added}"


def run_mutmut(*, only_changed: bool) -> None:
    """Test each mutant, or those of functions that changed since the last run."""
    names = []
    if not only_changed:
        shutil.rmtree("mutants", ignore_errors=True)
        # Only if it is given names does mutmut first run the tests by their names. A test that cannot
        # be found by its name would count as a failure, and each of its mutants as noticed.
        names = ["*"]
    with run_server() as dsn:
        settings = {"ASYNCPG_VECTOR_TEST_DSN": dsn, "ASYNCPG_VECTOR_TEST_BATCHES": "1"}
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # of this process and of mutmut's
        subprocess.run([*MUTMUT, *names], check=True, env={**os.environ, **settings})


def read_results() -> Iterator[tuple[Path, str, str]]:
    """Yield the file, the name and the status of each mutant."""
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, exit_code in data.exit_code_by_key.items():
            yield path, name, status_by_exit_code[exit_code]


def read_change(path: Path, name: str) -> Change:
    """Return the change of a mutant."""
    function = re.sub(r"\.xǁ(\w+)ǁ|\.x_", lambda m: f".{m[1]}." if m[1] else ".", name)
    diff = get_diff_for_mutant(name, path=path).splitlines()[2:]  # without the file names
    removed, added = (
        " ".join(line[1:].strip() for line in diff if line.startswith(sign)) for sign in "-+"
    )
    return Change(function.partition("__mutmut_")[0], removed, added)


def read_explained() -> dict[Change, list[str]]:
    """Return the reasons why mutants are equivalent: one for each mutant with the same change."""
    explained: dict[Change, list[str]] = {}
    for group in tomllib.loads(EXPLAINED.read_text())["equivalent"]:
        function = removed = ""
        for line in group["mutants"].splitlines():
            if line.startswith("-"):
                removed = line[2:]
            elif line.startswith("+"):
                change = Change(function, removed, line[2:])
                explained.setdefault(change, []).append(group["why"])
            else:
                function = line
    return explained


def main() -> int:
    """Run mutmut; print the living mutants without a reason, and the reasons without a mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "--changed",
        action="store_true",
        help="test the mutants of functions that changed since the last run, which is in mutants/",
    )
    run_mutmut(only_changed=parser.parse_args().changed)
    explained = read_explained()
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    failures = 0
    for path, name, status in read_results():
        if status in NOTICED:
            statuses["noticed"] += 1
            continue
        change = read_change(path, name)
        if explained.get(change):  # on a busy machine, it may also have timed out
            statuses["equivalent"] += 1
            reasons[explained[change].pop()] += 1
        elif status == "timeout":
            statuses["noticed by the time they took"] += 1
            console.print(f"{name}: {status}\n{change}\n")
        else:
            failures += 1
            statuses["unexplained"] += 1
            console.print(f"{name}: {status}\n{change}\n")
    for change in (change for change, unused in explained.items() for _ in unused):
        failures += 1
        statuses["explained and not alive"] += 1
        console.print(f"explained, but not alive:\n{change}\n")
    for reason, count in reasons.most_common():
        console.print(f"{count:5} equivalent: {reason}")
    console.print(", ".join(f"{count:,} {status}" for status, count in statuses.items()))
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
