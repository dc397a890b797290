# Generated from [types.sparsevec] of specs/types.toml
# by codegen/templates/sqlalchemy/sparse.py.jinja.
# Do not edit: change one of them, then `make generate`.
"""The SQL type ``sparsevec`` for SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from asyncpg_vector._generated.sparsevec import SparseVector
from asyncpg_vector.sqlalchemy._column_type import Comparator, NumbersType

__all__ = ["SPARSEVEC"]


class SparseVectorComparator(Comparator[SparseVector]):
    """What SQL can do with an expression of the type ``sparsevec``."""

    def l2_distance(self, other: Any) -> ColumnElement[float]:
        """Return ``self <-> other``; `other` is an expression, or a parameter."""
        return self._distance("<->", other)

    def max_inner_product(self, other: Any) -> ColumnElement[float]:
        """Return ``self <#> other``; `other` is an expression, or a parameter."""
        return self._distance("<#>", other)

    def cosine_distance(self, other: Any) -> ColumnElement[float]:
        """Return ``self <=> other``; `other` is an expression, or a parameter."""
        return self._distance("<=>", other)

    def l1_distance(self, other: Any) -> ColumnElement[float]:
        """Return ``self <+> other``; `other` is an expression, or a parameter."""
        return self._distance("<+>", other)


class SPARSEVEC(NumbersType[SparseVector]):
    """A column of the SQL type ``sparsevec``, of which Python has `SparseVector` values.

    Args:
        dim: the number of dimensions, 1 to 1,000,000,000; without it, each row may have another.

    Raises:
        InvalidTypeError: that is no whole number.
        InvalidValueError: it is out of the type's limits.
    """

    cache_ok = True  # SQLAlchemy wants to hear it of every class
    comparator_factory = SparseVectorComparator

    @property
    def python_type(self) -> type[SparseVector]:
        return SparseVector
