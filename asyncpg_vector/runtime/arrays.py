"""Arrays, tensors and columns of other libraries, read by what they can do: none is imported.

A holder is asked for an ndarray, which shares its memory where the library allows that. Of a holder
that has nulls, a list is made instead: NumPy would make NaN of a null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import import_numpy, is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError

__all__ = [
    "LIST",
    "ArrayWithGaps",
    "NullableRows",
    "as_list",
    "becomes_float32",
    "open_array",
    "open_blocks",
    "open_foreign",
    "widen",
]

LIST: type[Any] = list
"""The class of most rows. By this name, type checkers do not infer a list of unknown elements."""
_HOST = 1
"""DLPack's number of the processor among devices."""
_NO_ROWS = (str, bytes, bytearray, memoryview, Mapping)


class NullableRows(list[Any]):
    """Rows of a column; None stands for a null row."""


class ArrayWithGaps(NamedTuple):
    """Rows of a column that are of one length."""

    rows: NDArray[Any]
    is_valid: list[bool]
    """Whether each row of the column is one of `rows`, or else null."""

    def fill(self, values: Iterable[Any]) -> NullableRows:
        """Return a value for each of `rows`, and None for each null row."""
        return _fill(values, self.is_valid)


def open_foreign(value: object) -> Any:
    """Make an ndarray of any number of dimensions of an array, tensor, column or scalar.

    Returns:
        The library's result, which ought to be an ndarray; None of any other object, of a holder
        that has nulls, and of one whose library fails.
    """
    try:
        read = _find_reader(type(value))  # type: ignore[arg-type]  # as in _reader_of
        return read(value) if read else None
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  # each library has errors of its own
        return None


def open_array(value: object) -> NDArray[Any] | None:
    """Make an ndarray as `open_foreign` does; return None of anything else."""
    array = open_foreign(value)
    return array if is_ndarray(array) else None


def as_list(value: object, what: str) -> Any:
    """Make a list of a holder of which `open_array` makes no row; return other objects unchanged.

    Args:
        value: the holder.
        what: the word for the expected elements in a message.

    Raises:
        InvalidTypeError: the library fails.
    """
    try:
        for name in ("tolist", "to_list", "to_pylist", "as_py"):
            if hasattr(value, name):
                return getattr(value, name)()
        read = _reader_of(value)
        return read(value) if read else value
    except MemoryError:
        raise
    except Exception as error:
        raise _unreadable(value, what, error) from error


def open_blocks(matrix: Any) -> list[Any]:
    """Read a matrix, or a column of rows, as blocks: ndarrays with gaps or without, lists, tuples.

    Raises:
        InvalidTypeError: it is none, or its library fails.
    """
    try:
        return _open_blocks(matrix)
    except (InvalidTypeError, MemoryError):
        raise
    except Exception as error:
        raise _unreadable(matrix, "a matrix", error) from error


def widen(array: NDArray[Any]) -> NDArray[Any]:
    """Widen numbers of a format that NumPy lacks, such as bfloat16, to float32, which is exact."""
    return array.astype("f4") if becomes_float32(array.dtype) else array


def becomes_float32(dtype: Any) -> bool:
    """Tell whether this is a format that NumPy lacks, and that float32 includes."""
    return getattr(dtype, "isbuiltin", 0) == 2 and _is_in_float32(dtype)


@lru_cache(maxsize=64)
def _is_in_float32(dtype: Any) -> bool:
    is_in: bool = loaded_numpy().can_cast(dtype, "f4")
    return is_in


def _unreadable(value: object, what: str, error: Exception) -> InvalidTypeError:
    reason = str(error).partition("\n")[0] or type(error).__name__
    return InvalidTypeError(
        f"expected {what}, got {describe(value)}, which its library fails to convert: {reason}"
    )


# Numbers


def _reader_of(value: object) -> Callable[[Any], Any] | None:
    return _find_reader(type(value))  # type: ignore[arg-type]  # mypy takes no class for hashable


@lru_cache(maxsize=64)
def _find_reader(holder: Any) -> Callable[[Any], Any] | None:
    """Find the function that makes an ndarray of the objects of a class."""
    return next((read for name, read in _READERS if hasattr(holder, name)), None)


