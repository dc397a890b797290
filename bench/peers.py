"""The libraries that are compared, in their pinned versions."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pgvector

import asyncpg_vector

__all__ = [
    "FIRST",
    "FLOOR",
    "LIMIT",
    "OURS",
    "PACKAGES",
    "PGVECTOR",
    "PYTHON",
    "ROOT",
    "VERSIONS",
    "first",
    "pgvector",
]

ROOT = Path(__file__).resolve().parent.parent
FIRST_FOLDER = ROOT / ".venv" / "first-release"

OURS = "asyncpg_vector"
PYTHON = "asyncpg_vector, Python alone"
PGVECTOR = f"pgvector-python {version('pgvector')}"
FIRST = "asyncpg_vector 0.1.2"
FLOOR = "floor"
"""A codec that does nothing: it takes wire payloads and returns them."""
LIMIT = "limit"
"""What CPython itself needs to touch, make or copy as much."""

VERSIONS = {name: version(name) for name in ("asyncpg", "asyncpg_vector", "numpy", "pgvector")}


def _load_first() -> Any:
    """Import the first release from its own folder, under another name than today's package."""
    path = FIRST_FOLDER / "asyncpg_vector" / "__init__.py"
    spec = importlib.util.spec_from_file_location("asyncpg_vector_first", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ImportError(f"expected the first release in {FIRST_FOLDER}: run make bench")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


first = _load_first()
PACKAGES: dict[str, Path] = {
    OURS: Path(asyncpg_vector.__file__).parent,
    PGVECTOR: Path(pgvector.__file__).parent,
    FIRST: FIRST_FOLDER / "asyncpg_vector",
}
