"""Loads a file that is larger than the memory it may take, and reads it back, in a process of its own.

`python -m tests.flat_memory DSN FOLDER ROWS` writes two files into the folder: a matrix, and the
matrix that comes back from the server. In between, the process may take `ROOM` bytes of memory more
than it has at the start. Pages of files do not count: the system takes them back when it needs them.
It prints in JSON how many rows differ, the megabytes of memory that it took at most, and what becomes
of the values of all rows at once.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import psutil

from asyncpg_vector import Vector, register_vector

DIMENSIONS = 256
BLOCK = 4096
ROOM = 48 << 20


async def main(dsn: str, folder: Path, rows: int) -> None:
    matrix = write(folder / "in", rows)
    back = np.memmap(folder / "out", "f4", "w+", shape=matrix.shape)
    conn = await asyncpg.connect(dsn)
    await register_vector(conn)
    table = f"CREATE UNLOGGED TABLE larger (id int PRIMARY KEY, embedding vector({DIMENSIONS}))"
    await conn.execute(f"DROP TABLE IF EXISTS larger; {table}")
    before = own_memory()
    resource.setrlimit(resource.RLIMIT_DATA, (before + ROOM, resource.RLIM_INFINITY))
    taken: list[int] = []
    records = zip(range(rows), Vector.iter_matrix(matrix), strict=True)
    await conn.copy_records_to_table("larger", records=watch(records, taken))
    await read(conn, back, taken)
    await conn.execute("DROP TABLE larger")
    await conn.close()
    report = {
        "rows that differ": sum(map(compare, split(matrix), split(back))),
        "MB": (max(taken) - before) >> 20,
        "all at once": try_at_once(matrix),
    }
    sys.stdout.write(json.dumps(report))


def write(path: Path, rows: int) -> Any:
    """Write a matrix of random numbers, and open it for reading."""
    random = np.random.default_rng(20261129)
    matrix = np.memmap(path, "f4", "w+", shape=(rows, DIMENSIONS))
    for block in split(matrix):
        random.standard_normal(dtype="f4", out=block)
    return np.memmap(path, "f4", "r", shape=matrix.shape)


def split(matrix: Any) -> Iterable[Any]:
    return (matrix[start : start + BLOCK] for start in range(0, len(matrix), BLOCK))


def compare(one: Any, other: Any) -> int:
    """Count the rows whose bits differ."""
    return int((one.view("u4") != other.view("u4")).any(axis=1).sum())


async def read(conn: asyncpg.Connection, matrix: Any, taken: list[int]) -> None:
    """Fill a matrix with the rows of the table, a block at a time."""
    async with conn.transaction():
        cursor = await conn.cursor("SELECT embedding FROM larger ORDER BY id")
        start = 0
        while rows := await cursor.fetch(BLOCK):
            matrix[start : start + len(rows)] = Vector.to_matrix(rows)
            start += len(rows)
            taken.append(own_memory())


def watch(records: Iterable[Any], taken: list[int]) -> Iterator[Any]:
    """Note the memory at each block of records."""
    for number, record in enumerate(records):
        if number % BLOCK == 0:
            taken.append(own_memory())
        yield record


def own_memory() -> int:
    """Return the bytes that Linux counts for the limit: writable memory that no file holds."""
    data: int = psutil.Process().memory_info().data
    return data


def try_at_once(matrix: Any) -> str:
    """Make all values, and return the name of the error."""
    try:
        Vector.from_matrix(matrix)
    except MemoryError as error:
        return type(error).__name__
    return "no error"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
