"""The inputs of a mutation run, as far as a test without a run can check them."""

from __future__ import annotations

import pytest

from tests.hand_made_mutants import Mutant, read_mutants
from tests.mutation import read_explained
from tests.spec_types import ROOT


@pytest.mark.parametrize("mutant", read_mutants(), ids=str)
def test_a_fault_made_by_hand_can_be_made(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert all((ROOT / name.partition("::")[0]).is_file() for name in mutant.tests)


def test_explanations_name_functions_and_changes() -> None:
    for change, reasons in read_explained().items():
        assert change.function.startswith(("asyncpg_vector.", "codegen."))
        assert change.removed != change.added
        assert all(reasons)
