"""The benchmark compares operations with equal results."""

from __future__ import annotations

from functools import partial
from itertools import count
from types import SimpleNamespace

import pytest

from bench import timing
from bench.live import BARS as LIVE_BARS
from bench.offline import BARS, offline
from bench.peers import FIRST, FLOOR, OURS, PGVECTOR
from bench.report import to_table


class Clock:
    """A clock that a test turns."""

    seconds = 0.0

    def turn(self, seconds: float) -> None:
        self.seconds += seconds


def test_results_are_equal() -> None:
    """The libraries agree on every operation to or from the wire."""
    operations = dict(offline(384))
    assert set(BARS) <= set(operations)
    for operation, ways in operations.items():
        results = {name: way() for name, way in ways.items()}
        if operation.endswith("to wire") and PGVECTOR in ways:
            assert results[OURS] == results[PGVECTOR], operation
        if operation.endswith("to list"):
            assert results[OURS] == results[PGVECTOR], operation
            assert results.get(FIRST, results[OURS]) == results[OURS], operation
        if operation.endswith("to ndarray"):
            assert results[OURS].tobytes() == results[PGVECTOR].tobytes(), operation


def test_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way is compared with the others in the same round, by a clock that the ways turn."""
    clock = Clock()
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))
    steady, busy = partial(clock.turn, 1e-3), count()

    def twice() -> None:
        clock.turn(2e-3)
        if next(busy) % 5 == 0:  # while the machine does something else
            clock.turn(1)

    results = timing.time_calls({OURS: twice, PGVECTOR: steady, FLOOR: steady})
    assert results[OURS].seconds == pytest.approx(2e-3)
    low, median, high = results[OURS].ratios[PGVECTOR]
    assert low == pytest.approx(2)
    assert median == pytest.approx(2)
    assert high >= median
    assert results[PGVECTOR].ratios[OURS].median == pytest.approx(0.5)
    assert results[OURS].ratios[OURS].median == 1
    table = to_table("twice", {"sum": results}, {"sum": 1.0})
    assert [column.header for column in table.columns][2] == "of pgvector-python's"
    assert list(table.columns[2].cells) == ["2.00"]
    assert all(operation.startswith("live: ") for operation in LIVE_BARS)
