"""The names of other libraries, and of later Pythons, that annotations need to be evaluated.

Nothing is imported for them until then. `typing.get_type_hints` evaluates annotations; with the
library it gets the library's own type, and without it, or inside of an alias, `Any`.
"""

from __future__ import annotations

from collections import abc
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

__all__ = ["Buffer", "NDArray", "NumPyBool", "np", "sparse"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse
    from typing_extensions import Buffer

    NumPyBool: TypeAlias = np.bool_
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
    Buffer = getattr(abc, "Buffer", Any)  # of Python 3.12
