"""Runs the commands in the docstrings of examples/: `make examples` runs all.

The commands need the DSN of a server in ASYNCPG_VECTOR_TEST_DSN, which takes the place of
`postgresql://…`. What stands in brackets is left out. The generator is not installed here:
test_package.py runs its command.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
_COMMAND = re.compile(r"^    ((?:\w+=\S+ )?(?:\.venv/bin/)?python .*?)(?:  +#.*)?$", re.MULTILINE)


class Example(NamedTuple):
    """A file of examples/, its first lines, and the commands in them that start Python."""

    path: Path
    docstring: str
    commands: list[str]

    @property
    def is_program(self) -> bool:
        return '\nif __name__ == "__main__":' in self.path.read_text()


def read_examples() -> list[Example]:
    """Return all examples, without the package that one of them generates."""
    paths = sorted({*EXAMPLES.rglob("*.py")} - {*EXAMPLES.glob("own_type/own_types/**/*.py")})
    return [read_example(path) for path in paths]


def read_example(path: Path) -> Example:
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    commands = _COMMAND.findall(docstring)
    return Example(path, docstring, [line for line in commands if "codegen" not in line])


def run(example: Example, command: str, dsn: str) -> None:
    """Run a command where its docstring says, and print what it prints."""
    word, *others = shlex.split(re.sub(r" \[.*?\]", "", command))
    setting = dict([word.split("=", 1)]) if "=" in word else {}
    arguments = others[1:] if setting else others
    scheme, _, rest = dsn.partition(":")
    dsns = {"postgresql://…": dsn, "postgresql+asyncpg://…": f"{scheme}+asyncpg:{rest}"}
    folder = ROOT if "examples/" in command else example.path.parent
    print(f"\n{command}", flush=True)
    subprocess.run(
        [sys.executable, *(dsns.get(argument, argument) for argument in arguments)],
        cwd=folder,
        env={**os.environ, **{name: dsns[value] for name, value in setting.items()}},
        check=True,
    )


def main() -> None:
    for example in read_examples():
        for command in example.commands:
            run(example, command, os.environ["ASYNCPG_VECTOR_TEST_DSN"])


if __name__ == "__main__":
    main()
