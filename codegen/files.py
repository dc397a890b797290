"""The generated files on disk: comparing them with what they should be, and writing them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from .render import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["compare", "write"]


def compare(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> str:
    """Return a unified diff from what is on disk to what should be; empty if they are the same.

    Args:
        files: the texts that should be there, by their paths below the root.
        root: the folder that all paths are in.
        folders: where generated files that the spec no longer accounts for are looked for.
    """
    wanted = {**dict.fromkeys(_orphans(files, root, folders)), **_encode(files)}
    found = {path: _read(root / path) for path in wanted}
    return "".join(
        _diff(path, found[path], wanted[path])
        for path in sorted(wanted)
        if found[path] != wanted[path]
    )


def write(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> list[Path]:
    """Make the files on disk be as they should, and return the paths that this changed.

    A failure leaves the old files: everything is written beside its place first, and what was
    replaced is put back. Files that the generator has not written are left alone. Arguments are as
    for `compare`.
    """
    wanted = _encode(files)
    found = {path: _read(root / path) for path in wanted}
    changed = [path for path in wanted if found[path] != wanted[path]]
    orphans = _orphans(files, root, folders)
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


def _orphans(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> list[Path]:
    """List the generated files in some folders that the spec does not account for."""
    present = {
        path.relative_to(root)
        for folder in folders
        for path in (root / folder).rglob("*.py")
        if path.is_file() and path.read_bytes().startswith(MARKER.encode())
    }
    return sorted(present - files.keys())


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
