"""Bind and fetch pgvector's types through asyncpg, in PostgreSQL's binary format.

    pool = await asyncpg.create_pool(dsn, init=register_vector)
    await pool.execute("INSERT INTO items (embedding) VALUES ($1)", Vector([1, 2.5, 3]))

The value classes and their codecs are generated from specs/types.toml.
"""

from __future__ import annotations

from asyncpg_vector import _generated
from asyncpg_vector._first_release import add_old_names
from asyncpg_vector._generated import *  # noqa: F403  # the value classes that the spec names
from asyncpg_vector._generated._index_methods import INDEX_METHODS
from asyncpg_vector._native import implementation
from asyncpg_vector.errors import (
    ExtensionNotFoundError,
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    MalformedWireError,
    SettingsNotFoundError,
    TypesNotFoundError,
    VectorError,
)
from asyncpg_vector.info import IndexMethod, Metric, Parameter, TypeInfo
from asyncpg_vector.registration import register_vector
from asyncpg_vector.search import SearchSettings, require_settings, search_settings, server_settings

__all__ = [
    "INDEX_METHODS",
    "ExtensionNotFoundError",
    "IndexMethod",
    "InvalidTypeError",
    "InvalidValueError",
    "MalformedTextError",
    "MalformedWireError",
    "Metric",
    "Parameter",
    "SearchSettings",
    "SettingsNotFoundError",
    "TypeInfo",
    "TypesNotFoundError",
    "VectorError",
    "implementation",
    "register_vector",
    "require_settings",
    "search_settings",
    "server_settings",
]
__all__ += _generated.__all__

for _value_class in _generated.VALUE_CLASSES.values():
    # Pickles and error messages name a class's module: the public package, whose name stays.
    _value_class.__module__ = __name__
    if not _value_class.info.built_in:  # 0.1 had no class for `bit`
        add_old_names(_value_class)
