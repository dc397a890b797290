"""Lets allocations fail, one after the other, in a process of its own.

`python -m tests.no_memory TYPE` makes each call of `direct_calls_of`, once for each allocation that fails in
it. A call has to raise MemoryError, to return what it returns otherwise, or to leave it to Python. It prints
the number of calls.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from asyncpg_vector.runtime import Codec, accelerate
from tests.kernel_calls import direct_calls_of
from tests.spec_types import SpecType, type_named

ALLOCATIONS = 40
"""The first allocations of a call."""
LEFT_TO_PYTHON = NotImplemented, None
"""What the encoder and the decoder of `silence_python` return, and what other functions return."""


def main(sql_name: str) -> None:
    """Print the number of calls; raise at the first that does something else."""
    allocator: Any = import_module("_testcapi")
    type_ = type_named(sql_name)
    silence_python(type_)
    gc.disable()  # a collection would meet the failing allocator too
    count = 0
    for function in direct_calls_of(type_):
        expected = [outcome(function) for _ in range(3)][-1]  # after caches are filled
        for failing in range(ALLOCATIONS):
            allocator.set_nomemory(failing, failing + 1)
            found = outcome(function, allocator.remove_mem_hooks)
            count += 1
            is_allowed = found is MemoryError or found in LEFT_TO_PYTHON or found == expected
            assert is_allowed, (function, failing, found, expected)
    print(count)


def silence_python(type_: SpecType) -> None:
    """Give the kernel another encoder and decoder, which need no memory.

    Several Pythons crash by themselves if Python's code finds no memory.
    """
    cls = type_.value_class
    cls.codec = Codec(object().__eq__, object().__eq__)
    accelerate(cls)


def outcome(function: Callable[[], Any], after: Callable[[], None] = int) -> Any:
    """Return what a call returns, or the class of the error that it raises; do something after the call."""
    try:
        found = function()
    except MemoryError:  # NumPy's is a subclass
        found = MemoryError
    except Exception as error:  # noqa: BLE001  # of any other kind
        found = type(error)
    after()
    return found.tolist() if hasattr(found, "dtype") else found


if __name__ == "__main__":
    main(sys.argv[1])
