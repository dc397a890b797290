"""Mutation testing: changes the package in thousands of ways, one at a time, for a test to notice.

`make mutation` runs mutmut (its settings are in pyproject.toml) against a server of its own. Each
mutant that no test notices has to be explained in tests/equivalent_mutants.toml.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from rich.console import Console

from tests.server import run_server

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MUTMUT = [sys.executable, "-m", "mutmut"]
EXPLAINED = Path(__file__).parent / "equivalent_mutants.toml"
ALIVE = {"survived", "no tests"}

console = Console(soft_wrap=True)


def run_mutmut() -> None:
    with run_server() as dsn:
        settings = {"ASYNCPG_VECTOR_TEST_DSN": dsn, "ASYNCPG_VECTOR_TEST_BATCHES": "1"}
        # Given a name, mutmut first runs the tests by theirs. Were one not found by it, each mutant
        # that it meets would count as noticed.
        subprocess.run([*MUTMUT, "run", "*"], check=True, env={**os.environ, **settings})


def read_results() -> dict[str, str]:
    """Return what became of each mutant, by its name."""
    command = [*MUTMUT, "results", "--all", "true"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.strip().split(": ") for line in listed.splitlines() if ": " in line)


def describe_change(name: str) -> str:
    """Return a mutant's function, and the lines that differ."""
    command = [*MUTMUT, "show", name]
    diff = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    changed = [line for line in diff.splitlines() if re.match(r"[+-](?![+-]{2} )", line)]
    function = re.sub(r"\.xǁ(\w+)ǁ|\.x_", lambda m: f".{m[1]}." if m[1] else ".", name)
    return "\n".join([function.partition("__mutmut_")[0], *changed])


def main() -> int:
    """Run mutmut, and tell what lives without a reason."""
    run_mutmut()
    results = read_results()
    reasons = tomllib.loads(EXPLAINED.read_text())["equivalent"]
    explained: Counter[str] = Counter()
    unexplained = []
    for name in (name for name, status in results.items() if status in ALIVE):
        change = describe_change(name)
        why = next((r["why"] for r in reasons if re.search(r["change"], change, re.DOTALL)), None)
        if why:
            explained[why] += 1
        else:
            unexplained.append(f"{name}: {results[name]}\n{change}")
    for mutant in unexplained:
        console.print(mutant, markup=False, highlight=False)
    for why, count in explained.most_common():
        console.print(f"{count:5} equivalent: {why}")
    dead = len(results) - explained.total() - len(unexplained)
    console.print(
        f"{dead:,} of {len(results):,} mutants noticed; "
        f"{explained.total()} equivalent, {len(unexplained)} unexplained"
    )
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
