"""Registers the types of a database with a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from operator import methodcaller
from typing import Any, Literal, TypeAlias, cast, get_args, overload

import asyncpg

from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector._lookup import (
    AnyConnection,
    Found,
    find_types,
    make_missing_error,
    require_connection,
)
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, TypesNotFoundError
from asyncpg_vector.info import TypeInfo
from asyncpg_vector.runtime import Codec, Dense, Value
from asyncpg_vector.runtime.value import is_value_class

__all__ = ["Registration", "Returns", "TypesInput", "register_vector"]

Form: TypeAlias = Literal["value", "list", "numpy", "text"]
"""The names of what a fetch can return."""

Returned: TypeAlias = Form | Callable[[Any], Any]
"""What a fetch returns: a form, or the result of a function of the value."""

Returns: TypeAlias = Returned | Mapping[str | type[Value], Returned]
"""What a fetch returns, for all types or by type."""

_METHODS: Mapping[str, str] = {"list": "to_list", "numpy": "to_numpy", "text": "to_text"}
"""The method of a value that makes each form."""

ALL = "all"
"""Stands for every type of this package."""

TypesInput: TypeAlias = str | type[Value] | Iterable[str | type[Value]]
"""SQL names of this package's types, ``all``, and value classes, also of other packages."""


@overload
async def register_vector(
    conn: AnyConnection,
    schema: str | None = None,
    *,
    types: TypesInput | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> list[str]: ...
@overload
async def register_vector(  # type: ignore[overload-cannot-match]  # for create_pool:
    # asyncpg-stubs declare that its `init` returns None, and Any is compatible with None
    conn: asyncpg.Connection[Any],
    /,
) -> Any: ...
async def register_vector(
    conn: AnyConnection,
    schema: str | None = None,
    *,
    types: TypesInput | None = None,
    returns: Returns = "value",
    missing_ok: bool = False,
) -> list[str]:
    """Make a connection bind and fetch the vector types of its database, in binary.

    A registration lasts as long as the connection, also after the connection returns to its pool:
    ``asyncpg.create_pool(init=register_vector)`` registers a whole pool. Register a connection
    again after the extension has been created, or dropped and created anew.

    asyncpg sets one codec at a time. A registration that is cancelled, or that loses its
    connection, may have set some of the codecs: register the connection again, or close it, as
    asyncpg's pool does.

    Args:
        conn: a connection, or one acquired from a pool.
        schema: the schema of the types. By default, types are found in the schema of their
            extension, or in ``pg_catalog``, where some servers have them built in.
        types: the types to register; each has to exist. A type is an SQL name of this package, or
            a value class, such as `asyncpg_vector.codegen` generates. ``"all"`` registers every
            type of this package that the database has. The default does so without built-in types
            such as ``bit``.
        returns: what a fetched value becomes. ``"text"`` is the server's text form. ``"list"`` is a
            list of numbers, and ``"numpy"`` an ndarray in native byte order; both mean dense types
            only. A callable is given the value, and returns what the fetch returns. A mapping says
            this by type, with SQL names or value classes as keys; types that it does not name
            become values. There, ``"list"`` and ``"numpy"`` mean any type.
        missing_ok: register the types that exist, possibly none, instead of raising
            TypesNotFoundError.

    Returns:
        The SQL names of the types that were registered.

    Raises:
        ExtensionNotFoundError: the types' extension has not been created.
        TypesNotFoundError: the database has none of the types, or lacks one named in `types`; no
            type was registered. Or a type was dropped during the registration.
        InvalidTypeError: `conn` is a pool, or no connection of asyncpg; or `types` are no types.
        InvalidValueError: `types` has an unknown name, or two classes of one SQL name; `returns` is
            none of these, or names a type that is not to be registered, or the text form of a type
            that has none; or the search path puts another operator ``=`` for names or oids before
            the server's own.
    """
    if isinstance(conn, asyncpg.Pool):
        raise InvalidTypeError(
            "expected a connection, got a Pool; to register all its connections, "
            "write asyncpg.create_pool(..., init=register_vector)"
        )
    require_connection(conn)
    registration = Registration(schema, types=types, returns=returns)
    found = await registration.find(conn)
    if not missing_ok:
        await registration.require(conn, found)
    await registration.set_codecs(conn, found)
    return list(found.schemas)


class Registration:
    """The types to register, their schema and their codecs, by the options of `register_vector`.

    Raises:
        InvalidTypeError: `types` are no types.
        InvalidValueError: `types` or `returns`, as `register_vector` raises it.
    """

    def __init__(self, schema: str | None, *, types: TypesInput | None, returns: Returns) -> None:
        self.schema = schema
        self.are_named = types not in (None, ALL)
        """Whether the caller named the types; each of them then has to exist."""
        self._classes = _find_classes(types)
        returned = _find_returned(returns, self._classes)
        self.codecs: Mapping[str, Codec] = {
            name: _make_codec(value_class, returned[name])
            for name, value_class in self._classes.items()
        }

    async def find(self, conn: AnyConnection) -> Found:
        """Find the types in the database; raises as `find_types` does."""
        return await find_types(conn, self._infos, self.schema)

    async def require(self, conn: AnyConnection, found: Found) -> None:
        """Raise TypesNotFoundError if a required type is missing."""
        missing = [info for info in self._infos if info.sql_name not in found.schemas]
        # Built-in types do not count: every database has them.
        is_any_there = any(
            info.sql_name in found.schemas for info in self._infos if not info.built_in
        )
        if missing and (self.are_named or not is_any_there):
            raise await make_missing_error(conn, self.schema, missing)

    async def set_codecs(self, conn: AnyConnection, found: Found) -> None:
        """Set the codecs of the types that were found.

        Raises:
            TypesNotFoundError: a type was dropped after it was found.
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
            except ValueError as error:  # asyncpg did not find the type
                raise TypesNotFoundError(
                    f"expected {name} in schema {schema!r}, found nothing: "
                    "it was dropped while it was registered"
                ) from error

    @property
    def _infos(self) -> list[TypeInfo]:
        return [value_class.info for value_class in self._classes.values()]


def _find_classes(types: TypesInput | None) -> dict[str, type[Value]]:
    """Return the value classes that a caller means, by their SQL names."""
    if types is None:
        return {name: cls for name, cls in VALUE_CLASSES.items() if not cls.info.built_in}
    if types == ALL:
        return {**VALUE_CLASSES}
    if not isinstance(types, (str, type, Iterable)):
        raise InvalidTypeError(f"expected types, got {describe(types)}")
    classes: dict[str, type[Value]] = {}
    for type_ in [types] if isinstance(types, (str, type)) else types:
        value_class = _find_class(type_)
        known = classes.setdefault(value_class.info.sql_name, value_class)
        if known is not value_class:
            raise InvalidValueError(
                f"expected one class for {value_class.info.sql_name}, "
                f"got {known.__name__} and {value_class.__name__}"
            )
    return classes


def _find_class(type_: str | type[Value]) -> type[Value]:
    if isinstance(type_, str) and type_ in VALUE_CLASSES:
        return VALUE_CLASSES[type_]
    if is_value_class(type_):
        return type_
    known = ", ".join(VALUE_CLASSES)
    raise InvalidValueError(f"expected types among {known}, or value classes, got {shorten(type_)}")


def _find_returned(returns: object, classes: Mapping[str, type[Value]]) -> dict[str, Returned]:
    """Return what each type's values become, by its SQL name."""
    if not isinstance(returns, Mapping):
        _check_returned(returns, "returns", " or a mapping of these by type,")
        for_all = cast("Returned", returns)
        return {name: _for_all_types(for_all, cls) for name, cls in classes.items()}
    found: dict[str, Returned] = dict.fromkeys(classes, "value")
    named: set[str] = set()
    for key, returned in cast("Mapping[object, Any]", returns).items():
        name = _find_name(key, classes)
        _check_returned(returned, f"returns for {name}", "")
        if name in named:
            raise InvalidValueError(f"expected {name} once in returns, got it by name and by class")
        named.add(name)
        found[name] = returned
    return found


def _for_all_types(returned: Returned, value_class: type[Value]) -> Returned:
    """Return what `returns` means for a type, if it names no type."""
    is_of_dense = returned in ("list", "numpy")
    return "value" if is_of_dense and not issubclass(value_class, Dense) else returned


def _find_name(key: Any, classes: Mapping[str, type[Value]]) -> str:
    """Return the SQL name of a type that a mapping names."""
    is_class = is_value_class(key)
    for name, value_class in classes.items():
        if key == name or (is_class and issubclass(value_class, key)):
            return name
    got = f"class {key.__name__}" if isinstance(key, type) else shorten(key)
    raise InvalidValueError(
        f"expected types to register in returns, {', '.join(classes)}, got {got}; "
        "to register another one, name it in types, too"
    )


def _check_returned(returned: Any, what: str, more: str) -> None:
    if isinstance(returned, str) and returned in get_args(Form):
        return
    if isinstance(returned, str) or not callable(returned):
        raise InvalidValueError(
            f"expected {what} among {', '.join(get_args(Form))}, or a callable,{more} "
            f"got {shorten(returned)}"
        )


def _make_codec(value_class: type[Value], returned: Returned) -> Codec:
    """Return the encoder and the decoder of a type for asyncpg."""
    codec = value_class.codec
    if "codec" not in vars(value_class):  # a subclass of a generated class
        codec = Codec(value_class.encode, value_class.decode)
    if returned == "value":
        return codec
    if returned == "text" and getattr(value_class, "text_format", codec) is None:
        raise InvalidValueError(
            f"expected another form than text for {value_class.info.sql_name}, "
            "which has no text form"
        )
    if returned == "numpy":
        import_module("numpy")  # fails now if NumPy is missing, and not at the first fetch
    return Codec(codec.encode, _make_decoder(codec, returned))


def _make_decoder(codec: Codec, returned: Returned) -> Callable[[bytes], Any]:
    """Return a decoder that converts each value."""
    native = getattr(codec, "native", None)
    if native is not None and returned in ("list", "text"):  # in one call
        one_call: Callable[[bytes], Any] = (
            native.decode_list if returned == "list" else native.decode_text
        )
        return one_call
    decode = codec.decode
    convert = methodcaller(_METHODS[returned]) if isinstance(returned, str) else returned

    def decode_and_convert(data: bytes) -> Any:
        return convert(decode(data))

    return decode_and_convert
