"""NumPy, which nothing here needs, and which is put to use where the program has it anyway."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import TypeIs

__all__ = ["is_ndarray", "loaded_numpy"]

_numpy: Any = None
_plain_arrays: tuple[type, ...] = ()
"""NumPy's own classes of arrays, once it is loaded."""


def loaded_numpy() -> Any:
    """Return NumPy if anything has imported it, or else None."""
    global _numpy  # noqa: PLW0603  # looked up once, since every value that is packed asks
    if _numpy is None:
        numpy = sys.modules.get("numpy")
        # While another thread imports it, the module is there and not all of its contents are.
        # importlib tells nobody but itself, by a private name (ModuleSpec._initializing).
        spec = getattr(numpy, "__spec__", None)
        if spec and not getattr(spec, "_initializing", False):
            _numpy = numpy
    return _numpy


def is_ndarray(value: object) -> TypeIs[NDArray[Any]]:
    """Tell whether this is a plain ndarray, in memory or in a file, without importing NumPy.

    Another subclass is not plain: a masked array, taken for one, would lose its mask.
    """
    return type(value) in (_plain_arrays or _find_plain_arrays())


def _find_plain_arrays() -> tuple[type, ...]:
    global _plain_arrays  # noqa: PLW0603  # looked up once, as NumPy is
    numpy = loaded_numpy()
    if numpy is not None:
        _plain_arrays = (numpy.ndarray, numpy.memmap)
    return _plain_arrays
