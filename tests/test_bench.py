"""The benchmark compares what is the same."""

from __future__ import annotations

from bench.live import BARS as LIVE_BARS
from bench.offline import BARS, offline
from bench.peers import FIRST, FLOOR, OURS, PGVECTOR
from bench.report import to_table
from bench.timing import time_calls


def test_the_same_comes_out() -> None:
    """Of every operation that ends on the wire, and of those that begin there."""
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


def test_ratios() -> None:
    """A way that does the same twice takes about twice the time, and is shown so."""

    def once() -> int:
        return sum(range(1000))

    def twice() -> int:
        return once() + once()

    results = time_calls({OURS: twice, PGVECTOR: once, FLOOR: once})
    ratio = results[OURS].ratios[PGVECTOR]
    assert 1.5 < ratio.median < 3
    assert ratio.low <= ratio.median <= ratio.high
    assert results[OURS].ratios[OURS].median == 1
    table = to_table("twice", {"sum": results}, {"sum": 1.0})
    assert [column.header for column in table.columns][2] == "of pgvector-python's"
    assert list(table.columns[2].cells) == [f"{ratio.median:.2f}"]
    assert all(operation.startswith("live: ") for operation in LIVE_BARS)
