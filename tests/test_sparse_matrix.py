"""Sparse matrices in and out, and sparse rows of other libraries."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import asyncpg
import numpy as np
import pgvector
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from asyncpg_vector import InvalidTypeError, InvalidValueError, SparseVector, Vector
from asyncpg_vector.runtime import compressed, slices
from tests.needs import needs_pgvector, without_numpy
from tests.sparse_tensors import CompressedTensor, CoordinateTensor, HostTensor, tensors_of
from tests.spec_types import SpecType, each_sparse_type, numbers
from tests.test_inputs import OnlyArray
from tests.test_proportion import MEGABYTE, SECONDS, at_most

FORMATS = ["coo", "csr", "csc", "dok", "lil", "bsr", "dia"]
DENSE = [[0, 1.5, 0, -2, 0], [0, 0, 0, 0, 0], [3, 0, 0, 0, 0.25]]
EXPECTED = [
    SparseVector({1: 1.5, 3: -2}, 5),
    SparseVector({}, 5),
    SparseVector({0: 3, 4: 0.25}, 5),
]
MATRIX = sparse.csr_array(np.array(DENSE, "f4"))
NAN, INF = float("nan"), float("inf")


def wires(values: list[Any]) -> list[bytes]:
    return [value.to_binary() for value in values]


def csr(data: Any, columns: Any, pointers: Any, shape: tuple[int, ...]) -> Any:
    """Make a matrix of arrays, in any order."""
    return sparse.csr_array((np.array(data, "f8"), columns, pointers), shape=shape)


def with_room(matrix: Any) -> Any:
    """Give a matrix's arrays room for more entries, as SciPy lets programs do."""
    matrix.data, matrix.indices = np.append(matrix.data, NAN), np.append(matrix.indices, 9)
    return matrix