def _read_torch(tensor: Any) -> Any:
    """Read a tensor of PyTorch, on any device."""
    if _lacks_dtype(tensor.dtype):
        tensor = tensor.float()
    try:
        return (tensor.detach() if tensor.requires_grad else tensor).numpy()
    except (TypeError, RuntimeError):  # it is on another device, sparse, or a conjugate
        return tensor.detach().cpu().to_dense().numpy(force=True)


def _read_tensorflow(tensor: Any) -> Any:
    return widen(tensor.numpy())


@lru_cache(maxsize=64)
def _lacks_dtype(dtype: Any) -> bool:
    """Tell whether this is a format of PyTorch that NumPy lacks, and float32 includes."""
    return str(dtype).startswith(("torch.bfloat16", "torch.float8"))


def _read_column(column: Any) -> Any:
    """Read an array of Arrow, or a Series or DataFrame of polars."""
    if not callable(column.null_count):
        return None if column.null_count else column.to_numpy(zero_copy_only=False)
    _ = loaded_numpy() or import_numpy()  # without which polars panics
    nulls: Any = column.null_count()
    if hasattr(nulls, "row"):  # a DataFrame counts them by columns
        nulls = sum(nulls.row(0))
    return None if nulls else column.to_numpy()


def _read_scalar(scalar: Any) -> Any:
    """Read a row of Arrow's: a list, or a tensor."""
    if not scalar.is_valid:
        return None
    if hasattr(scalar, "values"):
        return _read_column(scalar.values)
    is_matrix = len(getattr(scalar.type, "shape", ())) > 1
    return scalar.to_numpy() if is_matrix else _read_scalar(scalar.value)


def _read_values(values: Any) -> Any:
    """Read a Series or DataFrame of pandas, or a value of pgvector-python."""
    array = values.to_numpy()
    may_have_nulls = hasattr(getattr(values, "dtype", None), "na_value")
    return None if may_have_nulls and loaded_numpy().isnan(array).any() else array


def _read_array(array: Any) -> Any:
    """Read an array of JAX or CuPy, or one that derives from ndarray."""
    numpy = loaded_numpy() or import_numpy()
    try:
        made = numpy.asanyarray(array)
    except TypeError:  # CuPy's is on another device
        return _read_device(array)
    if numpy.ma.is_masked(made):  # a variable of netCDF4 is so only now
        return made.tolist()  # which has None where an ndarray has any number
    return widen(numpy.asarray(made))


def _read_device(array: Any) -> Any:
    """Bring an array to the host."""
    if hasattr(array, "get"):
        return array.get()
    numpy = loaded_numpy() or import_numpy()
    device, _ = array.__dlpack_device__()
    return numpy.from_dlpack(array, **({} if device == _HOST else {"device": "cpu"}))


_READERS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("detach", _read_torch),
    ("numpy", _read_tensorflow),
    ("null_count", _read_column),
    ("is_valid", _read_scalar),
    ("to_numpy", _read_values),
    ("__array__", _read_array),
    ("__dlpack__", _read_device),
)
"""Readers by the attribute that tells their holders, the most wanted first."""


# Rows


def _open_blocks(matrix: Any) -> list[Any]:
    if isinstance(matrix, (list, tuple)):
        return [matrix]
    if is_ndarray(matrix):
        return [_split_objects(widen(matrix))]
    for name, open_rows in _OPENERS:
        if hasattr(matrix, name):
            return open_rows(matrix)
    array = open_array(matrix)
    return [_list_rows(matrix) if array is None else _split_objects(array)]


def _split_objects(array: NDArray[Any]) -> Any:
    """Make a list of the rows of an ndarray of objects, which may be rows or numbers."""
    return [*array] if array.ndim and array.dtype.kind == "O" else array


def _list_rows(rows: Any) -> list[Any]:
    """Make a list of the rows of a sequence, or of a holder that has nulls."""
    read = _reader_of(rows)
    if read:
        read(rows)  # which raises the library's error if the holder has no nulls
    elif not _may_be_rows(rows):
        raise InvalidTypeError(f"expected a matrix, got {describe(rows)}")
    return [*(rows.iter_rows() if hasattr(rows, "iter_rows") else rows)]


