"""Which implementation the package uses: the native kernel, or Python alone."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import pytest

import asyncpg_vector
from asyncpg_vector import _native
from tests.processes import run_python
from tests.spec_types import ROOT

USE = """
import sys
try:
    import asyncpg_vector
except ImportError as error:
    print(error)
else:
    print(asyncpg_vector.implementation, "asyncpg_vector._kernel" in sys.modules)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a copy of the package, without the kernel."""
    keep_out = shutil.ignore_patterns("__pycache__", "_kernel.*")
    shutil.copytree(ROOT / "asyncpg_vector", tmp_path / "asyncpg_vector", ignore=keep_out)
    return tmp_path


def use(folder: Path, wanted: str) -> str:
    return run_python(folder, "-c", USE, ASYNCPG_VECTOR_IMPL=wanted).strip()


BROKEN_KERNELS = {
    f"_kernel{sysconfig.get_config_var('EXT_SUFFIX')}": "of another machine",
    "_kernel.py": "raise SystemError('unknown slot ID')",  # as a kernel of a later Python does
}
"""The text of each, by the name of its file."""

each_broken_kernel = pytest.mark.parametrize("name", BROKEN_KERNELS)


def break_kernel(package: Path, name: str) -> None:
    (package / "asyncpg_vector" / name).write_text(BROKEN_KERNELS[name])


def test_this_run() -> None:
    assert asyncpg_vector.implementation == ("native" if _native.kernel else "python")


@pytest.mark.skipif(not _native.kernel, reason="this run is without the kernel")
@pytest.mark.parametrize("wanted", ["", "native"])
def test_the_kernel_is_used_where_it_is(wanted: str) -> None:
    assert use(ROOT, wanted) == "native True"


def test_python_is_demanded() -> None:
    """The kernel is not even loaded."""
    assert use(ROOT, "python") == "python False"


def test_no_kernel(package: Path) -> None:
    assert use(package, "") == "python False"


@each_broken_kernel
def test_a_broken_kernel(package: Path, name: str) -> None:
    break_kernel(package, name)
    assert use(package, "") == "python False"


DEMANDED = "expected the native kernel, since ASYNCPG_VECTOR_IMPL is native, got: "


def test_no_kernel_where_it_is_demanded(package: Path) -> None:
    missing = "No module named 'asyncpg_vector._kernel'"
    assert use(package, "native") == DEMANDED + missing


@each_broken_kernel
def test_a_broken_kernel_where_it_is_demanded(package: Path, name: str) -> None:
    """The message tells a broken kernel from a missing one."""
    break_kernel(package, name)
    message = use(package, "native")
    assert message.startswith(DEMANDED)
    assert "No module" not in message


def test_another_value() -> None:
    assert use(ROOT, "c") == "expected ASYNCPG_VECTOR_IMPL to be native or python, got 'c'"
