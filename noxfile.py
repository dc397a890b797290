"""The matrix: the tests of the package with each Python, library and server that it supports.

`make matrix` runs the whole matrix. `make corners` runs the oldest versions, and the newest with
and without NumPy, each with the native kernel and without it. `nox --list` names the sessions, and
`nox --session "tests(...)"` runs one; options after `--` go to pytest.

All versions are in pyproject.toml: the Pythons among the classifiers, the oldest asyncpg for each
Python among the dependencies, and the others, pinned, in dependency groups.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from itertools import product
from pathlib import Path
from subprocess import DEVNULL

import nox
from packaging.requirements import Requirement
from packaging.version import Version

PYPROJECT = nox.project.load_toml("pyproject.toml")
# The classifier of free threading stands for Pythons of its own, such as 3.14t.
PYTHONS = [name for name in nox.project.python_versions(PYPROJECT) if not name.endswith("t")]

# Each NumPy, oldest first, with the dependency group that has it. "none" lacks SciPy too.
NUMPY = {"1.26": "numpy-1", "2": "numpy-2", "none": None}
# These servers run with every Python: the oldest, and the one that the suite brings along.
SERVERS = ("pgserver", "embedded")
# Debian's servers run with the oldest Python and with the newest. `make` unpacks them.
DEBIANS_SERVERS = {
    "Debian 13's": Path(".venv/postgresql-17/usr/lib/postgresql/17/bin"),
    "Debian 14's": Path(".venv/postgresql-18/usr/lib/postgresql/18/bin"),
}

# Where there is a C compiler, a kernel that cannot be built is an error.
COMPILER = shutil.which((os.environ.get("CC") or "cc").split()[0])
BUILD = {"ASYNCPG_VECTOR_BUILD": "native"} if COMPILER else {}
IMPLEMENTATIONS = ("native", "python") if COMPILER else ("python",)

DIST = Path("dist")  # `make dist` puts the sdist and the pure wheel there
FREE_THREADED = ".venv/free-threaded/bin/python3.13t"  # `make free-threaded` builds it

# Tests to which the versions make no difference; their needs would take another gigabyte.
OF_THE_PROJECT = (
    "bench",
    "codegen",
    "coming_from",
    "demo",
    "lock",
    "mutation",
    "new_type",
    "package",
    "pages",
    "specs",
)
# Tests that need psycopg or greenlet, besides those of the integrations and of PgBouncer.
OF_LIBRARIES_WITH_A_GIL = (
    "test_faults.py::test_an_answer_cut_anywhere",
    "test_load.py",
    "test_security.py::test_a_literal_is_of_the_values_own_text",
)
# Python 3.13 without a GIL keeps every class once it has a thread, and crashes without memory.
OF_PYTHON_WITH_A_GIL = (
    "test_kernel.py::test_a_class_is_collected",
    "test_kernel.py::test_no_memory",
)

# The same options as in the Makefile.
PARALLEL = ("--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal")

nox.options.default_venv_backend = "uv"  # makes an environment in a second or two
nox.options.error_on_missing_interpreters = True

# The latest Pythons are Debian's, which `make` unpacks. pyenv's own folders are searched, since its
# shims run only the versions that are chosen, and fail for others that are installed.
pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
folders = [
    str(Path(".venv/pythons/usr/bin").resolve()),
    *(str(path) for python in PYTHONS for path in pyenv.glob(f"versions/{python}.*/bin")),
]
os.environ["PATH"] = os.pathsep.join([*folders, os.environ["PATH"]])


def asyncpg_of(requirements: list[str], python: str) -> Version:
    """Return the version of asyncpg that the requirements name for a Python."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if requirement.name == "asyncpg" and (
            marker is None or marker.evaluate({"python_version": python})
        ):
            (specifier,) = requirement.specifier
            return Version(specifier.version)
    raise LookupError(f"expected asyncpg for Python {python}, got {requirements}")


