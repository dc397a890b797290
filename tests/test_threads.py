"""Values that threads share: what one thread makes of them, all do, from the first moment on."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from tests.processes import run_python
from tests.spec_types import ROOT, SpecType, each_type

THREADS = 16
ROUNDS = 20


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


def use_in_threads(type_: SpecType, value: Any, other: Any) -> list[list[Any]]:
    barrier = Barrier(THREADS)

    def work(_: int) -> list[list[Any]]:
        barrier.wait()
        return [use(type_, value, other) for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        return [results for rounds in pool.map(work, range(THREADS)) for results in rounds]


def pair(type_: SpecType) -> tuple[Any, Any]:
    return tuple(type_.value_class([*numbers, 1] * 40) for numbers in ([0, 1], [1, 0]))


def check(type_: SpecType) -> None:
    shared = use_in_threads(type_, *pair(type_))
    alone = use(type_, *pair(type_))
    assert len(shared) == THREADS * ROUNDS
    for results in shared:
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
        "assert 'numpy' not in sys.modules; sys.setswitchinterval(1e-5)\n"
        "for type_ in TYPES: check(type_)",
    )
