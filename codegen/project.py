"""Generates asyncpg_vector's own files, its README's table of types, and docs/index-methods.md.

`python -m codegen.project` writes the files, and `python -m codegen.project --check` compares them.
This module is not installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    # The package imports its generated modules, which may be missing or broken. The generator needs
    # only the runtime, which imports none of them.
    package = ModuleType("asyncpg_vector")
    package.__path__ = [str(ROOT / "asyncpg_vector")]
    sys.modules["asyncpg_vector"] = package

import argparse

from .__main__ import UNUSABLE, finish
from .render import RenderError, Target, make_templates, render
from .spec import SpecError, load_spec

__all__ = ["TARGET", "TRIED", "insert_table", "main"]

TARGET = Target(
    values=Path("asyncpg_vector/_generated"),
    columns=Path("asyncpg_vector/sqlalchemy/_generated"),
    values_module="asyncpg_vector._generated.",
)

_SPEC = Path("specs/types.toml")
_README = Path("README.md")
_INDEX_METHODS = Path("docs/index-methods.md")
TRIED = {"hnsw", "ivfflat"}
"""The index methods of the suite's servers, which the tests compare with the spec."""
_TABLE_START = "<!-- The table of types: generated from specs/types.toml by `make generate`. -->\n"
_TABLE_END = "<!-- The end of the table of types. -->\n"


def main() -> int:
    """Generate or check the files, and return the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m codegen.project", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and print a diff")
    check = parser.parse_args().check
    try:
        spec = load_spec(ROOT / _SPEC)
        files = render(spec, str(_SPEC), TARGET)
        templates = make_templates()
        table = templates.get_template("types.md.jinja").render(types=spec.types)
        readme = (ROOT / _README).read_bytes().decode()
        files[_README] = insert_table(readme, _TABLE_START, _TABLE_END, table)
        files[_INDEX_METHODS] = templates.get_template("index_methods.md.jinja").render(
            spec=_SPEC,
            types=spec.types,
            methods=spec.index_methods,
            untried=[name for name in spec.index_methods if name not in TRIED],
        )
    except (SpecError, RenderError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    return finish(files, ROOT, TARGET.folders, check=check)


def insert_table(readme: str, start: str, end: str, table: str) -> str:
    """Return README.md's text with a new table between two marker lines.

    Raises:
        RenderError: README.md lacks one of the lines.
    """
    before, found_start, rest = readme.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found_start and found_end):
        raise RenderError(f"{_README}: expected the lines\n{start}{end}")
    return f"{before}{start}\n{table}\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
