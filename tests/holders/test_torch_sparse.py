"""Sparse tensors of PyTorch, and the stand-ins for them in the other tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import sparse

from asyncpg_vector import InvalidTypeError, InvalidValueError, SparseVector
from tests.sparse_tensors import CompressedTensor, CoordinateTensor, HostTensor, tensors_of

# PyTorch warns that its sparse CSR is in a beta state, and, of tensors whose arrays nobody said whether
# to check, that it does not check them.
pytestmark = pytest.mark.filterwarnings("ignore:Sparse")
torch.sparse.check_sparse_tensor_invariants.disable()

DENSE = [[0, 1.5, 0, -2, 0], [0, 0, 0, 0, 0], [3, 0, 0, 0, 0.25]]
EXPECTED = [SparseVector(row) for row in DENSE]
MATRIX = sparse.csr_array(np.array(DENSE, "f4"))
INF = float("inf")


def torch_of(tensor: Any) -> Any:
    """Make the tensor that a stand-in stands for; all are on the processor."""
    dtype = getattr(torch, tensor.dtype.removeprefix("torch."))
    if isinstance(tensor, CompressedTensor):
        arrays = [torch.tensor(each) for each in (tensor._pointers, tensor._columns)]
        numbers = torch.tensor(tensor._numbers, dtype=dtype, requires_grad=tensor.requires_grad)
        return torch.sparse_csr_tensor(*arrays, numbers, tensor.shape)
    numbers = torch.tensor(tensor._numbers, dtype=dtype, requires_grad=tensor.requires_grad)
    return torch.sparse_coo_tensor(
        torch.tensor(tensor._indices), numbers, tensor.shape, is_coalesced=tensor._is_coalesced
    )


STAND_INS = tensors_of(MATRIX)


@pytest.mark.parametrize("name", STAND_INS)
def test_tensors(name: str) -> None:
    tensor = torch_of(STAND_INS[name])
    assert SparseVector.from_matrix(tensor) == EXPECTED
    assert tensor.requires_grad == STAND_INS[name].requires_grad
    (value,) = SparseVector.from_matrix([torch_of(tensors_of(MATRIX[[2]])[name])])
    assert value == EXPECTED[2]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64", "int8", "bool"])
@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
def test_formats(dtype: str, layout: str) -> None:
    dense = torch.randn(3, 40, generator=torch.Generator().manual_seed(20261129)).mul(3)
    dense = dense.to(getattr(torch, dtype)).relu() if dtype != "bool" else dense > 1
    expected = [SparseVector(row) for row in dense.tolist()]
    of_layout = {"layout": getattr(torch, layout)}
    assert SparseVector.from_matrix(dense) == expected
    assert SparseVector.from_matrix(dense.to_sparse(**of_layout)) == expected
    assert SparseVector(dense[:1].to_sparse(**of_layout)) == expected[0]
    assert SparseVector(dense[0]) == expected[0]


@pytest.mark.parametrize("row", [[0, 1.5, 0], [[0, 1.5, 0]]])
def test_a_row(row: Any) -> None:
    dense = torch.nn.Parameter(torch.tensor(row, dtype=torch.bfloat16))
    assert SparseVector(dense.to_sparse_coo()) == SparseVector({1: 1.5}, 3)


def test_the_same_column_twice() -> None:
    """PyTorch adds up numbers in CSR too, though its documentation forbids them."""
    arrays = torch.tensor([0, 3]), torch.tensor([3, 1, 3]), torch.tensor([1.0, 2.0, 3.0])
    tensor = torch.sparse_csr_tensor(*arrays, (1, 4))
    assert SparseVector(tensor).to_list() == tensor.to_dense()[0].tolist() == [0, 2, 0, 4]


def meta() -> Any:
    return torch.sparse_coo_tensor(size=(1, 4), device="meta")


REFUSED = [
    (meta, InvalidTypeError, "got one on the device meta"),
    (lambda: torch.eye(4).to_sparse_csc(), InvalidTypeError, r"in sparse_csc; to_sparse_csr\(\)"),
    (lambda: torch.eye(4).to_sparse_bsr((2, 2)), InvalidTypeError, "got one in sparse_bsr"),
    (lambda: torch.ones(2, 3, 4).to_sparse(), InvalidTypeError, r"two dimensions, .* \(2, 3, 4\)"),
    (lambda: torch.ones(2, 3, 4).to_sparse_csr(), InvalidTypeError, "expected two dimensions"),
    (lambda: torch.ones(2, 3).to_sparse(1), InvalidTypeError, r"values of shape \(2, 3\)"),
    (lambda: torch.tensor([[1j]]).to_sparse(), InvalidTypeError, "row 0: .* number at index 0"),
    (lambda: torch.tensor([[0, INF]]).to_sparse(), InvalidValueError, "row 0: .* 1, got inf"),
]


@pytest.mark.parametrize(("make", "error", "message"), REFUSED)
def test_refused(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SparseVector.from_matrix(make())


# The stand-ins

CALLS = ["detach", "cpu", "coalesce", "indices", "values", "crow_indices", "col_indices", "tolist"]


def outcomes(tensor: Any) -> list[Any]:
    """Return what each call of a tensor comes to: its type, shape and dtype, or an error."""
    found: list[Any] = [tensor.layout, tensor.shape, tensor.is_meta]
    for call in [lambda: np.asarray(tensor), *(getattr(tensor, name) for name in CALLS)]:
        try:
            result = call()
            found.append((str(getattr(result, "dtype", "")), [*getattr(result, "shape", [])]))
        except (RuntimeError, TypeError) as error:
            found.append(RuntimeError if isinstance(error, RuntimeError) else TypeError)
    return [str(each) if isinstance(each, torch.layout) else each for each in found]


@pytest.mark.parametrize("name", [name for name, each in STAND_INS.items() if each.device == "cpu"])
def test_stand_ins(name: str) -> None:
    """A stand-in does what PyTorch's tensor does, whatever the package asks of it."""
    stand_in, tensor = STAND_INS[name], torch_of(STAND_INS[name])
    differences = [
        (call, *both)
        for call, *both in zip(
            ["layout", "shape", "is_meta", "__array__", *CALLS],
            outcomes(stand_in),
            outcomes(tensor),
            strict=True,
        )
        if both[0] != both[1]
    ]
    assert not differences


KINDS = [("float32", False), ("float32", True), ("bfloat16", False), ("int64", False)]


@pytest.mark.parametrize(("dtype", "grad"), KINDS)
def test_dense_stand_ins(dtype: str, grad: bool) -> None:
    numbers = np.array([1, 2], "i8" if dtype == "int64" else "f4")
    stand_in = HostTensor(numbers, dtype, requires_grad=grad)
    tensor = torch.tensor([1, 2], dtype=getattr(torch, dtype), requires_grad=grad)
    assert outcomes(stand_in) == outcomes(tensor)
    assert stand_in.float().dtype == str(tensor.float().dtype)


def test_a_stand_in_on_the_device_meta() -> None:
    stand_in = CoordinateTensor(np.empty((2, 0)), [], (1, 4), device="meta")
    for tensor in (stand_in, meta()):
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
            tensor.detach().cpu()
