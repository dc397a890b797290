"""Which types an engine's connections have registered, for the types of its columns to know."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from sqlalchemy import Dialect

__all__ = ["registered_types"]

# SQLAlchemy makes a dialect for each engine, and gives it to what makes parameters of values.
_REGISTERED: WeakKeyDictionary[Dialect, set[str]] = WeakKeyDictionary()


def registered_types(dialect: Dialect) -> set[str]:
    """Return the live set of the SQL names that an engine's connections have registered."""
    return _REGISTERED.setdefault(dialect, set())
