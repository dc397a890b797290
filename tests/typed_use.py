"""Code of users that mypy and pyright have to accept: `make check` type-checks it, nothing runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import asyncpg
import pgvector
from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from asyncpg_vector import (
    Bit,
    HalfVector,
    SearchSettings,
    SparseVector,
    Vector,
    register_vector,
    search_settings,
    server_settings,
)
from asyncpg_vector.sqlalchemy import (
    binary_quantize,
    cosine_distance,
    hamming_distance,
    l2_distance,
    l2_normalize,
    max_sim,
    register_engine,
    subvector,
    vector_dims,
    vector_index,
)
from asyncpg_vector.sqlalchemy import search_settings as sqlalchemy_settings
from tests.integrations.models import Document, Item, Note


class Column:
    """A column of a library."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> object:
        return None


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


async def pools_and_connections(dsn: str) -> None:
    """create_pool takes register_vector as `init`; register_vector takes a connection or a proxy."""
    async with asyncpg.create_pool(dsn, init=register_vector) as pool, pool.acquire() as proxy:
        assert_type(await register_vector(proxy), "list[str]")
    conn = await asyncpg.connect(dsn)
    assert_type(await register_vector(conn), "list[str]")
    await register_vector(conn, "extensions", types=("vector", "bit"), returns="list")
    await register_vector(conn, returns=Vector.to_json)
    await register_vector(conn, returns={"vector": "numpy", "halfvec": len})
    await register_vector(conn, types="all", returns={Vector: "text", SparseVector: "list"})
    await register_vector(conn, returns="tuple")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    await register_vector(conn, returns={"vector": "tuple"})  # type: ignore[dict-item]  # pyright: ignore[reportCallIssue, reportArgumentType]


def dense(array: NDArray[np.float64]) -> None:
    """The class of a value determines the types of its elements, slices, lists and arrays."""
    value = Vector([1, 2.5])
    assert_type(value[0], float)
    assert_type(value[1:], Vector)
    assert_type(value.to_list(), "list[float]")
    assert_type(value.to_numpy(), "NDArray[np.float32]")
    assert_type(HalfVector(array).to_numpy(), "NDArray[np.float16]")
    assert_type(HalfVector(value), HalfVector)
    assert_type(Vector(pgvector.Vector([1])), Vector)
    assert_type(Vector.from_float_base64("AACAPw=="), Vector)
    assert_type(next(Vector.iter_matrix(array)), Vector | None)


def matrices(array: NDArray[np.float64], column: Column) -> None:
    """Only a column may have null rows."""
    assert_type(Vector.from_matrix(array), list[Vector])
    assert_type(Vector.from_matrix([array, [1, 2], Vector([1])]), list[Vector])
    assert_type(Vector.from_matrix(column), "list[Vector | None]")


def sparse(array: NDArray[np.float64]) -> None:
    """A dict needs dimensions, and a row does not."""
    value = SparseVector({0: 1, 4: 2.5}, 5)
    assert_type(value.to_dict(), "dict[int, float]")
    assert_type(SparseVector(array).values(), "list[float]")
    assert_type(SparseVector.from_coo([4, 0], [2.5, 1], 5), SparseVector)
    SparseVector({0: 1})  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # no dimensions


def bits(flags: NDArray[np.bool_]) -> None:
    """Bits are made from digits, bools, bytes, and arrays of bools."""
    for value in (Bit("101"), Bit([True, False]), Bit(b"\xff"), Bit(flags)):
        assert_type(value.to_list(), "list[bool]")
        assert_type(value.to_numpy(), "NDArray[np.bool_]")
        assert_type(value.to_bytes(), bytes)
    assert_type(Bit.to_matrix(Bit.from_matrix(flags)), "NDArray[np.bool_]")


