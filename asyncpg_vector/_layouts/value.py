"""What the values of every layout have in common."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable
from numbers import Number
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from asyncpg_vector._annotations import Buffer, NDArray
from asyncpg_vector._inputs import LIST
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedWireError
from asyncpg_vector.info import TypeInfo

if TYPE_CHECKING:
    import struct

    from pydantic_core import CoreSchema, SchemaSerializer

__all__ = [
    "SHOWN",
    "NumberT",
    "Value",
    "check_dimensions",
    "check_length",
    "check_reserved",
    "new_value",
    "set_wire",
    "unpack_header",
    "wrap",
]

ValueT = TypeVar("ValueT", bound="Value")
NumberT = TypeVar("NumberT", int, float)

SHOWN = 3
"""Elements that ``str()`` shows of a longer value."""


class _PydanticSerializer:
    """The attribute in which Pydantic looks for a serializer where no schema names the class.

    Until the program imports Pydantic, a value has no such attribute.
    """

    def __get__(self, _value: object, _cls: object) -> SchemaSerializer:
        if "pydantic_core" not in sys.modules:
            raise AttributeError("expected pydantic_core to be imported before this is read")
        from asyncpg_vector._pydantic import SERIALIZER

        return SERIALIZER


class Value:
    """An immutable value of a SQL type: its wire payload, unpacked when somebody asks.

    There is no ``__iter__``: asyncpg takes an element of an array parameter that is both sized and
    iterable for one more dimension of the array, and ``vector[]`` could not be bound.
    """

    __slots__ = ("_wire",)
    _wire: bytes

    info: ClassVar[TypeInfo]
    """What the spec knows of the type."""

    _conversion: ClassVar[str] = "to convert it, write {}(value)"
    """How to come from a value of another class to one of this, whose name goes into the braces."""

    def __new__(cls, value: Any, /) -> Self:
        return value if type(value) is cls else wrap(cls, cls._pack(value))

    @classmethod
    @abstractmethod
    def _pack(cls, value: Any) -> bytes:
        """Make the wire payload of what the constructor takes."""

    @classmethod
    def _pack_array(cls, value: NDArray[Any]) -> bytes:
        """Make the wire payload of an ndarray."""
        return cls._pack(value)

    @classmethod
    def coerce(cls, value: Any, /) -> Self:
        """Make a value of whatever a parameter can be: a value, its text, what it is made from.

        The constructor takes values of other classes as well, and no text of numbers.

        Raises:
            InvalidTypeError, InvalidValueError: as the constructor and `from_text` do; and for a
                value of another class, which only the caller should convert.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return wrap(cls, cls._read(value))
        if isinstance(value, Value):
            raise InvalidTypeError(
                f"expected a {cls.__name__} for {cls.info.sql_name}, "
                f"got a {type(value).__name__}; {cls._conversion.format(cls.__name__)}"
            )
        return wrap(cls, cls._pack(value))

    @classmethod
    def encode(cls, value: Any, /) -> bytes:
        """Return the wire payload of a parameter, as the encoder of a codec for asyncpg.

        What it can be, and the errors, are as for `coerce`.
        """
        try:
            if type(value) is cls:  # for these three, what follows would take a while
                return value.to_binary()
            if is_ndarray(value):
                return cls._pack_array(value)
            if type(value) is LIST:
                return cls._pack(value)
            return cls.coerce(value).to_binary()
        except InvalidTypeError as error:
            if isinstance(value, Number) or getattr(value, "ndim", None) == 0:
                raise InvalidTypeError(
                    f"{error}; if this is for an array parameter, asyncpg takes nested lists "
                    "apart: make each row a value or a tuple"
                ) from None
            raise

    @classmethod
    def decode(cls, data: bytes, /) -> Self:
        """Wrap a wire payload that comes from the server, as the decoder of a codec for asyncpg.

        The elements are not looked at: the server has checked them. `from_binary` checks them.

        Raises:
            MalformedWireError: its header or its length is wrong.
        """
        wire = bytes(data)
        cls._check_header(wire)
        return wrap(cls, wire)

    @classmethod
    def from_text(cls, text: str, /) -> Self:
        """Read the SQL text form, as strictly as the type's ``in`` function.

        Raises:
            InvalidTypeError: `text` is no str.
            MalformedTextError: it does not follow the grammar.
            InvalidValueError: it holds what the server refuses.
        """
        if not isinstance(text, str):
            raise InvalidTypeError(f"expected a text form, got {describe(text)}")
        return wrap(cls, cls._read(text))

    @classmethod
    @abstractmethod
    def _read(cls, text: str) -> bytes:
        """Make the wire payload of a text form."""

    @classmethod
    def from_binary(cls, data: Buffer, /) -> Self:
        """Read a wire payload, as the type's ``send`` function writes it.

        Raises:
            InvalidTypeError: `data` is no buffer of bytes.
            MalformedWireError: its header or its length is wrong.
            InvalidValueError: it holds what the type's ``recv`` function refuses.
        """
        try:
            wire = bytes(memoryview(data))
        except (TypeError, ValueError):
            raise InvalidTypeError(f"expected a wire payload, got {describe(data)}") from None
        cls._check_header(wire)
        return wrap(cls, cls._check(wire))

    @classmethod
    @abstractmethod
    def _check_header(cls, wire: bytes) -> None:
        """Raise MalformedWireError if a wire payload is not as long as its header says."""

    @classmethod
    @abstractmethod
    def _check(cls, wire: bytes) -> bytes:
        """Return a wire payload of this length if the server would take it, or raise."""

    @classmethod
    def from_json(cls, data: Any, /) -> Self:
        """Read what `to_json` returns, or whatever else a parameter can be.

        Raises:
            InvalidTypeError, InvalidValueError: as `coerce` does.
        """
        return cls.coerce(data)

    @abstractmethod
    def to_json(self) -> Any:
        """Return the value as JSON has it, of lists, dicts, strings and numbers."""

    @classmethod
    @abstractmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON schema of what `to_json` returns, as Pydantic and OpenAPI have it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        from asyncpg_vector._pydantic import make_core_schema

        def write(data: Any) -> Any:
            # What was not validated, as in SQLModel's tables, may be what a value is made from.
            return cls.coerce(data).to_json()

        return make_core_schema(cls.from_json, write, cls.json_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        return cls.json_schema()

    __pydantic_serializer__ = _PydanticSerializer()

    @abstractmethod
    def to_text(self) -> str:
        """Return the SQL text form, to the character what the server prints for ``::text``."""

    def to_binary(self) -> bytes:
        """Return the wire payload."""
        return self._wire

    @abstractmethod
    def dimensions(self) -> int:
        """Return the number of dimensions."""

    @abstractmethod
    def to_list(self) -> list[Any]:
        """Return the elements, one for each dimension."""

    @abstractmethod
    def to_numpy(self) -> NDArray[Any]:
        """Return the elements as a new ndarray of shape (dimensions,), in native byte order."""

    def __array__(
        self,
        dtype: Any = None,
        copy: bool | None = None,  # noqa: FBT001  # as NumPy calls it
    ) -> NDArray[Any]:
        if copy is False:
            raise ValueError(f"{type(self).__name__} holds wire bytes: an ndarray of it is a copy")
        array = self.to_numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def _canonical(self) -> bytes:
        """Return bytes that are the same for values that the server's ``=`` takes for equal."""
        return self._wire

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value) or other.info is not self.info:
            return NotImplemented
        return self._wire == other._wire or self._canonical() == other._canonical()

    def __hash__(self) -> int:
        return hash(self._canonical())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_binary, (self._wire,)