class OnlyDlpack:
    """An array of a library that has DLPack alone."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()


# Matrices


@each_sparse_type
@given(data=st.data())
def test_round_trip(type_: SpecType, data: st.DataObject) -> None:
    """Each row becomes the value that the constructor makes, and comes back with the same bits."""
    element = numbers(type_.model.element)
    width = data.draw(st.integers(1, 5))
    row = st.lists(st.just(0) | element, min_size=width, max_size=width)
    dense = data.draw(st.lists(row, min_size=1, max_size=5))
    cls, dtype = type_.value_class, type_.element_format.dtype
    values = [cls(row) for row in dense]
    matrix = np.array(dense, dtype)
    for given_ in (
        *(getattr(sparse, f"{name}_array")(matrix) for name in FORMATS),
        sparse.csr_matrix(matrix),
        matrix,
        np.asfortranarray(matrix),
        matrix.astype(np.dtype(dtype).newbyteorder()),
        [sparse.coo_array(row) for row in matrix],
    ):
        assert wires(cls.from_matrix(given_)) == wires(values)
    back = cls.to_matrix(values)
    assert (type(back), back.shape, back.dtype) == (sparse.csr_array, matrix.shape, dtype)
    assert back.has_canonical_format
    assert wires(cls.from_matrix(back)) == wires(values)
    assert back.toarray().tobytes() == (matrix + 0).tobytes()  # which makes 0 of -0


OF_SCIPY = [
    *(getattr(sparse, f"{name}_{kind}")(MATRIX) for name in FORMATS for kind in ("array", "matrix")),
    *(MATRIX.astype(dtype) for dtype in ("f4", "f8", "g")),
    csr([0.75, 0.75, -2, 3, 0.25], [1, 1, 3, 0, 4], [0, 3, 3, 5], (3, 5)),  # twice in a row
    csr([-2, 0.5, 1, 0.25, 3], [3, 1, 1, 4, 0], [0, 3, 3, 5], (3, 5)),  # and not sorted
    csr([0, 1.5, -2, 0, 3, 1e-50, 0.25], [0, 1, 3, 0, 0, 1, 4], [0, 3, 4, 7], (3, 5)),  # zeros
    csr([1.5, 1, -2, -1, 3, 0.25], [1, 2, 3, 2, 0, 4], [0, 4, 4, 6], (3, 5)),  # that add up to zero
    with_room(csr([1.5, -2, 3, 0.25], [1, 3, 0, 4], [0, 2, 2, 4], (3, 5))),
]  # fmt: skip


@pytest.mark.parametrize("matrix", OF_SCIPY, ids=lambda matrix: type(matrix).__name__)
def test_scipy(matrix: Any) -> None:
    before = matrix.copy()
    assert wires(SparseVector.from_matrix(matrix)) == wires(EXPECTED)
    assert (matrix != before).nnz == 0


@pytest.mark.parametrize("dtype", ["?", "u1", "i8"])
def test_sums_are_scipys(dtype: str) -> None:
    """An integer wraps around, as it does in SciPy."""
    data = np.array([200, 100, 1], dtype)
    matrix = sparse.csr_array((data, [0, 0, 1], [0, 3]), shape=(1, 2))
    assert SparseVector.from_matrix(matrix)[0].to_list() == matrix.toarray()[0].tolist()


@pytest.mark.parametrize("name", tensors_of(MATRIX))
def test_tensors(name: str) -> None:
    assert wires(SparseVector.from_matrix(tensors_of(MATRIX)[name])) == wires(EXPECTED)


def test_coordinates_in_any_order() -> None:
    """A tensor may say that it is coalesced, and not be."""
    tensor = CoordinateTensor([[2, 0], [1, 3]], [1, 2], (3, 4), is_coalesced=True)
    values = [SparseVector({3: 2}, 4), SparseVector({}, 4), SparseVector({1: 1}, 4)]
    assert SparseVector.from_matrix(tensor) == values


OTHERS = [
    np.array(DENSE),
    np.array(DENSE, object),
    OnlyArray(np.array(DENSE)),
    np.ma.masked_array(DENSE),
    np.array(DENSE).view(np.recarray),
    DENSE,
    tuple(DENSE),
    EXPECTED,
    [Vector(row) for row in DENSE],
    [pgvector.SparseVector(row) for row in DENSE],
    [pgvector.Vector(row) for row in DENSE],
    HostTensor(np.array(DENSE, "f4"), "bfloat16", requires_grad=True, device="cuda:0"),
    OnlyDlpack(np.array(DENSE)),
    [OnlyDlpack(np.array(row)) for row in DENSE],
    [sparse.coo_array(np.array(row)) for row in DENSE],
    [sparse.csr_array(np.array([row])) for row in DENSE],
    [tensors_of(MATRIX[[row]])["COO"] for row in range(3)],
]


@pytest.mark.parametrize("matrix", OTHERS, ids=lambda matrix: type(matrix).__name__)
def test_other_holders(matrix: Any) -> None:
    assert wires(SparseVector.from_matrix(matrix)) == wires(EXPECTED)


@pytest.mark.parametrize("empty", [[], (), np.array([]), np.empty((0, 3)), MATRIX[:0]], ids=repr)
def test_an_empty_matrix(empty: Any) -> None:
    assert SparseVector.from_matrix(empty) == []


def test_nothing_becomes_an_empty_matrix() -> None:
    assert SparseVector.to_matrix([]).shape == (0, 0)


def test_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are converted in blocks, of which one may be longer; errors count from the first."""
    random = np.random.default_rng(20261129)
    dense = random.normal(size=(50, 20)) * (random.random((50, 20)) < 0.2)
    dense[7] = 1.5
    matrix = sparse.csr_array(dense)
    monkeypatch.setattr(compressed, "_BLOCK", 9)
    monkeypatch.setattr(slices, "_CACHE", 500)
    values = [SparseVector(row) for row in dense]
    assert SparseVector.from_matrix(matrix) == values
    assert SparseVector.from_matrix(dense) == values
    dense[49, 3] = NAN
    for given_ in (sparse.csr_array(dense), sparse.coo_array(dense), dense):
        with pytest.raises(
            InvalidValueError, match="row 49: expected a finite .* index 3, got nan"
        ):
            SparseVector.from_matrix(given_)


