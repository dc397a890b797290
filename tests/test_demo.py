"""The demo answers questions on the suite's server."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.spec_types import ROOT

DEMO = ROOT / "examples" / "semantic_search.py"


def test_no_server() -> None:
    dsn = "postgresql://127.0.0.1:1/nothing"
    done = subprocess.run(
        [sys.executable, str(DEMO), "--dsn", dsn], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch("The demo needs a PostgreSQL with pgvector 0.7 or later: .*\n", done.stderr)


def test_demo(dsn: str) -> None:
    questions = ["compress a folder into an archive", "the square root of a number"]
    done = subprocess.run(
        [sys.executable, str(DEMO), "--dsn", dsn, *questions],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for question, answer in zip(questions, ("shutil.make_archive", "math.sqrt"), strict=True):
        matches = done.stdout.partition(question)[2].splitlines()[1:6]
        distances = [float(line.split()[0]) for line in matches]
        assert distances == sorted(distances)
        assert answer in [line.split()[1] for line in matches]
    last = done.stdout.splitlines()[-1]
    summary = (
        r"([\d,]+) rows of 256 dimensions, [\d,]+ rows a second in, [\d.]+ milliseconds a query"
    )
    rows = re.fullmatch(summary, last)
    assert rows is not None
    assert int(rows[1].replace(",", "")) > 2000
