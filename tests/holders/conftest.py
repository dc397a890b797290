"""Leaves out the tests of libraries that a run lacks."""

from __future__ import annotations

from importlib.util import find_spec

NEEDS = {
    "test_columns.py": ("pyarrow", "polars", "pandas", "ml_dtypes"),
    "test_page.py": ("pyarrow",),
    "test_arrays.py": ("ml_dtypes", "pgvector"),
    "test_torch.py": ("torch",),
    "test_torch_sparse.py": ("torch",),
    "test_jax.py": ("jax",),
    "test_datasets.py": ("datasets", "torch", "jax", "polars"),
}

collect_ignore = [file for file, needs in NEEDS.items() if not all(map(find_spec, needs))]
