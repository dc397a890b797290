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
    wanted = {**dict.fromkeys(_orphans(files, root)), **_encode(files)}
    found = {path: _read(root / path) for path in wanted}
    return "".join(
        _diff(path, found[path], wanted[path])
        for path in sorted(wanted)
        if found[path] != wanted[path]
    )


def write(files: Mapping[Path, str], root: Path) -> list[Path]:
    """Make the files on disk be as they should, and return the paths that this changed.

    A failure leaves the old files: everything is written beside its place first, and what was
    replaced is put back.
    """
    wanted = _encode(files)
    found = {path: _read(root / path) for path in wanted}
    changed = [path for path in wanted if found[path] != wanted[path]]
    orphans = _orphans(files, root)
    staged = {path: (root / path).with_name(f"{path.name}.new") for path in changed}
    replaced: list[Path] = []
    try:
        for path, new in staged.items():
            new.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(wanted[path])
        for path, new in staged.items():
            replaced.append(path)
            new.replace(root / path)
    except BaseException:
        for path in replaced:
            _put_back(root / path, found[path])
        raise
    finally:
        for new in staged.values():
            new.unlink(missing_ok=True)
    for path in orphans:
        (root / path).unlink()
    return sorted([*changed, *orphans])


def _encode(files: Mapping[Path, str]) -> dict[Path, bytes]:
    return {path: text.encode() for path, text in files.items()}


def _orphans(files: Mapping[Path, str], root: Path) -> list[Path]:
    """List the files in the generated folders that the spec does not account for."""
    present = (
        path.relative_to(root)
        for folder in GENERATED
        for path in (root / folder).rglob("*")
        if path.is_file()
    )
    return [path for path in present if path not in files and "__pycache__" not in path.parts]


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _put_back(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(data)


def _diff(path: Path, old: bytes | None, new: bytes | None) -> str:
    """Return the diff of two contents, and of a file without any its header alone."""
    before, after = ("/dev/null" if data is None else str(path) for data in (old, new))
    diff = difflib.unified_diff(_lines(old), _lines(new), before, after)
    return "".join(diff) or f"--- {before}\n+++ {after}\n"


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "backslashreplace").splitlines(keepends=True)
