"""Registers the types of a database with every connection of an engine."""

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
"""Matches every statement that may create, change or drop an extension."""


def register_engine(
    engine: AsyncEngine,
    schema: str | None = None,
    *,
    types: TypesInput | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> None:
    """Make every connection of an engine bind and fetch the vector types in binary.

    Call this once, where the engine is made. Engines derived by ``execution_options()`` share the
    engine's pool, and with it the registration. A second call adds to the first. For a type that
    both calls name, the later options apply.

    The extension may be created later, or dropped and created anew, by anybody. At each checkout,
    the server is asked for the OIDs of the types. This costs as much as ``pool_pre_ping=True`` and
    makes it needless: the pool replaces a lost connection, and one that was registered with other
    types. A statement that changes no type replaces no connection.

    A connection that is checked out registers itself again after its own statements whose text
    says ``EXTENSION``. It then has the new types, in statements that it has not run before. It does
    not notice types that a function, another connection or another program creates anew; it has
    those after its next checkout. (A shared connection, such as that of a `StaticPool`, is not
    asked while it is in use.)

    Args:
        engine: an engine of the dialect ``postgresql+asyncpg``.
        schema: as for `asyncpg_vector.register_vector`.
        types: likewise.
        returns: likewise. With ``"text"``, the column types of other packages that parse text work
            on the engine. This package's own column types read the text back into values.
        missing_ok: likewise. A missing extension is never an error.

    Raises:
        InvalidTypeError: `engine` is no async engine of ``postgresql+asyncpg``.
        InvalidValueError: as `register_vector` raises it. The other errors of `register_vector` are
            raised when the engine connects.
    """
    if not isinstance(engine, AsyncEngine) or engine.dialect.driver != "asyncpg":
        raise InvalidTypeError(
            f"expected an AsyncEngine of postgresql+asyncpg, got {describe(engine)}"
        )
    registration = Registration(schema, types=types, returns=returns)
    listener = _LISTENERS.get(engine.dialect)
    if listener is None:
        listener = _LISTENERS[engine.dialect] = _Listener()
        # Events of the pool and of the dialect, which derived engines share.
        for name in ("connect", "checkout", "do_execute", "do_executemany"):
            event.listen(engine.sync_engine, name, getattr(listener, name))
    listener.add(registration, missing_ok=missing_ok)
    registered_types(engine.dialect).update(registration.codecs)


@dataclass
class _Registered:
    """The registration of one connection."""

    names: frozenset[str]
    """The SQL names of the types."""

    oids: frozenset[int]
    """The OIDs of all scalar types of the wanted names, at the time of the registration."""

    registrations: int
    """The number of the engine's registrations that were applied."""

    age: Literal["new", "used", "changed"]
    """Never checked out; checked out before; or registered again, with other types."""


class _Listener:
    """Registers an engine's connections, and has the pool replace outdated ones.

    Registering an outdated connection again serves its new statements only: statements that it
    has prepared before keep the old codecs.
    """

    def __init__(self) -> None:
        self._registrations: list[tuple[Registration, bool]] = []
        """Each with `missing_ok`: whether types may be missing although the extension exists."""

    def add(self, registration: Registration, *, missing_ok: bool) -> None:
        self._registrations.append((registration, missing_ok))

    def connect(self, connection: AdaptedConnection, entry: ConnectionPoolEntry) -> None:
        try:
            entry.info[self] = self._register(connection, "new")
        except BaseException:  # SQLAlchemy before 2.0.53 leaves the connection open then
            connection.driver_connection.terminate()
            raise

    def checkout(
        self, connection: AdaptedConnection, entry: ConnectionPoolEntry, _proxy: object
    ) -> None:
        registered: _Registered | None = entry.info.get(self)
        if registered and registered.age == "new":
            # SQLAlchemy gives up after two replacements, so a new connection is not replaced.
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
        """Execute a statement unless SQLAlchemy's own execution will do; tell whether it ran."""
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
        """As `do_execute`, with several sets of parameters."""
        printed = self._print(parameters, context)
        if printed is parameters:
            return False
        context.dialect.do_executemany(cursor, statement, printed, context)
        return True

    def _print(self, parameters: Any, context: DefaultExecutionContext) -> Any:
        """Print values of types that this connection lacks and that others of its pool may have."""
        if not parameters:  # as in SQLAlchemy's first queries, whose connection has no `info` yet
            return parameters
        registered: _Registered | None = context.root_connection.info.get(self)
        names = registered.names if registered else frozenset[str]()
        if registered_types(context.dialect) <= names:
            return parameters
        return print_values(parameters, names, context.dialect)

    def _ask(
        self, connection: AdaptedConnection, known: frozenset[int] | None = None
    ) -> frozenset[int] | None:
        """Return the current OIDs of the types; None if the connection does not answer.

        A connection that another task may be using is not asked if its OIDs are known.
        """
        if known is not None and connection.driver_connection.is_in_transaction():
            return known
        names = {name for registration, _ in self._registrations for name in registration.codecs}
        try:
            return connection.run_async(partial(find_oids, names=names))
        except asyncpg.InterfaceError:  # closed, or another operation is in progress
            return None if connection.driver_connection.is_closed() else known
        except Exception:  # noqa: BLE001  # it is lost, or its replacement raises this too
            return None

    def _register_if_changed(self, connection: Connection) -> None:
        adapted = cast("AdaptedConnection", connection.connection.dbapi_connection)
        registered: _Registered | None = connection.info.get(self)
        if registered is None or registered.oids != self._ask(adapted):
            connection.info[self] = self._register(adapted, "changed")

    def _register(
        self, connection: AdaptedConnection, age: Literal["new", "changed"]
    ) -> _Registered:
        """Register the types that exist with a connection, and return the registration."""
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
    """Register the types that exist and return them; none if one was dropped meanwhile."""
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
