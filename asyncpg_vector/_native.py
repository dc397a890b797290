"""The choice between the native kernel and Python alone, whose results and errors are the same."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Literal, TypeAlias

__all__ = ["Implementation", "implementation", "kernel"]

Implementation: TypeAlias = Literal["native", "python"]

_VARIABLE = "ASYNCPG_VECTOR_IMPL"


def _load() -> Any:
    """Import the kernel; return None if it is not wanted, is missing or cannot be loaded."""
    wanted = os.environ.get(_VARIABLE, "")
    if wanted not in ("", "native", "python"):
        raise ImportError(f"expected {_VARIABLE} to be native or python, got {wanted!r}")
    if wanted == "python":
        return None
    try:
        return import_module("asyncpg_vector._kernel")
    except Exception as error:  # such as the SystemError for a kernel of another Python
        if wanted == "native":
            raise ImportError(
                f"expected the native kernel, since {_VARIABLE} is native, got: {error}"
            ) from error
        return None


kernel: Any = _load()
"""The compiled module, or None."""

implementation: Implementation = "native" if kernel else "python"
"""Which of the two the package uses."""
