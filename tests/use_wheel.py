"""Uses the installed package, and nothing else of the project.

`python -I tests/use_wheel.py native` expects a wheel with the native kernel, and
`python -I tests/use_wheel.py python DSN` the pure wheel; with a DSN, it also searches there.
"""

from __future__ import annotations

import asyncio
import sys

import asyncpg

import asyncpg_vector
from asyncpg_vector import HalfVector, SparseVector, Vector, register_vector

expected, *servers = sys.argv[1:]
assert asyncpg_vector.__file__.startswith(sys.prefix), asyncpg_vector.__file__
assert asyncpg_vector.implementation == expected, asyncpg_vector.implementation

NUMBERS = [1.0, -2.5, 0.0]
WIRES = {
    Vector: "0003 0000 3f800000 c0200000 00000000",
    HalfVector: "0003 0000 3c00 c100 0000",
    SparseVector: "00000003 00000002 00000000 00000000 00000001 3f800000 c0200000",
}
for value_class, wire in WIRES.items():
    sent = value_class.codec.encode(NUMBERS)
    assert sent == bytes.fromhex(wire), sent.hex()
    fetched = value_class.codec.decode(sent)
    assert fetched.to_list() == NUMBERS
    assert value_class.from_text(fetched.to_text()) == value_class.from_binary(sent) == fetched
    try:
        value_class.codec.encode([float("nan")])
    except asyncpg_vector.InvalidValueError:
        pass
    else:
        raise AssertionError(value_class)


async def search(dsn: str) -> None:
    """Copy rows into a table, and find the nearest by an index."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "CREATE EXTENSION IF NOT EXISTS vector; SET enable_seqscan = off;"
        "CREATE TEMPORARY TABLE items (id int, embedding halfvec(3));"
        "CREATE INDEX ON items USING hnsw (embedding halfvec_l2_ops)"
    )
    assert "halfvec" in await register_vector(conn)
    rows = [(number, HalfVector([number, 0, 1])) for number in range(100)]
    await conn.copy_records_to_table("items", records=rows)
    query = "SELECT * FROM items ORDER BY embedding <-> $1 LIMIT 3"
    plan = await conn.fetch(f"EXPLAIN {query}", [41.75, 0, 1])
    assert any("Index Scan" in line[0] for line in plan), plan
    found = [tuple(row) for row in await conn.fetch(query, [41.75, 0, 1])]
    assert found == [rows[42], rows[41], rows[43]], found
    await conn.close()


for dsn in servers:
    asyncio.run(search(dsn))
done = "encodes, decodes and searches" if servers else "encodes and decodes"
print(f"Python {sys.version.split()[0]} {done} with the {expected} implementation")
