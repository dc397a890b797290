"""Limits the memory and the processor time of a block of code."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = 0.05
"""Seconds of the computation in `_slowness` on a machine of 2026."""
MOST_SLOWNESS = 10
"""The most slowness that is allowed for, so that a slow machine notices faults too."""


@contextmanager
def at_most(size: int, seconds: float) -> Iterator[None]:
    """Fail if the block allocates `size` bytes at a time, or takes `seconds` of a machine of 2026."""
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
    """Return the time of a fixed computation here, divided by that on a machine of 2026."""
    tracemalloc.start()
    start = time.process_time()
    for n in range(20_000):
        struct.unpack(">5f", struct.pack(">5f", *[float(n)] * 5))
    taken = time.process_time() - start
    tracemalloc.stop()
    return taken / USUAL
