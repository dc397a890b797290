"""What something costs, in memory and in time of the processor's."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(size: int, seconds: float) -> Iterator[None]:
    """Hold what is done to fewer bytes at a time, and to fewer seconds."""
    tracemalloc.start()
    start = time.process_time()
    try:
        yield
        taken = time.process_time() - start
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size
    assert taken < seconds
