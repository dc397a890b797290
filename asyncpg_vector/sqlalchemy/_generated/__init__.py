# Generated from specs/types.toml by codegen/templates/sqlalchemy/registry.py.jinja.
# Do not edit: change one of them, then `make generate`.
"""The column type of every type of the spec, by its SQL name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncpg_vector.sqlalchemy._generated.bit import BIT
from asyncpg_vector.sqlalchemy._generated.halfvec import HALFVEC
from asyncpg_vector.sqlalchemy._generated.sparsevec import SPARSEVEC
from asyncpg_vector.sqlalchemy._generated.vector import VECTOR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg_vector.sqlalchemy._column_type import ColumnType

__all__ = ["BIT", "HALFVEC", "SPARSEVEC", "VECTOR"]

COLUMN_TYPES: Mapping[str, type[ColumnType[Any]]] = {
    "vector": VECTOR,
    "halfvec": HALFVEC,
    "sparsevec": SPARSEVEC,
    "bit": BIT,
}
"""In the order of the spec."""
