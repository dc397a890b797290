"""Holders of sparse numbers: SciPy's arrays, sparse tensors, and values of other libraries."""

from __future__ import annotations

from typing import Any, Protocol

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError
from asyncpg_vector.runtime.arrays import open_array
from asyncpg_vector.runtime.checks import require_two_dimensions
from asyncpg_vector.runtime.compressed import CompressedRows

__all__ = [
    "Entries",
    "SupportsEntries",
    "SupportsToCoo",
    "SupportsToCsr",
    "read_sparse_matrix",
    "read_sparse_row",
]


class SupportsToCoo(Protocol):
    """A SciPy sparse array or matrix of any format."""

    def tocoo(self, copy: bool = ...) -> Any: ...  # noqa: FBT001  # as SciPy has it


class SupportsToCsr(Protocol):
    """A matrix that becomes one of SciPy's in CSR, such as one of SciPy's in any format."""

    def tocsr(self) -> Any: ...


class SupportsEntries(Protocol):
    """A sparse value of this package, of pgvector-python, or of another that has these methods."""

    def indices(self) -> Any: ...
    def values(self) -> Any: ...
    def dimensions(self) -> Any: ...


class Entries(tuple[Any, Any, Any]):
    """The arguments of `Sparse.from_coo`, as they were given: indices, values and dimensions."""

    __slots__ = ()


def read_sparse_row(value: Any) -> Entries | None:
    """Read a holder of one sparse row; return None for any that is not sparse.

    Raises:
        InvalidTypeError: it has more rows than one, or a layout that is not read.
    """
    # hasattr() takes a hundredth of the time of isinstance() with a protocol.
    if hasattr(value, "dimensions") and hasattr(value, "indices") and hasattr(value, "values"):
        return Entries((value.indices(), value.values(), value.dimensions()))
    if hasattr(value, "tocoo"):
        return _read_scipy_row(value)
    return _read_tensor_row(value) if _is_sparse_tensor(value) else None


def read_sparse_matrix(value: Any) -> CompressedRows | None:
    """Read a holder of sparse rows; return None for any that is not sparse.

    Raises:
        InvalidTypeError: it has another number of dimensions than two, or a layout that is not
            read.
        InvalidValueError: it contradicts itself.
    """
    if hasattr(value, "tocsr"):
        return _read_scipy(value)
    return _read_tensor(value) if _is_sparse_tensor(value) else None


def _read_scipy_row(value: SupportsToCoo) -> Entries:
    try:
        row = value.tocoo(copy=True)
        row.sum_duplicates()  # repeated coordinates add up, in SciPy
    except (TypeError, ValueError) as error:
        raise _scipy_error(value, error) from error
    _require_one_row(row.shape)
    return Entries((row.col, row.data.tolist(), row.shape[-1]))


def _read_scipy(value: SupportsToCsr) -> CompressedRows:
    require_two_dimensions(getattr(value, "shape", ()))
    try:
        csr = value.tocsr()
    except (TypeError, ValueError) as error:
        raise _scipy_error(value, error) from error
    # There may be room for more entries.
    return CompressedRows.of_csr(csr.shape, csr.indptr, csr.indices[: csr.nnz], csr.data[: csr.nnz])


def _scipy_error(value: object, error: Exception) -> InvalidTypeError:
    """Return the error for numbers of which SciPy has no sparse arrays, such as objects."""
    return InvalidTypeError(f"expected a sparse array of numbers, got {describe(value)}: {error}")


def _is_sparse_tensor(value: object) -> bool:
    """Tell whether this is a tensor in a sparse layout; dense tensors have the same methods."""
    return hasattr(value, "coalesce") and _layout(value).startswith("sparse_")


def _layout(tensor: Any) -> str:
    """Return the name of a tensor's layout, such as sparse_coo."""
    return str(getattr(tensor, "layout", "")).rpartition(".")[2]


def _read_tensor_row(tensor: Any) -> Entries:
    shape = tuple(tensor.shape)
    _require_one_row(shape)
    ((columns, numbers),) = _compress(tensor, (1, shape[-1])).in_order().rows()
    return Entries((columns, numbers, shape[-1]))


def _read_tensor(tensor: Any) -> CompressedRows:
    shape = tuple(tensor.shape)
    require_two_dimensions(shape)
    return _compress(tensor, shape)


def _compress(tensor: Any, shape: tuple[int, ...]) -> CompressedRows:
    """Bring a sparse tensor to the host; `shape` is that of the matrix."""
    layout = _layout(tensor)
    if layout not in {"sparse_coo", "sparse_csr"}:
        raise InvalidTypeError(
            f"expected a tensor in the layout sparse_coo or sparse_csr, got one in {layout}; "
            "to_sparse_csr() converts it"
        )
    if tensor.is_meta:
        raise InvalidTypeError("expected a tensor with numbers, got one on the device meta")
    host = tensor.detach().cpu()
    if layout == "sparse_csr":
        pointers, columns = _open(host.crow_indices()), _open(host.col_indices())
        return CompressedRows.of_csr(shape, pointers, columns, _read_values(host))
    host = host.coalesce()
    numbers, indices = _read_values(host), _open(host.indices())
    rows = indices[0] if len(indices) == 2 else 0 * indices[0]  # of a tensor of one dimension
    return CompressedRows.of_coo(shape, rows, indices[-1], numbers)


def _read_values(tensor: Any) -> NDArray[Any]:
    values = tensor.values()
    if len(values.shape) != 1:
        raise InvalidTypeError(
            "expected a tensor whose dimensions are all sparse, got one with values of shape "
            f"{tuple(values.shape)}"
        )
    return _open(values)


def _open(tensor: Any) -> NDArray[Any]:
    """Make an ndarray of a dense tensor on the host."""
    array = open_array(tensor)
    if array is None:
        raise InvalidTypeError(f"expected a tensor of numbers, got {describe(tensor)}")
    return array


def _require_one_row(shape: tuple[int, ...]) -> None:
    if len(shape) == 1 or (len(shape) == 2 and shape[0] == 1):
        return
    advice = "; from_matrix() makes a value of each row" if len(shape) == 2 else ""
    raise InvalidTypeError(f"expected one sparse row, got an array of shape {shape}{advice}")
