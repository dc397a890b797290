"""`make release` refuses what does not agree, and no public name goes without notice."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypedDict

import pytest

import release.wheels
from release.__main__ import main
from release.names import FOLDER, find_gone, list_names, names_of
from release.project import Version, read_version
from release.wheels import MACHINES, check, name_builds, read_pythons
from tests.processes import run_python
from tests.proof import read_targets
from tests.spec_types import ROOT

# What make release refuses

CHANGELOG = "# Changelog\n\n## 0.3.0 (2026-12-01)\n\nNew.\n\n## 0.2.0 (2026-11-01)\n\nOld.\n"


class Project:
    """A project whose 0.2.0 is released, and whose 0.3.0 can be. `make proof` has one job."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet")
        self.change("release/names/0.2.0.txt", "a.b\n")
        self.git("tag", "v0.2.0")
        self.write("release/names/0.3.0.txt", "a.b\na.c\n")
        self.write("pyproject.toml", '[project]\nversion = "0.3.0"\n')
        self.write("CHANGELOG.md", CHANGELOG)
        self.write("asyncpg_vector/__init__.py", "")
        self.change("Makefile", "LONG ?= load\n")
        self.prove("2 passed")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        command = ("git", *identity, *arguments)
        return subprocess.check_output(command, cwd=self.root, text=True).strip()

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def change(self, path: str, text: str) -> None:
        self.write(path, text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", f"Change {path}")

    def prove(self, found: str, commit: str = "") -> None:
        on = commit or self.git("rev-parse", "--short", "HEAD")
        self.change(
            "docs/proof.md", f"| `make load` | loads | 2026-11-29 | {on} | {found} | 1.0 |\n"
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_release(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is the same before the tag and after it."""
    for _ in range(2):
        assert main(["0.3.0"], project.root) == 0
        said, tag, push = capsys.readouterr().out.splitlines()
        assert said == "0.3.0 can be released:"
        assert tag == "  git tag --annotate v0.3.0 --message 'asyncpg_vector 0.3.0'"
        assert push == "  git push origin v0.3.0"
        project.git("tag", "--force", "--annotate", "v0.3.0", "--message", "asyncpg_vector 0.3.0")


def later_tag(project: Project) -> None:
    project.change("release/names/0.10.0.txt", "a.b\n")
    project.git("tag", "v0.10.0")


def proof_of_other_code(project: Project) -> None:
    for name in ("a.py", "b.py"):
        project.change(f"asyncpg_vector/{name}", "")
    project.change("docs/other.md", "")


REFUSED: dict[str, Callable[[Project], object]] = {
    "pyproject.toml: expected version 0.3.0, got 0.2.1":
        lambda it: it.change("pyproject.toml", '[project]\nversion = "0.2.1"\n'),
    "CHANGELOG.md: expected a first section 0.3.0 (with a date), got 0.4.0 (2026-12-01)":
        lambda it: it.change("CHANGELOG.md", CHANGELOG.replace("0.3.0", "0.4.0")),
    "CHANGELOG.md: expected a first section 0.3.0 (with a date), got 0.3.0 (unreleased)":
        lambda it: it.change("CHANGELOG.md", CHANGELOG.replace("2026-12-01", "unreleased")),
    "CHANGELOG.md: expected a first section 0.3.0 (with a date), got none":
        lambda it: it.change("CHANGELOG.md", "# Changelog\n"),
    "git: expected the tag v0.3.0 at {HEAD}, got it at {v0.2.0}":
        lambda it: it.git("tag", "v0.3.0", "v0.2.0"),
    "git: expected a version after 0.10.0, which is tagged, got 0.3.0": later_tag,
    "release/names/0.3.0.txt: expected the public names, got no file: run make generate":
        lambda it: (it.git("rm", "-q", "release/names/0.3.0.txt"), it.git("commit", "-qm", "Remove")),
    "release/names/0.2.0.txt: expected the names of v0.2.0, which is released, got others":
        lambda it: it.change("release/names/0.2.0.txt", ""),
    "git: expected every file to be committed, got M Makefile":
        lambda it: it.write("Makefile", "LONG ?= load\n\n"),
    "git: expected every file to be committed, got ?? new and 1 more":
        lambda it: (it.write("new", ""), it.write("newer", "")),
    "docs/proof.md: expected a result of make load, got none":
        lambda it: it.change("docs/proof.md", "# The last `make proof`\n"),
    "docs/proof.md: expected make load to pass, got: **failed**: 1 failed":
        lambda it: it.prove("**failed**: 1 failed"),
    "docs/proof.md: expected make load to run on a commit, got changes of abcdef0":
        lambda it: it.prove("2 passed", "abcdef0, changed"),
    "docs/proof.md: expected a commit of make load, got abcdef0, which is unknown":
        lambda it: it.prove("2 passed", "abcdef0"),
    "docs/proof.md: expected make load to run on this code, got {HEAD~4}, before changes of asyncpg_vector/a.py and 1 more":
        proof_of_other_code,
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(
    message: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    REFUSED[message](project)
    for name in re.findall("{(.*?)}", message):
        message = message.replace(f"{{{name}}}", project.git("rev-parse", name)[:7])
    assert main(["0.3.0"], project.root) == 1
    assert capsys.readouterr() == ("", f"{message}\n")


def test_all_refusals_are_printed(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["0.1.9"], project.root) == 1
    said = [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert said == ["pyproject.toml", "CHANGELOG.md", "git", "release/names/0.1.9.txt"]


@pytest.mark.parametrize(
    "arguments", [[], [""], ["v0.3.0"], ["0.3"], ["0.03.0"], ["0.3.0", "0.4.0"]]
)
def test_no_version(
    arguments: list[str], project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, project.root) == 2
    assert capsys.readouterr() == ("", "expected a version: make release VERSION=0.2.0\n")


def test_make_release_needs_no_environment() -> None:
    """The command of the Makefile, with the Python of the machine."""
    done = subprocess.run(
        ["make", "release", "VERSION=0.0.1"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "CHANGELOG.md: expected a first section 0.0.1 (with a date), got " in done.stderr


def test_a_version_is_no_command(tmp_path: Path) -> None:
    """The workflow passes the name of a tag."""
    command = ["make", "release", f"VERSION=0.0.1;touch${{IFS}}{tmp_path}/here"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("expected a version: make release VERSION=0.2.0\n")
    assert not [*tmp_path.iterdir()]


# Which names are public


def test_the_list_of_this_version() -> None:
    """If this fails, run make generate. If a name is gone, CONTRIBUTING.md says what it takes."""
    version, names = read_version(ROOT), list_names()
    assert (ROOT / FOLDER / f"{version}.txt").read_text().splitlines() == names
    assert find_gone(names, version, ROOT) == []


def test_the_names_are_those_of_both_implementations() -> None:
    check = ("-m", "release.names", "--check")
    assert run_python(ROOT, *check, ASYNCPG_VECTOR_IMPL="python") == ""


class Settings(TypedDict):
    __module__ = "own_types"

    ef: int


class Base:
    """Of a library."""

    hook = 1
    nested = None


class Ours(NamedTuple):
    left: int

    @classmethod
    def make(cls, data: bytes, /, *, strict: bool, _hidden: int = 0) -> None: ...


class Nested:
    def go(self, far: int) -> None: ...


class Derived(Base):
    hook = 2
    nested = Nested
    other = 3
    _private = 4


def test_which_names_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters that can be named, keys, and attributes that are no hooks of a library."""
    for cls in (Ours, Nested, Derived):
        monkeypatch.setattr(cls, "__module__", "own_types")
    assert {*names_of("s", Settings)} == {"s", "s[ef]"}
    assert {*names_of("o", Ours)} == {"o", "o(left)", "o.left", "o.make", "o.make(strict)"}
    derived = {"d", "d.nested", "d.nested.go", "d.nested.go(far)", "d.other"}
    assert {*names_of("d", Derived)} == derived
    assert {*names_of("f", print)} == {"f", "f(sep)", "f(end)", "f(file)", "f(flush)"}
    assert {*names_of("t", type)} == {"t"}  # a class of C may have no signature


DEPRECATED = """\
# Changelog

## {0} (2026-12-01)

### Added

- `p.added`

### Deprecated

- {1}: write `q.c` instead.

### Fixed

- `p.f(x)`
"""


@pytest.mark.parametrize(
    ("version", "since", "notice", "gone"),
    [
        ("0.4.0", "0.3.0", "`p.f(x)`", []),
        ("0.4.0", "0.3.1", "`p.f(x)`", []),
        ("1.0.0", "0.3.0", "`p.f(x)`", []),
        ("0.4.0", "0.3.0", "`p.f`", []),  # all of it
        ("0.4.0", "0.3.0", "`p`", []),
        ("0.4.0", "0.3.0", "`p.f(y)`", ["p.f(x)"]),
        ("0.4.0", "0.3.0", "`p.f(`", ["p.f(x)"]),
        ("0.4.0", "0.3.0", "p.f(x)", ["p.f(x)"]),  # no name in backticks
        ("0.4.0", "0.4.0", "`p.f(x)`", ["p.f(x)"]),  # too late
        ("0.3.1", "0.3.0", "`p.f(x)`", ["p.f(x)"]),
        ("0.3.2", "0.2.0", "`p.f(x)`", ["p.f(x)"]),  # a patch release removes nothing
    ],
)
def test_a_name_goes_a_minor_release_after_its_notice(
    version: str, since: str, notice: str, gone: list[str], tmp_path: Path
) -> None:
    (tmp_path / "release" / "names").mkdir(parents=True)
    for released, names in (("0.2.0", "p.old"), ("0.3.0", "p.f p.f(x)"), (version, "p.new")):
        (tmp_path / "release" / "names" / f"{released}.txt").write_text(names)
    (tmp_path / "CHANGELOG.md").write_text(DEPRECATED.format(since, notice))
    assert find_gone(["p.f", "p.g"], Version.read(version), tmp_path) == gone


def test_the_first_release_removes_nothing(tmp_path: Path) -> None:
    assert find_gone(["p.f"], Version.read("0.2.0"), tmp_path) == []


# Which wheels are built: make check asks cibuildwheel, and these tests do not


WORKFLOW = (ROOT / ".github" / "workflows" / "wheels.yml").read_text()
PYPROJECT = (ROOT / "pyproject.toml").read_text()
PYTHONS = read_pythons(PYPROJECT)


@pytest.mark.parametrize(
    ("old", "new", "differences"),
    [
        ("", "", []),
        ("# v4.2.0", "# v4.1.0", ["expected cibuildwheel 4.2.0, got 4.1.0"]),
        ("@1828c10", "@v4.2.0", ["expected cibuildwheel 4.2.0, got None"]),
        (", macos-15-intel, windows-2025", "", [f"expected the machines {', '.join(MACHINES)}, got ubuntu-24.04, ubuntu-24.04-arm, macos-15"]),
        ('    "Programming Language :: Python :: 3.15",\n', "",
         ["expected no wheel cp315-win_amd64, got one", "expected no wheel cp315t-win_amd64, got one"]),
        (":: 3.15", ":: 3.16",
         ["expected the wheel cp316-win_amd64, got none", "expected the wheel cp316t-win_amd64, got none",
          "expected no wheel cp315-win_amd64, got one", "expected no wheel cp315t-win_amd64, got one"]),
    ],
)  # fmt: skip
def test_which_wheels_are_built(
    old: str, new: str, differences: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(platform: str, architecture: str) -> list[str]:
        (kinds,) = (row[2] for row in MACHINES.values() if row[:2] == (platform, architecture))
        pythons = PYTHONS if platform == "windows" else read_pythons(pyproject)
        return [*name_builds(pythons, architecture, kinds)]

    pyproject = PYPROJECT.replace(old, new)
    monkeypatch.setattr(release.wheels, "version", lambda _: "4.2.0")
    monkeypatch.setattr(release.wheels, "ask_cibuildwheel", build)
    assert [*check(WORKFLOW.replace(old, new), pyproject)] == differences


# What GitHub runs


def test_the_workflows_run_targets_of_make() -> None:
    """The jobs of tests.yml are those of .ci/run."""
    texts = [path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    run = {target for text in texts for target in re.findall(r"- run: make ([a-z]+)", text)}
    assert run == {"dist", "release"}
    assert run <= {*read_targets((ROOT / "Makefile").read_text())}
    (matrix,) = (jobs for text in texts for jobs in re.findall(r"target: \[(.*)\]", text))
    assert matrix.split(", ") == re.findall(
        r"^make (.*)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE
    )
