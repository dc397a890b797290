"""Values that threads share: what one thread makes of them, all do, from the first moment on."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.processes import run_python
from tests.spec_types import ROOT, SpecType, each_type

THREADS = 4
ROUNDS = 10


def use(type_: SpecType, value: Any, other: Any) -> list[Any]:
    """Everything that there is to do with a value, and what comes of it."""
    wire = type_.encode(value)
    return [
        wire,
        type_.decode(wire),
        type_.encode(value.to_text()),
        type_.encode(value.to_list()),
        type_.encode(value.to_numpy()),
        value == other,
        value == type_.value_class.from_text(value.to_text()),
        hash(value),
        str(value),
        repr(value),
        value.to_list(),
        value.to_numpy().tolist(),
        value.to_json(),
        pickle.loads(pickle.dumps(value)),
        {value: 1, other: 2}[value],
    ]


def use_in_threads(type_: SpecType, pairs: list[tuple[Any, Any]]) -> list[list[list[Any]]]:
    """What each thread gets of each pair, one beginning where another ends."""
    barrier = Barrier(THREADS)

    def work(thread: int) -> list[list[Any]]:
        order = pairs if thread % 2 else pairs[::-1]
        barrier.wait()
        rounds = [use(type_, *pair) for _ in range(ROUNDS) for pair in order]
        return rounds if thread % 2 else rounds[::-1]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-3)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(work, range(THREADS)))
    finally:
        sys.setswitchinterval(interval)


def make_pairs(type_: SpecType) -> list[tuple[Any, Any]]:
    one, two, three = (
        type_.value_class(numbers) for numbers in ([0, 1] * 40, [1, 0] * 40, [1, 1, 0] * 20)
    )
    return [(one, two), (two, one), (three, one)]


def check(type_: SpecType) -> None:
    threads = use_in_threads(type_, make_pairs(type_))
    alone = [use(type_, *pair) for pair in make_pairs(type_)] * ROUNDS
    assert len(threads) == THREADS
    for results in threads:
        assert results == alone


@each_type
def test_the_same_as_alone(type_: SpecType) -> None:
    check(type_)


def test_when_nothing_is_cached_yet() -> None:
    """In a process in which threads are the first to need NumPy and each cached function."""
    run_python(
        ROOT,
        "-c",
        "import sys; from tests.test_threads import check; from tests.spec_types import TYPES\n"
        "assert 'numpy' not in sys.modules\n"
        "for type_ in TYPES: check(type_)",
    )
