"""NumPy, which nothing here needs, and which is put to use where the program has it anyway."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["loaded_numpy"]

_numpy: Any = None


def loaded_numpy() -> Any:
    """Return NumPy if anything has imported it, or else None."""
    global _numpy  # noqa: PLW0603  # looked up once, since every value that is packed asks
    if _numpy is None and hasattr(sys.modules.get("numpy"), "ndarray"):
        # While another thread imports it, the module is there and its contents are not.
        _numpy = sys.modules["numpy"]
    return _numpy
