"""requirements.lock has the pins of pyproject.toml, and nothing that is specific to a machine."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

import pytest
from packaging.dependency_groups import resolve_dependency_groups
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.spec_types import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
JOBS = re.search(r"^JOBS := (.*)$", MAKEFILE, re.MULTILINE)[1].split()
GROUPS = [*JOBS, "foreign", "fuzz", *re.findall(r"call LOCKED,([a-z][\w-]+)\) --upgrade", MAKEFILE)]
"""The groups that make installs. noxfile.py installs the others, as pyproject.toml pins them."""
LOCK = (ROOT / "requirements.lock").read_text()
LINUX = {"sys_platform": "linux", "platform_machine": "x86_64"}


class Pin(NamedTuple):
    """A requirement of the lock file."""

    requirement: Requirement
    lines: str

    @property
    def is_direct(self) -> bool:
        return "pyproject.toml:" in self.lines


def read_lock(text: str) -> dict[str, list[Pin]]:
    sections = re.split(r"^# group: (.*)\n", text, flags=re.MULTILINE)[1:]
    return {
        group: [
            Pin(Requirement(lines.partition(" \\\n")[0]), lines)
            for lines in re.findall(r"^\S.*\n(?:[ ].*\n)+", section, flags=re.MULTILINE)
        ]
        for group, section in zip(sections[::2], sections[1::2], strict=True)
    }


PINS = read_lock(LOCK)


def requirements_of(group: str) -> list[Requirement]:
    lines = resolve_dependency_groups(PROJECT["dependency-groups"], group)
    return [Requirement(str(line)) for line in lines]


def locked(group: str) -> list[Pin]:
    """The pins of a group: its section, and those of the jobs before it."""
    before = JOBS[: JOBS.index(group)] if group in JOBS else []
    return [pin for section in (*before, group) for pin in PINS[section]]


PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))

each_group = pytest.mark.parametrize("group", GROUPS)


def on(python: str, requirements: list[Requirement]) -> dict[str, str]:
    """The packages that are installed with a Python, and their versions."""
    environment = {**LINUX, "python_version": python, "python_full_version": f"{python}.9"}
    return {
        canonicalize_name(requirement.name): str(requirement.specifier)
        for requirement in requirements
        if (requirement.marker or Marker("python_version > '3'")).evaluate(environment)
    }


@pytest.mark.parametrize("python", PYTHONS)
@each_group
def test_no_drift(group: str, python: str) -> None:
    """If this fails, run make lock."""
    wanted = on(python, requirements_of(group))
    assert wanted.items() <= on(python, [pin.requirement for pin in locked(group)]).items()
    direct = on(python, [pin.requirement for pin in locked(group) if pin.is_direct])
    assert direct.items() <= wanted.items()


def test_no_other_groups() -> None:
    assert {*PINS} == {*GROUPS}


def test_a_package_is_installed_by_one_job() -> None:
    pins = [str(pin.requirement) for job in JOBS for pin in PINS[job]]
    assert len({*pins}) == len(pins)


def test_the_needs_of_the_project_are_locked() -> None:
    """make installs the project without its dependencies, and builds it without isolation."""
    for python in (PYTHONS[0], PYTHONS[-1]):
        versions = on(python, [pin.requirement for pin in PINS["demo"]])
        for line in (*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]):
            requirement = Requirement(line)
            assert versions[requirement.name].removeprefix("==") in requirement.specifier


def test_the_oldest_sqlalchemy_is_tested() -> None:
    extra = PROJECT["project"]["optional-dependencies"]["sqlalchemy"]
    for python in PYTHONS:
        (oldest,) = on(python, [*map(Requirement, extra)]).values()
        pinned = on(python, requirements_of("sqlalchemy-2-0"))["sqlalchemy"]
        assert pinned == oldest.replace(">=", "==")


@each_group
def test_every_pin_has_hashes(group: str) -> None:
    for pin in PINS[group]:
        assert re.fullmatch(r"==[^*]+", str(pin.requirement.specifier))
        assert "--hash=sha256:" in pin.lines


def test_no_machine_and_no_registry_is_named() -> None:
    lines = [
        line
        for line in LOCK.splitlines()
        if not re.match(r"[a-z0-9]|    (--hash|#)|# group: ", line)
    ]
    assert lines == ["# Made of pyproject.toml's dependency groups by: make lock"]
    assert not re.search(r"://|index-url|find-links|[ '\"]/", LOCK)
