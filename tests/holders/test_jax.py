"""Arrays of JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import pytest

from asyncpg_vector import InvalidTypeError, Vector
from tests.spec_types import SpecType, each_dense_type


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float8_e4m3fn", "int8"])
@each_dense_type
def test_an_array(type_: SpecType, dtype: str) -> None:
    cls, matrix = type_.value_class, jnp.array([[1, 2], [3, 4]], dtype)
    expected = [cls([1, 2]), cls([3, 4])]
    assert (
        cls.from_matrix(matrix)
        == [cls(row) for row in matrix]
        == cls.from_matrix([*matrix])
        == expected
    )
    assert type_.encode(matrix[0]) == expected[0].to_binary()


def test_an_array_that_is_being_traced() -> None:
    def trace(array: Any) -> Any:
        with pytest.raises(
            InvalidTypeError, match="expected numbers, got .*, which its library fails"
        ):
            Vector(array)
        with pytest.raises(
            InvalidTypeError, match="expected a matrix, got .*, which its library fails"
        ):
            Vector.from_matrix(array)
        return array

    jax.jit(trace)(jnp.ones(2))


def test_a_deleted_array() -> None:
    array = jnp.ones(2)
    array.delete()
    with pytest.raises(
        InvalidTypeError, match="which its library fails to convert: Array has been deleted"
    ):
        Vector(array)
