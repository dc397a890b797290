"""Finds NumPy if the program has imported it. The package uses it then, and never needs it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from asyncpg_vector._native import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeIs

__all__ = ["import_numpy", "is_ndarray", "loaded_numpy"]

_numpy: Any = None
_plain_arrays: tuple[type, ...] = ()
"""`ndarray` and `memmap`, once NumPy is loaded."""


def loaded_numpy() -> Any:
    """Return NumPy if anything has imported it, or else None."""
    global _numpy  # noqa: PLW0603  # a cache: packing any value asks for NumPy
    if _numpy is None:
        numpy = sys.modules.get("numpy")
        # While another thread imports NumPy, sys.modules has the module before it is complete.
        # Only importlib's private ModuleSpec._initializing tells.
        spec = getattr(numpy, "__spec__", None)
        if spec and not getattr(spec, "_initializing", False):
            _numpy = numpy
            if kernel is not None:
                kernel.meet_numpy(numpy)
    return _numpy


def import_numpy() -> Any:
    """Import NumPy, and return it."""
    import_module("numpy")
    return loaded_numpy()


def is_ndarray(value: object) -> TypeIs[NDArray[Any]]:
    """Tell whether this is an ndarray or a memmap, without importing NumPy.

    Other subclasses of ndarray do not count: read as an ndarray, a masked array loses its mask.
    """
    return type(value) in (_plain_arrays or _find_plain_arrays())


def _find_plain_arrays() -> tuple[type, ...]:
    global _plain_arrays  # noqa: PLW0603  # a cache, as of NumPy
    numpy = loaded_numpy()
    if numpy is not None:
        _plain_arrays = (numpy.ndarray, numpy.memmap)
    return _plain_arrays
