"""Lists the public names, and says which of an earlier release are gone without notice.

`python -m release.names` writes the list of the version in pyproject.toml, and `--check` compares
it. Lists of earlier versions stay as they are: a name of the last one may be gone only if
CHANGELOG.md lists it under "Deprecated", in an earlier minor release.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from difflib import unified_diff
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, is_typeddict

from .project import ROOT, Version, read_changelog, read_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FOLDER = Path("release", "names")
MODULES = (
    "asyncpg_vector",
    "asyncpg_vector.alembic",
    "asyncpg_vector.errors",
    "asyncpg_vector.pydantic",
    "asyncpg_vector.runtime",
    "asyncpg_vector.sqlalchemy",
    "asyncpg_vector.testing",
)
"""The public modules: what their `__all__` names is public."""
GENERATED = ("own_types.sqlalchemy", "own_types.tinyvec")
"""What the generator promises of a package: the example's."""


# The names of a module


def list_names() -> list[str]:
    """Return all public names, sorted, a name with its module, class or function."""
    example = str(ROOT / "examples" / "own_type")
    sys.path.insert(0, example)
    try:
        modules = [import_module(module) for module in (*MODULES, *GENERATED)]
    finally:
        sys.path.remove(example)
    return sorted(
        {
            found
            for module in modules
            for name in module.__all__
            for found in names_of(f"{module.__name__}.{name}", getattr(module, name))
        }
    )


def names_of(name: str, thing: Any) -> Iterator[str]:
    """Yield the name of a thing, of its parameters and keys, and of a class's attributes."""
    yield name
    yield from (f"{name}({parameter})" for parameter in parameters_of(thing))
    if is_typeddict(thing):
        yield from (f"{name}[{key}]" for key in thing.__annotations__)
    if inspect.isclass(thing):
        for attribute, value in attributes_of(thing).items():
            yield from names_of(f"{name}.{attribute}", value)


def parameters_of(thing: Any) -> Iterator[str]:
    """Yield the parameters that a caller may name."""
    if not callable(thing):
        return
    try:
        parameters = inspect.signature(thing).parameters.values()
    except ValueError:  # a class of C, whose constructor says nothing
        return
    for parameter in parameters:
        is_named = parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
        if is_named and parameter.name != "self" and not parameter.name.startswith("_"):
            yield parameter.name


def attributes_of(cls: type) -> Mapping[str, Any]:
    """Return the attributes that classes of ours have, without the hooks of a library's class."""
    ours = [base for base in cls.__mro__ if is_ours(base)]
    hooks = {name for base in {*cls.__mro__} - {*ours} for name in vars(base)}
    names = {name for base in ours for name in vars(base) if not name.startswith("_")}
    attributes = {name: getattr(cls, name) for name in names}
    return {
        name: value
        for name, value in attributes.items()
        if name not in hooks or (inspect.isclass(value) and is_ours(value))
    }


def is_ours(cls: type) -> bool:
    """Whether a class is of the package, or of a generated one."""
    return cls.__module__.partition(".")[0] in OURS


OURS = {module.partition(".")[0] for module in (*MODULES, *GENERATED)}


# The names of the last release


def find_gone(names: Iterable[str], version: Version, root: Path) -> list[str]:
    """Return the names of the last release before a version that are gone without notice."""
    lists = {Version.read(path.stem): path for path in (root / FOLDER).glob("*.txt")}
    last = max((listed for listed in lists if listed < version), default=None)
    if last is None:
        return []
    notices = read_notices(root, version) if last.series < version.series else set[str]()
    gone = {*lists[last].read_text().split()} - {*names}
    return sorted(name for name in gone if not any(covers(notice, name) for notice in notices))


def read_notices(root: Path, version: Version) -> set[str]:
    """Return the names that minor releases before that of a version deprecated."""
    before = [entry for entry in read_changelog(root) if entry.version.series < version.series]
    parts = (DEPRECATED.search(entry.text) for entry in before)
    return {name for part in parts if part for name in re.findall("`([^`]+)`", part[1])}


DEPRECATED = re.compile(r"^### Deprecated$(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)


def covers(notice: str, name: str) -> bool:
    """Whether a notice names a name, or the class or function that the name belongs to."""
    return re.fullmatch(rf"{re.escape(notice)}([.(\[].*)?", name) is not None


def main() -> int:
    """Write or compare this version's list; return 1 if they differ, or if a name is gone."""
    parser = argparse.ArgumentParser(prog="python -m release.names", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, and print a diff")
    check = parser.parse_args().check
    version, names = read_version(ROOT), list_names()
    path = FOLDER / f"{version}.txt"
    gone = find_gone(names, version, ROOT)
    for name in gone:
        print(
            f"expected the name {name}, which the last release has, or its notice in CHANGELOG.md"
        )
    if not check:
        (ROOT / path).write_text("".join(f"{name}\n" for name in names))
        return int(bool(gone))
    listed = (ROOT / path).read_text().split() if (ROOT / path).exists() else []
    diff = [*unified_diff(listed, names, str(path), "the package", lineterm="")]
    for line in diff:
        print(line)
    return int(bool(gone or diff))


if __name__ == "__main__":
    sys.exit(main())
