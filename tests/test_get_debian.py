"""The scripts that unpack packages of Debian name their needs. (Long jobs of the Makefile use the packages.)"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.spec_types import ROOT

EXPECTED = {
    "get_debian": "a folder, a suite of Debian and packages",
    "get_foreign_python": "a folder and s390x or arm64",
}
# Each script with valid arguments after the folder.
each_script = pytest.mark.parametrize(
    ("script", "arguments"),
    [("get_debian", ["sid", "python3.15"]), ("get_foreign_python", ["s390x"])],
    ids=EXPECTED,
)


def refusal(script: str, *arguments: str | Path, path: str = os.environ["PATH"]) -> str:
    """Run a script that has to fail, with the programs of a path alone; return its message."""
    done = subprocess.run(
        [ROOT / "tests" / script, *arguments],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


@each_script
def test_too_few_arguments(tmp_path: Path, script: str, arguments: list[str]) -> None:
    assert refusal(script) == f"expected {EXPECTED[script]}, got: \n"
    given = [f"{tmp_path}/a", *arguments[:-1]]
    assert refusal(script, *given) == f"expected {EXPECTED[script]}, got: {' '.join(given)}\n"


def test_another_option(tmp_path: Path) -> None:
    given = ["--architecture", "s390x", f"{tmp_path}/a", "sid", "python3.15"]
    assert refusal("get_debian", *given) == (
        f"expected {EXPECTED['get_debian']}, got: {' '.join(given)}\n"
    )


def test_another_machine(tmp_path: Path) -> None:
    assert refusal("get_foreign_python", tmp_path / "a", "sparc") == (
        f"expected {EXPECTED['get_foreign_python']}, got: {tmp_path}/a sparc\n"
    )


@each_script
def test_no_apt_get(tmp_path: Path, script: str, arguments: list[str]) -> None:
    assert refusal(script, tmp_path / "a", *arguments, path=str(tmp_path)) == (
        "expected apt-get, found none: run this on Debian, or on what is made of it\n"
    )


def with_fakes(folder: Path, **prints: str) -> str:
    """Make programs that only print; return a path that finds them first."""
    for tool, line in prints.items():
        fake = folder / tool.replace("_", "-")
        fake.write_text(f"#!{shutil.which('sh')}\necho {line}\n")
        fake.chmod(0o755)
    return os.pathsep.join([str(folder), os.environ["PATH"]])


@each_script
def test_no_mirror(tmp_path: Path, script: str, arguments: list[str]) -> None:
    """apt-get knows no mirror, and the user may not fetch an index."""
    path = with_fakes(tmp_path, apt_get="", dpkg="", id="1000")
    assert refusal(script, tmp_path / "a", *arguments, path=path) == (
        "expected a mirror of Debian, found none: run apt-get update as root, then make again\n"
    )
    assert not (tmp_path / "a").exists()


def test_an_architecture_that_debian_does_not_have(tmp_path: Path) -> None:
    """apt-get knows a mirror, which has no index for the architecture."""
    path = with_fakes(tmp_path, apt_get="http://localhost/debian", dpkg="")
    folder = tmp_path / "a"
    assert refusal("get_debian", "--architecture=s360", folder, "sid", "python3", path=path) == (
        "expected an architecture of Debian's suite sid, got: s360\n"
    )
    assert not folder.exists()
