"""Values that threads share: every thread gets the results of one thread by itself."""

from __future__ import annotations

from tests.processes import UNMEASURED, run_python
from tests.spec_types import ROOT, SpecType, each_type


@each_type
def test_the_same_as_alone(type_: SpecType) -> None:
    # Coverage with greenlet runs Python code at the end of each thread, and could hang there.
    run_python(ROOT, "-m", "tests.threads", type_.sql_name, **UNMEASURED)
