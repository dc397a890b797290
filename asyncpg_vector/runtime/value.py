"""The base class of all values."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Callable, Mapping
from numbers import Number
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, Self, TypeVar

from asyncpg_vector._annotations import Buffer, NDArray, np
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._native import kernel
from asyncpg_vector.errors import InvalidTypeError
from asyncpg_vector.info import TypeInfo
from asyncpg_vector.runtime.checks import count_error
from asyncpg_vector.runtime.codec import Codec
from asyncpg_vector.runtime.header import Header
from asyncpg_vector.runtime.text import NumberText

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, SchemaSerializer
    from typing_extensions import TypeIs

__all__ = [
    "SHOWN",
    "NumberT",
    "ScalarT",
    "Value",
    "check_dimensions",
    "is_value_class",
    "object_schema",
    "require_text",
    "show_short",
    "wrap",
]

ValueT = TypeVar("ValueT", bound="Value")
NumberT = TypeVar("NumberT", int, float)
ScalarT = TypeVar("ScalarT", bound="np.generic")

SHOWN = 3
"""Elements that ``str()`` shows of a longer value."""


class _PydanticSerializer:
    """Pydantic's attribute for the serializer of a class that no schema names.

    A value has the attribute once the program has imported Pydantic.
    """

    def __get__(self, _value: object, _cls: object) -> SchemaSerializer:
        if "pydantic_core" not in sys.modules:
            raise AttributeError("expected pydantic_core to be imported before this is read")
        from asyncpg_vector._pydantic import SERIALIZER

        return SERIALIZER


if TYPE_CHECKING or kernel is None:

    class Payload:
        """Holds a payload."""

        __slots__ = ("_wire",)
        _wire: bytes

    _new = object.__new__
    # The slot itself, since a value refuses to set attributes.
    _set_wire: Callable[[Payload, bytes], None] = vars(Payload)["_wire"].__set__

    def wrap(value_class: type[ValueT], wire: bytes, /) -> ValueT:
        """Make a value of a good payload, in bytes, which do not change."""
        value = _new(value_class)
        _set_wire(value, wire)
        return value

else:
    Payload, wrap = kernel.Payload, kernel.wrap


def show_short(
    value: object,
    printer: Any,
    cycle: bool,  # noqa: ARG001, FBT001  # as IPython calls it
) -> None:
    """Print ``str`` in IPython and in notebooks, where ``repr`` would fill the screen.

    Each class with a ``__repr__`` needs this as its ``_repr_pretty_``: IPython takes what it finds
    first, in the order of a class's bases.
    """
    printer.text(str(value))


class Value(Payload):
    """An immutable value of a SQL type. It holds its wire payload, and unpacks it when asked.

    It has no ``__iter__``. asyncpg takes an element of an array parameter that is sized and
    iterable for one more dimension of the array, so that ``vector[]`` could not be bound.
    """

    __slots__ = ()

    info: ClassVar[TypeInfo]
    """What the spec knows of the type."""

    codec: ClassVar[Codec]
    """The generated functions that encode a parameter and decode a fetched payload."""

    layout: ClassVar[Literal["dense", "sparse", "bits"]]
    """What a value can do."""

    header: ClassVar[Header]
    """The fields before the body of a payload."""

    _conversion: ClassVar[str] = "to convert it, write {}(value)"
    """Advice for converting a value of another class; {} is the target class."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        plugin = sys.modules.get("asyncpg_vector._hypothesis")
        if plugin:  # Hypothesis has loaded it, and is to know later classes, too
            plugin.register(cls)

    @abstractmethod
    def __new__(cls, value: Any, /) -> Self:
        """Make a value of numbers or bits, as the docstring of the class says."""

    @classmethod
    def _construct(cls, value: Any) -> Self:
        """Make a value as `_make` does; the error for a size names the column type."""
        try:
            return cls._make(value)
        except InvalidTypeError as error:
            if isinstance(value, int):
                raise _size_error(error, cls, value) from None
            raise

    @classmethod
    def _make(cls, value: Any) -> Self:
        """Make a value of an argument of the constructor, without attributes."""
        return value if type(value) is cls else wrap(cls, cls.codec.encode(cls._read(value)))

    @classmethod
    @abstractmethod
    def _read(cls, value: Any) -> Any:
        """Read an argument of the constructor, which may be a value of another class."""

    @classmethod
    @abstractmethod
    def _read_text(cls, text: str) -> Any:
        """Read a text form."""

    @classmethod
    def read_parameter(cls, value: Any, /) -> Any:
        """Read a parameter that is no value of this class; generated encoders call this.

        Args:
            value: an argument of the constructor, or a text form.

        Raises:
            InvalidTypeError: `value` is neither; or it is a value of another class, which the
                caller has to convert.
            MalformedTextError: `value` is a str, and no text form of the type.
        """
        if isinstance(value, str):
            return cls._read_text(value)
        if isinstance(value, Value):
            raise cls._class_error(value)
        try:
            return cls._read(value)
        except InvalidTypeError as error:
            if isinstance(value, Number) or getattr(value, "ndim", None) == 0:
                raise InvalidTypeError(
                    f"{error}; for an array parameter, whose nested lists asyncpg takes apart, "
                    f"write [{cls.__name__}(row) for row in rows]"
                ) from None
            raise

    @classmethod
    def _native(cls) -> Any:
        """Return the native kernel's facts of the type, or None if Python encodes it."""
        return getattr(cls.codec, "native", None)

    @classmethod
    def _class_error(cls, value: Value) -> InvalidTypeError:
        return InvalidTypeError(
            f"expected a {cls.__name__} for {cls.info.sql_name}, "
            f"got a {type(value).__name__}; {cls._conversion.format(cls.__name__)}"
        )

    @classmethod
    def coerce(cls, value: Any, /) -> Self:
        """Make a value of a parameter: a value, its text form, or an argument of the constructor.

        The constructor takes values of other classes too, and no text of numbers.

        Raises:
            InvalidTypeError, InvalidValueError: as the constructor and `from_text` do. A value of
                another class is an InvalidTypeError: the caller has to convert it.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.from_text(value)
        if isinstance(value, Value):
            raise cls._class_error(value)
        return cls._make(value)

    @classmethod
    def encode(cls, value: Any, /) -> bytes:
        """Return the wire payload of a parameter.

        Parameters and errors are those of `coerce`.
        """
        return cls.codec.encode(value)

    @classmethod
    def decode(cls, data: Buffer, /) -> Self:
        """Wrap a wire payload from the server.

        The elements are not checked, since the server has checked them; `from_binary` checks them.

        Raises:
            InvalidTypeError: `data` is no buffer of bytes.
            MalformedWireError: the header or the length is wrong.
        """
        value = cls.codec.decode(data if type(data) is bytes else _copy_wire(data))
        return value if type(value) is cls else wrap(cls, value.to_binary())  # of a subclass

    @classmethod
    def from_text(cls, text: str, /) -> Self:
        """Read the SQL text form, as strictly as the type's ``in`` function.

        Raises:
            InvalidTypeError: `text` is no str.
            MalformedTextError: `text` does not follow the grammar.
            InvalidValueError: the server would refuse a number in it, or how many there are.
        """
        if not isinstance(text, str):
            raise InvalidTypeError(f"expected a text form, got {describe(text)}")
        return wrap(cls, cls.codec.encode(text))

    @classmethod
    def from_binary(cls, data: Buffer, /) -> Self:
        """Read a wire payload, as the type's ``send`` function writes it.

        Raises:
            InvalidTypeError: `data` is no buffer of bytes.
            MalformedWireError: the header or the length is wrong.
            InvalidValueError: the type's ``recv`` function would refuse the payload.
        """
        native = cls._native()
        value: Self | None = native and native.from_binary(cls, data)
        if value is not None:
            return value
        return cls.decode(data).checked()

    @abstractmethod
    def checked(self) -> Self:
        """Check what `decode` leaves to the server, and return the value as the server keeps it.

        Raises:
            InvalidValueError: the type's ``recv`` function would refuse the payload.
        """

    @classmethod
    def from_json(cls, data: Any, /) -> Self:
        """Read a result of `to_json`, or any other parameter.

        Raises:
            InvalidTypeError, InvalidValueError: as `coerce` does.
        """
        return cls.coerce(data)

    @abstractmethod
    def to_json(self) -> Any:
        """Return the value as lists, dicts, strings and numbers, which JSON has."""

    @classmethod
    @abstractmethod
    def json_schema(cls, dimensions: int | None = None) -> dict[str, Any]:
        """Return the JSON schema of the results of `to_json`, for Pydantic and OpenAPI.

        Args:
            dimensions: how many the values have; None for any number.
        """

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        from asyncpg_vector._pydantic import make_core_schema

        def write(data: Any) -> Any:
            # A field that was not validated, as in SQLModel's tables, may hold any parameter.
            return cls.coerce(data).to_json()

        return make_core_schema(cls.from_json, write, cls.json_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, Any]:
        return cls.json_schema()

    __pydantic_serializer__ = _PydanticSerializer()

    @abstractmethod
    def to_text(self) -> str:
        """Return the SQL text form, which is the server's ``::text`` to the character."""

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
        """Return bytes that are the same for all values that the server's ``=`` takes for equal."""
        return self._wire

    def _equals(self, other: object) -> Any:
        if not isinstance(other, Value) or other.info is not self.info:
            return NotImplemented
        is_same = self._wire == other._wire  # noqa: SLF001  # another value's
        return is_same or self._canonical() == other._canonical()  # noqa: SLF001

    if TYPE_CHECKING or kernel is None:
        __eq__ = _equals  # the kernel's compares the payloads of two values of a class first

    def __hash__(self) -> int:
        return hash(self._canonical())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_binary, (self._wire,)


