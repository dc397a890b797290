"""Your own type: stores, fetches and searches int8 embeddings in binary.

    pip install "asyncpg_vector[codegen]"
    python -m asyncpg_vector.codegen types.toml --out own_types --sqlalchemy
    python search.py postgresql://… "compress a folder"

Needs this folder, and a database in which you are a superuser. `create.sql` creates the type in the
database. `types.toml` describes the type's payload. From `types.toml`, the generator writes the
package `own_types`. `--sqlalchemy` adds a column type, which this program does not need.

The embedding is feature hashing: each sequence of three letters adds 1 to a dimension, or
subtracts 1. Feature hashing needs no model, and finds words that look alike.
"""

from __future__ import annotations

import argparse
import asyncio
import zlib
from pathlib import Path

import asyncpg
from own_types import TinyVector

from asyncpg_vector import register_vector

DIMENSIONS = 256
TITLES = [
    "Compressing files and folders",
    "Dates, times and time zones",
    "Reading and writing CSV files",
    "Regular expressions",
    "Sending electronic mail",
    "Square roots and other functions of mathematics",
]


def embed(text: str) -> TinyVector:
    """Hash each sequence of three letters in a text to a dimension, and add them up."""
    counts = [0] * DIMENSIONS
    padded = f" {text.lower()} "
    for start in range(len(padded) - 2):
        digest = zlib.crc32(padded[start : start + 3].encode())
        counts[digest % DIMENSIONS] += 1 if digest >> 31 else -1
    length = sum(count * count for count in counts) ** 0.5
    return TinyVector([round(127 * count / length) for count in counts])


async def main(dsn: str, question: str) -> None:
    """Create the type and a table, fill and search the table, and roll everything back."""
    conn = await asyncpg.connect(dsn)
    transaction = conn.transaction()
    await transaction.start()

    await conn.execute((Path(__file__).parent / "create.sql").read_text())
    await register_vector(conn, types=[TinyVector])
    await conn.execute("CREATE TABLE titles (title text, embedding tinyvec)")

    first, *others = [(title, embed(title)) for title in TITLES]
    await conn.execute("INSERT INTO titles VALUES ($1, $2)", *first)
    await conn.copy_records_to_table("titles", records=others)

    query = "SELECT *, embedding <-> $1 AS distance FROM titles ORDER BY distance LIMIT 3"
    for row in await conn.fetch(query, embed(question)):
        print(f"{row['distance']:6.1f}  {row['title']}  {row['embedding']}")

    await transaction.rollback()
    await conn.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dsn", help="a database in which you are a superuser")
    parser.add_argument("question")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.dsn, arguments.question))
