"""The example's type, as one of somebody else's."""

from tests.spec_types import ROOT

EXAMPLE = ROOT / "examples" / "own_type"
CREATE_SQL = (EXAMPLE / "create.sql").read_text()
"""Creates the type `tinyvec` in the first schema of the search path."""