def is_value_class(thing: object) -> TypeIs[type[Value]]:
    """Tell whether this is the class of a type's values, and not one of the runtime's bases."""
    return isinstance(thing, type) and issubclass(thing, Value) and hasattr(thing, "codec")


def _copy_wire(data: Any) -> bytes:
    """Return the bytes of a buffer. Of a number, `bytes` would make so many zeros."""
    try:
        return bytes(memoryview(data))
    except (TypeError, ValueError):
        raise InvalidTypeError(f"expected a wire payload, got {describe(data)}") from None


def check_dimensions(info: TypeInfo, dimensions: int) -> None:
    """Raise InvalidValueError for no dimensions, or more than the type can have."""
    if not 1 <= dimensions <= info.max_dimensions:
        raise count_error(info.sql_name, "dimensions", 1, info.max_dimensions, dimensions)


def require_text(info: TypeInfo, number_text: NumberText | None) -> NumberText:
    """Return how a type writes numbers; raise InvalidTypeError if it has no text form."""
    if number_text is None:
        raise InvalidTypeError(f"expected a binary form of {info.sql_name}, which has no text form")
    return number_text


def _size_error(error: InvalidTypeError, value_class: type[Value], size: int) -> InvalidTypeError:
    """Add to the error of a constructor that was given a size, as a column type is.

    pgvector-python calls a column type ``Vector``.
    """
    package = __name__.partition(".")[0]
    module = f"{package}.sqlalchemy." if value_class.__module__ == package else ""
    column_type = f"{module}{value_class.info.sql_name.upper()}({shorten(int(size))})"
    return InvalidTypeError(f"{error}; the column type of SQLAlchemy is {column_type}")


def object_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an object with these members and no others."""
    return {
        "type": "object",
        "properties": {**properties},
        "required": list(properties),
        "additionalProperties": False,
    }
