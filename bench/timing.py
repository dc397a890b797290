"""Times several ways to do the same operation, side by side."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Mapping

__all__ = ["Ratio", "Result", "Way", "frozen", "repeat", "time_awaits", "time_calls"]

_ROUNDS = 31
_SLICE = 2e-3
"""Seconds of one turn of a way, which repeats its operation in them."""

Way: TypeAlias = Callable[[int], float]
"""Does an operation so many times, and returns the seconds that this took."""


class Ratio(NamedTuple):
    """The time of a way divided by that of another in the same round: quartiles over the rounds."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Result:
    """The times of one way: the median seconds of one call, and its ratio to each way."""

    seconds: float
    ratios: Mapping[str, Ratio]


@contextmanager
def frozen() -> Generator[None]:
    """Keep the garbage collector from running, and existing objects out of it."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def repeat(call: Callable[[], object]) -> Way:
    """Make a way of a function, which is called in this process."""

    def way(times: int) -> float:
        turns = range(times)
        start = time.perf_counter()
        for _ in turns:
            call()
        return time.perf_counter() - start

    return way


def time_calls(ways: Mapping[str, Way]) -> dict[str, Result]:
    """Time each way in every round; the rounds have different orders."""
    times = {name: _calls_in_a_slice(way) for name, way in ways.items()}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with frozen():
        for turn in range(_ROUNDS):
            for name in _order(list(ways), turn):
                seconds[name].append(ways[name](times[name]) / times[name])
    return _summarise(seconds)


def _summarise(seconds: Mapping[str, list[float]]) -> dict[str, Result]:
    """Compare each way with every way, round by round."""
    return {
        name: Result(
            statistics.median(taken),
            {other: _ratio(taken, base) for other, base in seconds.items()},
        )
        for name, taken in seconds.items()
    }


def _ratio(taken: list[float], base: list[float]) -> Ratio:
    ratios = [one / other for one, other in zip(taken, base, strict=True)]
    return Ratio(*statistics.quantiles(ratios, n=4))


async def time_awaits(
    ways: Mapping[str, Callable[[], Awaitable[object]]], prepare: Callable[[], Awaitable[object]]
) -> dict[str, Result]:
    """Time each way once in every round, without the call of `prepare` before it."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        await prepare()
        await way()
    with frozen():
        for turn in range(_ROUNDS):
            for name in _order(list(ways), turn):
                await prepare()
                start = time.perf_counter()
                await ways[name]()
                seconds[name].append(time.perf_counter() - start)
    return _summarise(seconds)


def _order(names: list[str], turn: int) -> list[str]:
    """Order the ways of a turn, so that each follows each other one in some turn.

    A way finds the memory and the caches as the way before it has left them.
    """
    place = turn % len(names)
    rotated = names[place:] + names[:place]
    return rotated[::-1] if turn % 2 else rotated


def _calls_in_a_slice(way: Way) -> int:
    way(1)
    return max(1, round(_SLICE / max(way(3) / 3, 1e-8)))
