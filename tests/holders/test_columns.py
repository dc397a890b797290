"""Columns and scalars of Arrow, polars and pandas."""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from asyncpg_vector import HalfVector, InvalidTypeError, InvalidValueError, Vector
from asyncpg_vector.runtime import arrays
from asyncpg_vector.runtime.arrays import open_array, open_blocks
from tests.holders.stubs import Column, Dataset
from tests.spec_types import SpecType, each_dense_type

Rows = list[Any]
Make = Callable[[Rows], Any]


class Embedding(pa.ExtensionType):
    """An extension of a program's own."""

    def __init__(self) -> None:
        super().__init__(pa.list_(pa.float32()), "tests.embedding")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, *_: object) -> Embedding:
        return cls()


TENSOR = pa.fixed_shape_tensor(pa.float32(), [2])


def arrow(type_: Any) -> Make:
    return lambda rows: pa.array(rows, type_)


def sliced(type_: Any) -> Make:
    """A part of an array that begins in the middle of its memory."""
    return lambda rows: pa.array([[8, 9], None, *rows, [8, 9]], type_)[2:-1]


def tensors(rows: Rows) -> Any:
    return pa.ExtensionArray.from_storage(TENSOR, pa.array(rows, pa.list_(pa.float32(), 2)))


def extension(rows: Rows) -> Any:
    return pa.ExtensionArray.from_storage(Embedding(), pa.array(rows, pa.list_(pa.float32())))


def chunked(make: Make) -> Make:
    """A chunk for each row, and chunks without any."""
    return lambda rows: pa.chunked_array(
        [make(part) for row in rows for part in ([row], [])] or [make([])]
    )


FIXED, LISTS = pa.list_(pa.float32(), 2), pa.list_(pa.float32())
OF_ONE_SIZE: dict[str, Make] = {
    "fixed": arrow(FIXED),
    "sliced fixed": sliced(FIXED),
    "chunked fixed": chunked(arrow(FIXED)),
    "tensors": tensors,
    "chunked tensors": chunked(tensors),
    "polars.Array": lambda rows: pl.Series(rows, dtype=pl.Array(pl.Float32, 2)),
    "pandas of fixed": lambda rows: pd.Series(pa.array(rows, FIXED), dtype=pd.ArrowDtype(FIXED)),
}
OF_ANY_SIZE: dict[str, Make] = {
    "lists": arrow(LISTS),
    "sliced lists": sliced(LISTS),
    "chunked lists": chunked(arrow(LISTS)),
    "large lists": arrow(pa.large_list(pa.float64())),
    "list views": sliced(pa.list_view(pa.float32())),
    "large list views": arrow(pa.large_list_view(pa.float32())),
    "lists of halves": arrow(pa.list_(pa.float16())),
    "lists of uint8": arrow(pa.list_(pa.uint8())),
    "lists of int8": arrow(pa.list_(pa.int8())),
    "extension": extension,
    "polars.List": lambda rows: pl.Series(rows, dtype=pl.List(pl.Float64)),
    "sliced polars.List": lambda rows: pl.Series([[9], None, *rows], dtype=pl.List(pl.Float32))[2:],
    "polars.Object": lambda rows: pl.Series(rows, dtype=pl.Object),
    "pandas of lists": lambda rows: pd.Series(rows, dtype=object),
    "pandas of arrays": lambda rows: pd.Series(
        [None if row is None else np.array(row) for row in rows], dtype=object
    ),
    "pandas with NaN": lambda rows: pd.Series(
        [np.nan if row is None else tuple(row) for row in rows], dtype=object
    ),
}
COLUMNS = OF_ONE_SIZE | OF_ANY_SIZE
each_column = pytest.mark.parametrize("make", COLUMNS.values(), ids=COLUMNS)
each_column_of_lists = pytest.mark.parametrize("make", OF_ANY_SIZE.values(), ids=OF_ANY_SIZE)


@each_column
@each_dense_type
def test_a_column(type_: SpecType, make: Make) -> None:
    rows = [[1, 2], [3, 4], [5, 6]]
    cls = type_.value_class
    assert cls.from_matrix(make(rows)) == [*map(cls, rows)]


@each_column
@each_dense_type
def test_a_null_row_becomes_none(type_: SpecType, make: Make) -> None:
    cls = type_.value_class
    for rows in ([None, [1, 2], None, [3, 4]], [[1, 2], None], [None]):
        expected = [None if row is None else cls(row) for row in rows]
        assert cls.from_matrix(make(rows)) == expected


@each_column
def test_an_empty_column(make: Make) -> None:
    assert Vector.from_matrix(make([])) == []


@each_column
def test_a_null_element_is_named(make: Make) -> None:
    """Not as NaN, which NumPy would make of it."""
    if make is OF_ANY_SIZE["pandas of arrays"]:
        make = OF_ANY_SIZE["pandas of lists"]
    for rows in ([[1, 2], [3, None]], [None, [3, None]]):
        with pytest.raises(
            InvalidTypeError, match="^row 1: expected a number at index 1, got NoneType"
        ):
            Vector.from_matrix(make(rows))


