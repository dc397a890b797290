# Generated from [types.bit] of specs/types.toml
# by codegen/templates/sqlalchemy/bits.py.jinja.
# Do not edit: change one of them, then `make generate`.
"""The SQL type ``bit`` for SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement

from asyncpg_vector._generated.bit import Bit
from asyncpg_vector.sqlalchemy._column_type import BitsType, Comparator

__all__ = ["BIT"]


class BitComparator(Comparator[Bit]):
    """What SQL can do with an expression of the type ``bit``."""

    def hamming_distance(self, other: Any) -> ColumnElement[float]:
        """Return ``self <~> other``; `other` is an expression, or a parameter."""
        return self._distance("<~>", other)

    def jaccard_distance(self, other: Any) -> ColumnElement[float]:
        """Return ``self <%> other``; `other` is an expression, or a parameter."""
        return self._distance("<%>", other)


class BIT(BitsType[Bit]):
    """A column of the SQL type ``bit``, of which Python has `Bit` values.

    Args:
        length: the number of bits, 1 to 83,886,080.

    Raises:
        InvalidTypeError: that is no whole number.
        InvalidValueError: it is out of the type's limits.
    """

    cache_ok = True  # SQLAlchemy wants to hear it of every class
    comparator_factory = BitComparator
    max_length = 83_886_080

    @property
    def python_type(self) -> type[Bit]:
        return Bit
