"""The generator's command line; see `python -m asyncpg_vector.codegen --help`."""

from __future__ import annotations

import argparse
import keyword
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .files import compare, find_foreign, write
from .render import RenderError, Target, render
from .spec import SpecError, load_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["finish", "main"]

UNUSABLE = 2
"""The exit status for an unusable spec or folder; argparse uses the same for a command line."""


def main() -> int:
    """Generate or check a package, and return the process's exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m asyncpg_vector.codegen",
        description="Write a package of value classes and codecs for the types of a spec.",
        epilog="exit status: 0 if all is as it should be, 1 if --check finds a difference, "
        "2 if the spec or the folder cannot be used",
    )
    parser.add_argument("spec", type=Path, help="the TOML file that describes the types")
    parser.add_argument("--out", type=Path, required=True, help="the package's folder")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; print a diff of what is changed, missing, or no longer in the spec",
    )
    parser.add_argument(
        "--sqlalchemy", action="store_true", help="write column types for SQLAlchemy too"
    )
    arguments = parser.parse_args()
    out = arguments.out.absolute()  # the working directory's name, if that is the folder
    if not out.name.isidentifier() or keyword.iskeyword(out.name):
        parser.error(f"expected --out to end in a name that Python can import, got {out.name!r}")
    root, name = out.parent, Path(out.name)
    columns = name / "sqlalchemy"
    target = Target(values=name, columns=columns if arguments.sqlalchemy else None)
    try:
        files = render(load_spec(arguments.spec), arguments.spec.name, target)
    except (SpecError, RenderError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    return finish(files, root, [name, columns], check=arguments.check)


def finish(files: Mapping[Path, str], root: Path, folders: Sequence[Path], *, check: bool) -> int:
    """Write or compare files, print the changes or the diff, and return the exit status."""
    try:
        foreign = find_foreign(files, root)
        if foreign:
            for path in foreign:
                print(f"{root / path}: expected a generated file, got another's", file=sys.stderr)
            return UNUSABLE
        return (_check if check else _write)(files, root, folders)
    except OSError as error:  # the error of a full disk names no file
        print(f"{error.filename or root}: {error.strerror}", file=sys.stderr)
        return UNUSABLE


def _check(files: Mapping[Path, str], root: Path, folders: Sequence[Path]) -> int:
    diff = compare(files, root, folders)
    sys.stdout.write(diff)
    if diff:
        print("generated files differ from the spec: generate them again", file=sys.stderr)
    return int(bool(diff))


def _write(files: Mapping[Path, str], root: Path, folders: Sequence[Path]) -> int:
    for path in write(files, root, folders):
        print(f"{'wrote' if path in files else 'removed'} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
