"""Inputs that the fuzzer found or is likely to miss, with the fuzzer's checks and limits of cost."""

from __future__ import annotations

from io import DEFAULT_BUFFER_SIZE
from pathlib import Path

import pytest

from asyncpg_vector import Vector, VectorError
from asyncpg_vector._numpy import loaded_numpy
from asyncpg_vector.runtime.value import Value
from codegen.spec import SpecError, load_spec
from fuzz import checks
from fuzz.checks import TARGETS, to_text_input
from fuzz.seeds import dictionary, samples
from tests.cost import at_most
from tests.needs import needs_kernel
from tests.spec_types import SPEC, SpecType, each_type, type_named

FOLDER = Path(__file__).parent / "fuzz_cases"
CASES = sorted(FOLDER.glob("*/*"))

# A check makes some twenty copies of an accepted value, in all its forms. The check of a spec opens
# two files, whose buffers are larger in Python 3.14.
BYTES, BYTES_PER_BYTE = 200_000 + 2 * DEFAULT_BUFFER_SIZE, 300
SECONDS = 5


def check(target: str, data: bytes) -> None:
    TARGETS[target](data)  # fills caches, which do not count
    with at_most(BYTES + BYTES_PER_BYTE * len(data), SECONDS):
        TARGETS[target](data)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_case(path: Path) -> None:
    check(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_sample(target: str) -> None:
    for sample in samples(target):
        check(target, sample)


@each_type
def test_each_type_is_fuzzed_from_valid_inputs(type_: SpecType) -> None:
    assert {f"{type_.sql_name}-binary", f"{type_.sql_name}-text"} <= TARGETS.keys()
    for sample in samples(f"{type_.sql_name}-binary"):
        assert type_.value_class.from_binary(sample).to_binary() == sample
    for sample in samples(f"{type_.sql_name}-text"):
        assert type_.value_class.from_text(to_text_input(sample)).to_text().encode() == sample


def test_the_spec_loader_is_fuzzed_from_the_spec(tmp_path: Path) -> None:
    assert {"types", "nnz", "float16", "sparse"} <= set(dictionary("spec"))
    specs = []
    for number, sample in enumerate(samples("spec")):
        (tmp_path / str(number)).write_bytes(sample)
        specs.append(load_spec(tmp_path / str(number)))
    assert specs[0] == SPEC
    assert [name for spec in specs[1:] for name in spec.types] == list(SPEC.types)


@pytest.mark.parametrize("target", TARGETS)
def test_an_error_of_another_kind_is_a_finding(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = b"\xff"
    TARGETS[target](refused)
    monkeypatch.setattr("fuzz.checks.VectorError", KeyError)
    monkeypatch.setattr("fuzz.checks.SpecError", KeyError)
    with pytest.raises((VectorError, SpecError)):
        TARGETS[target](refused)


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "spec"])
def test_a_value_that_changes_in_a_pickle_is_a_finding(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = samples(target)
    TARGETS[target](first)
    *_, changed = samples(f"{target.partition('-')[0]}-binary")
    monkeypatch.setattr(Value, "__reduce__", lambda self: (type(self).from_binary, (changed,)))
    with pytest.raises(AssertionError, match="pickle"):
        TARGETS[target](first)


def test_a_difference_by_numpy_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Vector, "to_text", lambda _: "[1]" if loaded_numpy() else "[1.0]")
    with pytest.raises(AssertionError):
        TARGETS["vector-binary"](bytes.fromhex("0001 0000 3f800000"))


@needs_kernel
@pytest.mark.parametrize("target", [target for target in TARGETS if target != "spec"])
def test_a_difference_by_the_kernel_is_a_finding(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = samples(target)
    TARGETS[target](first)
    name = type_named(target.partition("-")[0]).model.class_name
    monkeypatch.setattr(getattr(checks._PYTHON_ALONE, name), "to_text", lambda _: "another")
    with pytest.raises(AssertionError):
        TARGETS[target](first)
