"""Registering the types of a database with every connection of an engine."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import ExtensionNotFoundError, InvalidTypeError
from asyncpg_vector.registration import choose_codecs, register_vector
from asyncpg_vector.sqlalchemy._registered import registered_types

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from asyncpg import Connection as AsyncpgConnection
    from sqlalchemy import AdaptedConnection, Connection
    from sqlalchemy.engine.default import DefaultExecutionContext
    from sqlalchemy.pool import ConnectionPoolEntry

    from asyncpg_vector.registration import Returns

__all__ = ["register_engine"]

_EXTENSION = re.compile(r"\bEXTENSION\b", re.IGNORECASE)


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
    extension: until then its connections go without. After a ``CREATE EXTENSION`` (or any other
    statement on an extension) the same connection has the types, until it goes back to the pool,
    which makes a new one of it; every other connection has them when it is next taken.

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
        missing_ok=missing_ok,
    )
    listener = _Listener(register, registered_types(engine.dialect))
    event.listen(engine.sync_engine, "connect", listener.connect)
    event.listen(engine.sync_engine, "checkout", listener.checkout)
    event.listen(engine.sync_engine, "after_cursor_execute", listener.after_cursor_execute)


class _Listener:
    """Registers connections, and keeps with each one the names that it has registered."""

    def __init__(
        self,
        register: Callable[[AsyncpgConnection[Any]], Awaitable[list[str]]],
        registered: set[str],
    ) -> None:
        self._register_vector = register
        self._registered = registered

    def connect(self, connection: AdaptedConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[self] = self._register(connection)

    def checkout(
        self, connection: AdaptedConnection, entry: ConnectionPoolEntry, _proxy: object
    ) -> None:
        if self not in entry.info:
            # It may have prepared statements that do without the codecs, or with those of a type
            # that was dropped. The pool connects anew.
            raise DisconnectionError("has statements of before register_engine, or the extension")
        if not entry.info[self]:
            entry.info[self] = self._register(connection)

    def after_cursor_execute(
        self,
        conn: Connection,
        _cursor: object,
        statement: str,
        _parameters: object,
        context: DefaultExecutionContext,
        _executemany: object,
    ) -> None:
        if context.compiled is not None and not (context.isddl or context.is_text):
            return  # and the longest statements need not be searched
        if _EXTENSION.search(statement):
            conn.info.pop(self, None)  # for now: the statement may be rolled back
            self._register(cast("AdaptedConnection", conn.connection.dbapi_connection))

    def _register(self, connection: AdaptedConnection) -> list[str]:
        try:
            names: list[str] = connection.run_async(self._register_vector)
        except ExtensionNotFoundError:
            return []
        self._registered.update(names)
        return names
