"""What something costs, in memory and in time of the processor's."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = 0.05
"""Seconds that a machine of 2026's takes for what tells how slow one is."""


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
    assert taken < seconds or taken < seconds * _slowness()


def _slowness() -> float:
    """Tell how often as long as on a machine of 2026's something takes here, and now."""
    tracemalloc.start()
    start = time.process_time()
    for n in range(20_000):
        struct.unpack(">5f", struct.pack(">5f", *[float(n)] * 5))
    taken = time.process_time() - start
    tracemalloc.stop()
    return taken / USUAL
