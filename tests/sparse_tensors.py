"""Tensors that behave as PyTorch's do, as far as the package asks them.

PyTorch is large: `tests/holders` has the tests with its own tensors.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

__all__ = ["CompressedTensor", "CoordinateTensor", "HostTensor", "tensors_of"]


class Tensor:
    """What tensors of every layout have: they refuse what PyTorch refuses of them."""

    layout = "torch.strided"

    def __init__(
        self, shape: tuple[int, ...], *, requires_grad: bool = False, device: str = "cpu"
    ) -> None:
        self.shape, self.requires_grad, self.device = shape, requires_grad, device

    @property
    def is_meta(self) -> bool:
        return self.device == "meta"

    def _copy(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        other.__dict__ = {**self.__dict__, **changes}
        return other

    def detach(self) -> Self:
        return self._copy(requires_grad=False)

    def cpu(self) -> Self:
        if self.is_meta:
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")
        return self._copy(device="cpu")

    def tolist(self) -> Any:
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(f"can't convert {self.layout} layout tensor to numpy.")

    def coalesce(self) -> Any:
        raise RuntimeError(f"coalesce expected sparse coordinate tensor layout, got {self.layout}")

    def indices(self) -> Any:
        raise RuntimeError("indices expected sparse coordinate tensor layout")

    def crow_indices(self) -> Any:
        raise RuntimeError("crow_indices expected sparse row compressed tensor layout")

    col_indices = crow_indices

    def values(self) -> Any:
        raise RuntimeError("values expected sparse tensor layout")


class HostTensor(Tensor):
    """A dense tensor."""

    def __init__(self, numbers: Any, dtype: str = "", **options: Any) -> None:
        self.numbers = np.asarray(numbers)
        self.dtype = f"torch.{dtype or self.numbers.dtype}"
        super().__init__(self.numbers.shape, **options)

    def __len__(self) -> int:
        return len(self.numbers)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.device != "cpu":
            raise TypeError(f"can't convert {self.device} device type tensor to numpy.")
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.numbers

    def numpy(self, *, force: bool = False) -> Any:
        return np.asarray(self.detach().cpu() if force else self)

    def to_dense(self) -> Any:
        return self

    def tolist(self) -> Any:
        return self.numbers.tolist()

    def float(self) -> HostTensor:
        return HostTensor(
            self.numbers.astype("f4"), requires_grad=self.requires_grad, device=self.device
        )


class CoordinateTensor(Tensor):
    """A sparse tensor in coordinates; those that are repeated add up when it is coalesced."""

    layout = "torch.sparse_coo"
    is_sparse = True

    def __init__(
        self,
        indices: Any,
        numbers: Any,
        shape: tuple[int, ...],
        dtype: str = "float32",
        *,
        is_coalesced: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(shape, **options)
        self._indices = np.array(indices, "i8", order="C")
        self._numbers = np.array(numbers, "f4", order="C")
        self.dtype, self._is_coalesced = f"torch.{dtype}", is_coalesced

    def coalesce(self) -> Self:
        if self._is_coalesced:
            return self
        indices, places = np.unique(self._indices, axis=1, return_inverse=True)
        sums = np.zeros((indices.shape[1], *self._numbers.shape[1:]), "f4")
        np.add.at(sums, places.ravel(), self._numbers)
        return self._copy(_indices=indices, _numbers=sums, _is_coalesced=True)

    def indices(self) -> HostTensor:
        self._require_coalesced()
        return HostTensor(self._indices, device=self.device)

    def values(self) -> HostTensor:
        self._require_coalesced()
        name = self.dtype.removeprefix("torch.")
        return HostTensor(self._numbers, name, requires_grad=self.requires_grad, device=self.device)

    def _require_coalesced(self) -> None:
        if not self._is_coalesced:
            raise RuntimeError("Cannot get values on an uncoalesced tensor, call .coalesce() first")


class CompressedTensor(Tensor):
    """A sparse tensor in compressed rows, whose arrays PyTorch does not check."""

    layout = "torch.sparse_csr"
    is_sparse = False

    def __init__(
        self,
        pointers: Any,
        columns: Any,
        numbers: Any,
        shape: tuple[int, ...],
        dtype: str = "float32",
        **options: Any,
    ) -> None:
        super().__init__(shape, **options)
        self._pointers, self._columns = np.asarray(pointers, "i4"), np.asarray(columns, "i4")
        self._numbers, self.dtype = np.asarray(numbers, "f4"), f"torch.{dtype}"

    def crow_indices(self) -> HostTensor:
        return HostTensor(self._pointers, device=self.device)

    def col_indices(self) -> HostTensor:
        return HostTensor(self._columns, device=self.device)

    def values(self) -> HostTensor:
        name = self.dtype.removeprefix("torch.")
        return HostTensor(self._numbers, name, requires_grad=self.requires_grad, device=self.device)


def tensors_of(matrix: Any) -> dict[str, Any]:
    """Return tensors, each of which holds a SciPy matrix in its own way."""
    coo, csr = matrix.tocoo(), matrix.tocsr()
    indices, shape = np.array([coo.row, coo.col]), matrix.shape
    arrays = csr.indptr, csr.indices, csr.data
    halves, twice = np.repeat(coo.data / 2, 2), np.repeat(indices, 2, axis=1)
    return {
        "COO": CoordinateTensor(indices, coo.data, shape),
        "coalesced": CoordinateTensor(indices, coo.data, shape).coalesce(),
        "in parts": CoordinateTensor(twice[:, ::-1], halves[::-1], shape),
        "bfloat16": CoordinateTensor(indices, coo.data, shape, "bfloat16"),
        "requires_grad": CoordinateTensor(indices, coo.data, shape, requires_grad=True),
        "on a GPU": CoordinateTensor(indices, coo.data, shape, requires_grad=True, device="cuda:0"),
        "CSR": CompressedTensor(*arrays, shape),
        "CSR of bfloat16": CompressedTensor(
            *arrays, shape, "bfloat16", requires_grad=True, device="mps"
        ),
    }
