"""Matrices that are larger than memory go in and out, a block at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import asyncpg
import numpy as np
import pytest

from asyncpg_vector import InvalidTypeError, InvalidValueError, Vector, VectorError
from asyncpg_vector.runtime import slices
from asyncpg_vector.runtime.rows import Rows
from tests.processes import UNMEASURED, run_python
from tests.spec_types import ROOT, TYPES, SpecType, each_dense_type

if TYPE_CHECKING:
    from tests.conftest import NewDatabase

BLOCK = 4
COUNT = 11


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "_BLOCK", BLOCK)


def numbers(count: int = COUNT) -> Any:
    return np.random.default_rng(20261129).normal(size=(count, 3)).astype("f4")


class Stored:
    """A matrix in a file, as of h5py or Zarr: it has a shape and slices, and reads what is asked."""

    def __init__(self, matrix: Any) -> None:
        self._matrix, self.shape, self.read = matrix, matrix.shape, []

    def __getitem__(self, rows: slice) -> Any:
        self.read.append(self._matrix[rows].shape[0])
        return self._matrix[rows]


class ByPlace(list[Any]):
    """A frame: its own slices go by labels, and those of ``iloc`` by places."""

    def __getitem__(self, _: Any) -> Any:
        return []

    @property
    def iloc(self) -> list[Any]:
        return [*self]


class Dataset:
    """A dataset of Hugging Face: the slices of its columns are lists, and lose what it knows."""

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix

    def select(self, rows: range) -> Dataset:
        return Dataset(self._matrix[rows.start : rows.stop])

    def __getitem__(self, name: str) -> Any:
        return DatasetColumn(self, name, self._matrix)


class DatasetColumn:
    format: ClassVar[dict[str, str]] = {"type": "numpy"}

    def __init__(self, source: Any, column_name: str, matrix: Any) -> None:
        self.source, self.column_name, self._matrix = source, column_name, matrix

    def __len__(self) -> int:
        return len(self._matrix)

    def __getitem__(self, rows: slice) -> Any:
        assert rows == slice(None)
        return self._matrix


class Whole:
    """A matrix without slices, such as a sparse tensor."""

    def __init__(self, matrix: Any) -> None:
        self._matrix, self.shape = matrix, matrix.shape

    def __getitem__(self, _: slice) -> Any:
        raise NotImplementedError("as_strided")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._matrix


def in_file(matrix: Any, folder: Path) -> Any:
    np.save(folder / "matrix.npy", matrix)
    return np.load(folder / "matrix.npy", mmap_mode="r")


HOLDERS: dict[str, Callable[[Any, Path], Any]] = {
    "ndarray": lambda matrix, _: matrix,
    "memmap": in_file,
    "list": lambda matrix, _: matrix.tolist(),
    "tuple of values": lambda matrix, _: (*map(Vector, matrix),),
    "shape and slices": lambda matrix, _: Stored(matrix),
    "iloc": lambda matrix, _: ByPlace(matrix),
    "column of a dataset": lambda matrix, _: Dataset(matrix)["embedding"],
    "column of a column": lambda matrix, _: DatasetColumn(matrix, "embedding", matrix),
    "no slices": lambda matrix, _: Whole(matrix),
    "rows after a conversion": lambda matrix, _: SimpleNamespace(tocsr=lambda: matrix),
    "blocks": lambda matrix, _: iter(np.split(matrix, [1, 1, 7])),
    "blocks of several kinds": lambda matrix, _: iter([matrix[:1], matrix[1:6].tolist(), matrix[6:]]),
    "generator of rows": lambda matrix, _: ([row] for row in matrix),
}  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, BLOCK, BLOCK + 1, COUNT])
@pytest.mark.parametrize("holder", HOLDERS)
@each_dense_type
def test_the_values_of_from_matrix(
    type_: SpecType, holder: str, count: int, tmp_path: Path
) -> None:
    cls, matrix = type_.value_class, numbers(count)
    values = [*cls.iter_matrix(HOLDERS[holder](matrix, tmp_path))]
    assert [value.to_binary() for value in values] == [cls(row).to_binary() for row in matrix]


OF_ROWS = [type_ for type_ in TYPES if issubclass(type_.value_class, Rows)]


@pytest.mark.parametrize("type_", OF_ROWS, ids=repr)
def test_every_layout(type_: SpecType) -> None:
    cls, matrix = type_.value_class, numbers() > 0
    values = [cls(row) for row in matrix]
    assert [*cls.iter_matrix(matrix)] == [*cls.iter_matrix(iter(np.split(matrix, [5])))] == values
    with pytest.raises(InvalidValueError, match="^row 11: expected 3 dimensions, as row 0 has, go"):
        [*cls.iter_matrix(iter([matrix, matrix[:, :2]]))]


def test_a_block_at_a_time() -> None:
    """Nothing is read before it is asked for, and the rows of a block with its first."""
    stored = Stored(numbers())
    values = Vector.iter_matrix(stored)
    assert stored.read == []
    for row in range(COUNT):
        next(values)
        assert stored.read == [BLOCK, BLOCK, COUNT - 2 * BLOCK][: row // BLOCK + 1]


def test_a_large_block_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(
        Vector, "_read_matrix", classmethod(lambda _, block, __: read.append(len(block)) or [])
    )
    assert [*Vector.iter_matrix(iter([numbers(), numbers(2)]))] == []
    assert read == [4, 4, 3, 2]


def changed(row: int, column: int, number: float) -> Any:
    matrix = numbers().astype("f8")
    matrix[row, column] = number
    return matrix


NO_MATRIX = [
    (lambda: changed(10, 1, np.nan), InvalidValueError, "row 10: expected a finite number at index 1, got nan"),
    (lambda: changed(5, 0, 1e39).tolist(), InvalidValueError, "row 5: expected a number that fits float32 at index 0, got 1e[+]39"),
    (lambda: iter(np.split(changed(10, 1, np.inf), [3])), InvalidValueError, "row 10: expected a finite .*"),
    (lambda: iter([numbers(), numbers(), [[1, "2"]]]), InvalidTypeError, "row 22: expected a number at index 1, got str '2'"),
    (lambda: [*numbers(6), [1, 2]], InvalidValueError, "row 6: expected 3 dimensions, as row 4 has, got 2"),
    (lambda: iter([numbers(6), [[1, 2]]]), InvalidValueError, "row 6: expected 3 dimensions, as row 0 has, got 2"),
    (lambda: iter([[], [[1, 2]], numbers(1)]), InvalidValueError, "row 1: expected 2 dimensions, as row 0 has, got 3"),
    (lambda: 5, InvalidTypeError, "expected a matrix, got int 5"),
    (lambda: iter([5]), InvalidTypeError, "expected a matrix, got int 5"),
    (lambda: {1: 2}, InvalidTypeError, "expected a matrix, got dict {1: 2}"),
    (lambda: "[[1]]", InvalidTypeError, "expected a matrix, got str .*"),
    (lambda: np.array(5), InvalidTypeError, r"expected two dimensions, got an array of shape \(\)"),
    (lambda: numbers()[0], InvalidTypeError, r"expected two dimensions, got an array of shape \(3,\)"),
    (lambda: iter(numbers()), InvalidTypeError, r"expected two dimensions, got an array of shape \(3,\)"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "error", "message"), NO_MATRIX)
def test_refused(make: Callable[[], Any], error: type[VectorError], message: str) -> None:
    with pytest.raises(error) as raised:
        [*Vector.iter_matrix(make())]
    assert re.fullmatch(message, str(raised.value))
    assert raised.type is error


def test_an_error_of_the_source() -> None:
    def blocks() -> Iterator[Any]:
        yield numbers()
        raise OSError("the file ends here")

    values = Vector.iter_matrix(blocks())
    assert len([next(values) for _ in range(COUNT)]) == COUNT
    with pytest.raises(OSError, match="the file ends here"):
        next(values)


async def test_a_copy_names_the_row(conn: asyncpg.Connection) -> None:
    """asyncpg raises the package's error as it is, and the server stores nothing."""
    await conn.execute("CREATE TEMP TABLE t (id int, embedding vector(3))")
    matrix = changed(10, 1, np.nan)
    with pytest.raises(InvalidValueError, match="^row 10: expected a finite number at index 1"):
        await conn.copy_records_to_table(
            "t", records=zip(range(COUNT), Vector.iter_matrix(matrix), strict=True)
        )
    with pytest.raises(InvalidValueError, match="^expected a finite number at index 1, got nan"):
        await conn.copy_records_to_table("t", records=enumerate(matrix))
    assert await conn.fetchval("SELECT count(*) FROM t") == 0
    blocks = iter(np.split(changed(10, 1, 0.5), [6]))
    await conn.copy_records_to_table("t", records=enumerate(Vector.iter_matrix(blocks)))
    assert await conn.fetchval("SELECT count(*) FROM t") == COUNT


ROWS = 131_072
"""Of 1 KB each."""


async def test_memory_is_flat(new_database: NewDatabase, tmp_path: Path) -> None:
    """A process goes on within a limit that its values, all at once, do not fit into."""
    dsn = await new_database()
    command = ("-m", "tests.flat_memory", dsn, str(tmp_path), str(ROWS))
    report = json.loads(run_python(ROOT, *command, **UNMEASURED))
    for name in ("in", "out"):
        (tmp_path / name).unlink()
    assert report["rows that differ"] == 0
    assert report["MB"] < 32
    assert report["all at once"] == "MemoryError"
