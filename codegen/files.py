"""The generated files on disk: comparing them with what they should be, and writing them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from codegen.render import GENERATED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["compare", "write"]


def compare(files: Mapping[Path, str], root: Path) -> str:
    """Return a unified diff from what is on disk to what should be; empty if they are the same."""
    wanted: dict[Path, str | None] = {**dict.fromkeys(_orphans(files, root)), **files}
    return "".join(_diff(path, _read(root / path), wanted[path]) for path in sorted(wanted))


def write(files: Mapping[Path, str], root: Path) -> list[Path]:
    """Make the files on disk be as they should, and return the paths that this changed.

    Everything is written beside its place first, so that a failure leaves the old files.
    """
    changed = [path for path, text in files.items() if _read(root / path) != text]
    orphans = _orphans(files, root)
    staged = {path: root / path.with_name(f"{path.name}.new") for path in changed}
    try:
        for path, new in staged.items():
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(files[path], "utf-8", newline="\n")
        for path, new in staged.items():
            new.replace(root / path)
    finally:
        for new in staged.values():
            new.unlink(missing_ok=True)
    for path in orphans:
        (root / path).unlink()
    return sorted([*changed, *orphans])


def _orphans(files: Mapping[Path, str], root: Path) -> list[Path]:
    """List the files in the generated folder that the spec does not account for."""
    present = (path.relative_to(root) for path in (root / GENERATED).rglob("*") if path.is_file())
    return [path for path in present if path not in files and "__pycache__" not in path.parts]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _diff(path: Path, old: str | None, new: str | None) -> str:
    return "".join(
        difflib.unified_diff(
            (old or "").splitlines(keepends=True),
            (new or "").splitlines(keepends=True),
            "/dev/null" if old is None else str(path),
            "/dev/null" if new is None else str(path),
        )
    )
