"""Runs Python in a folder, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

UNMEASURED = {"COVERAGE_PROCESS_CONFIG": ""}
"""An environment in which coverage does not measure a process, though it measures the suite."""


def run_python(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Python in a folder, importing from it, and return its output; it has to succeed."""
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