def packed_bits(
    unsigned: NDArray[np.uint8], signed: NDArray[np.int8], api: list[list[int]]
) -> None:
    """Packed bits are read from bytes and numbers of either kind."""
    for value in (Bit.from_packed(b"\x4d"), Bit.from_packed(unsigned[0], length=7)):
        assert_type(value, Bit)
    assert_type(Bit.from_packed_matrix(signed, signed=True), list[Bit])
    assert_type(Bit.from_packed(memoryview(b"\x4d")), Bit)
    assert_type(Bit.to_packed_matrix(Bit.from_packed_matrix(api, signed=True)), "NDArray[np.uint8]")


def search_by_index(conn: asyncpg.Connection[asyncpg.Record]) -> None:
    """Settings are typed by their names, and so are the options of each index method."""
    settings: SearchSettings = {"hnsw.ef_search": 100, "hnsw.iterative_scan": "strict_order"}
    assert_type(server_settings(settings), "dict[str, str]")
    search_settings(conn, {"ivfflat.probes": 10, "vchordrq.probes": [10, 100]})
    server_settings({"hnsw.ef_serch": 100})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
    server_settings({"hnsw.ef_search": "100"})  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]
    server_settings({"ivfflat.iterative_scan": "strict_order"})  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType]
    vector_index("i", "v", metric="l2", m=16, postgresql_where=Item.id > 5)
    vector_index("i", "v", metric="l2", using="ivfflat", lists=100)
    vector_index("i", "v", metric="l2", using="vchordrq", lists=[100], residual_quantization=True)
    vector_index("i", "v", metric="l2", lists=100)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    vector_index("i", "v", metric="l2", m="16")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    vector_index("i", "v", metric="l2", using="hsnw")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


def expressions(core: Table) -> None:
    """Functions are typed by the types that have them, for attributes of SQLAlchemy and SQLModel."""
    for column in (Item.vector, Note.embedding, Item.halfvec, core.c.embedding):
        assert_type(cosine_distance(column, [1, 2, 3]), ColumnElement[float])
    for field in (Document.embedding, Document.half, Document.sparse):
        assert_type(l2_distance(field, [1, 2, 3]), ColumnElement[float])
    assert_type(hamming_distance(Item.bit, "101"), ColumnElement[float])
    assert_type(max_sim(Item.vectors, [[1, 2, 3]]), ColumnElement[float])
    assert_type(l2_normalize(Note.embedding), ColumnElement[Vector])
    assert_type(l2_normalize(Document.half), ColumnElement[HalfVector])
    assert_type(binary_quantize(Item.vector), ColumnElement[Bit])
    assert_type(hamming_distance(binary_quantize(Item.vector), "101"), ColumnElement[float])
    assert_type(vector_dims(subvector(Note.embedding, 1, 2)), ColumnElement[int])
    subvector(Note.embedding, Item.id, 2)
    vector_index("i", "v", metric="kosine")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    cosine_distance(Item.bit, "101")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    hamming_distance(Document.embedding, "101")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    vector_dims(Item.sparsevec)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    max_sim(Item.vector, [[1, 2, 3]])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    cosine_distance(Item.id, [1, 2, 3])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def models(url: str) -> None:
    """An attribute has the type of its value class, and so has a column in a query."""
    engine = create_async_engine(url)
    register_engine(engine, "extensions", types=("vector", "bit"), returns="numpy")
    async with AsyncSession(engine) as session:
        item = Item(vector=Vector([1, 2, 3]), bits=[Bit("101"), None])
        assert_type(item.vector, "Vector | None")
        assert_type(item.bits, "list[Bit | None] | None")
        for vector in await session.scalars(select(Note.embedding)):
            assert_type(vector, Vector)
        async with sqlalchemy_settings(session, {"hnsw.ef_search": 100}):
            pass
        nearest = select(Item).order_by(Item.vector.l2_distance([1, 2, 3])).limit(5)
        for found in await session.scalars(nearest):
            assert_type(found, Item)


def fields(document: Document) -> None:
    """A field has the type of its value class."""
    assert_type(document.embedding, Vector)
    assert_type(document.half, HalfVector)
    assert_type(document.sparse, "SparseVector | None")
