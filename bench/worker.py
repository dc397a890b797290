"""Times this package in Python alone, in a process of its own.

The package chooses its implementation when it is imported, so that one process has one of them.
`python -m bench.worker DIMENSIONS` reads lines from its input: the number of calls, and the name
of one of `bench.offline`'s operations. It answers each line with the seconds of the calls.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import IO, TYPE_CHECKING, Self

from asyncpg_vector._native import implementation
from bench.offline import offline
from bench.peers import OURS, ROOT
from bench.timing import frozen, repeat

if TYPE_CHECKING:
    from bench.timing import Way

__all__ = ["PYTHON_ALONE", "Worker"]

PYTHON_ALONE = {"ASYNCPG_VECTOR_IMPL": "python"}
"""The environment in which the package does without its kernel."""


class Worker:
    """The process, seen from the benchmark's own; a context manager, which ends it."""

    def __init__(self, dimensions: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", str(dimensions)],
            cwd=ROOT,
            env={**os.environ, **PYTHON_ALONE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.implementation = self._read()  # once it has made its operations, which takes a while

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # the end of its input ends it

    def way(self, operation: str) -> Way:
        """Return the way in which the process does an operation."""
        return partial(self._time, operation)

    def _time(self, operation: str, times: int) -> float:
        requests = _require(self._process.stdin)
        requests.write(f"{times} {operation}\n")
        requests.flush()
        return float(self._read())

    def _read(self) -> str:
        line = _require(self._process.stdout).readline()
        if not line:
            raise EOFError("expected an answer of the worker, which has ended; see its traceback")
        return line.strip()


def _require(pipe: IO[str] | None) -> IO[str]:
    """Return a pipe of a process that was started with it."""
    assert pipe is not None
    return pipe


def main(dimensions: int) -> None:
    """Time the operations that the input names, until it ends."""
    ways = {operation: repeat(calls[OURS]) for operation, calls in offline(dimensions)}
    print(implementation, flush=True)
    with frozen():
        for line in sys.stdin:
            times, _, operation = line.rstrip("\n").partition(" ")
            print(ways[operation](int(times)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
