"""The many ways in which callers hold a sequence of numbers, read into one of two."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any, Protocol, SupportsFloat, TypeAlias, cast

from asyncpg_vector.errors import InvalidTypeError, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from typing_extensions import Buffer, TypeIs

__all__ = ["Numbers", "NumbersInput", "SupportsToList", "is_ndarray", "read_numbers"]


class SupportsArray(Protocol):
    """An object that NumPy makes an array of, such as a JAX array."""

    def __array__(self) -> Any: ...


class SupportsToList(Protocol):
    """An object that becomes a list, such as a PyTorch tensor or a pandas Series."""

    def tolist(self) -> Any: ...


Numbers: TypeAlias = "Sequence[Any] | NDArray[Any]"
"""What `read_numbers` returns."""

NumbersInput: TypeAlias = "Sequence[SupportsFloat] | Buffer | SupportsArray | SupportsToList"
"""What `read_numbers` takes, for annotations."""


def read_numbers(value: object) -> Numbers:
    """Read any one-dimensional holder of numbers as a sequence or as an ndarray.

    Whether its elements are numbers is left to the element format that packs them, except that a
    nested sequence is refused here.

    Raises:
        InvalidTypeError: it is no sequence of numbers, or has not just one dimension.
    """
    numbers = _open(value)
    if is_ndarray(numbers):
        if numbers.ndim != 1:
            raise InvalidTypeError(f"expected one dimension, got an array of shape {numbers.shape}")
    elif len(numbers) and _is_sized(numbers[0]):
        raise InvalidTypeError(
            f"expected numbers, got a nested sequence: {describe(numbers[0])} at index 0"
        )
    return numbers


def is_ndarray(value: object) -> TypeIs[NDArray[Any]]:
    """Tell whether this is a plain ndarray, without importing NumPy.

    A subclass is not plain: a masked array, taken for one, would lose its mask.
    """
    numpy = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray


def _open(value: Any) -> Numbers:
    if isinstance(value, (list, tuple, array)) or is_ndarray(value):
        return cast("Numbers", value)
    _refuse(value)
    if _becomes_list(value):
        numbers = value.tolist()
        if isinstance(numbers, list):
            return cast("Numbers", numbers)
        raise InvalidTypeError(f"expected one dimension, got the scalar {describe(value)}")
    if hasattr(value, "__array__"):
        import numpy as np

        return np.asarray(value)
    buffer = _read_buffer(value)
    if buffer is not None:
        return buffer
    if _is_sequence(value):
        return cast("Numbers", value)
    raise InvalidTypeError(f"expected a sequence of numbers, got {describe(value)}")


def _refuse(value: object) -> None:
    """Refuse what looks like numbers in some way, and say what to do instead."""
    if isinstance(value, str):
        raise InvalidTypeError(f"expected numbers, got {describe(value)}; from_text() reads a text")
    if isinstance(value, (bytes, bytearray)):
        raise InvalidTypeError(
            f"expected numbers, got {describe(value)}; "
            "from_binary() reads a wire payload, from_float_base64() reads base64"
        )
    if isinstance(value, Number):
        raise InvalidTypeError(
            f"expected a sequence of numbers, got {describe(value)}; if this is for an array of "
            "vectors, asyncpg takes nested lists apart: make each row a value or a tuple"
        )


def _becomes_list(value: object) -> bool:
    """Tell whether ``tolist()`` gives the numbers; of a memoryview it may give bare bytes."""
    return hasattr(value, "tolist") and not isinstance(value, memoryview)


def _read_buffer(value: Any) -> Sequence[float] | None:
    """Read a buffer of floats of any width and byte order, such as a ctypes array."""
    try:
        view = memoryview(value)
    except TypeError:
        return None
    order, code = view.format[:-1] or "=", view.format[-1:]
    if code not in "efd" or order not in "@=<>!":
        raise InvalidTypeError(
            f"expected a buffer of floats, got {type(value).__name__} of format {view.format!r}"
        )
    if view.ndim != 1:
        raise InvalidTypeError(f"expected one dimension, got a buffer of shape {view.shape}")
    return struct.unpack(f"{order}{len(view)}{code}", view.tobytes())


def _is_sequence(value: object) -> bool:
    """Tell whether it behaves as a sequence does, whatever its class."""
    behaves = hasattr(value, "__len__") and hasattr(value, "__getitem__")
    return behaves and not isinstance(value, Mapping)


def _is_sized(number: Any) -> bool:
    """Tell whether an element has elements; an array without a dimension only looks like it."""
    if isinstance(number, (str, bytes, bytearray)):
        return False  # no number either, but the element format says that
    try:
        return len(number) >= 0
    except TypeError:
        return False
