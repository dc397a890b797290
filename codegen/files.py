"""Compares the generated files on disk with the rendered texts, and writes them."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from .render import MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["compare", "find_foreign", "write"]


def compare(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> str:
    """Return a unified diff from the files on disk to the rendered texts; empty if they agree.

    Args:
        files: the rendered texts, by their paths below the root.
        root: the folder that contains all paths.
        folders: the folders to search for generated files that the spec no longer accounts for.
    """
    wanted = {**dict.fromkeys(_orphans(files, root, folders)), **_encode(files)}
    found = {path: _read(root / path) for path in wanted}
    return "".join(
        _diff(path, found[path], wanted[path])
        for path in sorted(wanted)
        if found[path] != wanted[path]
    )


def write(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> list[Path]:
    """Write the rendered texts to disk, remove orphans, and return the changed paths.

    A failure keeps the old files: each text is first written to a new file beside the old one, and
    old files that were already replaced are put back. Files that the generator has not written are
    left alone. Arguments are as for `compare`.
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
        for new in filter(Path.exists, staged.values()):
            new.unlink()
    for path in orphans:
        (root / path).unlink()
    return sorted([*changed, *orphans])


def find_foreign(files: Mapping[Path, str], root: Path) -> list[Path]:
    """List the files that generated ones would replace, and that the generator has not written.

    An empty file, as many an ``__init__.py`` is, holds nothing that could be lost.
    """
    generated = [path for path, text in files.items() if text.startswith(MARKER)]
    found = {path: _read(root / path) for path in sorted(generated)}
    return [path for path, data in found.items() if data and not _is_generated(data)]


def _is_generated(data: bytes) -> bool:
    return data.startswith(MARKER.encode())


def _encode(files: Mapping[Path, str]) -> dict[Path, bytes]:
    return {path: text.encode() for path, text in files.items()}


def _orphans(files: Mapping[Path, str], root: Path, folders: Iterable[Path]) -> list[Path]:
    """List the generated files in some folders that the spec does not account for.

    Folders below may hold packages that another spec was generated into, or a virtual environment.
    """
    present = {
        path.relative_to(root)
        for folder in folders
        for path in (root / folder).glob("*.py")
        if path.is_file() and _is_generated(path.read_bytes())
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
    """Return the diff of two contents; if neither has a line, the header of the diff alone."""
    before, after = ("/dev/null" if data is None else str(path) for data in (old, new))
    diff = difflib.unified_diff(_lines(old), _lines(new), before, after)
    return "".join(diff) or f"--- {before}\n+++ {after}\n"


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "backslashreplace").splitlines(keepends=True)
