"""Values that threads share: what one thread makes of them, all do, from the first moment on."""

from __future__ import annotations

from tests.processes import UNMEASURED, run_python
from tests.spec_types import ROOT, SpecType, each_type


@each_type
def test_the_same_as_alone(type_: SpecType) -> None:
    # Coverage with greenlet calls back into Python as each thread ends, and hung in that.
    run_python(ROOT, "-m", "tests.threads", type_.sql_name, **UNMEASURED)
