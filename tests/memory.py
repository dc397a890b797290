"""Measures the memory that encoding, decoding and errors leave behind, in a process of its own.

`python -m tests.memory TYPE CALLS` makes a tenth of CALLS unmeasured, then CALLS in five rounds. It
prints the median growth of a round in JSON: Python's memory blocks, which are counted exactly, and KiB
of the resident set, which has all other memory too. A leak adds to each round; occasional allocations
of the system add to few.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from statistics import median_low
from typing import Any

import psutil

from tests import kernel_calls
from tests.spec_types import SpecType, type_named

ROUNDS = 5


def calls(type_: SpecType) -> dict[str, Callable[[int], Any]]:
    """The functions that must leave nothing behind; each takes a number, from which its value follows."""

    def encode(n: int) -> Any:
        numbers = _numbers(type_, n)
        if n % 3 == 0:
            return type_.encode(numbers)
        value = type_.value_class(numbers)
        return type_.encode(value if n % 3 == 1 else value.to_text())

    wires = [type_.encode(_numbers(type_, n)) for n in range(1000)]

    def decode(n: int) -> Any:
        return type_.decode(wires[n % len(wires)]).to_list()

    anything = kernel_calls.calls_of(type_)

    def refuse_or_take(n: int) -> Any:
        kernel_calls.call(anything[n % len(anything)])

    return {"encode": encode, "decode": decode, "anything": refuse_or_take}


def _numbers(type_: SpecType, n: int) -> list[Any]:
    """Up to 16 numbers: bits, and for types of an extension also one number by n."""
    bits = [n >> place & 1 for place in range(1 + n % 15)]
    return [*bits, n % 400_000 / 7] if type_.model.extension else bits


def grow(call: Callable[[int], Any], numbers: range) -> tuple[int, int]:
    """The memory blocks and KiB that calls with these numbers add."""
    before = _memory()
    for n in numbers:
        call(n)
    after = _memory()
    return after[0] - before[0], after[1] - before[1]


def _memory() -> tuple[int, int]:
    gc.collect()
    return sys.getallocatedblocks(), psutil.Process().memory_info().rss // 1024


def main(sql_name: str, count: int) -> None:
    type_ = type_named(sql_name)
    grown = {}
    for name, call in calls(type_).items():
        grow(call, range(count // 10))
        starts = range(0, count, count // ROUNDS)
        rounds = [grow(call, range(start, start + starts.step)) for start in starts]
        grown[name] = [median_low(added) for added in zip(*rounds, strict=True)]
    sys.stdout.write(json.dumps(grown))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
