"""Makes the faults of tests/hand_made_mutants.toml, one at a time, for a test to notice.

They are of the kinds that mutmut (tests/mutation.py) does not make.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from rich.console import Console

from tests.server import run_server

ROOT = Path(__file__).parent.parent
TO_GENERATE = ("specs/", "codegen/templates/")

console = Console(soft_wrap=True, highlight=False, markup=False)


class Mutant(NamedTuple):
    """A change of a file, and tests, one of which has to fail."""

    file: str
    old: str
    new: str
    tests: list[str]

    def __str__(self) -> str:
        return f"{self.file}\n- {self.old}\n+ {self.new}"

    @contextmanager
    def made_in(self, project: Path) -> Iterator[None]:
        """Make the change in a copy of the project, generate, and undo both afterwards."""
        path = project / self.file
        text = path.read_text()
        path.write_text(text.replace(self.old, self.new))
        self._generate(project)
        yield
        path.write_text(text)
        self._generate(project)

    def _generate(self, project: Path) -> None:
        if self.file.startswith(TO_GENERATE):
            run(project, "codegen.project").check_returncode()


def read_mutants() -> list[Mutant]:
    path = Path(__file__).with_suffix(".toml")
    return [Mutant(**table) for table in tomllib.loads(path.read_text())["mutant"]]


def run(project: Path, *module: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module of a copy of the project."""
    # Python compares bytecode with its source by time, in seconds; two mutants may share a second.
    environment = {"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1", **settings}
    return subprocess.run(
        [sys.executable, "-m", *module],
        cwd=project,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def tests_pass(project: Path, dsn: str, tests: Sequence[str]) -> bool:
    """Tell whether all of the tests pass; exit if they cannot be run."""
    options = ("-x", "-q", "-p", "no:cacheprovider")
    done = run(project, "pytest", *options, *tests, ASYNCPG_VECTOR_TEST_DSN=dsn)
    if done.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise SystemExit(done.stdout)
    return done.returncode == pytest.ExitCode.OK


def main() -> int:
    mutants = read_mutants()
    living = []
    with TemporaryDirectory() as folder, run_server() as dsn:
        project = Path(folder) / "project"
        keep_out = shutil.ignore_patterns(".*", "__pycache__", "mutants")
        shutil.copytree(ROOT, project, ignore=keep_out)
        if not tests_pass(
            project, dsn, sorted({name for mutant in mutants for name in mutant.tests})
        ):
            console.print("the tests fail without a fault")
            return 1
        for mutant in mutants:
            with mutant.made_in(project):
                if tests_pass(project, dsn, mutant.tests):
                    living.append(mutant)
                    console.print(f"lives: {mutant}\n")
    console.print(f"{len(mutants) - len(living)} of {len(mutants)} faults made by hand noticed")
    return 1 if living else 0


if __name__ == "__main__":
    sys.exit(main())
