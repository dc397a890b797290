"""Holders of numbers: whatever callers have, read as a sequence or as an ndarray."""

from __future__ import annotations

import operator
import re
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    NoReturn,
    Protocol,
    SupportsFloat,
    SupportsIndex,
    TypeAlias,
    cast,
)

from asyncpg_vector._annotations import Buffer, NDArray
from asyncpg_vector._messages import describe
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.runtime.arrays import LIST, as_list, becomes_float32, open_array, widen

__all__ = [
    "LIST",
    "REAL",
    "Numbers",
    "NumbersInput",
    "SupportsArray",
    "SupportsToList",
    "SupportsToNumPy",
    "length_error",
    "may_be_real",
    "read_numbers",
    "read_whole",
]


class SupportsArray(Protocol):
    """An object that NumPy makes an array of, such as a JAX array."""

    def __array__(self) -> Any: ...


class SupportsToList(Protocol):
    """An object that becomes a list, such as a PyTorch tensor or a pandas Series."""

    def tolist(self) -> Any: ...


class SupportsToNumPy(Protocol):
    """An object that becomes an ndarray, such as a Series or a value of pgvector-python."""

    def to_numpy(self) -> Any: ...


if TYPE_CHECKING:
    Numbers: TypeAlias = Sequence[Any] | NDArray[Any]
    """A row that `read_numbers` has read."""
else:  # a module whose annotations are evaluated may lack the names in the alias
    Numbers = Any

REAL = "biuf"
"""NumPy's letters for the kinds of real numbers."""
_REAL_OR_OBJECT = f"{REAL}O"
_TEXT = (str, bytes, bytearray)
_PLAIN = (float, int)
_NUMBERS = "([@=<>!]?)([efdhilqHILQ])"
"""The formats of buffers that hold numbers, in the notation of `struct`."""

NumbersInput: TypeAlias = (
    Sequence[SupportsFloat] | Buffer | SupportsArray | SupportsToList | SupportsToNumPy
)
"""What `read_numbers` takes, for annotations."""


def read_numbers(value: object, what: str = "numbers") -> Numbers:
    """Read any one-dimensional holder of numbers as a sequence or as an ndarray.

    A nested sequence is refused here, and so is an ndarray of anything but numbers. Packing finds
    other elements that are no numbers.

    Args:
        value: the holder.
        what: the word for the expected elements in a message.

    Raises:
        InvalidTypeError: `value` is no sequence of numbers, or has more dimensions than one.
    """
    given = type(value) is LIST or is_ndarray(value)
    numbers = cast("Numbers", value) if given else _open(value, what)
    if type(numbers) is not LIST and is_ndarray(numbers):
        numbers = widen(numbers)
        if numbers.ndim != 1:
            raise InvalidTypeError(f"expected one dimension, got an array of shape {numbers.shape}")
        if not _may_hold_numbers(numbers):
            raise InvalidTypeError(f"expected {what}, got an array of {numbers.dtype}")
    elif _is_nested(numbers):
        raise InvalidTypeError(
            f"expected {what}, got a nested sequence: {describe(numbers[0])} at index 0"
        )
    return numbers


def read_whole(value: SupportsIndex, place: str) -> int:
    """Read a whole number; raise InvalidTypeError, with the number's place, for anything else."""
    try:
        return operator.index(value)
    except TypeError:
        raise InvalidTypeError(f"expected a whole number {place}, got {describe(value)}") from None


def may_be_real(number: object, kinds: str = REAL) -> bool:
    """Tell whether `float()` either reads an object as a real number or refuses it.

    `float()` misreads some objects: of NumPy's complex scalars it drops the imaginary part, of its
    dates and of arrays with one element it makes numbers.

    Args:
        number: any object.
        kinds: NumPy's letters for the kinds of scalars that are numbers here.
    """
    dtype = getattr(number, "dtype", None)
    is_number = getattr(dtype, "kind", kinds[0]) in kinds or becomes_float32(dtype)
    return is_number and not (hasattr(number, "__len__") and _has_elements(number))


