"""The names of other libraries, and of later Pythons, that annotations need to be evaluated.

Nothing is imported for them until then. `typing.get_type_hints` evaluates annotations; with the
library it gets the library's own type, and without it, or inside of an alias, `Any`.
"""

from __future__ import annotations

from collections import abc
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

__all__ = [
    "Buffer",
    "Float16",
    "Float32",
    "Float64",
    "Int8",
    "Int16",
    "Int32",
    "NDArray",
    "NumPyBool",
    "UInt8",
    "UInt16",
    "UInt32",
    "np",
    "sparse",
]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse
    from typing_extensions import Buffer

    NumPyBool: TypeAlias = np.bool_
    Float16: TypeAlias = np.float16
    Float32: TypeAlias = np.float32
    Float64: TypeAlias = np.float64
    Int8: TypeAlias = np.int8
    Int16: TypeAlias = np.int16
    Int32: TypeAlias = np.int32
    UInt8: TypeAlias = np.uint8
    UInt16: TypeAlias = np.uint16
    UInt32: TypeAlias = np.uint32
else:

    class _Module:
        """A module of a library, with its types as attributes."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            try:
                return getattr(import_module(self._name), name)
            except ImportError:
                return Any

    class _NDArray:
        """What is subscripted as ``numpy.typing.NDArray`` is."""

        def __getitem__(self, dtype: Any) -> Any:
            generic = _Module("numpy.typing").NDArray
            return Any if generic is Any else generic[dtype]

    np, sparse, NDArray = _Module("numpy"), _Module("scipy.sparse"), _NDArray()
    # Any, since a module that evaluates an alias may lack `np`. A forward reference that names its
    # module does not help: Python 3.14 ignores that inside of an alias.
    NumPyBool = Any
    Float16 = Float32 = Float64 = Int8 = Int16 = Int32 = UInt8 = UInt16 = UInt32 = Any
    Buffer = getattr(abc, "Buffer", Any)  # of Python 3.12
