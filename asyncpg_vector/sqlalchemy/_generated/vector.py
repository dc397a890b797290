# Generated from [types.vector] of specs/types.toml
# by codegen/templates/sqlalchemy/dense.py.jinja.
# Do not edit: change one of them, then `make generate`.
"""The SQL type ``vector`` for SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from asyncpg_vector._generated.vector import Vector
from asyncpg_vector.sqlalchemy._column_type import Comparator, NumbersType

__all__ = ["VECTOR"]


class VectorComparator(Comparator[Vector]):
    """What SQL can do with an expression of the type ``vector``."""

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

    def avg(self) -> ColumnElement[Vector]:
        """Return ``avg(self)``, of the same type."""
        return self._aggregate("avg")

    def sum(self) -> ColumnElement[Vector]:
        """Return ``sum(self)``, of the same type."""
        return self._aggregate("sum")


class VECTOR(NumbersType[Vector]):
    """A column of the SQL type ``vector``, of which Python has `Vector` values.

    Args:
        dim: the number of dimensions, 1 to 16,000; without it, each row may have another.

    Raises:
        InvalidTypeError: that is no whole number.
        InvalidValueError: it is out of the type's limits.
    """

    cache_ok = True  # SQLAlchemy wants to hear it of every class
    comparator_factory = VectorComparator

    @property
    def python_type(self) -> type[Vector]:
        return Vector
