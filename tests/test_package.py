"""What is installed, and what importing it brings along."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

import asyncpg_vector
from tests.spec_types import ROOT


def run(script: str) -> str:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_only_asyncpg_is_required() -> None:
    """The rest is for who asks for it."""
    required, extra = requires("asyncpg_vector") or []
    assert re.fullmatch(r"asyncpg>=[\d.]+", required)
    assert re.fullmatch(r"sqlalchemy\[asyncio\]>=[\d.]+; extra == ['\"]sqlalchemy['\"]", extra)


def test_import_brings_nothing_else() -> None:
    """Not the optional NumPy and SciPy, and nothing of the generator's."""
    script = (
        "import sys; import asyncpg; known = set(sys.modules)\n"
        "import asyncpg_vector\n"
        "asyncpg_vector.Vector([1, 2.5]).to_text(); asyncpg_vector.SparseVector([1, 0]).to_list()\n"
        "asyncpg_vector.Bit([True]).to_bitstring()\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - known} - sys.stdlib_module_names)"
    )
    printed = run(script)
    assert printed.split() == ["asyncpg_vector"]


def test_an_integration_brings_its_library_and_no_other() -> None:
    others = {"alembic", "fastapi", "numpy", "pydantic", "pydantic_core", "sqlalchemy", "sqlmodel"}
    for module, libraries in (
        ("asyncpg_vector.sqlalchemy", {"sqlalchemy"}),
        ("asyncpg_vector.alembic", set()),
        ("asyncpg_vector.alembic, alembic", {"sqlalchemy", "alembic"}),
        ("asyncpg_vector, pydantic", {"pydantic", "pydantic_core"}),
    ):
        printed = run(f"import {module}, sys; print(*{others} & set(sys.modules))")
        assert set(printed.split()) == libraries


def test_without_the_extras_library() -> None:
    """What is missing is told by its name."""
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
        assert getattr(asyncpg_vector, name).__doc__
    assert len(set(asyncpg_vector.__all__)) == len(asyncpg_vector.__all__)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    return path


def test_wheel(wheel: Path) -> None:
    """The package, its marker for type checkers, its licence; no generator, no spec, no tests."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert [top for top in tops if not top.endswith(".dist-info")] == ["asyncpg_vector"]
    assert "asyncpg_vector/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "asyncpg_vector").rglob("*.py")}
    assert package <= set(names)
