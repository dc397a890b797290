"""Columns of Hugging Face's datasets."""

from __future__ import annotations

import numpy as np
import pytest
from datasets import Dataset, Features, List, Value

from asyncpg_vector import InvalidTypeError, Vector
from tests.spec_types import SpecType, each_dense_type

FORMATS = [None, "numpy", "torch", "jax", "pandas", "polars", "arrow"]
each_format = pytest.mark.parametrize("format_", FORMATS)


def dataset(rows: list[object], format_: str | None, length: int = -1) -> Dataset:
    features = Features({"embedding": List(Value("float32"), length=length), "id": Value("int64")})
    columns = {"embedding": rows, "id": [*range(len(rows))]}
    return Dataset.from_dict(columns, features=features).with_format(format_)


@each_format
@pytest.mark.parametrize("length", [-1, 2])
@each_dense_type
def test_a_column(type_: SpecType, format_: str | None, length: int) -> None:
    cls = type_.value_class
    rows = dataset([[1, 2], [3, 4], [5, 6]], format_, length)
    assert cls.from_matrix(rows["embedding"]) == [cls([1, 2]), cls([3, 4]), cls([5, 6])]
    assert cls.from_matrix(rows.select([2, 0])["embedding"]) == [cls([5, 6]), cls([1, 2])]
    assert [cls(row) for row in rows["embedding"]] == cls.from_matrix(rows["embedding"])


@each_format
def test_a_null_row(format_: str | None) -> None:
    rows = dataset([[1, 2], None, [3, 4]], format_)
    assert Vector.from_matrix(rows["embedding"]) == [Vector([1, 2]), None, Vector([3, 4])]


def test_a_transformed_column() -> None:
    """The transform is applied."""
    rows = dataset([[1, 2], [3, 4]], None)
    rows.set_transform(
        lambda batch: {"embedding": [np.array(row) * 2 for row in batch["embedding"]]}
    )
    assert Vector.from_matrix(rows["embedding"]) == [Vector([2, 4]), Vector([6, 8])]


def test_a_nested_column() -> None:
    rows = Dataset.from_dict({"of": [{"embedding": [1.0, 2.0]}, {"embedding": [3.0, 4.0]}]})
    assert Vector.from_matrix(rows["of"]["embedding"]) == [Vector([1, 2]), Vector([3, 4])]


def test_no_column_of_rows() -> None:
    rows = dataset([[1, 2]], None)
    with pytest.raises(InvalidTypeError, match="row 0: expected a sequence of numbers, got int 0"):
        Vector.from_matrix(rows["id"])
    with pytest.raises(InvalidTypeError, match="expected a matrix, got IterableColumn"):
        Vector.from_matrix(rows.to_iterable_dataset()["embedding"])
