"""Stand-ins for the protocols of PyTorch, CuPy, TensorFlow and Hugging Face's datasets."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["Column", "Dataset", "EagerTensor", "OnDevice", "OnlyDLPack", "Tensor"]

FORMATS = {"bfloat16": ml_dtypes.bfloat16, "float8_e4m3fn": ml_dtypes.float8_e4m3fn}


class Dtype:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


class Tensor:
    """A tensor of PyTorch, which has an ndarray only of its plainest kind."""

    def __init__(
        self,
        numbers: Any,
        dtype: str = "float32",
        *,
        requires_grad: bool = False,
        device: str = "cpu",
        is_sparse: bool = False,
    ) -> None:
        self.array = np.asarray(numbers).astype(FORMATS.get(dtype, dtype))
        self.dtype, self.device = Dtype(dtype), SimpleNamespace(type=device)
        self.requires_grad, self.is_sparse = requires_grad, is_sparse

    def _like(self, **changed: Any) -> Tensor:
        facts = {
            "requires_grad": self.requires_grad,
            "device": self.device.type,
            "is_sparse": self.is_sparse,
        }
        return Tensor(self.array, **{"dtype": self.dtype.name, **facts, **changed})

    def float(self) -> Tensor:
        return self._like(dtype="float32")

    def detach(self) -> Tensor:
        return self._like(requires_grad=False)

    def cpu(self) -> Tensor:
        if self.device.type == "meta":
            raise NotImplementedError("Cannot copy out of meta tensor; no data!\nAnd more lines.")
        return self._like(device="cpu")

    def to_dense(self) -> Tensor:
        return self._like(is_sparse=False)

    def numpy(self, *, force: bool = False) -> Any:
        if self.is_sparse:
            raise TypeError("can't convert Sparse layout tensor to numpy")
        if self.dtype.name in FORMATS:
            raise TypeError(f"Got unsupported ScalarType {self.dtype.name}")
        if self.requires_grad and not force:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")
        if self.device.type == "meta" or (self.device.type != "cpu" and not force):
            raise TypeError(f"can't convert {self.device.type} device type tensor to numpy")
        return self.array

    def tolist(self) -> Any:
        if self.device.type == "meta":
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")
        raise AssertionError("expected an ndarray to be asked for")

    def __array__(self, *_: object) -> Any:
        raise AssertionError("expected numpy() to be called")

    def __iter__(self) -> Iterator[Tensor]:
        raise AssertionError("expected all rows to be read at once")

    def __repr__(self) -> str:
        return f"tensor(..., device='{self.device.type}')"


class EagerTensor:
    """A tensor of TensorFlow."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def numpy(self) -> Any:
        return self.array


class Variable:
    """A variable of netCDF4, whose slices are masked arrays."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.array


class OnDevice:
    """An array of CuPy, which must be fetched."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, *_: object) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def get(self) -> Any:
        return self.array


class OnlyDLPack:
    """An array that can be shared, and nothing else."""

    def __init__(self, array: Any, device: int = 1) -> None:
        self.array, self.device = array, device

    def __dlpack__(self, *, dl_device: tuple[int, int] | None = None, **options: Any) -> Any:
        assert (dl_device or (self.device, 0)) == (1, 0), "expected the processor to be asked for"
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device, 0


class Dataset:
    """A dataset of Hugging Face, of one column."""

    def __init__(self, table: Any, format_: str | None = None, formatted: Any = None) -> None:
        self.table, self.format, self.formatted = table, {"type": format_}, formatted

    def select_columns(self, names: list[str]) -> Dataset:
        return Dataset(self.table.select(names), self.format["type"])

    def with_format(self, format_: str) -> Dataset:
        return Dataset(self.table, format_)

    def __getitem__(self, key: Any) -> Any:
        assert self.format["type"] == "arrow", "expected Arrow's rows to be asked for"
        return self.table[key]


class Column:
    """A column of a dataset, or of another column."""

    def __init__(self, source: Any, column_name: str) -> None:
        self.source, self.column_name = source, column_name

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, key: Any) -> Any:
        return self.source.formatted[key] if isinstance(self.source, Dataset) else self.source[key]
