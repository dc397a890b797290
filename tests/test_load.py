"""Many tasks at once, and many values in a row: few of each here, all of them in `make load`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.load import run_load
from tests.needs import needs_pgvector
from tests.pgbouncer import keeps_server_after_copy
from tests.processes import run_python
from tests.spec_types import ROOT, SpecType, each_type

if TYPE_CHECKING:
    from tests.conftest import NewDatabase

MILLION = 1_000_000

# Objects that calls leave once, such as caches, exist before the measurement. A round has a fifth of
# the calls. In a million calls, a leak of one object a call adds 200,000 blocks a round, and a leak of
# one byte a call adds 195 KiB.
MOST_BLOCKS = 200
MOST_KIB = 120

through_pgbouncer = pytest.mark.parametrize("pooled", [False, True], ids=["direct", "PgBouncer"])


@needs_pgvector("0.7.0")  # it indexes bits
@pytest.mark.parametrize(
    ("tasks", "seconds"),
    [(100, 1), pytest.param(1_000, 60, marks=pytest.mark.load)],
    ids=["little", "load"],
)
@through_pgbouncer
async def test_every_value_read_back(
    new_database: NewDatabase,
    pgbouncer: Callable[[str], str],
    pooled: bool,
    tasks: int,
    seconds: float,
) -> None:
    dsn = await new_database()
    options: dict[str, Any] = {"statement_cache_size": 0} if pooled else {}
    copies = not (pooled and keeps_server_after_copy())
    done = await run_load(
        pgbouncer(dsn) if pooled else dsn, tasks, seconds, copies=copies, **options
    )
    sys.stdout.write(", ".join(f"{number:,} {name}" for name, number in sorted(done.items())))
    assert len(done) == 6 + copies
    assert done["values compared"] > 4 * tasks


@pytest.mark.parametrize(
    "calls", [20_000, pytest.param(MILLION, marks=pytest.mark.load)], ids=["little", "load"]
)
@each_type
def test_memory_is_flat(type_: SpecType, calls: int) -> None:
    grown = json.loads(run_python(ROOT, "-m", "tests.memory", type_.sql_name, str(calls)))
    sys.stdout.write(f"{calls:,} calls added, in each fifth, blocks and KiB: {grown}")
    assert len(grown) == 3
    for name, (blocks, kib) in grown.items():
        assert blocks < MOST_BLOCKS, name
        assert kib < MOST_KIB, name