def length_error(numbers: Numbers) -> InvalidTypeError:
    """Return the error for a sequence whose number of elements is not its ``len()``."""
    return InvalidTypeError(f"expected numbers, as many as len() says, got {describe(numbers)}")


def _open(value: Any, what: str) -> Numbers:
    if isinstance(value, (list, tuple, array)):
        return cast("Numbers", value)
    _refuse_text(value, what)
    array_ = open_array(value)
    if array_ is not None and array_.ndim:
        return array_
    numbers = _as_list(value, what)
    if numbers is value:
        numbers = _read_buffer(value, what)
    if not _is_sequence(numbers):
        _refuse(value, what)
    return cast("Numbers", numbers)


def _as_list(value: Any, what: str) -> Any:
    if isinstance(value, memoryview):  # whose tolist() may return bytes
        return value  # pyright: ignore[reportUnknownVariableType]  # of any format
    if not _may_hold_numbers(value):  # of dates, tolist() would make some
        _refuse(value, what)
    numbers = as_list(value, what)
    if numbers is None and value is not None:
        raise InvalidTypeError(
            f"expected {what}, got {describe(value)}, which is null: write None for NULL"
        )
    _refuse_text(numbers, what)
    return numbers


def _refuse_text(value: object, what: str) -> None:
    if isinstance(value, str):
        raise InvalidTypeError(f"expected {what}, got {describe(value)}; from_text() reads a text")
    if isinstance(value, (bytes, bytearray)):
        raise InvalidTypeError(
            f'expected {what}, got {describe(value)}; memoryview(data).cast("f") reads float32, '
            "from_binary() a wire payload, from_float_base64() base64"
        )


def _may_hold_numbers(value: object) -> bool:
    """Tell whether this is an array of numbers or of objects, or no array at all."""
    return getattr(getattr(value, "dtype", None), "kind", "O") in _REAL_OR_OBJECT


def _refuse(value: object, what: str) -> NoReturn:
    message = f"expected a sequence of {what}, got {describe(value)}"
    if isinstance(value, memoryview):
        raise InvalidTypeError(
            f'{message} of format {value.format!r}; cast("f") makes one of float32 of bytes'
        )
    raise InvalidTypeError(message)


def _read_buffer(value: Any, what: str) -> Any:
    """Read a buffer of numbers of any width and byte order; return another object unchanged.

    Bytes are refused: they may be a wire payload.
    """
    try:
        view = memoryview(value)
    except TypeError:
        return value
    except ValueError as error:  # such as that it is released, or closed
        raise InvalidValueError(f"expected {what}, got {describe(value)}: {error}") from error
    if view.ndim != 1:
        raise InvalidTypeError(f"expected one dimension, got a buffer of shape {view.shape}")
    numbers = re.fullmatch(_NUMBERS, view.format)
    if numbers:
        order, code = numbers.groups()
        return struct.unpack(f"{order}{len(view)}{code}", view.tobytes())
    return None if isinstance(value, memoryview) else value


def _is_sequence(value: object) -> bool:
    """Tell whether an object behaves as a sequence does, whatever its class."""
    behaves = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return behaves and not isinstance(value, Mapping)


def _is_nested(numbers: Any) -> bool:
    """Tell whether the first element has elements; packing notices the others."""
    try:
        first: Any = numbers[0] if len(numbers) else 0
    except (LookupError, TypeError):
        raise InvalidTypeError(f"expected a sequence, got {describe(numbers)}") from None
    except OverflowError:  # which len() raises for a range
        raise InvalidValueError(
            f"expected at most {sys.maxsize} elements, got {describe(numbers)}"
        ) from None
    return type(first) not in _PLAIN and not isinstance(first, _TEXT) and _has_elements(first)


def _has_elements(value: Any) -> bool:
    """Tell whether ``len()`` works; an array without a dimension has the method and no length."""
    try:
        return len(value) >= 0
    except TypeError:
        return False
