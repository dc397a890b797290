"""The native kernel and Python alone: the same results, and the same errors, for the same input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.spec import Type, load_spec
from tests.cases import draw_cases, odd_arguments, odd_payloads, operations_of
from tests.differential.batches import BATCHES, alike, each_batch
from tests.generated_types import MODELS, SPECS, big_spec, generate
from tests.implementations import OPERATIONS, Case, Crash, Pair
from tests.needs import needs_kernel, needs_numpy
from tests.spec_types import SPEC

pytestmark = needs_kernel

CASES = 20 * BATCHES
"""The cases in a batch; `make differential` draws both more batches and larger ones."""
OF_ANY_ARGUMENT = ["constructor", "encode", "from_text", "from_matrix", "to_matrix"]
OF_NUMPY = ["to_matrix", "to_packed_matrix"]


class Models(dict[str, Type]):
    """Types by package and name; Hypothesis shows the arguments of a test that fails."""

    def __repr__(self) -> str:
        return f"{len(self)} types"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with packages of more types: those of tests/specs, and every format in every layout."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "everything.toml").write_text(big_spec())
    for spec in (*SPECS, folder / "everything.toml"):
        done = generate(spec, folder / spec.stem)
        assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="session")
def models(folder: Path) -> Models:
    """All types."""
    everything = load_spec(folder / "everything.toml").types
    return Models(
        {f"pgvector.{name}": model for name, model in SPEC.types.items()}
        | MODELS
        | {f"everything.{name}": model for name, model in everything.items()}
    )


WITH_NUMPY = pytest.param(True, id="with NumPy", marks=needs_numpy)


@pytest.fixture(scope="module", params=[WITH_NUMPY, pytest.param(False, id="without")])
def pair(request: pytest.FixtureRequest, folder: Path) -> Iterator[Pair]:
    """A process of each implementation."""
    with Pair(folder, numpy=request.param) as pair:
        yield pair


def assert_alike(pair: Pair, cases: list[Case]) -> int:
    """Compare both implementations; return the number of results that are no errors."""
    outcomes, differences = pair.differences(cases)
    for case, native, python in differences:
        assert native == python, f"{case} differs: native {native}, Python {python}"
    assert not differences
    for case in cases:
        alike[case.operation] += 1
    return sum(outcome[0] == "returned" for outcome in outcomes)


@pytest.mark.parametrize("operation", OPERATIONS)
@each_batch
def test_the_same(pair: Pair, models: Models, operation: str, seed: int) -> None:
    cases = draw_cases(models, operation, seed, CASES, numpy=pair.numpy)
    returned = assert_alike(pair, cases)
    assert returned < CASES
    assert returned > CASES / 50 or (operation in OF_NUMPY and not pair.numpy)


@pytest.mark.parametrize("name", [f"pgvector.{name}" for name in SPEC.types] + [*MODELS])
def test_odd_arguments(pair: Pair, models: Models, name: str) -> None:
    """Each odd object, by itself and as an element, is refused or taken alike."""
    operations = [each for each in operations_of(models[name]) if each in OF_ANY_ARGUMENT]
    anything = odd_arguments(numpy=pair.numpy)
    cases = [Case(name, operation, source) for operation in operations for source in anything]
    cases += [Case(name, "from_binary", source) for source in odd_payloads(numpy=pair.numpy)]
    assert assert_alike(pair, cases)


def test_a_crash_is_told_from_other_cases(pair: Pair) -> None:
    fine = Case("pgvector.vector", "constructor", "[1]")
    crash = Case("pgvector.vector", "constructor", "ctypes.string_at(0)")
    with Pair(pair.folder, numpy=pair.numpy) as other:
        assert other.differences([fine, crash, fine]) == ([], [(crash, Crash("native"), None)])


def test_a_difference_is_found(pair: Pair) -> None:
    """Such a difference as a case makes by itself."""
    case = Case(
        "pgvector.vector", "constructor", "[len(__import__('os').environ['ASYNCPG_VECTOR_IMPL'])]"
    )
    other = Case(
        "pgvector.vector",
        "constructor",
        "[str(__import__('asyncpg_vector._native')._native.implementation)]",
    )
    with pytest.raises(AssertionError, match="differs: native .*'native'.* Python .*'python'"):
        assert_alike(pair, [case, other])
