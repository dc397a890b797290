"""Compares what .github/workflows/wheels.yml would build with the Pythons of pyproject.toml.

`python -m release.wheels` asks cibuildwheel, which builds nothing here. It is the release that the
workflow pins by commit: the comment beside the commit names it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING

from .project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINES = {
    "ubuntu-24.04": ("linux", "x86_64", ("manylinux", "musllinux")),
    "ubuntu-24.04-arm": ("linux", "aarch64", ("manylinux", "musllinux")),
    "macos-15": ("macos", "arm64", ("macosx",)),
    "macos-15-intel": ("macos", "x86_64", ("macosx",)),
    "windows-2025": ("windows", "AMD64", ("win",)),
}
"""GitHub's machines: the platform, the architecture, and the kinds of wheels for them."""
FIRST_FREE_THREADED = "3.14"
"""The first Python without a GIL for which asyncpg has wheels."""


def check(workflow: str, pyproject: str) -> Iterator[str]:
    """Yield the differences between the workflow, cibuildwheel and the classifiers."""
    pinned = re.search(r"pypa/cibuildwheel@[0-9a-f]{40} # v(\S+)", workflow)
    if pinned is None or pinned[1] != version("cibuildwheel"):
        yield f"expected cibuildwheel {version('cibuildwheel')}, got {pinned and pinned[1]}"
    machines = re.search(r"machine: \[(.*)\]", workflow)
    if machines is None or machines[1].split(", ") != [*MACHINES]:
        yield f"expected the machines {', '.join(MACHINES)}, got {machines and machines[1]}"
    pythons = read_pythons(pyproject)
    for platform, architecture, kinds in MACHINES.values():
        wanted = {*name_builds(pythons, architecture, kinds)}
        built = {*ask_cibuildwheel(platform, architecture)}
        yield from (f"expected the wheel {name}, got none" for name in sorted(wanted - built))
        yield from (f"expected no wheel {name}, got one" for name in sorted(built - wanted))


def read_pythons(pyproject: str) -> list[str]:
    """Return the supported Pythons, oldest first."""
    classifiers = tomllib.loads(pyproject)["project"]["classifiers"]
    return re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))


def name_builds(pythons: list[str], architecture: str, kinds: tuple[str, ...]) -> Iterator[str]:
    """Name the wheels of Pythons, with a GIL and without, as cibuildwheel does."""
    for python in pythons:
        tag = f"cp{python}".replace(".", "")
        has_free_threads = pythons.index(python) >= pythons.index(FIRST_FREE_THREADED)
        for name in (tag, f"{tag}t") if has_free_threads else (tag,):
            yield from (f"{name}-{kind}_{architecture.lower()}" for kind in kinds)


def ask_cibuildwheel(platform: str, architecture: str) -> list[str]:
    """Return the names of the wheels that cibuildwheel would build."""
    options = ("--print-build-identifiers", "--platform", platform, "--archs", architecture)
    command = (sys.executable, "-m", "cibuildwheel", *options)
    return subprocess.check_output(command, cwd=ROOT, text=True).split()  # noqa: S603


def main() -> int:
    """Print the differences, and return 1 if there are any."""
    workflow = (ROOT / ".github" / "workflows" / "wheels.yml").read_text()
    differences = [*check(workflow, (ROOT / "pyproject.toml").read_text())]
    for difference in differences:
        print(f"wheels.yml: {difference}")
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main())