def test_a_long_row_of_zeros() -> None:
    """The zeros take no memory."""
    with at_most(10 * MEGABYTE, SECONDS):
        values = SparseVector.from_matrix(np.broadcast_to(0.0, (2, 10**8)))
    assert values == [SparseVector({}, 10**8)] * 2


def test_a_block_of_a_larger_matrix() -> None:
    """Messages count rows from the number that the first of a block has."""
    for block in (csr([NAN], [3], [0, 0, 1], (2, 5)), [[1], [NAN]], np.array([[1], [NAN]])):
        with pytest.raises(InvalidValueError, match="row 101: expected a finite number at index"):
            SparseVector._read_matrix(block, 100)
    with pytest.raises(InvalidValueError, match="row 101: expected 2 dimensions, as row 100 has"):
        SparseVector._read_matrix([[1, 2], [1]], 100)


MOST = SparseVector.info.max_nnz
NO_MATRIX = [
    (csr([1, NAN], [0, 4], [0, 1, 2], (2, 5)), InvalidValueError, "row 1: expected a finite number at index 4, got nan"),
    (csr([1, INF], [0, 4], [0, 1, 2], (2, 5)), InvalidValueError, "row 1: expected a finite number at index 4, got inf"),
    (csr([1, 1e39], [0, 4], [0, 1, 2], (2, 5)), InvalidValueError, r"row 1: .* fits float32 at index 4, got 1e\+39"),
    (csr([1, 2], [0, 5], [0, 1, 2], (2, 5)), InvalidValueError, "row 1: expected indices from 0 to 4, got 5"),
    (csr([1, 2], [0, -1], [0, 1, 2], (2, 5)), InvalidValueError, "row 1: expected indices from 0 to 4, got -1"),
    (csr([1, 2], [0, 1], [0, 1, 2], (2, 5)).astype("F"), InvalidTypeError, "row 0: expected a number at index 0, got complex"),
    (csr(np.ones(MOST + 1), range(MOST + 1), [0, 0, MOST + 1], (2, MOST + 1)), InvalidValueError, "row 1: expected 0 to 16000 non-zero elements for sparsevec, got 16001"),
    (np.ones((1, MOST + 1)), InvalidValueError, "row 0: expected 0 to 16000 non-zero elements for sparsevec, got 16001"),
    (sparse.csr_array((1, 1_000_000_001)), InvalidValueError, "expected 1 to 1000000000 dimensions for sparsevec, got 1000000001"),
    (sparse.csr_array((1, 0)), InvalidValueError, "expected 1 to 1000000000 dimensions for sparsevec, got 0"),
    (sparse.coo_array(np.ones((2, 2, 2))), InvalidTypeError, r"expected two dimensions, got an array of shape \(2, 2, 2\)"),
    (sparse.coo_array(np.ones(3)), InvalidTypeError, r"expected two dimensions, got an array of shape \(3,\)"),
    (CoordinateTensor([[0]], [1], (3,)), InvalidTypeError, r"expected two dimensions, got an array of shape \(3,\)"),
    (CoordinateTensor([[0], [3]], [1], (2, 3)), InvalidValueError, "row 0: expected indices from 0 to 2, got 3"),
    (CoordinateTensor([[2], [1]], [1], (2, 3)), InvalidValueError, r"expected 3 pointers .* from 0 to 1 .*, got \[0, 0, 0\]"),
    (CoordinateTensor([[-1], [1]], [1], (2, 3)), InvalidValueError, r"expected 3 pointers .*, got \[1, 1, 1\]"),
    (CompressedTensor([0, 2, 9], [0, 1], [1, 2], (2, 3)), InvalidValueError, r"expected 3 pointers that ascend from 0 to 2 for 2 columns, got \[0, 2, 9\]"),
    (CompressedTensor([0, 2, 1, 2], [0, 1], [1, 2], (3, 3)), InvalidValueError, r"expected 4 pointers .*, got \[0, 2, 1, 2\]"),
    (CompressedTensor([0, 2], [0, 1], [1, 2], (2, 3)), InvalidValueError, r"expected 3 pointers .*, got \[0, 2\]"),
    (CompressedTensor([0, 1, 2], [0, 1], [1, 2, 3], (2, 3)), InvalidValueError, "expected 3 pointers that ascend from 0 to 3 for 2 columns"),
    (np.zeros((1, 0)), InvalidValueError, "expected 1 to 1000000000 dimensions for sparsevec, got 0"),
    (np.zeros((1, 2), np.dtype([])), InvalidTypeError, r"row 0: expected numbers, got an array of \[\]"),
    (np.array([1, 2]), InvalidTypeError, r"expected two dimensions, got an array of shape \(2,\)"),
    (np.array([["1"]]), InvalidTypeError, f"row 0: expected numbers, got an array of {np.dtype('U1')}"),
    ([[1, 2], [1]], InvalidValueError, "row 1: expected 2 dimensions, as row 0 has, got 1"),
    ([[1, 2], [1, None]], InvalidTypeError, "row 1: expected a number at index 1, got NoneType"),
    ([{0: 1}], InvalidTypeError, "row 0: expected dimensions beside dict"),
    (5, InvalidTypeError, "expected a matrix, got int 5"),
]  # fmt: skip