def newest_asyncpg(python: str) -> Version:
    """Return the newest supported asyncpg for a Python."""
    return asyncpg_of([*nox.project.dependency_groups(PYPROJECT, "newest-asyncpg")], python)


def asyncpgs(python: str) -> list[Version]:
    """Return the oldest supported asyncpg for a Python, and the newest if it differs."""
    oldest = asyncpg_of(PYPROJECT["project"]["dependencies"], python)
    return list(dict.fromkeys([oldest, newest_asyncpg(python)]))


OLDEST = (PYTHONS[0], asyncpgs(PYTHONS[0])[0], "1.26")
NEWEST = (PYTHONS[-1], newest_asyncpg(PYTHONS[-1]), "2")
VERSIONS = [
    *(
        (python, *others)
        for python in PYTHONS
        for others in product(asyncpgs(python), NUMPY, SERVERS)
        if python in {"3.11", "3.12"} or others[1] != "1.26"  # 1.26 has no wheels for later Pythons
    ),
    *((*versions, server) for versions in (OLDEST, NEWEST) for server in DEBIANS_SERVERS),
]
CORNERS = [
    (*OLDEST, "pgserver"),
    (*OLDEST, "embedded"),  # its pgvector has all types, for the oldest SQLAlchemy
    (*NEWEST, "embedded"),
    (*NEWEST[:2], "none", "embedded"),
]
# What also runs without the kernel: the oldest versions, and the newest of each Python, with and
# without NumPy.
ALSO_WITHOUT_KERNEL = [
    (*OLDEST, "embedded"),
    *(
        (python, newest_asyncpg(python), numpy, "embedded")
        for python in PYTHONS
        for numpy in ("2", "none")
    ),
]
COMBINATIONS = dict.fromkeys(
    (*versions, implementation)
    for implementation in IMPLEMENTATIONS
    for versions in VERSIONS
    if implementation == IMPLEMENTATIONS[0] or versions in ALSO_WITHOUT_KERNEL
)


@nox.session
@nox.parametrize(
    "python, asyncpg, numpy, server, implementation",
    [
        nox.param(
            *combination,
            id="Python {}, asyncpg {}, NumPy {}, {} server, {}".format(*combination),
            tags=["corners"] if combination[:-1] in CORNERS else [],
        )
        for combination in COMBINATIONS
    ],
)
def tests(
    session: nox.Session, asyncpg: Version, numpy: str, server: str, implementation: str
) -> None:
    """Run the tests of the package."""
    groups = ["suite", *filter(None, [NUMPY[numpy]])]
    chosen = [argument for group in groups for argument in ("--group", group)]
    session.install(*chosen, "--editable", ".", f"asyncpg=={asyncpg}", env=BUILD)
    if asyncpg == asyncpgs(str(session.python))[0] and numpy != "2":
        session.install("--group", "sqlalchemy-2-0")  # replaces the newest by the oldest
    command = [*with_server(server), *suite(session), *session.posargs]
    session.run(*command, env={"ASYNCPG_VECTOR_IMPL": implementation}, external=True)


@nox.session(python=FREE_THREADED, default=False)
def free_threaded(session: nox.Session) -> None:
    """Run the tests of the package without a GIL, as far as its dependencies have wheels."""
    session.install("--group", "free-threaded", "--editable", ".", env=BUILD)
    left_out = ["--ignore=tests/integrations", "--ignore=tests/test_pgbouncer.py"]
    with_a_gil = (*OF_LIBRARIES_WITH_A_GIL, *OF_PYTHON_WITH_A_GIL)
    left_out += [f"--deselect=tests/{test}" for test in with_a_gil]
    for implementation in IMPLEMENTATIONS:
        command = [*suite(session), *left_out, *session.posargs]
        session.run(*command, env={"ASYNCPG_VECTOR_IMPL": implementation})


