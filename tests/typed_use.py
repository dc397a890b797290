"""Code of users that mypy and pyright have to accept: `make check` type-checks it, nothing runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector, register_vector
from asyncpg_vector.sqlalchemy import register_engine
from tests.integrations.models import Document, Item, Note

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


def dense(array: NDArray[np.float64]) -> None:
    """The class of a value determines the types of its elements, slices, lists and arrays."""
    value = Vector([1, 2.5])
    assert_type(value[0], float)
    assert_type(value[1:], Vector)
    assert_type(value.to_list(), "list[float]")
    assert_type(value.to_numpy(), "NDArray[np.float32]")
    assert_type(HalfVector(array).to_numpy(), "NDArray[np.float16]")
    assert_type(HalfVector(value), HalfVector)
    assert_type(Vector.from_float_base64("AACAPw=="), Vector)


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
        nearest = select(Item).order_by(Item.vector.l2_distance([1, 2, 3])).limit(5)
        for found in await session.scalars(nearest):
            assert_type(found, Item)


def fields(document: Document) -> None:
    """A field has the type of its value class."""
    assert_type(document.embedding, Vector)
    assert_type(document.half, HalfVector)
    assert_type(document.sparse, "SparseVector | None")
