"""Names that annotations use: types of NumPy and SciPy, and `Buffer`, which is new in Python 3.12.

Only `typing.get_type_hints` evaluates annotations, and no library is imported before. A name then
stands for the library's own type. Without the library, or inside of an alias, it stands for `Any`.
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
        """A library's module with its types; they are `Any` if the library is missing."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, name: str) -> Any:
            try:
                return getattr(import_module(self._name), name)
            except ImportError:
                return Any

    class _NDArray:
        """Is subscripted as ``numpy.typing.NDArray`` is, and imports it then."""

        def __getitem__(self, dtype: Any) -> Any:
            generic = _Module("numpy.typing").NDArray
            return Any if generic is Any else generic[dtype]

    np, sparse, NDArray = _Module("numpy"), _Module("scipy.sparse"), _NDArray()
    # Aliases are Any: a forward reference to `np.bool_` is evaluated in the module that uses the
    # alias, which may lack `np`. Python 3.14 ignores the module that a forward reference names.
    NumPyBool = Any
    Float16 = Float32 = Float64 = Int8 = Int16 = Int32 = UInt8 = UInt16 = UInt32 = Any
    Buffer = getattr(abc, "Buffer", Any)  # new in Python 3.12
