"""A second copy of the package, which runs in Python alone and is compared with the kernel."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["import_python_alone"]

_PACKAGE = "asyncpg_vector"


def import_python_alone() -> Any:
    """Import the package a second time, without the kernel, and return it."""
    first = _take_modules()
    try:
        with patch.dict(os.environ, {"ASYNCPG_VECTOR_IMPL": "python"}):
            return import_module(_PACKAGE)
    finally:
        _take_modules()
        sys.modules.update(first)


def _take_modules() -> dict[str, ModuleType]:
    """Take the modules of the package out of those that are imported, and return them."""
    names = [name for name in sys.modules if f"{name}.".startswith(f"{_PACKAGE}.")]
    return {name: sys.modules.pop(name) for name in names}