@pytest.mark.parametrize(("matrix", "error", "message"), NO_MATRIX)
def test_no_matrix(matrix: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SparseVector.from_matrix(matrix)
    with pytest.raises(error, match=message):
        [*SparseVector.iter_matrix(matrix)]


def test_a_matrix_that_scipy_fails_to_convert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases of SciPy differ in what they refuse of halves, which have no support."""
    halves = sparse.csr_array((np.array([1], "f2"), [0], [0, 1]), shape=(1, 2))
    assert SparseVector.from_matrix(halves) == [SparseVector({0: 1}, 2)]
    refuse = Mock(side_effect=ValueError("scipy.sparse does not support dtype float16"))
    monkeypatch.setattr(sparse.csc_array, "tocoo", refuse)
    monkeypatch.setattr(sparse.csc_array, "tocsr", refuse)
    for make in (SparseVector, SparseVector.from_matrix):
        with pytest.raises(InvalidTypeError, match="a sparse array of numbers, got csc_.* float16"):
            make(sparse.csc_array((1, 2)))


NO_VALUES = [
    ([SparseVector({}, 1), SparseVector({}, 2)], InvalidValueError, "row 1: expected 1 dimensions, as row 0 has, got 2"),
    ([SparseVector({}, 1), 5], InvalidTypeError, "row 1: expected a sequence of numbers, got int 5"),
    ([Vector([1])], InvalidTypeError, "row 0: expected a SparseVector for sparsevec, got a Vector"),
    (5, InvalidTypeError, "expected values, got int 5"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "error", "message"), NO_VALUES)
def test_no_values(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SparseVector.to_matrix(values)


@needs_pgvector("0.7.0")
async def test_through_the_server(conn: asyncpg.Connection) -> None:
    """Records of one column become a matrix."""
    await conn.execute("CREATE TEMP TABLE t (id serial, embedding sparsevec)")
    matrix = sparse.random_array((100, 1000), density=0.01, format="csr", dtype="f4")
    records = [(value,) for value in SparseVector.from_matrix(matrix)]
    await conn.copy_records_to_table("t", records=records, columns=["embedding"])
    rows = await conn.fetch("SELECT embedding FROM t ORDER BY id")
    assert (SparseVector.to_matrix(rows) != matrix).nnz == 0
    assert (SparseVector.to_matrix(iter(rows)) != matrix).nnz == 0


# Rows

ROW = SparseVector({1: 1.5, 3: -2}, 5)
ROWS = {
    **tensors_of(MATRIX[[0]]),
    "one dimension": CoordinateTensor([[3, 1]], [-2, 1.5], (5,)),
    "CSR, in parts": CompressedTensor([0, 3], [3, 1, 1], [-2, 0.5, 1], (1, 5)),
    "pgvector-python's": pgvector.SparseVector(DENSE[0]),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row(name: str) -> None:
    assert SparseVector(ROWS[name]).to_binary() == ROW.to_binary()
    assert SparseVector.encode(ROWS[name]) == ROW.to_binary()


def test_a_value_of_another_library_without_numpy() -> None:
    with without_numpy():
        assert SparseVector(pgvector.SparseVector(DENSE[0])) == ROW


class Other:
    """A sparse value of another library."""

    def __init__(self, indices: Any, values: Any, dimensions: Any) -> None:
        self._entries = indices, values, dimensions

    def indices(self) -> Any:
        return self._entries[0]

    def values(self) -> Any:
        return self._entries[1]

    def dimensions(self) -> Any:
        return self._entries[2]


META = {"requires_grad": True, "device": "meta"}
NO_ROW = [
    (Other([5], [1], 5), InvalidValueError, "expected indices from 0 to 4, got 5"),
    (Other([0], [1, 2], 5), InvalidValueError, "expected a value for each index, got 1 indices, 2 values"),
    (Other([0], ["1"], 5), InvalidTypeError, "expected a number at index 0, got str '1'"),
    (Other([0], [1], "5"), InvalidTypeError, "expected a whole number of dimensions, got str '5'"),
    (MATRIX, InvalidTypeError, r"expected one sparse row, got .* \(3, 5\); from_matrix\(\) makes a value of each row"),
    (tensors_of(MATRIX)["COO"], InvalidTypeError, r"expected one sparse row, got .* \(3, 5\); from_matrix\(\)"),
    (CoordinateTensor([[0], [0], [0]], [1], (1, 1, 1)), InvalidTypeError, r"expected one sparse row, got an array of shape \(1, 1, 1\)$"),
    (CoordinateTensor(np.empty((0, 1)), [1], ()), InvalidTypeError, r"expected one sparse row, got an array of shape \(\)$"),
    (CoordinateTensor([[0, 1]], [[1, 2], [3, 4]], (2, 2)), InvalidTypeError, "expected one sparse row"),
    (CoordinateTensor([[0]], [[1, 2]], (1, 2)), InvalidTypeError, r"whose dimensions are all sparse, got one with values of shape \(1, 2\)"),
    (CoordinateTensor(np.empty((0, 1)), [[1, 2]], (2,)), InvalidTypeError, r"all sparse, got one with values of shape \(1, 2\)"),
    (CoordinateTensor([[0], [3]], [NAN], (1, 5)), InvalidValueError, "expected a finite number at index 3, got nan"),
    (CoordinateTensor([[0], [3]], [1], (1, 5), **META), InvalidTypeError, "expected a tensor with numbers, got one on the device meta"),
    (CompressedTensor([0, 1], [3], [1], (1, 5), **META), InvalidTypeError, "expected a tensor with numbers, got one on the device meta"),
    (CompressedTensor([0, 2], [3], [1], (1, 5)), InvalidValueError, r"expected 2 pointers .*, got \[0, 2\]"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "error", "message"), NO_ROW)
def test_no_row(row: Any, error: type[Exception], message: str) -> None:
    for make in (SparseVector, SparseVector.encode):
        with pytest.raises(error, match=message):
            make(row)


def test_a_tensor_whose_library_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HostTensor, "numpy", Mock(side_effect=RuntimeError("no storage")))
    for make in (SparseVector, SparseVector.from_matrix):
        with pytest.raises(InvalidTypeError, match="expected a tensor of numbers, got HostTensor"):
            make(tensors_of(MATRIX[[0]])["COO"])


@pytest.mark.parametrize("layout", ["sparse_csc", "sparse_bsr", "sparse_bsc"])
def test_another_layout(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CompressedTensor, "layout", f"torch.{layout}")
    tensor = CompressedTensor([0, 1], [3], [1], (1, 5))
    for make in (SparseVector, SparseVector.from_matrix):
        with pytest.raises(InvalidTypeError, match=rf"got one in {layout}; to_sparse_csr\(\)"):
            make(tensor)
