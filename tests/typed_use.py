"""What users write, for mypy and pyright to accept: `make check` reads this, nothing runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from typing_extensions import assert_type

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector, register_vector

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