@each_column
def test_a_faulty_element_is_named_by_its_row(make: Make) -> None:
    for rows in ([[1, 2], [3, 4], [5, 1e6]], [None, None, [5, 1e6]]):
        if make in {
            OF_ANY_SIZE[name] for name in ("lists of halves", "lists of uint8", "lists of int8")
        }:
            continue  # none of their numbers is out of range
        with pytest.raises(
            InvalidValueError, match="^row 9: expected a number that fits float16 at index 1"
        ):
            HalfVector._read_matrix(make(rows), 7)


@each_column_of_lists
def test_rows_of_other_sizes(make: Make) -> None:
    with pytest.raises(
        InvalidValueError, match="^row 8: expected 2 dimensions, as row 7 has, got 1$"
    ):
        Vector._read_matrix(make([[1, 2], [3]]), 7)
    with pytest.raises(
        InvalidValueError, match="^row 3: expected 2 dimensions, as row 1 has, got 3$"
    ):
        Vector.from_matrix(make([None, [1, 2], None, [3, 4, 5]]))
    with pytest.raises(
        InvalidValueError, match="expected 1 to 16000 dimensions for vector, got 0$"
    ):
        Vector.from_matrix(make([[1, 2], []]))


NO_ROWS = [
    (pa.array([1.0, 2.0]), "row 0: expected a sequence of numbers, got float 1.0"),
    (pl.Series([1.0, 2.0]), "row 0: expected a sequence of numbers, got float 1.0"),
    (pd.Series([1.0, 2.0]), "row 0: expected a sequence of numbers, got float 1.0"),
    (pa.array([b"12"]), r'row 0: expected numbers, got bytes .*; memoryview\(data\).cast\("f"\)'),
    (pa.array([["1"]]), "row 0: expected a number at index 0, got str '1'"),
    (pa.array([[[1.0]]]), "row 0: expected a number at index 0, got ndarray"),
    (pl.Series([[[1.0]]]), "row 0: expected a number at index 0, got ndarray"),
    (pl.Series([[[1.0]]], dtype=pl.Array(pl.Float32, (1, 1))), "row 0: expected numbers, got a nested"),
    (pa.table({"embedding": [[1.0]]}), "row 0: expected a number at index 0, got ndarray"),
    (pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((1, 2, 3))), r"shape \(1, 2, 3\)"),
    (pl.DataFrame({"a": [1.0, 2.0], "b": [3, None]}), "row 1: expected a number at index 1, got NoneType"),
    ({"a": [1]}, "expected a matrix, got dict"),
    ({1}, "expected a matrix, got set"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "message"), NO_ROWS, ids=lambda case: type(case).__name__)
def test_no_column_of_rows(column: Any, message: str) -> None:
    with pytest.raises(InvalidTypeError, match=message):
        Vector.from_matrix(column)


def test_nulls_alone() -> None:
    assert Vector.from_matrix(pa.nulls(2)) == [None, None]


def test_a_dictionary_of_rows() -> None:
    rows = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1]), pa.array([[1, 2], [3, 4]]))
    assert Vector.from_matrix(rows) == [Vector([3, 4]), Vector([1, 2]), Vector([3, 4])]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_frame_of_numbers_is_a_matrix(frame: Any) -> None:
    assert Vector.from_matrix(frame({"a": [1.0, 2.0], "b": [3, 4]})) == [
        Vector([1, 3]),
        Vector([2, 4]),
    ]


def test_other_sequences_of_rows() -> None:
    assert Vector.from_matrix(UserList([[1, 2], [3, 4]])) == [Vector([1, 2]), Vector([3, 4])]
    with pytest.raises(
        InvalidTypeError, match="^row 1: expected a sequence of numbers, got NoneType"
    ):
        Vector.from_matrix(UserList([[1, 2], None]))


@pytest.mark.parametrize(
    "name", ["fixed", "sliced fixed", "lists", "sliced lists", "tensors", "polars.Array"]
)
def test_no_copies(name: str) -> None:
    """Of rows that are not null, the memory of the column is read."""
    column = COLUMNS[name]([[1, 2], [3, 4]])
    (block,), (again,) = open_blocks(column), open_blocks(column)
    assert np.shares_memory(block, again)


SCALARS = {
    name: make
    for name, make in COLUMNS.items()
    if not name.startswith(("pandas", "sliced polars", "polars.Object"))
}
each_scalar = pytest.mark.parametrize("make", SCALARS.values(), ids=SCALARS)


@each_scalar
@each_dense_type
def test_a_row_of_a_column(type_: SpecType, make: Make) -> None:
    column, cls = make([[1, 2], [3, 4]]), type_.value_class
    assert [cls(row) for row in column] == [cls([1, 2]), cls([3, 4])]
    assert cls.from_matrix([*column]) == [cls([1, 2]), cls([3, 4])]
    assert type_.encode(column[1]) == cls([3, 4]).to_binary()
    assert open_array(column[1]) is not None


