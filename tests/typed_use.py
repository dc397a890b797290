"""What users write, for mypy and pyright to accept: `make check` reads this, nothing runs it."""

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
    """`init=register_vector` fits, and so does a connection of either kind."""
    async with asyncpg.create_pool(dsn, init=register_vector) as pool, pool.acquire() as proxy:
        assert_type(await register_vector(proxy), "list[str]")
    conn = await asyncpg.connect(dsn)
    assert_type(await register_vector(conn), "list[str]")
    await register_vector(conn, "extensions", types=("vector", "bit"), returns="list")


def dense(array: NDArray[np.float64]) -> None:
    """The class of a value tells the types of what is read out of it."""
    value = Vector([1, 2.5])
    assert_type(value[0], float)
    assert_type(value[1:], Vector)
    assert_type(value.to_list(), "list[float]")
    assert_type(value.to_numpy(), "NDArray[np.float32]")
    assert_type(HalfVector(array).to_numpy(), "NDArray[np.float16]")
    assert_type(HalfVector(value), HalfVector)
    assert_type(Vector.from_float_base64("AACAPw=="), Vector)


def sparse(array: NDArray[np.float64]) -> None:
    """A dict comes with its dimensions, and a row without."""
    value = SparseVector({0: 1, 4: 2.5}, 5)
    assert_type(value.to_dict(), "dict[int, float]")
    assert_type(SparseVector(array).values(), "list[float]")
    assert_type(SparseVector.from_coo([4, 0], [2.5, 1], 5), SparseVector)
    SparseVector({0: 1})  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]  # no dimensions


def bits(flags: NDArray[np.bool_]) -> None:
    """Digits, bools, bytes, arrays of bools."""
    for value in (Bit("101"), Bit([True, False]), Bit(b"\xff"), Bit(flags)):
        assert_type(value.to_list(), "list[bool]")
        assert_type(value.to_numpy(), "NDArray[np.bool_]")


async def models(url: str) -> None:
    """An attribute is of its value class, and a query of its columns' ones."""
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
    """A field is of its value class."""
    assert_type(document.embedding, Vector)
    assert_type(document.half, HalfVector)
    assert_type(document.sparse, "SparseVector | None")
