"""Tensors of PyTorch itself; tests/holders/test_arrays.py has a stand-in."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from asyncpg_vector import InvalidTypeError, Vector
from tests.spec_types import SpecType, each_dense_type

ROWS = [[1.0, 2.0], [0.5, 4.0]]


class Subclass(torch.Tensor):
    pass


FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2]
TENSORS: dict[str, torch.Tensor] = {
    **{str(dtype): torch.tensor(ROWS).to(dtype) for dtype in FLOATS},
    "requires_grad": torch.tensor(ROWS, requires_grad=True),
    "bfloat16 that requires_grad": torch.tensor(ROWS, dtype=torch.bfloat16, requires_grad=True),
    "parameter": torch.nn.Parameter(torch.tensor(ROWS)),
    "subclass": torch.tensor(ROWS).as_subclass(Subclass),
    "inference": torch.inference_mode()(torch.tensor)(ROWS),
    "strided": torch.tensor([[row, [0, 0]] for row in ROWS])[:, 0],
    "transposed": torch.tensor([*zip(*ROWS, strict=True)]).T,
    "COO": torch.tensor(ROWS).to_sparse(),
    "imaginary": torch.complex(torch.zeros(2, 2), -torch.tensor(ROWS)).conj().imag,
}  # fmt: skip


@pytest.mark.parametrize("tensor", TENSORS.values(), ids=TENSORS)
@each_dense_type
def test_a_tensor(type_: SpecType, tensor: torch.Tensor) -> None:
    cls = type_.value_class
    assert cls.from_matrix(tensor) == [*map(cls, ROWS)]
    rows = [tensor[0], tensor[1]]
    assert [cls(row) for row in rows] == cls.from_matrix(rows) == [*map(cls, ROWS)]
    assert type_.encode(rows[0]) == cls(ROWS[0]).to_binary()


@pytest.mark.filterwarnings("ignore:Sparse")  # PyTorch says that CSR is new, and not checked
def test_csr() -> None:
    """PyTorch cannot select its rows."""
    csr = torch.tensor(ROWS).to_sparse_csr()
    assert Vector.from_matrix(csr) == [*map(Vector, ROWS)]


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int8, torch.int64, torch.uint16])
def test_whole_numbers(dtype: torch.dtype) -> None:
    assert Vector(torch.tensor([1, 0]).to(dtype)) == Vector([1, 0])


NO_NUMBERS: list[tuple[Any, str]] = [
    (torch.ones(2, device="meta"), "which its library fails to convert: Cannot copy out of meta tensor; no data!$"),
    (torch.ones(2, dtype=torch.complex64), "expected numbers, got an array of complex64"),
    (torch.ones(2, dtype=torch.complex64).conj(), "expected numbers, got an array of complex64"),
    (torch.zeros(2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2), "fails to convert: "),
    (torch.ones(1, 2), r"expected one dimension, got an array of shape \(1, 2\)"),
    (torch.tensor(1.0), r"expected a sequence of numbers, got Tensor tensor\(1.\)"),
]  # fmt: skip


@pytest.mark.parametrize(("tensor", "message"), NO_NUMBERS, ids=lambda case: str(case)[:40])
def test_no_numbers(tensor: torch.Tensor, message: str) -> None:
    for take in (Vector, Vector.encode):
        with pytest.raises(InvalidTypeError, match=message):
            take(tensor)


def test_a_matrix_without_numbers() -> None:
    with pytest.raises(
        InvalidTypeError,
        match="^expected a matrix, got Tensor .*: Cannot copy out of meta tensor; no data!",
    ):
        Vector.from_matrix(torch.ones(2, 2, device="meta"))
