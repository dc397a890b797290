"""Timing of several ways to do the same, side by side."""

from __future__ import annotations

import gc
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

__all__ = ["ROUNDS", "Result", "time_awaits", "time_calls"]

ROUNDS = 21
_SLICE = 2e-3
"""Seconds that a way has its turn for, in which it does the same many times."""


@dataclass(frozen=True)
class Result:
    """What one way took: seconds for one time, and the ratio to the reference in the same round."""

    median: float
    ratio: float
    low: float
    """The first quartile of the ratios."""
    high: float
    """The third one."""


@contextmanager
def _frozen() -> Generator[None]:
    """Keep the garbage collector out, and what is there already out of its sight."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def time_calls(ways: Mapping[str, Callable[[], object]], reference: str) -> dict[str, Result]:
    """Time each way in every round, a different one first each time."""
    times = {name: _calls_in_a_slice(way) for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with _frozen():
        for turn in range(ROUNDS):
            for name in _rotated(list(ways), turn):
                seconds[name].append(_time(ways[name], times[name]))
    return _summarise(seconds, reference)


def _summarise(seconds: Mapping[str, list[float]], reference: str) -> dict[str, Result]:
    """Compare each way with the reference, round by round."""
    results: dict[str, Result] = {}
    for name, taken in seconds.items():
        ratios = [one / base for one, base in zip(taken, seconds[reference], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        results[name] = Result(statistics.median(taken), statistics.median(ratios), low, high)
    return results


async def time_awaits(
    ways: Mapping[str, Callable[[], Awaitable[object]]],
    reference: str,
    *,
    prepare: Callable[[], Awaitable[object]],
) -> dict[str, Result]:
    """Time each way once in every round; what comes before each is not timed."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        await prepare()
        await way()
    with _frozen():
        for turn in range(ROUNDS):
            for name in _rotated(list(ways), turn):
                await prepare()
                start = time.perf_counter()
                await ways[name]()
                seconds[name].append(time.perf_counter() - start)
    return _summarise(seconds, reference)


def _rotated(names: list[str], turn: int) -> list[str]:
    place = turn % len(names)
    return names[place:] + names[:place]


def _calls_in_a_slice(way: Callable[[], object]) -> int:
    way()
    return max(1, round(_SLICE / max(_time(way, 3), 1e-8)))


def _time(way: Callable[[], object], times: int) -> float:
    turns = range(times)
    start = time.perf_counter()
    for _ in turns:
        way()
    return (time.perf_counter() - start) / times
