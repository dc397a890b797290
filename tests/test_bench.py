"""The benchmark compares operations with equal results, and judges their times rightly."""

from __future__ import annotations

import re
from functools import partial
from itertools import count, permutations
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench import timing
from bench.bars import BARS, Bar, compare, find_over, find_slower
from bench.live import reading, writing
from bench.offline import offline
from bench.peers import FIRST, FLOOR, LIMIT, OURS, PGVECTOR, PYTHON
from bench.pictures import GROWTH, PICTURES, draw
from bench.report import insert_table, to_table
from bench.timing import Ratio, Result
from bench.worker import Worker
from tests.spec_types import ROOT

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock that a test turns."""

    seconds = 0.0

    def turn(self, seconds: float) -> None:
        self.seconds += seconds


def test_results_are_equal() -> None:
    """The libraries agree on every operation to or from the wire."""
    for operation, ways in offline(384):
        results = {name: way() for name, way in ways.items()}
        ours, theirs = results[OURS], results.get(PGVECTOR)
        if operation.endswith(("to wire", "to list")):
            assert theirs in (ours, None), operation
        if operation.endswith("to list"):
            assert results.get(FIRST, ours) == ours, operation
        if operation.endswith(("to ndarray", "to matrix")):
            assert ours.tobytes() == theirs.tobytes(), operation
        if operation.endswith("from_binary"):
            assert ours.to_binary() == theirs.to_binary(), operation
        if operation.endswith("to values"):
            assert [one.to_binary() for one in ours] == [one.to_binary() for one in theirs]


def test_each_way_follows_each_other() -> None:
    """None is timed only with the memory and the caches as a certain other one leaves them."""
    orders = [timing._order(["a", "b", "c"], turn) for turn in range(6)]
    assert {*map(tuple, orders)} == {*permutations("abc")}


def test_every_named_operation_is_there() -> None:
    """Bars and pictures name operations that are timed, and ways that they are timed in."""
    ways = {name: {*calls, PYTHON} for name, calls in offline(3)}
    connections = dict.fromkeys((OURS, PGVECTOR, FLOOR))  # which only calls would use
    live = (*writing(connections, np.ones((1, 3), np.float32)), *reading(connections, None))
    ways |= {f"live: {name}": {*calls} for name, calls in live}
    for bars in BARS.values():
        for operation, bar in bars.items():
            assert {OURS, bar.of} <= ways[operation]
    for picture in PICTURES.values():
        for operations in picture.groups.values():
            for operation in operations.values():
                assert {*picture.ways, picture.reference} <= ways[operation]
    assert {*GROWTH.values()} <= {*ways}


def test_the_worker_is_python_alone() -> None:
    operations = [name for name, _ in offline(3)]
    with Worker(3) as worker:
        assert worker.implementation == "python"
        for operation in operations:
            assert worker.way(operation)(2) > 0
        with pytest.raises(EOFError):
            worker.way("no operation")(1)


def test_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way is compared with the others in the same round, by a clock that the ways turn."""
    clock = Clock()
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.seconds))
    steady, busy = timing.repeat(partial(clock.turn, 1e-3)), count()

    def twice() -> None:
        clock.turn(2e-3)
        if next(busy) % 5 == 0:  # while the machine does something else
            clock.turn(1)

    ways = {OURS: timing.repeat(twice), PYTHON: steady, PGVECTOR: steady, FLOOR: steady}
    results = timing.time_calls(ways)
    assert results[OURS].seconds == pytest.approx(2e-3)
    low, median, high = results[OURS].ratios[PGVECTOR]
    assert low == pytest.approx(2)
    assert median == pytest.approx(2)
    assert high >= median
    assert results[PGVECTOR].ratios[OURS].median == pytest.approx(0.5)
    assert results[OURS].ratios[OURS].median == 1
    for bar, shown in ((2.5, "2.50"), (1.5, "[bold red]over 1.50[/]")):
        table = to_table("twice", {"sum": results}, {"sum": Bar(bar, FLOOR)})
        cells = {str(column.header): list(column.cells) for column in table.columns}
        assert cells["Python/peer"] == ["1.00"]
        assert cells["kernel/floor"] == ["2.00"]
        assert cells["bar"] == [shown]


def make_results(ratio: Ratio) -> dict[str, Result]:
    """Return the results of an operation in all ways, of which ours has a ratio to the others."""
    same = Ratio(1, 1, 1)
    ways = (OURS, PYTHON, PGVECTOR, FLOOR, LIMIT)
    results = {way: Result(1e-6, dict.fromkeys(ways, same)) for way in ways}
    return {**results, OURS: Result(1e-6, {**dict.fromkeys(ways, ratio), OURS: same})}


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (Ratio(0.8, 0.9, 0.95), "faster"),
        (Ratio(0.9, 1.1, 1.2), "even"),
        (Ratio(0.8, 0.9, 1.0), "even"),
        (Ratio(1.05, 1.1, 1.2), "slower"),
    ],
)
def test_judgement(ratio: Ratio, expected: str) -> None:
    results = {"sum": make_results(ratio)}
    assert compare(ratio) == expected
    assert [*find_slower(results)] == ([("sum", ratio)] if expected == "slower" else [])
    bar = Bar(ratio.median, FLOOR)
    assert not [*find_over(results, {"sum": bar})]
    lower = bar._replace(ratio=bar.ratio - 0.01)
    assert [*find_over(results, {"sum": lower})] == [("sum", lower, ratio)]


def test_pictures(tmp_path: Path) -> None:
    """A time that is longer for certain has a colour of its own, which noise has not."""
    operations = {
        operation: make_results(Ratio(0.9, 1.1, 1.2))
        for picture in PICTURES.values()
        for group in picture.groups.values()
        for operation in group.values()
    }
    slower = {"vector: list to wire", "live: COPY of lists"}
    results = {**operations, **dict.fromkeys(slower, make_results(Ratio(1.05, 1.1, 1.2)))}
    draw({3: results, 1536: results}, tmp_path)
    colours = {"light": "#bc4c00", "dark": "#f0883e"}
    expected = {f"{name}-{theme}.svg" for name in (*PICTURES, "growth") for theme in colours}
    assert {path.name for path in tmp_path.iterdir()} == expected
    for name in PICTURES:
        for theme, colour in colours.items():
            picture = (tmp_path / f"{name}-{theme}.svg").read_text()
            assert len(re.findall(f"<text.*?{colour}.*?</text>", picture)) == 1


def test_a_table_on_the_page() -> None:
    """The tables go between the first start line and the first end line after it."""
    start = "<!-- The tables of times: written by `make bench`. -->\n"
    end = "<!-- The end of the tables of times. -->\n"
    page = f"a\n{end}b\n{start}old\n{end}c\n{start}d\n{end}"
    inserted = f"a\n{end}b\n{start}\nnew\n{end}c\n{start}d\n{end}"
    assert insert_table(page, "new") == inserted
    for lacking in ("", start, end, end + start):
        with pytest.raises(LookupError, match=r"performance\.md: expected the lines"):
            insert_table(lacking, "new")


def test_the_page_has_a_place_for_the_tables() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    assert "| vector: list to wire |" not in insert_table(page, "new")
