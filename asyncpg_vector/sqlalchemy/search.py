"""Settings of searches on sessions and connections of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias

from sqlalchemy import Connection, Row, Text, TextClause, bindparam, event, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_scoped_session
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from asyncpg_vector._lookup import FIND_EXTENSIONS
from asyncpg_vector._messages import describe
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.search import APPLY, SearchSettings, methods_of, missing_error, server_settings

__all__ = ["search_settings"]

AnySession: TypeAlias = (
    Session
    | scoped_session[Any]
    | Connection
    | AsyncSession
    | async_scoped_session[Any]
    | AsyncConnection
)

_PARAMETERS = {"$1": "names", "$2": "values", "$3": "methods"}


def _make_apply() -> TextClause:
    """Make SQLAlchemy's statement of `APPLY`."""
    statement = APPLY
    for number, name in _PARAMETERS.items():
        statement = statement.replace(number, f":{name}")
    return text(statement).bindparams(
        *(bindparam(name, type_=ARRAY(Text)) for name in _PARAMETERS.values())
    )


_APPLY = _make_apply()

_SHOW = text(
    "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.unnest(:names) AS name"
).bindparams(bindparam("names", type_=ARRAY(Text)))

_IN_FAILED_TRANSACTION = "25P02"


class _Applied(NamedTuple):
    """A transaction that has the settings, and the old ones."""

    connection: Connection
    transaction: Any
    old: Mapping[str, str | None]


class search_settings:  # noqa: N801  # it is called like the function of the same name
    """Search with settings, for as long as the block lasts, in ``with`` or ``async with``.

    Each transaction of a session has the settings: one that it has begun before the block, until
    the end of the block; and each that it begins in the block. A connection has to keep its
    transaction in the block; if it has none, it begins one. After the block, the old settings hold
    again.

    For all connections of an engine, pass ``connect_args={"server_settings": ...}`` with a result
    of `asyncpg_vector.server_settings`.

    Args:
        session: a session or a connection of SQLAlchemy. One of ``sqlalchemy.ext.asyncio`` needs
            ``async with``.
        settings: the values, by the names of the settings.

    Raises:
        InvalidTypeError: `session` is none, `settings` is no dict, or a value is of another type.
        InvalidValueError: there is no setting of a name, or a value is out of its range. Or, when
            the transaction begins, each statement is a transaction of its own (autocommit), which
            would lose the settings. Or, at the end of the block, the transaction of the connection
            has ended earlier.
        SettingsNotFoundError: when the transaction begins, the server lacks a setting, or the index
            method that it belongs to.
    """

    def __init__(self, session: AnySession, settings: SearchSettings) -> None:
        self._session = _of_this_scope(session)
        self._run_sync: Any = getattr(self._session, "run_sync", None)
        self._wanted = server_settings(settings)
        self._applied: list[_Applied] | None = None

    def __enter__(self) -> Self:
        if self._run_sync:
            raise InvalidTypeError(
                f"expected async with for this {type(self._session).__name__}, got with"
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
                f"expected with for this {type(self._session).__name__}, got async with"
            )
        await self._run_sync(self._begin)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._run_sync(self._end, kind)

    def _begin(self, session: Any) -> None:
        if self._applied is not None:
            raise InvalidValueError("expected a block of its own for each search_settings()")
        self._applied = []
        try:
            if isinstance(session, Connection):
                self._apply(session)
            elif session.in_transaction():
                self._apply(session.connection())
        except BaseException:
            self._applied = None
            raise
        if not isinstance(session, Connection):
            event.listen(session, "after_begin", self._after_begin)

    def _end(self, session: Any, kind: type[BaseException] | None) -> None:
        applied, self._applied = self._applied or [], None
        if not isinstance(session, Connection):
            event.remove(session, "after_begin", self._after_begin)
        lasting = [each for each in applied if _is_on(each)]
        for each in lasting:
            _restore(each)
        if isinstance(session, Connection) and len(lasting) < len(applied) and kind is None:
            raise InvalidValueError(
                "expected the transaction of the connection to last as long as the block, "
                "got one that ended with the settings"
            )

    def _after_begin(
        self, _session: Any, transaction: SessionTransaction, connection: Connection
    ) -> None:
        if not transaction.nested and connection.dialect.name == "postgresql":
            self._apply(connection)

    def _apply(self, connection: Connection) -> None:
        rows = _execute(connection, self._wanted)
        transaction = connection.get_transaction()
        assert self._applied is not None  # noqa: S101  # the block has begun
        old = {row.name: row.old for row in rows}
        self._applied.append(_Applied(connection, transaction, old))
        new = {row.name: row.new for row in rows}
        shown = connection.execute(_SHOW, {"names": list(new)}).all()
        for name, value in shown:
            if value != new[name]:
                raise InvalidValueError(
                    f"expected a transaction, in which {name} stays {new[name]}, got {value}, "
                    "since each statement commits itself (autocommit)"
                )


def _is_scoped(session: Any) -> bool:
    return isinstance(session, (scoped_session, async_scoped_session))


def _of_this_scope(session: Any) -> Any:
    """Return a session or a connection; of a scoped session, that of the scope."""
    if _is_scoped(session):
        return session()
    if isinstance(session, (Session, Connection, AsyncSession, AsyncConnection)):
        return session
    raise InvalidTypeError(
        f"expected a session or a connection of SQLAlchemy, got {describe(session)}; "
        "asyncpg_vector.search_settings is for connections of asyncpg"
    )


def _is_on(applied: _Applied) -> bool:
    """Tell whether a transaction goes on."""
    connection = applied.connection
    is_there = not (connection.closed or connection.invalidated)
    return is_there and connection.get_transaction() is applied.transaction


def _restore(applied: _Applied) -> None:
    """Set the old settings again. A failed transaction restores them itself, when it is undone."""
    try:
        _execute(applied.connection, applied.old)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _IN_FAILED_TRANSACTION:
            raise


def _execute(connection: Connection, wanted: Mapping[str, str | None]) -> Sequence[Row[Any]]:
    """Set settings until the end of the transaction, and return the old and the new ones."""
    parameters = {
        "names": list(wanted),
        "values": list(wanted.values()),
        "methods": methods_of(wanted),
    }
    rows = connection.execute(_APPLY, parameters).all()
    missing = [row.name for row in rows if not row.is_there]
    if missing:
        raise missing_error(missing, connection.execute(text(FIND_EXTENSIONS)))
    return rows
