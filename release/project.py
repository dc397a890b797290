"""What the project says of itself: its version, its changelog and its commits."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Version(NamedTuple):
    """A version such as 0.2.0."""

    major: int
    minor: int
    patch: int

    @classmethod
    def read(cls, text: str) -> Version:
        """Read a version.

        Raises:
            ValueError: the text is no version of three numbers.
        """
        if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", text):
            raise ValueError(f"expected a version of three numbers, such as 0.2.0, got {text!r}")
        return cls(*map(int, text.split(".")))

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @property
    def series(self) -> tuple[int, int]:
        """The minor release that it belongs to."""
        return self.major, self.minor


class Section(NamedTuple):
    """A section of the changelog: a release, or the next one."""

    version: Version
    date: str
    text: str


def read_version(root: Path) -> Version:
    """Return the version in pyproject.toml."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    return Version.read(project["project"]["version"])


def read_changelog(root: Path) -> list[Section]:
    """Return the sections of CHANGELOG.md, the newest first: `## 0.2.0 (2026-12-01)`."""
    text = (root / "CHANGELOG.md").read_text()
    _, *parts = re.split(r"^## (\S+) \((.*)\)$", text, flags=re.MULTILINE)
    sections = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [Section(Version.read(version), date, part) for version, date, part in sections]


def ask_git(root: Path, *arguments: str) -> str:
    """Return what git prints, which is nothing if it fails."""
    command = ("git", *arguments)
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.rstrip() if done.returncode == 0 else ""