def _may_be_rows(value: object) -> bool:
    return hasattr(value, "__getitem__") and not isinstance(value, _NO_ROWS)


def _open_dataset(column: Any) -> list[Any]:
    """Open a column of a dataset of Hugging Face; of one without a format, Arrow's column."""
    source, name = column.source, column.column_name
    if getattr(source, "format", _NESTED)["type"] is None:
        return _open_blocks(source.select_columns([name]).with_format("arrow")[:][name])
    rows = column[:]
    may_have_nulls = type(rows) is LIST or getattr(rows, "dtype", None) == "O"
    return [NullableRows(rows)] if may_have_nulls else _open_blocks(rows)


def _open_chunks(column: Any) -> list[Any]:
    return [block for chunk in column.iterchunks() for block in _open_blocks(chunk)]


def _open_lists(lists: Any) -> list[Any]:
    """Open an array of Arrow's lists, whose sizes are fixed or not."""
    kept = lists.drop_null() if lists.null_count else lists
    numbers = open_array(kept.flatten())
    if numbers is None:
        return _open_others(lists)
    is_valid = lists.is_valid().tolist() if lists.null_count else None
    return [_cut(numbers, kept.value_lengths().to_numpy(), is_valid)]


def _open_extension(array: Any) -> list[Any]:
    """Open an array of Arrow's tensors, or of another type that is stored as lists."""
    if len(getattr(array.type, "shape", ())) > 1:
        return [array.to_numpy_ndarray()]
    return _open_blocks(array.storage)


def _open_others(array: Any) -> list[Any]:
    return [NullableRows(array.to_pylist())]


def _open_polars(series: Any) -> list[Any]:
    """Open a Series of polars, whose rows are arrays or lists."""
    kept = series.drop_nulls()
    namespace = _POLARS.get(str(series.dtype.base_type()))
    numbers = open_array(kept.explode()) if namespace else None  # an empty list becomes a null
    if namespace is None or numbers is None or numbers.ndim != 1:
        return [NullableRows(series.to_list())]
    lengths = getattr(kept, namespace).len().to_numpy()
    is_valid = series.is_not_null().to_list() if series.null_count() else None
    return [_cut(numbers, lengths, is_valid)]


def _open_pandas(series: Any) -> list[Any]:
    """Open a Series of pandas, whose rows are objects, or are Arrow's."""
    if hasattr(series.dtype, "pyarrow_dtype"):
        return _open_blocks(series.array.__arrow_array__())
    nulls = series.isna().tolist()
    return [NullableRows(None if n else row for row, n in zip(series.tolist(), nulls, strict=True))]


def _cut(numbers: NDArray[Any], lengths: NDArray[Any], is_valid: list[bool] | None) -> Any:
    """Cut numbers into rows of these lengths; `is_valid` tells where there are null rows too."""
    if len(lengths) and (lengths == lengths[0]).all():
        array = numbers.reshape(len(lengths), lengths[0])
        return array if is_valid is None else ArrayWithGaps(array, is_valid)
    numpy = loaded_numpy()
    rows: list[Any] = numpy.split(numbers, numpy.cumsum(lengths))[:-1]
    return rows if is_valid is None else _fill(rows, is_valid)


def _fill(rows: Iterable[Any], is_valid: list[bool]) -> NullableRows:
    following = iter(rows)
    return NullableRows(next(following) if valid else None for valid in is_valid)


_NESTED = {"type": "custom"}
"""Stands for the format of a column within another."""
_POLARS = {"Array": "arr", "List": "list"}
"""The namespaces of polars for its types of rows."""
_OPENERS: tuple[tuple[str, Callable[[Any], list[Any]]], ...] = (
    ("column_name", _open_dataset),
    ("iterchunks", _open_chunks),
    ("value_lengths", _open_lists),
    ("from_storage", _open_extension),
    ("dictionary_encode", _open_others),
    ("is_not_null", _open_polars),
    ("hasnans", _open_pandas),
)
"""Functions that open a column as blocks, by the attribute that tells the column."""
