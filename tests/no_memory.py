"""Lets allocations fail, one after the other, in a process of its own.

`python -m tests.no_memory TYPE` makes each call of `calls_of`, once for each allocation that fails in it. A
call has to raise MemoryError, or to return what it returns otherwise. It prints the number of calls.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tests.kernel_calls import calls_of
from tests.spec_types import type_named

ALLOCATIONS = 40
"""The first allocations of a call."""
OF_THE_KERNEL = 8
"""The allocations that the kernel's own may be among. Where Python or NumPy need more, another error may hide theirs."""


def main(sql_name: str) -> None:
    """Print the number of calls; raise at the first that does something else."""
    allocator: Any = import_module("_testcapi")
    gc.disable()  # a collection would meet the failing allocator too
    count = 0
    for function in calls_of(type_named(sql_name)):
        expected = [outcome(function) for _ in range(3)][-1]  # after caches are filled
        for failing in range(ALLOCATIONS):
            allocator.set_nomemory(failing, failing + 1)
            found = outcome(function, allocator.remove_mem_hooks)
            count += 1
            assert is_allowed(found, expected, failing), (function, failing, found, expected)
    print(count)


def is_allowed(found: Any, expected: Any, failing: int) -> bool:
    """Tell whether a call, one of whose allocations failed, did what it may do."""
    is_error = isinstance(found, type)
    is_refused = isinstance(expected, type)  # Python writes a message
    return (
        found == expected
        or found is MemoryError
        or (is_error and (is_refused or failing >= OF_THE_KERNEL))
    )


def outcome(function: Callable[[], Any], after: Callable[[], None] = int) -> Any:
    """Return what a call returns, or the class of the error that it raises; do something after the call."""
    try:
        found = function()
    except Exception as error:  # noqa: BLE001  # of any kind
        found = type(error)
    after()
    return found.tolist() if hasattr(found, "dtype") else found


if __name__ == "__main__":
    main(sys.argv[1])
