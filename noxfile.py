"""The matrix: the tests of the package with each Python, asyncpg, NumPy and pgvector it supports.

`make matrix` runs all of it, and `make corners` the oldest of everything and the newest, the latter
with NumPy and without.
`nox --list` names the sessions, `nox --session "tests(...)"` runs one; what follows `--` is for
pytest.

All versions stand in pyproject.toml: the Pythons among the classifiers, the oldest asyncpg for each
of them among the dependencies, and the rest, pinned, in dependency groups.
"""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path

import nox
from packaging.requirements import Requirement

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

# The oldest first, and the dependency group that is installed for it. None has no SciPy either.
NUMPY = {"1.26": "numpy-1", "2": "numpy-2", "none": None}
# The newer is that of the server which the suite brings along.
PGVECTOR = ("0.6", "0.8")

# What these versions make no difference to, and what would take a gigabyte more to be installed.
OF_THE_PROJECT = ("bench", "codegen", "demo", "lock", "mutation", "new_type", "package", "readme")

nox.options.default_venv_backend = "uv"  # which makes an environment in a second or two
nox.options.error_on_missing_interpreters = True

# A shim of pyenv's runs the version that was chosen, and fails for others that are installed too.
pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
folders = [str(path) for python in PYTHONS for path in pyenv.glob(f"versions/{python}.*/bin")]
os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])


def asyncpg_of(requirements: list[str], python: str) -> str:
    """Return the version of asyncpg that is required with a Python."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if requirement.name == "asyncpg" and (
            marker is None or marker.evaluate({"python_version": python})
        ):
            (specifier,) = requirement.specifier
            return specifier.version
    raise LookupError(f"expected asyncpg for Python {python}, got {requirements}")


def asyncpgs(python: str) -> list[str]:
    """Return the oldest asyncpg that is supported with a Python, and the newest."""
    required = PYPROJECT["project"]["dependencies"]
    pinned = nox.project.dependency_groups(PYPROJECT, "newest-asyncpg")
    return [asyncpg_of(required, python), asyncpg_of([*pinned], python)]


COMBINATIONS = [
    (python, *others)
    for python in PYTHONS
    for others in product(asyncpgs(python), NUMPY, PGVECTOR)
    if (python, others[1]) != ("3.13", "1.26")  # NumPy has wheels for Python 3.13 from 2.1 on
]
NEWEST = (PYTHONS[-1], asyncpgs(PYTHONS[-1])[-1])
CORNERS = [
    COMBINATIONS[0],
    (*NEWEST, "2", PGVECTOR[-1]),
    (*NEWEST, "none", PGVECTOR[-1]),
]


@nox.session
@nox.parametrize(
    "python, asyncpg, numpy, pgvector",
    [
        nox.param(
            *combination,
            id="Python {}, asyncpg {}, NumPy {}, pgvector {}".format(*combination),
            tags=["corners"] if combination in CORNERS else [],
        )
        for combination in COMBINATIONS
    ],
)
def tests(session: nox.Session, asyncpg: str, numpy: str, pgvector: str) -> None:
    """Run the tests of the package."""
    groups = ["suite", *filter(None, [NUMPY[numpy]])]
    chosen = [argument for group in groups for argument in ("--group", group)]
    session.install(*chosen, "--editable", ".", f"asyncpg=={asyncpg}")
    # Few examples: what the versions differ in, all of them meet.
    command = [f"{session.bin}/python", "-m", "pytest", "--hypothesis-profile=quick"]
    left_out = [f"--ignore=tests/test_{name}.py" for name in OF_THE_PROJECT]
    server = with_pgserver() if pgvector == "0.6" else []
    session.run(*server, *command, *left_out, *session.posargs, external=True)


def with_pgserver() -> list[str]:
    """Return what to put before a command, so that it is given a server with the older pgvector.

    The server has an environment of its own, of the oldest Python: it has no wheels for the newest.
    """
    packages = nox.project.dependency_groups(PYPROJECT, "pgserver")
    needs = [argument for package in packages for argument in ("--with", package)]
    isolated = ["uv", "run", "--quiet", "--no-project", "--python", PYTHONS[0], *needs]
    return [*isolated, "tests/with_pgserver.py"]