@each_scalar
def test_a_row_with_a_null(make: Make) -> None:
    row = make([[1, 2], [3, None]])[1]
    for take in (Vector, Vector.encode):
        with pytest.raises(
            InvalidTypeError, match="^expected a number at index 1, got NoneType None$"
        ):
            take(row)


ARROWS_SCALARS = {name: make for name, make in SCALARS.items() if "polars" not in name}


@pytest.mark.parametrize("make", ARROWS_SCALARS.values(), ids=ARROWS_SCALARS)
def test_a_null_scalar(make: Make) -> None:
    null = make([[1, 2], None])[1]
    with pytest.raises(
        InvalidTypeError, match="^expected numbers, got .*, which is null: write None for NULL$"
    ):
        Vector(null)
    with pytest.raises(InvalidTypeError, match="^row 0: expected numbers, .* which is null"):
        Vector.from_matrix([null])


def test_a_scalar_of_another_kind() -> None:
    matrices = pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((1, 2, 3)))
    with pytest.raises(
        InvalidTypeError, match=r"expected one dimension, got an array of shape \(2, 3\)"
    ):
        Vector(matrices[0])
    with pytest.raises(InvalidTypeError, match="expected a sequence of numbers, got DoubleScalar"):
        Vector(pa.scalar(1.0))


NUMBERS: dict[str, Callable[[Rows], Any]] = {
    "arrow": lambda row: pa.array(row, pa.float32()),
    "arrow of halves": lambda row: pa.array(row, pa.float16()),
    "arrow of uint8": lambda row: pa.array(row, pa.uint8()),
    "arrow of bools": lambda row: pa.array(row, pa.uint8()).cast(pa.bool_()),
    "chunked": lambda row: pa.chunked_array([[number] for number in row], pa.float32()),
    "polars": lambda row: pl.Series(row, dtype=pl.Float32),
    "polars of int8": lambda row: pl.Series(row, dtype=pl.Int8),
    "pandas": lambda row: pd.Series(row, dtype="float64" if None in row else "float32"),
    "pandas of objects": lambda row: pd.Series(row, dtype=object),
    "pandas.Float32": lambda row: pd.Series(row, dtype="Float32"),
    "pandas.Int8": lambda row: pd.Series(row, dtype="Int8"),
    "pandas of Arrow": lambda row: pd.Series(row, dtype="float[pyarrow]"),
    "pandas.Index": pd.Index,
}


@pytest.mark.parametrize("make", NUMBERS.values(), ids=NUMBERS)
@each_dense_type
def test_a_column_of_numbers_is_a_row(type_: SpecType, make: Make) -> None:
    cls = type_.value_class
    assert cls(make([1, 0, 1])) == cls([1, 0, 1])
    assert cls.from_matrix([make([1, 0]), make([0, 1])]) == [cls([1, 0]), cls([0, 1])]


@pytest.mark.parametrize("make", NUMBERS.values(), ids=NUMBERS)
def test_a_null_among_numbers_is_named(make: Make) -> None:
    if make in {NUMBERS["pandas"], NUMBERS["pandas.Index"]}:
        return  # pandas itself makes NaN of it
    with pytest.raises(
        InvalidTypeError, match="^expected a number at index 1, got (NoneType|NAType)"
    ):
        Vector(make([1, None]))


def test_no_row_of_numbers() -> None:
    dates = pd.Series(["2026-01-01"], dtype="datetime64[ns]")
    for row in (dates, pa.array(dates), pl.Series(dates)):
        with pytest.raises(
            InvalidTypeError, match=r"expected numbers, got an array of datetime64\[ns\]"
        ):
            Vector(row)


def test_a_column_of_a_dataset() -> None:
    """tests/holders/test_datasets.py has real ones."""
    table = pa.table({"embedding": pa.array([[1, 2], None], LISTS), "id": [1, 2]})
    rows = [[1, 2], [3, 4]]
    vectors = [Vector([1, 2]), Vector([3, 4])]
    assert Vector.from_matrix(Column(Dataset(table), "embedding")) == [vectors[0], None]
    for formatted, expected in (
        (rows, vectors),
        (np.array(rows), vectors),
        ([[1, 2], None], [vectors[0], None]),
        (pd.Series([[1, 2], None]).to_numpy(), [vectors[0], None]),
        (pl.Series([[1, 2], None]), [vectors[0], None]),
    ):
        column = Column(Dataset(table, "of any kind", formatted), "embedding")
        assert Vector.from_matrix(column) == expected
        assert Vector.from_matrix(Column(column, "nested")) == expected


def test_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Series of polars is then a list. polars itself would panic."""

    def import_numpy() -> Any:
        raise ModuleNotFoundError("No module named 'numpy'")

    monkeypatch.setattr(arrays, "loaded_numpy", lambda: None)
    monkeypatch.setattr(arrays, "import_numpy", import_numpy)
    monkeypatch.setattr(pl.Series, "to_numpy", None)
    assert Vector(pl.Series([1.0, 2.0])) == Vector([1, 2])
    assert Vector.from_matrix(pl.Series([[1.0], None])) == [Vector([1]), None]
