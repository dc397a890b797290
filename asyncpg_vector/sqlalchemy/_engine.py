"""Registering the types of a database with every connection of an engine."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal, cast
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import AdaptedConnection, Connection, Dialect, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from asyncpg_vector._lookup import Found, find_oids
from asyncpg_vector._messages import describe
from asyncpg_vector.errors import ExtensionNotFoundError, InvalidTypeError, TypesNotFoundError
from asyncpg_vector.registration import Registration, Returns, TypesInput
from asyncpg_vector.sqlalchemy._parameters import print_values, registered_types

__all__ = ["register_engine"]

_OF_EXTENSION = re.compile(r"\bEXTENSION\b", re.IGNORECASE)
"""What a statement says that may create, change or drop one, in whatever words and comments."""


def register_engine(
    engine: AsyncEngine,
    schema: str | None = None,
    *,
    types: TypesInput | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> None:
    """Make every connection of an engine bind and fetch the vector types in binary.

    Say it once, where the engine is made. Engines that ``execution_options()`` makes of it share
    its pool, and with it the registration. Said again, it adds to what was said before; of a type
    that both name, the later options count.

    The extension may come later, and be dropped and created anew, by anybody. Each time that a
    connection is taken from the pool, it asks the server for the types' OIDs, at the price of
    ``pool_pre_ping=True``, which it makes needless: a connection that was registered with other
    types is replaced, and so is a lost one. A statement that changes no type replaces nothing.

    While it is out of the pool, a connection notices what it runs itself, if the statement's text
    says ``EXTENSION``: it has the types from then on, in statements that it has not run before. It
    does not notice what a function, another connection or another program does meanwhile: types
    that are dropped and created anew then are known when it is next taken from the pool. (One that
    is shared, as those of a `StaticPool`, is not asked while it is in use.)

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
    registration = Registration(schema, types=types, returns=returns)
    listener = _LISTENERS.get(engine.dialect)
    if listener is None:
        listener = _LISTENERS[engine.dialect] = _Listener()
        # Of the pool and of the dialect, which all engines share that come of this one.
        for name in ("connect", "checkout", "do_execute", "do_executemany"):
            event.listen(engine.sync_engine, name, getattr(listener, name))
    listener.add(registration, missing_ok=missing_ok)
    registered_types(engine.dialect).update(registration.codecs)


@dataclass
class _Registered:
    """What one connection has registered."""

    names: frozenset[str]
    """The SQL names of the types."""

    oids: frozenset[int]
    """What the database had of such names."""

    registrations: int
    """How many registrations of the engine these come of."""

    age: Literal["new", "used", "changed"]
    """Not yet taken from the pool; or taken; or registered once more, with other types."""


class _Listener:
    """Registers an engine's connections, and has the pool replace those that are out of date.

    Registering such a connection again does for a statement, and not for longer: it keeps
    statements that were prepared with the old codecs.
    """

    def __init__(self) -> None:
        self._registrations: list[tuple[Registration, bool]] = []
        """With whether types may be missing, though the extension is there."""

    def add(self, registration: Registration, *, missing_ok: bool) -> None:
        self._registrations.append((registration, missing_ok))

    def connect(self, connection: AdaptedConnection, entry: ConnectionPoolEntry) -> None:
        try:
            entry.info[self] = self._register(connection, "new")
        except BaseException:  # SQLAlchemy before 2.0.53 leaves the connection open after one
            connection.driver_connection.terminate()
            raise

    def checkout(
        self, connection: AdaptedConnection, entry: ConnectionPoolEntry, _proxy: object
    ) -> None:
        registered: _Registered | None = entry.info.get(self)
        if registered and registered.age == "new":
            # SQLAlchemy gives up after two replacements: what has just replaced another stays.
            registered.age = "used"
        elif (
            registered is None
            or registered.age == "changed"
            or registered.registrations != len(self._registrations)
            or registered.oids != self._ask(connection, known=registered.oids)
        ):
            raise DisconnectionError("connected before register_engine, or with other types")

    def do_execute(
        self, cursor: Any, statement: str, parameters: Any, context: DefaultExecutionContext
    ) -> bool:
        """Execute a statement, if it takes more than SQLAlchemy would do, and tell whether."""
        printed = self._print(parameters, context)
        may_change = (context.isddl or context.is_text) and _OF_EXTENSION.search(statement)
        if printed is parameters and not may_change:
            return False
        context.dialect.do_execute(cursor, statement, printed, context)
        if may_change:
            self._register_if_changed(context.root_connection)
        return True

    def do_executemany(
        self, cursor: Any, statement: str, parameters: Any, context: DefaultExecutionContext
    ) -> bool:
        """As `do_execute`, of many parameters."""
        printed = self._print(parameters, context)
        if printed is parameters:
            return False
        context.dialect.do_executemany(cursor, statement, printed, context)
        return True

    def _print(self, parameters: Any, context: DefaultExecutionContext) -> Any:
        """Print values of types that the connection lacks, and that others of its pool may have."""
        if not parameters:  # as of what SQLAlchemy asks at first, on a connection without `info`
            return parameters
        registered: _Registered | None = context.root_connection.info.get(self)
        names = registered.names if registered else frozenset[str]()
        if registered_types(context.dialect) <= names:
            return parameters
        return print_values(parameters, names, context.dialect)

    def _ask(
        self, connection: AdaptedConnection, known: frozenset[int] | None = None
    ) -> frozenset[int] | None:
        """Return the OIDs that the types have now; None if the connection does not answer.

        A connection that somebody else may be using is not asked, if something is known of it.
        """
        if known is not None and connection.driver_connection.is_in_transaction():
            return known
        names = {name for registration, _ in self._registrations for name in registration.codecs}
        try:
            return connection.run_async(partial(find_oids, names=names))
        except asyncpg.InterfaceError:  # it is closed, or another operation is in progress
            return None if connection.driver_connection.is_closed() else known
        except Exception:  # noqa: BLE001  # it is lost; or the next one says the same
            return None

    def _register_if_changed(self, connection: Connection) -> None:
        adapted = cast("AdaptedConnection", connection.connection.dbapi_connection)
        registered: _Registered | None = connection.info.get(self)
        if registered is None or registered.oids != self._ask(adapted):
            connection.info[self] = self._register(adapted, "changed")

    def _register(
        self, connection: AdaptedConnection, age: Literal["new", "changed"]
    ) -> _Registered:
        """Register the types that are there with a connection, and return which these are."""
        found = [
            connection.run_async(partial(_register, registration, missing_ok=missing_ok))
            for registration, missing_ok in self._registrations
        ]
        return _Registered(
            names=frozenset(chain.from_iterable(one.schemas for one in found)),
            oids=frozenset(chain.from_iterable(one.oids for one in found)),
            registrations=len(found),
            age=age,
        )


async def _register(
    registration: Registration, conn: asyncpg.Connection[Any], *, missing_ok: bool
) -> Found:
    """Register the types that are there; return what was found, without those dropped since."""
    found = await registration.find(conn)
    if not missing_ok:
        with suppress(ExtensionNotFoundError):
            await registration.require(conn, found)
    try:
        await registration.set_codecs(conn, found)
    except TypesNotFoundError:
        return found._replace(schemas={})
    return found


_LISTENERS: WeakKeyDictionary[Dialect, _Listener] = WeakKeyDictionary()
