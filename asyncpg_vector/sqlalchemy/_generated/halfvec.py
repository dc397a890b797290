# Generated from [types.halfvec] of specs/types.toml
# by codegen/templates/sqlalchemy/dense.py.jinja.
# Do not edit: change one of them, then `make generate`.
"""The SQL type ``halfvec`` for SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from asyncpg_vector._generated.halfvec import HalfVector
from asyncpg_vector.sqlalchemy._column_type import Comparator, NumbersType

__all__ = ["HALFVEC"]


class HalfVectorComparator(Comparator[HalfVector]):
    """What SQL can do with an expression of the type ``halfvec``."""

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

    def avg(self) -> ColumnElement[HalfVector]:
        """Return ``avg(self)``, of the same type."""
        return self._aggregate("avg")

    def sum(self) -> ColumnElement[HalfVector]:
        """Return ``sum(self)``, of the same type."""
        return self._aggregate("sum")


class HALFVEC(NumbersType[HalfVector]):
    """A column of the SQL type ``halfvec``, of which Python has `HalfVector` values.

    Args:
        dim: the number of dimensions, 1 to 16,000; without it, each row may have another.

    Raises:
        InvalidTypeError: that is no whole number.
        InvalidValueError: it is out of the type's limits.
    """

    cache_ok = True  # SQLAlchemy wants to hear it of every class
    comparator_factory = HalfVectorComparator

    @property
    def python_type(self) -> type[HalfVector]:
        return HalfVector
