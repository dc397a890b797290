"""Registering the types of a database with every connection of an engine."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import ExtensionNotFoundError, InvalidTypeError, TypesNotFoundError
from asyncpg_vector.registration import choose_codecs, register_vector
from asyncpg_vector.sqlalchemy._registered import registered_types

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from sqlalchemy import AdaptedConnection, Connection
    from sqlalchemy.engine.default import DefaultExecutionContext
    from sqlalchemy.pool import ConnectionPoolEntry

    from asyncpg_vector.registration import Returns

__all__ = ["register_engine"]

_OF_EXTENSION = re.compile(r"\b(CREATE|ALTER|DROP)\s+EXTENSION\b", re.IGNORECASE)

_UNREGISTERED, _WITHOUT, _CHANGED = -1, -2, -3
"""What a connection has for a generation that is not registered, that lacks the extension, or that
ran a statement on it."""


def register_engine(
    engine: AsyncEngine,
    schema: str | None = None,
    *,
    types: Iterable[str] | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> None:
    """Make every connection of an engine bind and fetch the vector types in binary.

    Say it once, where the engine is made. The engine itself may be the one that creates the
    extension: until then its connections go without. After a ``CREATE EXTENSION``, or any other
    statement on an extension, the connection that ran it has the types; and so has every other from
    when it is next taken from the pool, which replaces those that were connected before.

    Args:
        engine: of the dialect ``postgresql+asyncpg``.
        schema: as for `asyncpg_vector.register_vector`.
        types: likewise.
        returns: likewise.
        missing_ok: likewise; that the extension is missing is always fine.

    Raises:
        InvalidTypeError: `engine` is no such engine.
        InvalidValueError: as `register_vector` does, whose other errors come with a connection.
    """
    if not isinstance(engine, AsyncEngine) or engine.dialect.driver != "asyncpg":
        raise InvalidTypeError(
            f"expected an AsyncEngine of postgresql+asyncpg, got {describe(engine)}"
        )
    codecs = choose_codecs(types, returns)
    register = partial(
        register_vector,
        schema=schema,
        types=None if types is None else list(codecs),
        returns=returns,
    )
    listener = _Listener(register, registered_types(engine.dialect), missing_ok=missing_ok)
    event.listen(engine.sync_engine, "connect", listener.connect)
    event.listen(engine.sync_engine, "checkout", listener.checkout)
    event.listen(engine.sync_engine, "after_cursor_execute", listener.after_cursor_execute)
    event.listen(engine.sync_engine, "commit", listener.commit)
    event.listen(engine.sync_engine, "checkin", listener.checkin)


class _Listener:
    """Registers connections, and has the pool replace those whose codecs are out of date.

    Registering such a connection again would not do: it keeps statements that were prepared with
    the old codecs.
    """

    def __init__(
        self,
        register: Callable[..., Awaitable[list[str]]],
        registered: set[str],
        *,
        missing_ok: bool,
    ) -> None:
        self._register_vector = register
        self._registered = registered
        self._missing_ok = missing_ok
        self._generation = 0
        """How often an extension has changed, or may have."""

    def connect(self, connection: AdaptedConnection, entry: ConnectionPoolEntry) -> None:
        generation = self._generation
        found = self._register(connection)
        entry.info[self] = generation if found else _WITHOUT

    def checkout(
        self, connection: AdaptedConnection, entry: ConnectionPoolEntry, _proxy: object
    ) -> None:
        generation = entry.info.get(self, _UNREGISTERED)
        if generation == _WITHOUT:
            replace = self._is_outdated(connection)
        else:
            replace = generation != self._generation
        if replace:
            raise DisconnectionError("connected before register_engine, or before the extension")

    def _is_outdated(self, connection: AdaptedConnection) -> bool:
        """Tell whether the extension has been created since, or the connection does not answer."""
        try:
            return self._register(connection)
        except Exception:  # noqa: BLE001  # it is lost; or the next one says the same
            return True

    def after_cursor_execute(
        self,
        conn: Connection,
        _cursor: object,
        statement: str,
        _parameters: object,
        context: DefaultExecutionContext,
        _executemany: object,
    ) -> None:
        if not (context.isddl or context.is_text):
            return  # and the longest statements need not be searched
        if _OF_EXTENSION.search(statement):
            conn.info[self] = _CHANGED
            self._count_change(conn.info)  # which may be committed already
            self._register(cast("AdaptedConnection", conn.connection.dbapi_connection))

    # What others that connect before the end of the transaction find is the extension of before it.
    # SQLAlchemy tells that it is about to commit, and of a returned connection that it has.

    def commit(self, conn: Connection) -> None:
        self._count_change(conn.info)

    def checkin(self, _connection: object, entry: ConnectionPoolEntry) -> None:
        self._count_change(entry.info)

    def _count_change(self, info: dict[Any, Any]) -> None:
        if info.get(self) == _CHANGED:
            self._generation += 1

    def _register(self, connection: AdaptedConnection) -> bool:
        """Register what is there, and tell whether the extension is."""
        found = True
        try:
            names = connection.run_async(self._register_vector)
        except TypesNotFoundError as error:
            found = not isinstance(error, ExtensionNotFoundError)
            if found and not self._missing_ok:
                raise
            names = connection.run_async(partial(self._register_vector, missing_ok=True))
        self._registered.update(names)
        return found
