"""Says whether a version can be released: `make release VERSION=0.2.0`. It changes nothing.

The version, CHANGELOG.md and the tag have to agree, every file has to be committed, and
docs/proof.md has to prove the code that is released.
"""

from __future__ import annotations

import re
import sys
from itertools import chain
from typing import TYPE_CHECKING

from .project import ROOT, Version, ask_git, read_changelog, read_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

PROVEN = ("asyncpg_vector", "codegen", "native", "specs", "hatch_build.py")
"""What the long jobs prove, without pages and pictures."""
_ROW = re.compile(
    r"^\| `make ([a-z-]+)` \|.*?\| ([0-9a-f]{7,40})(, changed)? \| (.*?) \|", re.MULTILINE
)


def main(arguments: Sequence[str], root: Path) -> int:
    """Print what stands against a release, or how to release; return the process's exit status."""
    try:
        (version,) = map(Version.read, arguments)
    except ValueError:
        print("expected a version: make release VERSION=0.2.0", file=sys.stderr)
        return 2
    refusals = [*check(version, root)]
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    if not refusals:
        print(f"{version} can be released:")
        print(f"  git tag --annotate v{version} --message 'asyncpg_vector {version}'")
        print(f"  git push origin v{version}")
    return int(bool(refusals))


def check(version: Version, root: Path) -> Iterator[str]:
    """Yield what stands against a release."""
    return chain(
        check_version(version, root),
        check_changelog(version, root),
        check_tags(version, root),
        check_names(version, root),
        check_tree(root),
        check_proof(root),
    )


def check_version(version: Version, root: Path) -> Iterator[str]:
    """Compare the version with that of pyproject.toml."""
    if (said := read_version(root)) != version:
        yield f"pyproject.toml: expected version {version}, got {said}"


def check_changelog(version: Version, root: Path) -> Iterator[str]:
    """Look for the version and a date at the head of the changelog."""
    head = next((f"{newest.version} ({newest.date})" for newest in read_changelog(root)), "none")
    if not re.fullmatch(rf"{re.escape(str(version))} \(\d{{4}}-\d\d-\d\d\)", head):
        yield f"CHANGELOG.md: expected a first section {version} (with a date), got {head}"


def check_tags(version: Version, root: Path) -> Iterator[str]:
    """Compare with the tags: none is later, and the version's own, if it is there, is here."""
    head, tagged = ask_git(root, "rev-parse", "HEAD"), read_tags(root)
    here = tagged.pop(version, head)
    if here != head:
        yield f"git: expected the tag v{version} at {head[:7]}, got it at {here[:7]}"
    if tagged and max(tagged) > version:
        yield f"git: expected a version after {max(tagged)}, which is tagged, got {version}"


def check_names(version: Version, root: Path) -> Iterator[str]:
    """Look for the version's list of names, and for changes of a released list."""
    own = f"release/names/{version}.txt"
    if not (root / own).exists():
        yield f"{own}: expected the public names, got no file: run make generate"
    for released in sorted({*read_tags(root)} - {version}):
        path = f"release/names/{released}.txt"
        if ask_git(root, "diff", "--name-only", f"v{released}", "--", path):
            yield f"{path}: expected the names of v{released}, which is released, got others"


def check_tree(root: Path) -> Iterator[str]:
    """Look for files that are not committed."""
    if changed := ask_git(root, "status", "--porcelain"):
        yield f"git: expected every file to be committed, got {sum_up(changed)}"


def check_proof(root: Path) -> Iterator[str]:
    """Look for a job of `make proof` that is missing, failed, or ran with other code."""
    rows = {row[1]: row for row in _ROW.finditer((root / "docs" / "proof.md").read_text())}
    for job in read_jobs(root):
        row = rows.get(job)
        if row is None:
            yield f"docs/proof.md: expected a result of make {job}, got none"
        elif row[3]:
            yield f"docs/proof.md: expected make {job} to run on a commit, got changes of {row[2]}"
        elif row[4].startswith("**failed**"):
            yield f"docs/proof.md: expected make {job} to pass, got: {row[4]}"
        elif not ask_git(root, "rev-parse", "--verify", f"{row[2]}^{{commit}}"):
            yield f"docs/proof.md: expected a commit of make {job}, got {row[2]}, which is unknown"
        elif changed := ask_git(root, "diff", "--name-only", row[2], "HEAD", "--", *PROVEN):
            got = f"{row[2]}, before changes of {sum_up(changed)}"
            yield f"docs/proof.md: expected make {job} to run on this code, got {got}"


def sum_up(lines: str) -> str:
    """Return the first line, and the number of the others."""
    first, *others = lines.splitlines()
    return f"{first.strip()} and {len(others)} more" if others else first.strip()


def read_jobs(root: Path) -> list[str]:
    """Return the jobs of `make proof`."""
    line = re.search(r"^LONG \?= (.*)$", (root / "Makefile").read_text(), re.MULTILINE)
    return line[1].split() if line else []


def read_tags(root: Path) -> dict[Version, str]:
    """Return the tagged versions, and the commits that they name."""
    lines = ask_git(root, "for-each-ref", "--format=%(refname:strip=2)", "refs/tags/v*").split()
    return {Version.read(tag[1:]): ask_git(root, "rev-parse", f"{tag}^{{commit}}") for tag in lines}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], ROOT))
