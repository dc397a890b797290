"""Runs long jobs one after the other, and writes their results into docs/proof.md.

A job is a target of the Makefile. The rows of other jobs stay as they are.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "proof.md"
HEAD = """\
# The last `make proof`

`make proof` runs the jobs that take too long for every commit, and writes this page. `make proof LONG="load fuzz"` runs
some, and leaves the rows of the others.

| job | what it does | on | commit | found | minutes |
|---|---|---|---|---|---|
"""

# The lines in which pytest, the tests and other tools sum up a run.
_PYTEST = re.compile(r"^=+ (.*) in [\d.]+s.* =+$", re.MULTILINE)
_COUNTED = re.compile(
    r"([\d,]+) (times the same as the server|times the same without the kernel|values compared|results)\b"
)
_OTHERS = re.compile(
    r"^(?:[\d,]+ inputs.*|\d+ of \d+ faults made by hand noticed|[\d,]+ noticed.*)$", re.MULTILINE
)


def main() -> int:
    """Run the jobs that the command line names; return 1 if one of them fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    does = read_targets((ROOT / "Makefile").read_text())
    parser.add_argument("jobs", nargs="+", choices=does, metavar="job", help="a target of make")
    jobs, commit = parser.parse_args().jobs, describe_commit(ROOT)
    failed = [job for job in jobs if prove(job, does[job], ["make", job], PAGE, commit)]
    print(f"failed: {', '.join(failed)}" if failed else f"all is in {PAGE.relative_to(ROOT)}")
    return int(bool(failed))


def prove(job: str, does: str, command: Sequence[str], page: Path, commit: str) -> int:
    """Run a job, write its row into a page, and return its exit status."""
    start = time.monotonic()
    status, output = run(command)
    found = find_results(output) or "nothing was counted"
    if status:
        found = f"**failed**: {found}"
    minutes = (time.monotonic() - start) / 60
    row = f"| `make {job}` | {does} | {datetime.now(UTC):%Y-%m-%d} | {commit} | {found} | {minutes:.1f} |"
    rows = read_rows(page.read_text() if page.exists() else "")
    page.write_text(HEAD + "".join(f"{row}\n" for row in {**rows, job: row}.values()))
    return status


def run(command: Sequence[str]) -> tuple[int, str]:
    """Run a command, and show its output at once; return its exit status and the whole output."""
    lines = []
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def find_results(output: str) -> str:
    """Return the results of a job: the sums of all runs of pytest, and the other tools' lines."""
    runs = _PYTEST.findall(output)
    tests = sum_up(re.findall(r"(\d+) (?!deselected)(\w+)", ", ".join(runs)))
    in_runs = f" in {len(runs)} runs" if len(runs) > 1 else ""
    counted = sum_up(_COUNTED.findall(output))
    return "; ".join(filter(None, [tests + in_runs, counted, *_OTHERS.findall(output)]))


def sum_up(counts: Iterable[tuple[str, str]]) -> str:
    """Add up the counts of the same thing, such as ``12 passed``."""
    sums: Counter[str] = Counter()
    for number, what in counts:
        sums[what] += int(number.replace(",", ""))
    return ", ".join(f"{number:,} {what}" for what, number in sums.items())


def read_targets(makefile: str) -> Mapping[str, str]:
    """Return the help text of each target of a Makefile, without the options."""
    return dict(re.findall(r"^([a-z-]+):.*## ([^;\n]*)", makefile, re.MULTILINE))


def read_rows(page: str) -> dict[str, str]:
    """Return the rows of a page by their jobs."""
    return {row[1]: row[0] for row in re.finditer(r"^\| `make ([a-z-]+)` .*$", page, re.MULTILINE)}


def describe_commit(root: Path) -> str:
    """Name the commit, and say whether files other than the page differ from it."""

    def ask_git(*arguments: str) -> str:
        return subprocess.check_output(("git", *arguments), cwd=root, text=True).strip()

    commit = ask_git("rev-parse", "--short", "HEAD")
    changed = ask_git("status", "--porcelain", "--", ".", f":!{PAGE.relative_to(ROOT)}")
    return f"{commit}, changed" if changed else commit


if __name__ == "__main__":
    sys.exit(main())
