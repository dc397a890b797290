"""Loads 100,000 embeddings from a matrix and reads them back into one, in a process of its own.

`python -m bench.bulk WAY DSN` prints the rows a second, and the process's peak memory.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

import asyncpg
import numpy as np
import pgvector.asyncpg

from asyncpg_vector import Vector, register_vector
from bench.peers import OURS, PGVECTOR, PYTHON
from bench.worker import PYTHON_ALONE

ROWS, DIMENSIONS = 100_000, 384
WAYS: dict[str, dict[str, str]] = {OURS: {}, PYTHON: PYTHON_ALONE, PGVECTOR: {}}
"""The environment of each way's process."""


async def main(way: str, dsn: str) -> None:
    """Load and read in one of the `WAYS`, whose environment this process has."""
    ours = way != PGVECTOR
    matrix = np.random.default_rng(20261122).normal(size=(ROWS, DIMENSIONS)).astype(np.float32)
    before = _memory()
    conn = await asyncpg.connect(dsn)
    await (register_vector(conn) if ours else pgvector.asyncpg.register_vector(conn))
    await conn.execute("DROP TABLE IF EXISTS bulk; CREATE UNLOGGED TABLE bulk (v vector(384))")
    start = time.perf_counter()
    rows: list[Any] = Vector.from_matrix(matrix) if ours else list(matrix)
    await conn.copy_records_to_table("bulk", records=((row,) for row in rows))
    loaded = time.perf_counter()
    del rows
    records = await conn.fetch("SELECT v FROM bulk")
    if ours:
        back = Vector.to_matrix(records)
    else:
        back = np.stack([record[0].to_numpy() for record in records])
    read = time.perf_counter()
    assert back.tobytes() == matrix.tobytes()
    await conn.execute("DROP TABLE bulk")
    await conn.close()
    print(
        json.dumps(
            {
                "rows a second in": round(ROWS / (loaded - start)),
                "rows a second out": round(ROWS / (read - loaded)),
                "peak memory over the matrix's, MB": round(_memory() - before),
            }
        )
    )


def _memory() -> float:
    """Return the process's peak memory in MB; Linux counts it in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
