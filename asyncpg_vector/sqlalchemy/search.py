"""Settings of searches on sessions and connections of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias, get_args

from sqlalchemy import Connection, Row, Text, bindparam, event, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import Session

from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.search import (
    APPLY,
    FIND_RELEASES,
    SearchSettings,
    methods_of,
    missing_error,
    server_settings,
)

__all__ = ["search_settings"]

AnySession: TypeAlias = Session | Connection | AsyncSession | AsyncConnection

_PARAMETERS = {"$1": "names", "$2": "values", "$3": "methods"}


def _make_apply() -> Any:
    """Make SQLAlchemy's statement of `APPLY`."""
    statement = APPLY
    for number, name in _PARAMETERS.items():
        statement = statement.replace(number, f":{name}")
    return text(statement).bindparams(
        *(bindparam(name, type_=ARRAY(Text)) for name in _PARAMETERS.values())
    )


_APPLY = _make_apply()


class search_settings:  # noqa: N801  # it is called like the function of the same name
    """Search with settings, for as long as the block lasts, in ``with`` or ``async with``.

    Each transaction that a session begins in the block has the settings. A connection has them
    until its transaction ends. After the block, the old settings hold again.

    For all connections of an engine, pass ``connect_args={"server_settings": ...}`` with a result
    of `asyncpg_vector.server_settings`.

    Args:
        session: a session or a connection of SQLAlchemy. One of ``sqlalchemy.ext.asyncio`` needs
            ``async with``.
        settings: the values, by the names of the settings.

    Raises:
        InvalidTypeError: `session` is none, `settings` is no dict, or a value is of another type.
        InvalidValueError: there is no setting of a name, or a value is out of its range. Or, when
            the block begins, each statement is a transaction of its own (autocommit), which would
            lose the settings.
        SettingsNotFoundError: when the block begins, the server lacks a setting, or the index
            method that it belongs to.
    """

    def __init__(self, session: AnySession, settings: SearchSettings) -> None:
        if not isinstance(session, get_args(AnySession)):
            raise InvalidTypeError(f"expected a session or a connection, got {describe(session)}")
        self._session = session
        self._run_sync = getattr(session, "run_sync", None)
        self._wanted = server_settings(settings)
        self._old: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._run_sync:
            raise InvalidTypeError(
                f"expected async with for a {type(self._session).__name__}, got with"
            )
        self._begin(self._session)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(self._session, kind)

    async def __aenter__(self) -> Self:
        if not self._run_sync:
            raise InvalidTypeError(
                f"expected with for a {type(self._session).__name__}, got async with"
            )
        await self._run_sync(self._begin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._run_sync:
            await self._run_sync(self._end, kind)

    def _begin(self, session: Any) -> None:
        connection = _connection_of(session)
        rows = _apply(connection, self._wanted)
        self._old = {row.name: row.old for row in rows}
        _require_transaction(connection, rows[0] if rows else None)
        if connection is not session:
            event.listen(session, "after_begin", self._apply_again)

    def _end(self, session: Any, kind: type[BaseException] | None) -> None:
        if not isinstance(session, Connection):
            event.remove(session, "after_begin", self._apply_again)
        if not session.in_transaction():
            return
        try:
            _apply(_connection_of(session), self._old)
        except (DBAPIError, InvalidRequestError):
            if kind is None:  # else the transaction has failed, and restores the settings itself
                raise

    def _apply_again(self, _session: Any, _transaction: Any, connection: Connection) -> None:
        _apply(connection, self._wanted)


def _connection_of(session: Any) -> Connection:
    connection: Connection = session if isinstance(session, Connection) else session.connection()
    return connection


def _apply(connection: Connection, wanted: Mapping[str, str]) -> Sequence[Row[Any]]:
    """Set settings until the end of the transaction, and return the old ones."""
    names, values = list(wanted), list(wanted.values())
    parameters = {"names": names, "values": values, "methods": methods_of(wanted)}
    rows = connection.execute(_APPLY, parameters).all()
    missing = [row.name for row in rows if row.old is None]
    if missing:
        releases = connection.execute(text(FIND_RELEASES)).all()
        raise missing_error(missing, dict(map(tuple, releases)))
    return rows


def _require_transaction(connection: Connection, row: Row[Any] | None) -> None:
    """Raise if a setting is gone, since the transaction ended with the statement that set it."""
    if row is None:
        return
    statement = text("SELECT pg_catalog.current_setting(:name)")
    found = connection.execute(statement, {"name": row.name}).scalar_one()
    if found != row.new:
        raise InvalidValueError(
            f"expected a transaction, in which {row.name} stays {row.new}, "
            f"got {found}, since each statement commits itself (autocommit)"
        )