@nox.session(python=PYTHONS[0])
def holders(session: nox.Session) -> None:
    """Run the tests of values that other libraries hold, with PyTorch, JAX and datasets too."""
    groups = ["suite", "numpy-2", "holders", "tensors"]
    chosen = [argument for group in groups for argument in ("--group", group)]
    newest = f"asyncpg=={newest_asyncpg(str(session.python))}"
    # Any other PyTorch brings the libraries of a graphics card along.
    session.install("--torch-backend=cpu", *chosen, "--editable", ".", newest, env=BUILD)
    for implementation in IMPLEMENTATIONS:
        command = ["python", "-m", "pytest", "tests/holders", *session.posargs]
        session.run(*command, env={"ASYNCPG_VECTOR_IMPL": implementation})


@nox.session(python=[*PYTHONS, FREE_THREADED], default=False)
def wheels(session: nox.Session) -> None:
    """Build the native wheel of a Python, and search with it, and with the pure wheel."""
    session.install("--group", "newest-asyncpg")
    (pure,) = DIST.glob("*-py3-none-any.whl")
    built = {"python": pure}
    if COMPILER:
        built["native"] = build_native_wheel(session)
    for implementation, wheel in built.items():
        session.install("--no-index", "--reinstall-package", "asyncpg_vector", str(wheel))
        dsn = os.environ["ASYNCPG_VECTOR_TEST_DSN"]
        use = ["python", "-I", "tests/use_wheel.py", implementation, dsn]
        session.run(*use, env={"ASYNCPG_VECTOR_IMPL": None})  # the package chooses
    session.run("uv", "pip", "check", external=True)


def build_native_wheel(session: nox.Session) -> Path:
    """Build a Python's wheel from the sdist, as an installation of the sdist does."""
    (sdist,) = DIST.glob("*.tar.gz")
    folder = Path(session.create_tmp())
    shutil.rmtree(folder)  # an earlier wheel
    options = ["--out-dir", str(folder), "--python", f"{session.bin}/python", "--quiet"]
    native = {"ASYNCPG_VECTOR_BUILD": "native"}
    session.run("uv", "build", "--wheel", str(sdist), *options, env=native, external=True)
    (wheel,) = folder.glob("*.whl")
    if sys.platform == "linux":
        audit(session, wheel)
    return Path(shutil.move(wheel, DIST / wheel.name))


def audit(session: nox.Session, wheel: Path) -> None:
    """Fail unless a wheel runs on other Linux machines, on all processors of the kind."""
    command = (".venv/bin/auditwheel", "show", "--json", wheel)
    found = json.loads(str(session.run(*command, silent=True, stderr=DEVNULL, external=True)))
    tag, libraries = found["overall_tag"], found["external_libs"]
    if "linux_2_" not in tag or libraries or found["unsupported_isa"]:
        session.error(f"expected a wheel for any Linux and processor, got {tag} with {libraries}")
    session.log(f"{wheel.name} can be {tag}")


def suite(session: nox.Session) -> list[str]:
    """Return the command that runs the tests of the package in a session."""
    # Few examples are enough: any example meets a difference between versions.
    command = [f"{session.bin}/python", "-m", "pytest", "--hypothesis-profile=quick", *PARALLEL]
    return [*command, *(f"--ignore=tests/test_{name}.py" for name in OF_THE_PROJECT)]


def with_server(server: str) -> list[str]:
    """Return the words before a command that run it with another server than the suite's."""
    if server == "embedded":
        return []
    if server != "pgserver":
        return ["python", "tests/with_server.py", str(DEBIANS_SERVERS[server])]
    # pgserver has no wheels for the newest Python: it runs in an environment of the oldest.
    packages = nox.project.dependency_groups(PYPROJECT, "pgserver")
    needs = [argument for package in packages for argument in ("--with", package)]
    isolated = ["uv", "run", "--quiet", "--no-project", "--python", PYTHONS[0], *needs]
    return [*isolated, "tests/with_server.py", server]
