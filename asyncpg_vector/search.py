"""Settings of searches by an index, such as ``hnsw.ef_search``: checked, and never lost.

An asyncpg pool resets a connection that it takes back, so that a ``SET`` in ``init`` is lost. What
stays are the settings with which a connection starts:

    SETTINGS: SearchSettings = {"hnsw.ef_search": 100}
    pool = await asyncpg.create_pool(dsn, server_settings=server_settings(SETTINGS))

For one search, or for a few:

    async with search_settings(conn, {"hnsw.iterative_scan": "strict_order"}):
        rows = await conn.fetch(...)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from asyncpg_vector._generated._index_methods import INDEX_METHODS, SearchSettings
from asyncpg_vector._lookup import FIND_EXTENSIONS, AnyConnection, require_connection
from asyncpg_vector._messages import describe
from asyncpg_vector._options import check, find, write
from asyncpg_vector.errors import InvalidTypeError, SettingsNotFoundError

__all__ = ["SearchSettings", "require_settings", "search_settings", "server_settings"]

_SETTINGS = {
    name: setting for method in INDEX_METHODS.values() for name, setting in method.settings.items()
}

# An index method's library defines its settings when the session first uses the method. Until then,
# the server takes any value for a setting, as a placeholder, and drops it later with a warning. A
# question for a property of the method loads the library. pg_settings does not show placeholders.
# The subqueries keep the order: the library is loaded, all settings are read, and then all are set.
_READ = """
WITH loaded AS MATERIALIZED (
    SELECT pg_catalog.count(pg_catalog.pg_indexam_has_property(oid, 'can_order')) AS methods
    FROM pg_catalog.pg_am
    WHERE amname OPERATOR(pg_catalog.=) ANY(CAST($3 AS pg_catalog.text[]))
), shown AS MATERIALIZED (
    SELECT name, setting, source FROM pg_catalog.pg_settings
    WHERE (SELECT methods FROM loaded) OPERATOR(pg_catalog.>) 0
), read AS MATERIALIZED (
    SELECT wanted.name, wanted.value, shown.name IS NOT NULL AS is_there,
        CASE WHEN source OPERATOR(pg_catalog.=) 'session' THEN setting END AS old
    FROM ROWS FROM (
        pg_catalog.unnest(CAST($1 AS pg_catalog.text[])),
        pg_catalog.unnest(CAST($2 AS pg_catalog.text[]))
    ) AS wanted (name, value)
    LEFT JOIN shown ON shown.name OPERATOR(pg_catalog.=) wanted.name
)
"""

READ = _READ + "SELECT name, is_there, old FROM read"  # noqa: S608  # of constants
"""Read settings. The old value is NULL if it is that with which the session began."""

_SET = """
SELECT name, is_there, old, CASE WHEN (SELECT pg_catalog.bool_and(is_there) FROM read)
    THEN pg_catalog.set_config(name, value, true) END AS new
FROM read
"""
APPLY = _READ + _SET
"""Set settings until the end of the transaction, or none if one is missing; NULL resets one."""


def server_settings(settings: SearchSettings) -> dict[str, str]:
    """Check settings, and return them as asyncpg's `server_settings` takes them.

    Each connection of a pool starts with them, and keeps them when the pool resets it. PgBouncer
    refuses such settings; there, use `search_settings`, or ``ALTER ROLE ... SET``.

    Args:
        settings: the values, by the names of the settings.

    Raises:
        InvalidTypeError: `settings` is no dict, or a value is of another type.
        InvalidValueError: there is no setting of a name, or a value is out of its range.
    """
    given: object = settings
    if not isinstance(given, Mapping):
        raise InvalidTypeError(f"expected a dict of settings, got {describe(given)}")
    return {
        name: write(check(find(_SETTINGS, name, "a setting"), name, value))
        for name, value in settings.items()
    }


async def require_settings(conn: AnyConnection, settings: Iterable[str]) -> None:
    """Check that the server has settings. It would drop what it does not know with a warning.

    Args:
        conn: a connection, as a pool passes it to ``init``.
        settings: the names of the settings, or the settings themselves.

    Raises:
        InvalidTypeError: `conn` is no connection, or `settings` are no names.
        InvalidValueError: there is no setting of a name.
        SettingsNotFoundError: the server lacks a setting, or the index method that it belongs to.
    """
    require_connection(conn)
    if isinstance(settings, str) or not isinstance(settings, Iterable):
        raise InvalidTypeError(f"expected names of settings, got {describe(settings)}")
    names = list(settings)
    for name in names:
        find(_SETTINGS, name, "a setting")
    await _read(conn, READ, dict.fromkeys(names))


@asynccontextmanager
async def search_settings(conn: AnyConnection, settings: SearchSettings) -> AsyncGenerator[None]:
    """Search with settings, for as long as the block lasts.

    The block is a transaction. Inside of another transaction, it is a part of that, and the old
    settings hold again after it. It works through PgBouncer in session and in transaction mode.

    Args:
        conn: a connection.
        settings: the values, by the names of the settings.

    Raises:
        InvalidTypeError: `conn` is no connection, `settings` is no dict, or a value is of another
            type.
        InvalidValueError: there is no setting of a name, or a value is out of its range.
        SettingsNotFoundError: the server lacks a setting, or the index method that it belongs to;
            no setting was changed.
    """
    require_connection(conn)
    wanted = server_settings(settings)
    if not conn.is_in_transaction():
        async with conn.transaction():
            await _read(conn, APPLY, wanted)
            yield
        return
    old = await _read(conn, READ, wanted)  # on its own: a task may be cancelled while it sets them
    try:
        await _read(conn, APPLY, wanted)
        yield
    finally:
        await _restore(conn, old)


def methods_of(names: Iterable[str]) -> list[str]:
    """Return the index methods that have any of the settings."""
    wanted = {*names}
    return [name for name, method in INDEX_METHODS.items() if wanted & {*method.settings}]


def missing_error(missing: Iterable[str], extensions: Iterable[Any]) -> SettingsNotFoundError:
    """Make the error for settings that a server lacks.

    Args:
        missing: their names.
        extensions: what `FIND_EXTENSIONS` returns.
    """
    releases = {name: release for name, release, _ in extensions}
    advice = "; ".join(_explain(name, releases) for name in missing)
    return SettingsNotFoundError(
        f"expected {', '.join(missing)} on the server, found nothing; {advice}"
    )


def _explain(name: str, releases: Mapping[str, str]) -> str:
    """Say which release of which extension has a setting, and which one the server has."""
    method = next(each for each in INDEX_METHODS.values() if name in each.settings)
    release = releases.get(method.extension)
    there = f"is at {release}" if release else "has not been created in this database"
    return f"{name} came with {method.extension} {method.settings[name].since}, which {there}"


async def _read(
    conn: AnyConnection, statement: str, wanted: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Read or set settings, and return the old ones; raise if the server lacks one."""
    rows = await conn.fetch(statement, list(wanted), list(wanted.values()), methods_of(wanted))
    missing = [row["name"] for row in rows if not row["is_there"]]
    if missing:
        raise missing_error(missing, await conn.fetch(FIND_EXTENSIONS))
    return {row["name"]: row["old"] for row in rows}


async def _restore(conn: AnyConnection, old: Mapping[str, str | None]) -> None:
    """Set the old settings again. A failed transaction restores them itself, when it is undone."""
    if not conn.is_closed():
        with suppress(asyncpg.InFailedSQLTransactionError):
            await _read(conn, APPLY, old)
