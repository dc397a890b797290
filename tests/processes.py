"""Running Python in a folder, for what is to be tried as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""An environment that has coverage, if it measures the suite, leave a process alone."""


def run_python(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Python there, importing from there, and return what it prints; it has to succeed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
