"""What something costs, in memory and in time of the processor's."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = 0.05
"""Seconds that the computation of `_slowness` takes on a machine of 2026."""
MOST_SLOWNESS = 10
"""No more time than for this slowness is allowed, so that a slow machine notices faults too."""


@contextmanager
def at_most(size: int, seconds: float) -> Iterator[None]:
    """Hold what is done to fewer bytes at a time, and to fewer seconds of a machine of 2026's."""
    tracemalloc.start()
    start = time.process_time()
    try:
        yield
        taken = time.process_time() - start
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size
    assert taken < seconds or taken < seconds * min(_slowness(), MOST_SLOWNESS)


def _slowness() -> float:
    """Return how many times longer a fixed computation takes here than on a machine of 2026."""
    tracemalloc.start()
    start = time.process_time()
    for n in range(20_000):
        struct.unpack(">5f", struct.pack(">5f", *[float(n)] * 5))
    taken = time.process_time() - start
    tracemalloc.stop()
    return taken / USUAL
