"""Registering the types of a database with a connection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args, overload

import asyncpg

from asyncpg_vector._generated import CODECS
from asyncpg_vector._layouts.dense import Dense
from asyncpg_vector._messages import describe
from asyncpg_vector.errors import (
    ExtensionNotFoundError,
    InvalidTypeError,
    InvalidValueError,
    TypesNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from asyncpg.pool import PoolConnectionProxy

    from asyncpg_vector._codec import Codec
    from asyncpg_vector.info import TypeInfo

__all__ = ["Returns", "choose_codecs", "register_vector"]

AnyConnection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
Returns: TypeAlias = Literal["value", "list", "numpy"]

_PG_CATALOG = "pg_catalog"

# Every scalar type of these names, whoever made it, and the extension that owns it, if one does.
# All names have their schema, operators too: a user's own may be first in the search path. asyncpg
# looks a type up once more, to set its codec, and takes the operators of the search path
# (TYPE_BY_NAME): whether those two are the server's own is asked as well.
# The parameter is text[], one of the two array types that asyncpg does not ask the server about.
_FIND = """
SELECT t.typname AS name, n.nspname AS schema, e.extname AS extension,
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

_FIND_EXTENSIONS = """
SELECT e.extname, e.extversion, n.nspname
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
WHERE e.extname OPERATOR(pg_catalog.=) ANY($1::pg_catalog.text[])
"""


class _Found(NamedTuple):
    """A type of the database."""

    name: str
    schema: str
    extension: str | None
    can_be_looked_up: bool
    """By asyncpg, which takes an operator of the search path for the server's own."""


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

    Args:
        conn: a connection, or one taken from a pool.
        schema: where the types are. By default they are found wherever their extension put them,
            or in ``pg_catalog``, where some servers have them built in.
        types: the SQL names of the types to register, each of which must be there. By default
            those that the database has, except built-in ones such as ``bit``.
        returns: what a fetched dense vector becomes: a value, a list of numbers, or an ndarray in
            native byte order. Values of the other layouts are not affected.
        missing_ok: register what is there, be it nothing, instead of raising TypesNotFoundError.

    Returns:
        The SQL names of the types that were registered.

    Raises:
        ExtensionNotFoundError: the types' extension has not been created.
        TypesNotFoundError: the database has none of the types, or lacks one named in `types`. In
            both cases none was registered.
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
    wanted = choose_codecs(types, returns)
    found = [_Found(*row) for row in await conn.fetch(_FIND, list(wanted))]
    if not all(type_.can_be_looked_up for type_ in found):
        raise await _misled(conn)
    schemas = {
        name: _schema_of(codec.value_class.info, schema, found) for name, codec in wanted.items()
    }
    missing = [wanted[name].value_class.info for name, place in schemas.items() if place is None]
    if not missing_ok and missing and (types is not None or len(missing) == len(wanted)):
        raise await _missing(conn, schema, missing)
    registered = [(name, place) for name, place in schemas.items() if place is not None]
    for name, place in registered:
        encoder, decoder = wanted[name].encode, wanted[name].decode
        await conn.set_type_codec(
            name, schema=place, encoder=encoder, decoder=decoder, format="binary"
        )
    return [name for name, _ in registered]


def choose_codecs(types: Iterable[str] | None, returns: Returns) -> dict[str, Codec]:
    """Return the codecs that `register_vector` registers, if the database has their types.

    Raises:
        InvalidTypeError: `types` are no names.
        InvalidValueError: `types` has an unknown name, or `returns` is none of the three.
    """
    return {
        name: replace(codec, decode=_decoder(codec, returns))
        for name, codec in _wanted(types).items()
    }


def _wanted(types: Iterable[str] | None) -> dict[str, Codec]:
    if types is None:
        return {name: codec for name, codec in CODECS.items() if codec.value_class.info.extension}
    if not isinstance(types, Iterable):
        raise InvalidTypeError(f"expected names of types, got {describe(types)}")
    names = [types] if isinstance(types, str) else list(types)
    for name in names:
        if not isinstance(name, str) or name not in CODECS:
            raise InvalidValueError(f"expected types among {', '.join(CODECS)}, got {name!r}")
    return {name: CODECS[name] for name in names}


def _decoder(codec: Codec, returns: Returns) -> Callable[[bytes], Any]:
    if returns not in get_args(Returns):
        raise InvalidValueError(
            f"expected returns among {', '.join(get_args(Returns))}, got {returns!r}"
        )
    if returns == "value" or not issubclass(codec.value_class, Dense):
        return codec.decode
    if returns == "list":
        return lambda data: codec.decode(data).to_list()
    import_module("numpy")  # so that it is missed now, and not at the first fetch
    return lambda data: codec.decode(data).to_numpy()


def _schema_of(info: TypeInfo, schema: str | None, found: Sequence[_Found]) -> str | None:
    """Return the schema of the type that is meant, and not just of one that has its name."""
    owners = {type_.schema: type_.extension for type_ in found if type_.name == info.sql_name}
    if info.extension is None:
        schema = _PG_CATALOG
    if schema is not None:
        return schema if schema in owners else None
    for place, extension in owners.items():
        if extension == info.extension:
            return place
    return _PG_CATALOG if owners.get(_PG_CATALOG, "none") is None else None


async def _misled(conn: AnyConnection) -> InvalidValueError:
    """Make the error for a search path that would have asyncpg set a codec for any type."""
    path = await conn.fetchval("SELECT pg_catalog.current_setting('search_path')")
    return InvalidValueError(
        "expected the server's own operator = for names and oids, by which asyncpg looks up types, "
        f"got another by search_path {path!r}; put pg_catalog first, or leave it out"
    )


async def _missing(
    conn: AnyConnection, schema: str | None, missing: Sequence[TypeInfo]
) -> TypesNotFoundError:
    """Make the error that says what is missing where, and what to run."""
    names = ", ".join(info.sql_name for info in missing)
    where = "" if schema is None else f" in schema {schema!r}"
    database = await conn.fetchval("SELECT pg_catalog.current_database()")
    owners = {info.extension for info in missing if info.extension}
    installed = {
        row["extname"]: (row["extversion"], row["nspname"])
        for row in await conn.fetch(_FIND_EXTENSIONS, list(owners))
    }
    advice = {
        _advise(info, info.extension, schema, installed) for info in missing if info.extension
    }
    error = TypesNotFoundError if owners <= installed.keys() else ExtensionNotFoundError
    return error(
        f"expected {names}{where} in database {database!r}, found nothing; "
        + "; ".join(sorted(advice))
    )


def _advise(
    info: TypeInfo, extension: str, schema: str | None, installed: Mapping[str, tuple[str, str]]
) -> str:
    if extension not in installed:
        place = "" if schema is None else f" SCHEMA {_quote(schema)}"
        return f"run CREATE EXTENSION {extension}{place}, then register again"
    version, place = installed[extension]
    if schema not in (None, place):
        return f"extension {extension} is in schema {place!r}: pass that one, or none"
    return (
        f"extension {extension} is at {version}, {info.sql_name} came with {info.since}: with that "
        f"release on the server, run ALTER EXTENSION {extension} UPDATE, then register again"
    )


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
