"""Values that threads share, in a process whose threads are the first to use the package.

`python -m tests.threads TYPE` has threads call every method of a few values, and compares the results of
each thread with those of a thread by itself.
"""

from __future__ import annotations

import pickle
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from threading import Barrier, Thread
from typing import Any

from tests.spec_types import SpecType, type_named

THREADS = 16
ROUNDS = 20


def is_gil_enabled() -> bool:
    """Tell whether one thread at a time runs Python, as in all Pythons before 3.13."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def use(type_: SpecType, value: Any, other: Any) -> list[Any]:
    """The results of every operation on a value."""
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
    """The results of each thread for each pair; half of the threads take the pairs in reverse."""
    barrier = Barrier(THREADS)

    def work(thread: int) -> list[list[Any]]:
        order = pairs if thread % 2 else pairs[::-1]
        barrier.wait()
        rounds = [use(type_, *pair) for _ in range(ROUNDS) for pair in order]
        return rounds if thread % 2 else rounds[::-1]

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


def make_pairs(type_: SpecType) -> list[tuple[Any, Any]]:
    one, two, three = (
        type_.value_class(numbers) for numbers in ([0, 1] * 40, [1, 0] * 40, [1, 1, 0] * 20)
    )
    return [(one, two), (two, one), (three, one)]


def use_during_import(type_: SpecType) -> int:
    """Use a value while a thread imports NumPy; return the number of uses."""
    value = type_.value_class([0, 1] * 40)
    text, numbers, wire = value.to_text(), value.to_list(), value.to_binary()
    times = 0
    importing = Thread(target=import_module, args=["numpy"])
    importing.start()
    while importing.is_alive():
        assert value.to_text() == text
        assert type_.encode(text) == type_.encode(numbers) == wire
        times += 1
    return times


def main(sql_name: str) -> None:
    type_ = type_named(sql_name)
    assert "numpy" not in sys.modules, "expected the threads to be the first that need it"
    sys.setswitchinterval(1e-6)
    assert use_during_import(type_) > 10
    built_without_gil = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert is_gil_enabled() is not built_without_gil, "expected no import to turn the GIL on"
    threads = use_in_threads(type_, make_pairs(type_))
    alone = [use(type_, *pair) for pair in make_pairs(type_)] * ROUNDS
    assert len(threads) == THREADS
    for thread, results in enumerate(threads):
        assert results == alone, f"thread {thread} got something else than one by itself"


if __name__ == "__main__":
    main(sys.argv[1])
