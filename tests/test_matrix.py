"""Matrices in and out: many values at once, with the results of one value at a time."""

from __future__ import annotations

from array import array
from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import (
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    SparseVector,
    Vector,
    register_vector,
)
from asyncpg_vector.runtime import slices
from tests.spec_types import SpecType, each_dense_type, numbers
from tests.test_any_input import as_objects
from tests.test_inputs import OnlyArray


def matrices(type_: SpecType) -> st.SearchStrategy[list[list[Any]]]:
    element = numbers(type_.model.element)
    return st.integers(1, 5).flatmap(
        lambda dimensions: st.lists(
            st.lists(element, min_size=dimensions, max_size=dimensions), min_size=1, max_size=5
        )
    )


def wires(values: list[Any]) -> list[bytes]:
    return [value.to_binary() for value in values]


@each_dense_type
@given(data=st.data())
def test_round_trip(type_: SpecType, data: st.DataObject) -> None:
    """Each row becomes the value that the constructor makes, and comes back with the same bits."""
    rows, cls = data.draw(matrices(type_)), type_.value_class
    values = [cls(row) for row in rows]
    dtype = np.dtype(type_.element_format.dtype)
    matrix = np.array(rows, dtype)
    for given_ in (
        rows,
        matrix,
        np.asfortranarray(matrix),
        matrix.astype(dtype.newbyteorder()),
        np.array(rows, object),
        np.repeat(matrix, 2, axis=1)[:, ::2],
        matrix.astype("f8") if type_.model.element.python_type == "float" else matrix,
        values,
    ):
        assert wires(cls.from_matrix(given_)) == wires(values)
    back = cls.to_matrix(values)
    assert (back.shape, back.dtype) == (matrix.shape, dtype)
    assert back.tobytes() == matrix.tobytes()
    assert back.flags.c_contiguous
    assert back.flags.writeable


def test_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are converted in blocks; errors count rows from the first block."""
    monkeypatch.setattr(slices, "_CACHE", 100)
    matrix = np.random.default_rng(20261122).normal(size=(101, 3)).astype("f4")
    values = Vector.from_matrix(matrix)
    assert wires(values) == [Vector(row).to_binary() for row in matrix]
    assert Vector.to_matrix(values).tobytes() == matrix.tobytes()
    matrix[100, 1] = np.nan
    with pytest.raises(InvalidValueError, match="row 100: expected a finite number at index 1"):
        Vector.from_matrix(matrix)


@pytest.mark.parametrize("matrix", [np.array([[1, 2], [3, np.nan]]), [[1, 2], [3, np.nan]]])
def test_a_block_that_is_not_the_first(matrix: Any) -> None:
    """The rows of a block are numbered from the whole matrix's first row."""
    with pytest.raises(InvalidValueError, match="^row 8: expected a finite number at index 1"):
        Vector._read_matrix(matrix, 7)
    with pytest.raises(InvalidValueError, match="^row 8: expected 2 dimensions, as row 7 has"):
        Vector._read_matrix([[1, 2], [3]], 7)


@each_dense_type
def test_an_empty_matrix(type_: SpecType) -> None:
    assert type_.value_class.from_matrix([]) == []
    assert type_.value_class.from_matrix(np.array([])) == []
    assert type_.value_class.from_matrix(np.empty((0, 3))) == []
    nothing = type_.value_class.to_matrix([])
    assert (nothing.shape, nothing.dtype) == ((0, 0), type_.element_format.dtype)


ROWS = [[1.0, 2.0], [3.0, 4.0]]
MATRICES_OF_ROWS = [
    np.ma.masked_array(ROWS),
    [np.ma.masked_array(row) for row in ROWS],
    np.array(ROWS, object),
    OnlyArray(np.array(ROWS)),
    OnlyArray(np.array(ROWS, object)),
    np.array(ROWS).view(np.recarray),
    [HalfVector(row) for row in ROWS],
    (SparseVector(ROWS[0]), Vector(ROWS[1])),
    [array("f", row) for row in ROWS],
    [memoryview(array("d", row)) for row in ROWS],
    [np.float16(row) for row in ROWS],
    as_objects(ROWS),
]


@pytest.mark.parametrize("matrix", MATRICES_OF_ROWS, ids=lambda matrix: type(matrix).__name__)
@each_dense_type
def test_rows_of_every_class(type_: SpecType, matrix: Any) -> None:
    values = type_.value_class.from_matrix(matrix)
    assert wires(values) == wires([type_.value_class(row) for row in ROWS])


