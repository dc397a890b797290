"""The installed files, and the modules that an import of the package imports."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from configparser import ConfigParser
from importlib.metadata import distribution, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import asyncpg_vector
from tests.conftest import NewDatabase
from tests.own_types import EXAMPLE
from tests.processes import run_python
from tests.spec_types import ROOT


def run(script: str) -> str:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_only_asyncpg_is_required() -> None:
    """Other packages are required only by extras."""
    requirements = [Requirement(line) for line in requires("asyncpg_vector") or []]
    for extra, needed in (
        ("", set()),
        ("sqlalchemy", {"sqlalchemy"}),
        ("codegen", {"jinja2", "pydantic", "ruff"}),
    ):
        assert {"asyncpg", *needed} == {
            requirement.name
            for requirement in requirements
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
        }


def test_import_brings_nothing_else() -> None:
    """The import omits NumPy and SciPy, which are optional, and the generator."""
    script = (
        "import sys; import asyncpg; known = set(sys.modules)\n"
        "import asyncpg_vector\n"
        "asyncpg_vector.Vector([1, 2.5]).to_text(); asyncpg_vector.SparseVector([1, 0]).to_list()\n"
        "asyncpg_vector.Bit([True]).to_bitstring()\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - known} - sys.stdlib_module_names)"
    )
    printed = run(script)
    assert printed.split() == ["asyncpg_vector"]


def test_import_is_fast() -> None:
    """The package imports no slow module of the standard library; asyncpg may import them."""
    script = (
        "import sys; import asyncpg; known = set(sys.modules)\n"
        "import asyncpg_vector; print(*set(sys.modules) - known)"
    )
    assert not {"dataclasses", "fractions", "inspect"} & {*run(script).split()}


def test_an_integration_brings_its_library_and_no_other() -> None:
    others = {
        "alembic", "fastapi", "hypothesis", "numpy", "pydantic", "pydantic_core", "sqlalchemy", "sqlmodel",
    }  # fmt: skip
    for module, libraries in (
        ("asyncpg_vector.sqlalchemy", {"sqlalchemy"}),
        ("asyncpg_vector.alembic", set()),
        ("asyncpg_vector.alembic, alembic", {"sqlalchemy", "alembic"}),
        ("asyncpg_vector, pydantic", {"pydantic", "pydantic_core"}),
        ("asyncpg_vector.pydantic", {"pydantic", "pydantic_core"}),
    ):
        printed = run(f"import {module}, sys; print(*{others} & set(sys.modules))")
        assert set(printed.split()) == libraries


def test_looking_at_every_attribute_of_a_value_brings_nothing() -> None:
    """The look imports no library and does not fail, although pydantic_core makes one attribute."""
    script = (
        "import asyncpg_vector, inspect, sys\n"
        "for thing in (asyncpg_vector.Vector, asyncpg_vector.Vector([1])):\n"
        "    assert not hasattr(thing, '__pydantic_serializer__')\n"
        "    inspect.getmembers(thing)\n"
        "print(*{'numpy', 'pydantic', 'pydantic_core', 'scipy'} & set(sys.modules))"
    )
    assert run(script).split() == []


def test_without_the_extras_library() -> None:
    """The error names the missing library."""
    script = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "try: import asyncpg_vector.sqlalchemy\n"
        "except ImportError as error: print(error)"
    )
    assert "sqlalchemy" in run(script)


def test_works_without_numpy() -> None:
    script = (
        "import sys; sys.modules['numpy'] = sys.modules['scipy'] = None\n"
        "from array import array\n"
        "from asyncpg_vector import Bit, HalfVector, SparseVector, Vector\n"
        "for row in ([1, 2], array('f', [1, 2]), memoryview(array('d', [1, 2])), Vector([1, 2])):\n"
        "    assert HalfVector(row).to_list() == SparseVector(row).to_list() == [1, 2]\n"
        "assert SparseVector.from_coo([0, 2], Vector([1, 2]), 3).to_list() == [1, 0, 2]\n"
        "assert Vector.from_float_base64(Vector([1, 2]).to_float_base64()).to_text() == '[1,2]'\n"
        "import struct\n"
        "for bad in (float('nan'), float('inf'), 1e39, 10**400):\n"
        "    for cls in (Vector, HalfVector):\n"
        "        try: cls([1, bad])\n"
        "        except ValueError: pass\n"
        "        else: raise AssertionError(bad)\n"
        "try: Vector.from_binary(bytes([0, 1, 0, 0, 0x7f, 0x80, 0, 0]))\n"
        "except ValueError: pass\n"
        "else: raise AssertionError\n"
        "row = [0.1 * n for n in range(-50, 50)]\n"
        "assert HalfVector(row).to_binary()[4:] == struct.pack('>100e', *row)\n"
        "try: Vector([1]).to_numpy()\n"
        "except ImportError as error: print(error)\n"
    )
    printed = run(script)
    assert "numpy" in printed


def test_all_is_there() -> None:
    for name in asyncpg_vector.__all__:
        thing = getattr(asyncpg_vector, name)
        assert isinstance(thing, Mapping) or thing.__doc__
    assert len(set(asyncpg_vector.__all__)) == len(asyncpg_vector.__all__)


# What is built

COMPILER = shutil.which((os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0])
KERNEL = f"asyncpg_vector/_kernel{sysconfig.get_config_var('EXT_SUFFIX')}"

needs_compiler = pytest.mark.skipif(not COMPILER, reason="there is no C compiler")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the sdist unpacks to."""
    folder = tmp_path_factory.mktemp("sdist")
    build(ROOT, "sdist", folder)
    (path,) = folder.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
    return folder / path.name.removesuffix(".tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that an installation of the sdist builds: with the kernel, if there is a compiler."""
    return build_wheel(sdist, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def pure_wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel without the kernel."""
    folder = tmp_path_factory.mktemp("pure")
    return build_wheel(sdist, folder, ASYNCPG_VECTOR_BUILD="python")


def build(project: Path, target: str, folder: Path, *options: str, **environment: str) -> str:
    """Build a target, and return what is printed."""
    command = ["-m", "hatchling", "build", "-t", target, "-d", str(folder), *options]
    return run_python(project, *command, **{"ASYNCPG_VECTOR_BUILD": "", **environment})


def build_wheel(project: Path, folder: Path, **environment: str) -> Path:
    build(project, "wheel", folder, **environment)
    (path,) = folder.glob("*.whl")
    return path


def files(folder: Path) -> set[str]:
    """The files of a folder of the project, without compiled ones."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(ROOT))
        for path in paths
        if "__pycache__" not in path.parts and not path.name.startswith("_kernel.")
    }


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


OF_THE_REPOSITORY = {
    "codegen/project.py",
    *files(ROOT / "codegen" / "templates" / "pages"),
}
"""The part of the generator that writes this package's own files; it is not installed."""


def test_wheel(wheel: Path) -> None:
    """The wheel has the package, the kernel, the generator and the licence; no spec, C or tests."""
    names = set(contents(wheel))
    metadata = {name for name in names if ".dist-info/" in name}
    generator = files(ROOT / "codegen")
    assert generator > OF_THE_REPOSITORY
    assert names - metadata == {
        *files(ROOT / "asyncpg_vector"),
        *(f"asyncpg_vector/{name}" for name in generator - OF_THE_REPOSITORY),
        *([KERNEL] if COMPILER else []),
    }
    assert "asyncpg_vector/py.typed" in names
    assert {name.partition(".dist-info/")[2] for name in metadata} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


@needs_compiler
def test_a_wheel_with_the_kernel_is_for_one_python_and_machine(wheel: Path) -> None:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    machine = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = f"{python}-{python}{sys.abiflags}-{machine}"
    assert wheel.name.endswith(f"-{tag}.whl")
    assert tags(wheel) == ["Root-Is-Purelib: false", f"Tag: {tag}"]


def test_a_wheel_without_the_kernel_is_for_all(wheel: Path, pure_wheel: Path) -> None:
    """It differs in nothing else from the wheel with the kernel."""
    assert pure_wheel.name.endswith("-py3-none-any.whl")
    assert tags(pure_wheel) == ["Root-Is-Purelib: true", "Tag: py3-none-any"]
    pure, other = contents(pure_wheel), contents(wheel)
    assert {*other} - {*pure} == ({KERNEL} if COMPILER else set())
    differ = {name.rpartition("/")[2] for name in pure if pure[name] != other[name]}
    assert differ == ({"RECORD", "WHEEL"} if COMPILER else set())


def tags(wheel: Path) -> list[str]:
    """The lines of a wheel's metadata that say for which Pythons and machines it is."""
    (text,) = (text for name, text in contents(wheel).items() if name.endswith("/WHEEL"))
    return re.findall(r"^(?:Root|Tag).*$", text.decode(), re.MULTILINE)


NO_KERNEL = "asyncpg_vector is built without its native kernel: "


def test_a_build_without_a_compiler(sdist: Path, pure_wheel: Path, tmp_path: Path) -> None:
    """One line says so."""
    first, second = build(sdist, "wheel", tmp_path, CC="no-compiler").splitlines()
    assert first.startswith(NO_KERNEL)
    assert "no-compiler" in first
    assert second == str(tmp_path / pure_wheel.name)
    assert contents(tmp_path / pure_wheel.name) == contents(pure_wheel)


@needs_compiler
def test_a_build_of_what_does_not_compile(sdist: Path, pure_wheel: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(sdist, project)
    (project / "native" / "module.c").write_text("#error no kernel for this machine\n")
    printed = build(project, "wheel", tmp_path)
    assert "no kernel for this machine" in printed
    assert printed.count(NO_KERNEL) == 1
    (path,) = tmp_path.glob("*.whl")
    assert contents(path) == contents(pure_wheel)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("native", "no-compiler"),
        ("always", "expected ASYNCPG_VECTOR_BUILD to be native or python, got 'always'"),
    ],
)
def test_a_build_that_fails(sdist: Path, tmp_path: Path, wanted: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        build(sdist, "wheel", tmp_path, ASYNCPG_VECTOR_BUILD=wanted, CC="no-compiler")
    assert not [*tmp_path.iterdir()]


@needs_compiler
def test_an_editable_installation(sdist: Path, tmp_path: Path) -> None:
    """The kernel lies beside the sources, until a build without it takes it away."""
    project = tmp_path / "project"
    shutil.copytree(sdist, project)
    for wanted, expected in (("native", "native"), ("", "native"), ("python", "python")):
        printed = build(
            project, "wheel:editable", tmp_path, "--hooks-only", ASYNCPG_VECTOR_BUILD=wanted
        )
        assert printed == ""
        script = "import asyncpg_vector; print(asyncpg_vector.implementation)"
        assert run_python(project, "-c", script, ASYNCPG_VECTOR_IMPL="").strip() == expected
        assert (project / KERNEL).exists() == (expected == "native")


def test_entry_points(wheel: Path) -> None:
    """Alembic and Hypothesis find their plugins through entry points."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("/entry_points.txt"))
    declared = ConfigParser(delimiters="=")
    declared.read_string(archive.read(name).decode())
    assert {name: dict(declared[name]) for name in declared.sections()} == {
        "alembic.plugins": {"alembic.autogenerate.asyncpg_vector": "asyncpg_vector.alembic"},
        "hypothesis": {"asyncpg_vector": "asyncpg_vector._hypothesis:load"},
    }


def test_the_wheel_of_the_sdist_is_that_of_the_project(wheel: Path, tmp_path: Path) -> None:
    """The two wheels have the same bytes, so that both installations are the same."""
    build(ROOT, "wheel", tmp_path)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("target", ["sdist", "wheel"])
def test_a_second_build_makes_the_same_bytes(
    sdist: Path, pure_wheel: Path, tmp_path: Path, target: str
) -> None:
    """A build of the sdist's files, elsewhere, at another time and with other modes, changes nothing."""
    project, dist = tmp_path / "project", tmp_path / "dist"
    shutil.copytree(sdist, project)
    for path in project.rglob("*.*"):
        os.utime(path, (2 * 10**9, 2 * 10**9))
        if path.suffix in {".py", ".md"}:
            path.chmod(0o600)
    elsewhere = {"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1", "ASYNCPG_VECTOR_BUILD": "python"}
    build(project, target, dist, **elsewhere)
    (built,) = dist.iterdir()
    first = pure_wheel if target == "wheel" else sdist.with_name(built.name)
    assert first.name == built.name
    assert first.read_bytes() == built.read_bytes()


def test_sdist(sdist: Path) -> None:
    """The sdist has all files of the project, and no stray files."""
    names = {str(path.relative_to(sdist)) for path in sdist.rglob("*") if path.is_file()}
    folders = {name.partition("/")[0] for name in names if "/" in name}
    assert folders == {
        ".ci", ".github", "asyncpg_vector", "bench", "codegen", "docs", "examples", "fuzz", "native", "release", "specs",
        "tests",
    }  # fmt: skip
    assert {name for name in names if "/" not in name} == {
        ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "SECURITY.md",
        "hatch_build.py", "noxfile.py", "pyproject.toml", "requirements.lock",
    }  # fmt: skip
    for folder in folders - {".ci"}:
        assert {name for name in names if name.startswith(f"{folder}/")} == files(ROOT / folder)


def test_what_is_generated_is_that_of_the_sdists_spec(sdist: Path) -> None:
    check = ("-m", "codegen.project", "--check")
    assert run_python(sdist, *check, ASYNCPG_VECTOR_IMPL="") == ""  # the sdist has no kernel


def make_environment(folder: Path, packages: set[str], wheel: Path) -> str:
    """Make an environment with the wheel and with packages copied from this environment.

    Returns:
        The path of its Python.
    """
    venv.create(folder, symlinks=True)
    site = Path(
        sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    )
    for name in packages:
        for file in (
            distribution(name).files or ()
        ):  # ruff's command, too, which is not below `site`
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file.locate(), site / file)
    python = str(folder / "bin" / "python")
    run_python(folder, "-m", "pip", "--python", python, "install", "--no-index", str(wheel))
    return python


