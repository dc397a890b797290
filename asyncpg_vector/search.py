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
from contextlib import asynccontextmanager

import asyncpg

from asyncpg_vector._generated._index_methods import INDEX_METHODS, SearchSettings
from asyncpg_vector._lookup import AnyConnection
from asyncpg_vector._messages import describe
from asyncpg_vector._options import check, find, write
from asyncpg_vector.errors import InvalidTypeError, SettingsNotFoundError

__all__ = ["SearchSettings", "require_settings", "search_settings", "server_settings"]

_SETTINGS = {
    name: setting for method in INDEX_METHODS.values() for name, setting in method.settings.items()
}

# An index method's library defines its settings when the session first uses the method. Until then,
# the server takes any value for a setting, and drops it later with a warning. A question for a
# property of the method loads the library. Subqueries keep the order: it is loaded, then all
# settings are read, then all are set, or none if one of them is missing.
APPLY = """
WITH loaded AS MATERIALIZED (
    SELECT pg_catalog.count(pg_catalog.pg_indexam_has_property(oid, 'can_order')) AS methods
    FROM pg_catalog.pg_am
    WHERE amname OPERATOR(pg_catalog.=) ANY(CAST($3 AS pg_catalog.text[]))
), before AS MATERIALIZED (
    SELECT name, value, CASE WHEN (SELECT methods FROM loaded) OPERATOR(pg_catalog.>) 0
        THEN pg_catalog.current_setting(name, true) END AS old
    FROM ROWS FROM (
        pg_catalog.unnest(CAST($1 AS pg_catalog.text[])),
        pg_catalog.unnest(CAST($2 AS pg_catalog.text[]))
    ) AS wanted (name, value)
)
SELECT name, old, CASE WHEN (SELECT pg_catalog.bool_and(old IS NOT NULL) FROM before)
    THEN pg_catalog.set_config(name, coalesce(value, old), true) END AS new
FROM before
"""
"""Set settings until the end of the transaction, and return the old ones; NULL keeps a setting."""

FIND_RELEASES = "SELECT extname, extversion FROM pg_catalog.pg_extension"


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
        InvalidValueError: there is no setting of a name.
        SettingsNotFoundError: the server lacks a setting, or the index method that it belongs to.
    """
    names = [name for name in settings if find(_SETTINGS, name, "a setting")]
    rows = await conn.fetch(APPLY, names, [None] * len(names), methods_of(names))
    await _require_all(conn, rows)


@asynccontextmanager
async def search_settings(conn: AnyConnection, settings: SearchSettings) -> AsyncGenerator[None]:
    """Search with settings, for as long as the block lasts.

    The block is a transaction. Inside of another transaction, it is a part of that, and the old
    settings hold again after it. It works through PgBouncer in any mode.

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
    if not hasattr(conn, "is_in_transaction"):
        raise InvalidTypeError(f"expected a connection of asyncpg, got {describe(conn)}")
    wanted = server_settings(settings)
    if not conn.is_in_transaction():
        async with conn.transaction():
            await _apply(conn, wanted)
            yield
        return
    old = await _apply(conn, wanted)
    try:
        yield
    finally:
        await _restore(conn, old)


def methods_of(names: Iterable[str]) -> list[str]:
    """Return the index methods that have any of the settings."""
    wanted = {*names}
    return [name for name, method in INDEX_METHODS.items() if wanted & {*method.settings}]


def missing_error(missing: Iterable[str], releases: Mapping[str, str]) -> SettingsNotFoundError:
    """Make the error for settings that a server lacks.

    Args:
        missing: their names.
        releases: the server's extensions, and their releases.
    """
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


async def _apply(conn: AnyConnection, wanted: Mapping[str, str]) -> dict[str, str]:
    """Set settings until the end of the transaction, and return the old ones."""
    rows = await conn.fetch(APPLY, list(wanted), list(wanted.values()), methods_of(wanted))
    await _require_all(conn, rows)
    return {row["name"]: row["old"] for row in rows}


async def _require_all(conn: AnyConnection, rows: Iterable[asyncpg.Record]) -> None:
    missing = [row["name"] for row in rows if row["old"] is None]
    if missing:
        raise missing_error(missing, dict(await conn.fetch(FIND_RELEASES)))


async def _restore(conn: AnyConnection, old: Mapping[str, str]) -> None:
    """Set the old settings again. A failed transaction restores them itself, when it is undone."""
    try:
        if not conn.is_closed():
            await _apply(conn, old)
    except asyncpg.InFailedSQLTransactionError:
        pass