NO_MATRIX = [
    ([[1, 2], [3]], InvalidValueError, "row 1: expected 2 dimensions, as row 0 has, got 1"),
    ([[1, 2], [3, None]], InvalidTypeError, "row 1: expected a number at index 1, got NoneType"),
    ([[1, 2], [3, float("nan")]], InvalidValueError, "row 1: expected .* at index 1, got nan"),
    (np.array([[1, 2], [3, np.inf]]), InvalidValueError, "row 1: expected .* at index 1, got"),
    (np.array([[1, 2], ["1e400", 3]], "g"), InvalidValueError, "row 1: expected .* at index 0, got"),
    ([[1, 2], [3, "4"]], InvalidTypeError, "row 1: expected a number at index 1, got str '4'"),
    ([[1, 2], 3], InvalidTypeError, "row 1: expected a sequence of numbers, got int 3"),
    ([3, [1, 2], [1]], InvalidTypeError, "row 0: expected a sequence of numbers, got int 3"),
    ([[1, 2], None], InvalidTypeError, "row 1: expected a sequence of numbers, got NoneType"),
    ([[1, 2], [3, [4]]], InvalidTypeError, "row 1: expected a number at index 1, got list"),
    (np.array([["1"]]), InvalidTypeError, f"row 0: expected numbers, got an array of {np.dtype('U1')}"),
    ([1, 2], InvalidTypeError, "row 0: expected a sequence of numbers, got int 1"),
    (np.array([1, 2]), InvalidTypeError, r"expected two dimensions, got an array of shape \(2,\)"),
    (np.zeros((1, 1, 1)), InvalidTypeError, r"two dimensions, got an array of shape \(1, 1, 1\)"),
    (np.array(5), InvalidTypeError, r"expected two dimensions, got an array of shape \(\)"),
    (np.ma.array(5), InvalidTypeError, r"expected two dimensions, got an array of shape \(\)"),
    (np.array(None), InvalidTypeError, r"expected two dimensions, got an array of shape \(\)"),
    (5, InvalidTypeError, "expected a matrix, got int 5"),
    (np.ma.masked_array([[1.0, 2]], [[0, 1]]), InvalidTypeError, "row 0: expected .* at index 1, got None"),
    ([np.ma.masked_array([1.0, 2], [0, 1])], InvalidTypeError, "row 0: expected .* at index 1, got None"),
    ([bytearray(b"12"), bytearray(b"34")], InvalidTypeError, "row 0: expected numbers, got bytearray"),
    ([[1, 2], memoryview(b"12")], InvalidTypeError, "row 1: expected .*, got memoryview .* of format 'B'"),
    (memoryview(bytes(4)).cast("B", (2, 2)), InvalidTypeError, "expected a matrix, got memoryview"),
    (bytearray(), InvalidTypeError, r"expected a matrix, got bytearray bytearray\(b''\)"),
    (["[1,2]", [3, 4]], InvalidTypeError, r"row 0: expected numbers, got str .*; from_text\(\)"),
    ([SparseVector({0: 1}, 3), [1, 2]], InvalidValueError, "row 1: expected 3 dimensions, as row 0"),
    (np.zeros((1, 0)), InvalidValueError, "expected 1 to [0-9]+ dimensions"),
    (np.zeros((1, 70_000)), InvalidValueError, "expected 1 to [0-9]+ dimensions"),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "error", "message"), NO_MATRIX)
@each_dense_type
def test_no_matrix(type_: SpecType, matrix: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        type_.value_class.from_matrix(matrix)


def test_an_array_method_that_fails() -> None:
    class Broken:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            raise ValueError("out of memory on the device")

    for matrix, words in ((Broken(), "expected a matrix"), ([Broken()], "row 0: expected numbers")):
        with pytest.raises(
            InvalidTypeError, match=f"^{words}, got Broken.*out of memory on the dev"
        ):
            Vector.from_matrix(matrix)


NO_VALUES = [
    ([Vector([1]), Vector([1, 2])], InvalidValueError, "row 1: expected 1 dimensions, as row 0 has, got 2"),
    ([Vector([1]), None], InvalidTypeError, "row 1: expected a value, got None, which is NULL: leave such rows out"),
    ([HalfVector([1])], InvalidTypeError, "row 0: expected a Vector for vector, got a HalfVector"),
    ([5], InvalidTypeError, "row 0: expected a sequence of numbers, got int 5"),
    (5, InvalidTypeError, "expected values, got int 5"),
    (None, InvalidTypeError, "expected values, got NoneType"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "error", "message"), NO_VALUES)
def test_no_values(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Vector.to_matrix(values)


@pytest.mark.parametrize("returns", ["value", "list", "numpy"])
async def test_through_the_server(plain: asyncpg.Connection, returns: Any) -> None:
    """Records of one column become a matrix, with each form that a connection returns."""
    await register_vector(plain, returns=returns)
    await plain.execute("CREATE TEMP TABLE t (id serial, embedding vector(3))")
    matrix = np.random.default_rng(20261122).normal(size=(100, 3)).astype("f4")
    records = [(value,) for value in Vector.from_matrix(matrix)]
    await plain.copy_records_to_table("t", records=records, columns=["embedding"])
    rows = await plain.fetch("SELECT embedding FROM t ORDER BY id")
    assert Vector.to_matrix(rows).tobytes() == matrix.tobytes()
    assert Vector.to_matrix(iter(rows)).tobytes() == matrix.tobytes()
    wide = await plain.fetch("SELECT id, embedding FROM t ORDER BY id")
    for mixed, row in ((wide, 0), (rows + wide, 100)):
        with pytest.raises(
            InvalidTypeError,
            match=f"row {row}: expected one column, got id, embedding; write \\[row\\[.embedding",
        ):
            Vector.to_matrix(mixed)
    await plain.execute("INSERT INTO t (embedding) VALUES (NULL)")
    rows = await plain.fetch("SELECT embedding FROM t ORDER BY id")
    with pytest.raises(
        InvalidTypeError, match="row 100: expected a value, got None, which is NULL"
    ):
        Vector.to_matrix(rows)


async def test_text_of_a_connection_that_is_not_registered(plain: asyncpg.Connection) -> None:
    rows = await plain.fetch("SELECT '[1,2]'::vector UNION ALL SELECT '[3,4]'")
    assert Vector.to_matrix(rows).tolist() == [[1, 2], [3, 4]]