def required(name: str, extra: str = "") -> set[str]:
    """Find the packages that are installed with a package, or with one of its extras."""
    lines = map(Requirement, requires(name) or ())
    found = [line for line in lines if not line.marker or line.marker.evaluate({"extra": extra})]
    return {line.name for line in found}.union(*(required(line.name) for line in found))


USE = """
import importlib.metadata, sys
import asyncpg_vector
assert sys.prefix in asyncpg_vector.__file__, asyncpg_vector.__file__
for name in asyncpg_vector.__all__:
    getattr(asyncpg_vector, name)
value = asyncpg_vector.Vector([1, 2.5])
assert type(value).from_binary(value.to_binary()) == type(value).from_text(value.to_text()) == value
print(value, asyncpg_vector.implementation, *sorted(found.name for found in importlib.metadata.distributions()))
"""


@pytest.mark.parametrize("built", ["wheel", "pure_wheel"])
def test_installed_in_an_empty_environment(
    built: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A Python that sees only this environment uses the package, and the kernel if it is there."""
    wheel = request.getfixturevalue(built)
    python = make_environment(tmp_path, required("asyncpg_vector"), wheel)
    done = subprocess.run(
        [python, "-I", "-c", USE],
        env={**os.environ, "ASYNCPG_VECTOR_IMPL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    implementation = "native" if COMPILER and built == "wheel" else "python"
    installed = {"asyncpg_vector", *required("asyncpg_vector")}
    assert done.stdout.split() == ["Vector([1,", "2.5])", implementation, *sorted(installed)]


# The generator, outside of this repository


@pytest.fixture(scope="module")
def elsewhere(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The Python of an environment with the extra and Hypothesis, apart from this repository."""
    packages = {"hypothesis", *required("hypothesis"), *required("asyncpg_vector", "codegen")}
    return make_environment(tmp_path_factory.mktemp("elsewhere"), packages, wheel)


def run_elsewhere(python: str, folder: Path, *arguments: str) -> str:
    """Run a Python that imports only from its environment and from the script's folder."""
    done = subprocess.run(
        [python, "-E", "-s", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_generator_is_not_imported_unasked(elsewhere: str, tmp_path: Path) -> None:
    """The generator, its libraries and Hypothesis are installed, and not imported."""
    script = (
        "import asyncpg_vector, sys; from importlib.util import find_spec\n"
        "libraries = ['asyncpg_vector.codegen', 'jinja2', 'pydantic', 'ruff', 'hypothesis']\n"
        "print(*{*libraries} & {*sys.modules}, all(map(find_spec, libraries)))"
    )
    assert run_elsewhere(elsewhere, tmp_path, "-c", script) == "True\n"


ROUND_TRIP = """
import asyncio, pathlib, sys
import asyncpg
from asyncpg_vector.testing import check_roundtrip
from own_types import TinyVector

async def main():
    conn = await asyncpg.connect(sys.argv[1])
    await conn.execute(pathlib.Path("create.sql").read_text())
    await check_roundtrip(conn, TinyVector)

asyncio.run(main())
"""


async def test_own_type(elsewhere: str, tmp_path: Path, new_database: NewDatabase) -> None:
    """The commands in the example's docstring generate its package, and search."""
    for name in ("create.sql", "search.py", "types.toml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    dsn = await new_database("SELECT 1")
    source = (EXAMPLE / "search.py").read_text()
    commands = re.findall(r"^    python (.*)$", source, re.MULTILINE)
    generate, search = map(shlex.split, commands)
    run_elsewhere(elsewhere, tmp_path, *generate)
    for path in (EXAMPLE / "own_types").rglob("*.py"):
        assert (tmp_path / path.relative_to(EXAMPLE)).read_text() == path.read_text()
    assert run_elsewhere(elsewhere, tmp_path, *generate, "--check") == ""
    found = run_elsewhere(elsewhere, tmp_path, search[0], dsn, *search[2:]).splitlines()
    assert "Compressing files and folders  TinyVector([" in found[0]
    distances = [float(line.split()[0]) for line in found]
    assert 0 < distances[0] < distances[1] < distances[2]
    run_elsewhere(elsewhere, tmp_path, "-c", ROUND_TRIP, dsn)
