"""Operations through a server, with the codec of each library and with one that does nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import numpy as np
import pgvector.asyncpg

from asyncpg_vector import Vector, register_vector
from bench.peers import FLOOR, OURS, PGVECTOR
from bench.peers import pgvector as peer
from bench.timing import Result, time_awaits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

__all__ = ["live", "reading", "writing"]

Ways: TypeAlias = "dict[str, Callable[[], Awaitable[object]]]"

Converters: TypeAlias = "dict[str, Callable[[list[Any]], object]]"

ROWS = 1_000


async def _register_floor(conn: asyncpg.Connection[Any]) -> None:
    def same(data: bytes) -> bytes:
        return data

    await conn.set_type_codec("vector", encoder=same, decoder=same, format="binary")


REGISTER: dict[str, Callable[[Any], Awaitable[object]]] = {
    OURS: register_vector,
    PGVECTOR: pgvector.asyncpg.register_vector,
    FLOOR: _register_floor,
}


async def live(dsn: str, dimensions: int) -> AsyncIterator[tuple[str, dict[str, Result]]]:
    """Time each operation; yield its name, and the result of each library."""
    connections = {name: await _connect(dsn, register) for name, register in REGISTER.items()}
    for_lists = await _connect(dsn, partial(register_vector, returns="list"))
    admin = await asyncpg.connect(dsn)
    await admin.execute(
        f"DROP TABLE IF EXISTS bench; CREATE UNLOGGED TABLE bench (v vector({dimensions}))"
    )

    async def empty() -> None:
        await admin.execute("TRUNCATE bench")

    async def nothing() -> None:
        pass

    try:
        matrix = np.random.default_rng(20261122).normal(size=(ROWS, dimensions)).astype(np.float32)
        for name, ways in writing(connections, matrix):
            yield f"live: {name}", await time_awaits(ways, empty)
        await empty()
        values = [(value,) for value in Vector.from_matrix(matrix)]
        await connections[OURS].copy_records_to_table("bench", records=values)
        for name, ways in reading(connections, for_lists):
            yield f"live: {name}", await time_awaits(ways, nothing)
        yield "live: register_vector", await _registration(dsn)
    finally:
        for conn in (admin, for_lists, *connections.values()):
            await conn.close()


def writing(connections: dict[str, Any], matrix: Any) -> Iterator[tuple[str, Ways]]:
    """Yield each operation that stores the rows of a matrix, and each library's call for it."""
    rows: list[Any] = matrix.tolist()
    values: dict[str, list[Any]] = {
        OURS: Vector.from_matrix(matrix),
        PGVECTOR: [peer.Vector(row) for row in matrix],
        FLOOR: [Vector(row).to_binary() for row in matrix],
    }
    lists = {OURS: rows, PGVECTOR: rows, FLOOR: values[FLOOR]}
    makers: dict[str, Callable[[], list[Any]]] = {
        OURS: partial(Vector.from_matrix, matrix),
        PGVECTOR: partial(list, matrix),
        FLOOR: partial(list, values[FLOOR]),
    }

    async def copy(name: str, make: Callable[[], list[Any]]) -> None:
        records = [(value,) for value in make()]
        await connections[name].copy_records_to_table("bench", records=records)

    async def insert(name: str, given: list[Any]) -> None:
        records = [(value,) for value in given]
        await connections[name].executemany("INSERT INTO bench VALUES ($1)", records)

    for kind, given in (("values", values), ("lists", lists)):
        yield f"COPY of {kind}", {name: partial(copy, name, given[name].copy) for name in given}
    yield "COPY of a matrix", {name: partial(copy, name, make) for name, make in makers.items()}
    yield "executemany of lists", {name: partial(insert, name, lists[name]) for name in lists}


def reading(connections: dict[str, Any], for_lists: Any) -> Iterator[tuple[str, Ways]]:
    """Yield each operation that fetches the rows, and each library's call for it.

    Args:
        connections: a connection for each library.
        for_lists: one that is registered with our ``returns="list"``.
    """

    async def fetch(conn: Any, convert: Callable[[list[Any]], object]) -> object:
        return convert(await conn.fetch("SELECT v FROM bench"))

    async def bind(name: str, parameter: Any) -> None:
        for _ in range(50):
            await connections[name].fetchval("SELECT $1::vector IS NULL", parameter)

    def to_lists(rows: list[Any]) -> object:
        return [row[0].to_list() for row in rows]

    def stack(rows: list[Any]) -> object:
        return np.stack([row[0].to_numpy() for row in rows])

    one: list[float] = np.random.default_rng(1).normal(size=1536).tolist()
    parameters = {OURS: one, PGVECTOR: one, FLOOR: Vector(one).to_binary()}
    lists: Converters = {OURS: to_lists, PGVECTOR: to_lists, FLOOR: list}
    fetches: dict[str, tuple[dict[str, Any], Converters]] = {
        "fetch to values": (connections, {OURS: list, PGVECTOR: list, FLOOR: list}),
        "fetch to lists": (connections, lists),
        'fetch with returns="list"': (
            {**connections, OURS: for_lists},
            {**lists, OURS: list},
        ),
        "fetch to a matrix": (
            connections,
            {OURS: Vector.to_matrix, PGVECTOR: stack, FLOOR: list},
        ),
    }
    for kind, (given, converters) in fetches.items():
        yield (
            kind,
            {name: partial(fetch, given[name], convert) for name, convert in converters.items()},
        )
    yield (
        "50 parameters, lists of 1536",
        {name: partial(bind, name, parameter) for name, parameter in parameters.items()},
    )


async def _registration(dsn: str) -> dict[str, Result]:
    """Time the registration of a new connection."""
    fresh: list[asyncpg.Connection[Any]] = []

    async def connect() -> None:
        for conn in fresh:
            await conn.close()
        fresh[:] = [await asyncpg.connect(dsn)]

    results = await time_awaits(
        {name: partial(_apply, register, fresh) for name, register in REGISTER.items()}, connect
    )
    await fresh[0].close()
    return results


async def _apply(register: Callable[[Any], Awaitable[object]], fresh: list[Any]) -> None:
    await register(fresh[0])


async def _connect(dsn: str, register: Callable[[Any], Awaitable[object]]) -> Any:
    conn = await asyncpg.connect(dsn)
    await register(conn)
    return conn
