"""Finds the types in a database: the schema of each, and what to run if one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import (
    ExtensionNotFoundError,
    InvalidTypeError,
    InvalidValueError,
    TypesNotFoundError,
)
from asyncpg_vector.info import TypeInfo

__all__ = [
    "FIND_EXTENSIONS",
    "AnyConnection",
    "Found",
    "find_oids",
    "find_types",
    "make_missing_error",
    "quote",
    "require_connection",
]

if TYPE_CHECKING:
    AnyConnection: TypeAlias = asyncpg.Connection[Any] | PoolConnectionProxy[Any]
else:  # asyncpg's classes are generic in their stubs alone
    AnyConnection = asyncpg.Connection | PoolConnectionProxy

_PG_CATALOG = "pg_catalog"

# Every scalar type of a wanted name, with the extension that owns it. One statement sees one state
# of the database, even while other sessions change it.
# Every name is qualified with its schema, operators too: the search path may put a user's objects
# first. To set a codec, asyncpg looks the type up once more, with two unqualified operators =
# (TYPE_BY_NAME). can_be_looked_up says whether the search path finds the server's own.
# The parameter is text[], one of the two array types that asyncpg knows without a query.
_FIND = """
SELECT t.typname AS name, t.oid, n.nspname AS schema, e.extname AS extension,
    pg_catalog.pg_type_is_visible(t.oid) AS visible,
    pg_catalog.pg_operator_is_visible(
        'pg_catalog.=(pg_catalog.name, pg_catalog.name)'::pg_catalog.regoperator
    ) AND pg_catalog.pg_operator_is_visible(
        'pg_catalog.=(pg_catalog.oid, pg_catalog.oid)'::pg_catalog.regoperator
    ) AS can_be_looked_up
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
LEFT JOIN pg_catalog.pg_depend d
    ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
    AND d.objid OPERATOR(pg_catalog.=) t.oid
    AND d.deptype OPERATOR(pg_catalog.=) 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid OPERATOR(pg_catalog.=) d.refobjid
WHERE t.typtype OPERATOR(pg_catalog.=) 'b'
    AND t.typname OPERATOR(pg_catalog.=) ANY($1::pg_catalog.text[])
"""

FIND_EXTENSIONS = """
SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
"""
"""Finds the installed extensions, their releases and their schemas."""

_FIND_OIDS = """
SELECT t.oid FROM pg_catalog.pg_type t
WHERE t.typtype OPERATOR(pg_catalog.=) 'b'
    AND t.typname OPERATOR(pg_catalog.=) ANY($1::pg_catalog.text[])
"""


class Found(NamedTuple):
    """The wanted types that a database has."""

    schemas: Mapping[str, str]
    """The schema of each wanted type that exists, by its SQL name."""

    oids: frozenset[int]
    """The OIDs of all scalar types of the wanted names, as `find_oids` returns them."""


def require_connection(conn: Any) -> None:
    """Raise InvalidTypeError for anything but a connection, or a pool's proxy of one."""
    if not hasattr(conn, "set_type_codec"):
        raise InvalidTypeError(f"expected a connection of asyncpg, got {describe(conn)}")


async def find_types(conn: AnyConnection, infos: Sequence[TypeInfo], schema: str | None) -> Found:
    """Ask a database for types.

    Args:
        conn: a connection to the database.
        infos: the wanted types.
        schema: the only schema to look in. With None, a type is found in the schema of its
            extension, and a type without an extension by the search path.

    Raises:
        InvalidValueError: the search path puts another operator ``=`` before the server's own.
    """
    rows = await conn.fetch(_FIND, [info.sql_name for info in infos])
    if not all(row["can_be_looked_up"] for row in rows):
        raise await _misled(conn)
    schemas = {info.sql_name: _schema_of(info, schema, rows) for info in infos}
    return Found(
        schemas={name: place for name, place in schemas.items() if place},
        oids=frozenset(row["oid"] for row in rows),
    )


async def find_oids(conn: AnyConnection, names: Iterable[str]) -> frozenset[int]:
    """Return the OIDs of all scalar types of the given names, whoever owns them.

    A type that is created anew has a new OID. While the OIDs stay the same, so does the result of
    `find_types`, which takes twice the time.
    """
    return frozenset(row[0] for row in await conn.fetch(_FIND_OIDS, list(names)))


def _schema_of(info: TypeInfo, schema: str | None, rows: Iterable[asyncpg.Record]) -> str | None:
    """Return the schema of the wanted type, and not of another type of the same name."""
    named = [row for row in rows if row["name"] == info.sql_name]
    owners: dict[str, str | None] = {row["schema"]: row["extension"] for row in named}
    if info.built_in:
        schema = _PG_CATALOG
    if schema is not None:
        return schema if schema in owners else None
    if info.extension is None:
        return next((row["schema"] for row in named if row["visible"]), None)
    for place, extension in owners.items():
        if extension == info.extension:
            return place
    return _PG_CATALOG if owners.get(_PG_CATALOG, "none") is None else None


async def _misled(conn: AnyConnection) -> InvalidValueError:
    """Make the error for a search path with which asyncpg would look up a wrong type."""
    path = await conn.fetchval("SELECT pg_catalog.current_setting('search_path')")
    return InvalidValueError(
        "expected the server's own operator = for names and oids, by which asyncpg looks up types, "
        f"got another by search_path {path!r}; put pg_catalog first, or leave it out"
    )


async def make_missing_error(
    conn: AnyConnection,
    schema: str | None,
    missing: Sequence[TypeInfo],
) -> TypesNotFoundError:
    """Make the error that names the missing types, the database, and the statement to run."""
    names = ", ".join(info.sql_name for info in missing)
    where = "" if schema is None else f" in schema {schema!r}"
    database = await conn.fetchval("SELECT pg_catalog.current_database()")
    rows = await conn.fetch(FIND_EXTENSIONS)
    installed = {row["name"]: (row["version"], row["schema"]) for row in rows}
    owned = [(info, info.extension) for info in missing if info.extension]
    advice = {_advise(info, extension, schema, installed) for info, extension in owned}
    if len(owned) < len(missing):
        advice.add("create the type, or pass the schema that has it")
    are_installed = all(extension in installed for _, extension in owned)
    error = TypesNotFoundError if are_installed else ExtensionNotFoundError
    return error(
        f"expected {names}{where} in database {database!r}, found nothing; "
        + "; ".join(sorted(advice))
    )


def _advise(
    info: TypeInfo, extension: str, schema: str | None, installed: Mapping[str, tuple[str, str]]
) -> str:
    if extension not in installed:
        place = "" if schema is None else f" SCHEMA {quote(schema)}"
        return f"run CREATE EXTENSION {extension}{place}, then register again"
    version, place = installed[extension]
    if schema not in (None, place):
        return f"extension {extension} is in schema {place!r}: pass that schema, or none"
    return (
        f"extension {extension} is at {version}, {info.sql_name} came with {info.since}: install "
        f"that release on the server, run ALTER EXTENSION {extension} UPDATE, then register again"
    )


def quote(name: str) -> str:
    """Return a name as SQL has it in quotes."""
    return '"' + name.replace('"', '""') + '"'
