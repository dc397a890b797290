"""pgvector's types for SQLAlchemy: binary on a registered async engine, text on any other.

    engine = create_async_engine("postgresql+asyncpg://...")
    register_engine(engine)

    class Item(Base):
        embedding: Mapped[Vector] = mapped_column(VECTOR(3))

Importing this module lets SQLAlchemy reflect the types. It replaces SQLAlchemy's own ``BIT`` by
`BIT` in reflection. The column types are generated from specs/types.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects.postgresql.base import PGDialect

from asyncpg_vector.sqlalchemy import _generated
from asyncpg_vector.sqlalchemy._array import ARRAY
from asyncpg_vector.sqlalchemy._engine import register_engine
from asyncpg_vector.sqlalchemy._generated import *  # noqa: F403  # the types that the spec names
from asyncpg_vector.sqlalchemy._generated import COLUMN_TYPES
from asyncpg_vector.sqlalchemy.search import search_settings

__all__ = ["ARRAY", "register_engine", "search_settings"]
__all__ += _generated.__all__

for _column_type in (ARRAY, *COLUMN_TYPES.values()):
    # Migrations, generated models and pickles outlive releases, and name a type by its module.
    _column_type.__module__ = __name__

_reflected: dict[str, Any] = PGDialect.ischema_names
_reflected.update(COLUMN_TYPES)

if not TYPE_CHECKING:  # a type checker would accept any name

    def __getattr__(name: str) -> None:
        """Refuse the names of value classes: pgvector-python has a column type ``Vector``."""
        for column_type in COLUMN_TYPES.values():
            if column_type().python_type.__name__ == name:
                raise ImportError(
                    f"expected a column type, got {name}: the column type is "
                    f"{column_type.__name__}, and the value class is asyncpg_vector.{name}"
                )
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
