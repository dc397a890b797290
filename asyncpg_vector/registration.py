"""Registering the types of a database with a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, Literal, TypeAlias, get_args, overload

import asyncpg

from asyncpg_vector._codec import Codec
from asyncpg_vector._generated import CODECS
from asyncpg_vector._layouts.dense import Dense
from asyncpg_vector._lookup import AnyConnection, Found, find_types, make_missing_error
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, TypesNotFoundError
from asyncpg_vector.info import TypeInfo

__all__ = ["Registration", "Returns", "register_vector"]

Returns: TypeAlias = Literal["value", "list", "numpy"]


@overload
async def register_vector(
    conn: AnyConnection,
    schema: str | None = None,
    *,
    types: Iterable[str] | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> list[str]: ...
@overload
async def register_vector(  # type: ignore[overload-cannot-match]  # only create_pool matches it:
    # asyncpg-stubs declare that its `init` returns nothing, which Any is compatible with
    conn: asyncpg.Connection[Any],
    /,
) -> Any: ...
async def register_vector(
    conn: AnyConnection,
    schema: str | None = None,
    *,
    types: Iterable[str] | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> list[str]:
    """Make a connection bind and fetch the vector types of its database, in binary.

    It lasts as long as the connection, also when that goes back to its pool, so that
    ``asyncpg.create_pool(init=register_vector)`` registers a whole pool. After the extension was
    created, or dropped and created anew, a connection has to be registered again.

    asyncpg takes one codec at a time. A registration that is cancelled, or that loses its
    connection, may have set some of them: register the connection again, or close it, as asyncpg's
    pool does.

    Args:
        conn: a connection, or one taken from a pool.
        schema: where the types are. By default they are found wherever their extension put them,
            or in ``pg_catalog``, where some servers have them built in.
        types: the SQL names of the types to register, each of which must be there. By default
            those that the database has, except built-in ones such as ``bit``.
        returns: what a fetched dense vector becomes: a value, a list of numbers, or an ndarray in
            native byte order. Values of the other layouts are not affected.
        missing_ok: register the types that exist, possibly none, instead of raising
            TypesNotFoundError.

    Returns:
        The SQL names of the types that were registered.

    Raises:
        ExtensionNotFoundError: the types' extension has not been created.
        TypesNotFoundError: the database has none of the types, or lacks one named in `types`. In
            both cases none was registered. Or a type was dropped while it was registered.
        InvalidTypeError: `conn` is a pool, or nothing of asyncpg's; `types` are no names.
        InvalidValueError: `types` has an unknown name, or `returns` is none of the three; or the
            search path has an operator ``=`` for names or oids before the server's own.
    """
    if isinstance(conn, asyncpg.Pool):
        raise InvalidTypeError(
            "expected a connection, got a Pool; to register all its connections, "
            "write asyncpg.create_pool(..., init=register_vector)"
        )
    if not hasattr(conn, "set_type_codec"):
        raise InvalidTypeError(f"expected a connection of asyncpg, got {describe(conn)}")
    registration = Registration(schema, types=types, returns=returns)
    found = await registration.find(conn)
    if not missing_ok:
        await registration.require(conn, found)
    await registration.set_codecs(conn, found)
    return list(found.schemas)


class Registration:
    """Which types are to be registered, from where, and with which codecs.

    It takes the options of `register_vector`.

    Raises:
        InvalidTypeError: `types` are no names.
        InvalidValueError: `types` has an unknown name, or `returns` is none of the three.
    """

    def __init__(
        self, schema: str | None, *, types: Iterable[str] | None, returns: Returns
    ) -> None:
        self.schema = schema
        self.are_named = types is not None
        """By the caller, so that each of them has to be there."""
        self.codecs: Mapping[str, Codec] = {
            name: codec._replace(decode=_decoder(codec, returns))
            for name, codec in _wanted(types).items()
        }

    async def find(self, conn: AnyConnection) -> Found:
        """Ask the database for the types; errors: as `find_types` raises them."""
        return await find_types(conn, self._infos, self.schema)

    async def require(self, conn: AnyConnection, found: Found) -> None:
        """Raise TypesNotFoundError if a type is missing that has to be there."""
        missing = [info for info in self._infos if info.sql_name not in found.schemas]
        if missing and (self.are_named or not found.schemas):
            raise await make_missing_error(conn, self.schema, missing, found.extensions)

    async def set_codecs(self, conn: AnyConnection, found: Found) -> None:
        """Set the codecs of the types that were found.

        Raises:
            TypesNotFoundError: one has been dropped since.
        """
        for name, schema in found.schemas.items():
            codec = self.codecs[name]
            try:
                await conn.set_type_codec(
                    name,
                    schema=schema,
                    encoder=codec.encode,
                    decoder=codec.decode,
                    format="binary",
                )
            except ValueError as error:  # asyncpg has not found it
                raise TypesNotFoundError(
                    f"expected {name} in schema {schema!r}, found nothing: "
                    "it was dropped while it was registered"
                ) from error

    @property
    def _infos(self) -> list[TypeInfo]:
        return [codec.value_class.info for codec in self.codecs.values()]


def _wanted(types: Iterable[str] | None) -> dict[str, Codec]:
    if types is None:
        return {name: codec for name, codec in CODECS.items() if codec.value_class.info.extension}
    if not isinstance(types, Iterable):
        raise InvalidTypeError(f"expected names of types, got {describe(types)}")
    names = [types] if isinstance(types, str) else list(types)
    for name in names:
        if not isinstance(name, str) or name not in CODECS:
            raise InvalidValueError(
                f"expected types among {', '.join(CODECS)}, got {shorten(name)}"
            )
    return {name: CODECS[name] for name in names}


def _decoder(codec: Codec, returns: Returns) -> Callable[[bytes], Any]:
    if returns not in get_args(Returns):
        raise InvalidValueError(
            f"expected returns among {', '.join(get_args(Returns))}, got {shorten(returns)}"
        )
    if returns == "value" or not issubclass(codec.value_class, Dense):
        return codec.decode
    if returns == "list":
        return lambda data: codec.decode(data).to_list()
    import_module("numpy")  # so that it is missed now, and not at the first fetch
    return lambda data: codec.decode(data).to_numpy()
