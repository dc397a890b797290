"""tests/get_debian says what it needs. (What it unpacks, `make corners` and `make matrix` run with.)"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.spec_types import ROOT


def refusal(*arguments: str | Path, path: str) -> str:
    """Run it with what is on a path alone, and return what it says."""
    done = subprocess.run(
        [ROOT / "tests/get_debian", *arguments],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


def test_no_packages(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a", "sid", path=os.environ["PATH"]) == (
        f"expected a folder, a suite of Debian and packages, got: {tmp_path}/a sid\n"
    )


def test_no_apt_get(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a", "sid", "python3.15", path=str(tmp_path)) == (
        "expected apt-get, found none: run this on Debian, or on what is made of it\n"
    )


def test_no_mirror(tmp_path: Path) -> None:
    """An apt-get that knows none, and a user who could not fetch an index."""
    for tool, prints in (("apt-get", ""), ("dpkg", ""), ("id", "1000")):
        script = tmp_path / tool
        script.write_text(f"#!{shutil.which('sh')}\necho {prints}\n")
        script.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    assert refusal(tmp_path / "a", "sid", "python3.15", path=path) == (
        "expected a mirror of Debian, found none: run apt-get update as root, then make again\n"
    )
    assert not (tmp_path / "a").exists()