new_value = object.__new__
# The slot itself, since the class refuses to set attributes.
set_wire: Callable[[Value, bytes], None] = vars(Value)["_wire"].__set__


def wrap(cls: type[ValueT], wire: bytes) -> ValueT:
    """Make a value of a wire payload that is known to be good."""
    value = new_value(cls)
    set_wire(value, wire)
    return value


def check_dimensions(info: TypeInfo, dimensions: int, *, least: int = 1) -> None:
    """Raise InvalidValueError for fewer or more dimensions than the type can have."""
    if not least <= dimensions <= info.max_dimensions:
        raise InvalidValueError(
            f"expected {least} to {info.max_dimensions} dimensions for {info.sql_name}, "
            f"got {shorten(dimensions)}"
        )


def unpack_header(info: TypeInfo, header: struct.Struct, wire: bytes) -> tuple[int, ...]:
    """Unpack the header of a wire payload; raise MalformedWireError if that is too short."""
    if len(wire) < header.size:
        raise MalformedWireError(
            f"expected at least {header.size} bytes for a {info.sql_name}, got {len(wire)}"
        )
    return header.unpack_from(wire)


def check_length(info: TypeInfo, wire: bytes, expected: int) -> None:
    """Raise MalformedWireError unless a wire payload is as long as its header says."""
    if len(wire) != expected:
        raise MalformedWireError(
            f"expected {expected} bytes for this {info.sql_name}, got {len(wire)}"
        )


def check_reserved(info: TypeInfo, reserved: int) -> None:
    """Raise MalformedWireError unless the reserved field of a header is 0."""
    if reserved:
        raise MalformedWireError(
            f"expected 0 in the reserved field of {info.sql_name}, got {reserved}"
        )
