"""The dense layout: a value has an element for each dimension."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, SupportsIndex, TypeAlias, cast, overload

from asyncpg_vector._annotations import NDArray
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedTextError
from asyncpg_vector.runtime.base64 import decode_base64
from asyncpg_vector.runtime.digits import WHITESPACE
from asyncpg_vector.runtime.formats import FLOAT32, number_format
from asyncpg_vector.runtime.holders import (
    LIST,
    REAL,
    Numbers,
    NumbersInput,
    read_numbers,
    read_whole,
)
from asyncpg_vector.runtime.matrix import MatrixRow
from asyncpg_vector.runtime.text import NumberText
from asyncpg_vector.runtime.value import (
    SHOWN,
    NumberT,
    ScalarT,
    Value,
    check_dimensions,
    object_schema,
    require_text,
    show_short,
    wrap,
)

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = ["Attributed", "Dense", "DenseInput"]

DenseInput: TypeAlias = NumbersInput | Value
"""Arguments of the constructor: numbers in a row, or a value of any class."""

_LITTLE_FLOAT32 = number_format("float32", "little")


class Attributed(tuple[Numbers, tuple[Any, ...]]):
    """The elements, and the attributes in the order of the header, that a constructor was given."""

    __slots__ = ()


class Dense(MatrixRow[NumberT, ScalarT]):
    """A vector with an element for every dimension."""

    __slots__ = ()

    layout = "dense"

    text_format: ClassVar[NumberText | None] = None
    """How elements are written in the text form, if the type has one."""

    def __new__(cls, value: DenseInput, /) -> Self:
        return cls._construct(value)

    @classmethod
    def _make(cls, value: Any) -> Self:
        native = cls._native()
        made: Self | None = native and native.from_numbers(cls, value)
        return super()._make(value) if made is None else made

    @classmethod
    def read_parameter(cls, value: Any, /) -> Numbers:
        if type(value) is LIST:
            return read_numbers(value)
        if _is_real_row(value):
            return value
        numbers: Numbers = super().read_parameter(value)
        return numbers

    @classmethod
    def read_attributes(cls, value: Any, /) -> tuple[Any, ...]:
        """Return a row of numbers, and after it the narrowed attributes of the constructor.

        Raises:
            InvalidTypeError: `value` does not come from the constructor, so that there are no
                attributes; or an attribute is no number.
            InvalidValueError: an attribute is not finite, or does not fit.
        """
        if isinstance(value, str):
            cls._read_text(value)  # which says that there is no text form
        if not isinstance(value, Attributed):
            arguments = ", ".join(f"{name}=..." for name in cls.attribute_formats)
            raise InvalidTypeError(
                f"expected a {cls.__name__} for {cls.info.sql_name}, "
                f"got {describe(value)}; write {cls.__name__}(..., {arguments})"
            )
        return value[0], *cls._narrow_attributes(value[1])

    @classmethod
    def _narrow_attributes(cls, attributes: Iterable[Any]) -> list[Any]:
        narrowed: list[Any] = []
        named = zip(cls.attribute_formats.items(), attributes, strict=True)
        for (name, attribute_format), attribute in named:
            packed = attribute_format.pack([attribute], [f"for the attribute {name}"])
            narrowed += attribute_format.unpack(packed, 0, 1)
        return narrowed

    @classmethod
    def _read(cls, value: DenseInput) -> Numbers:
        if type(value) is LIST or _is_real_row(value):
            return cast("Numbers", value)  # the encoder reads it
        if isinstance(value, Value):
            check_dimensions(cls.info, value.dimensions())  # before a sparse one is written out
            value = value.to_list()
        return read_numbers(value)

    @classmethod
    def _read_text(cls, text: str) -> Numbers:
        number_text = require_text(cls.info, cls.text_format)
        body = text.strip(WHITESPACE)
        if not (body.startswith("[") and body.endswith("]")):
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as [1,2,3], got {describe(text)}"
            )
        row = body[1:-1]
        return number_text.read(row, cls.element_format, None) if row.strip(WHITESPACE) else []

    @classmethod
    def from_float_base64(
        cls, data: str | bytes, /, *, dimensions: SupportsIndex | None = None
    ) -> Self:
        """Read base64 of little-endian float32, as embedding APIs send vectors.

        The base64 is of float32 for every class, whatever its own element format: two halves would
        be read as one float32, which is another number.

        Args:
            data: base64 of the standard alphabet, padded, of 4 bytes for each dimension.
            dimensions: how many are expected, which tells base64 of another precision from that of
                float32; None for any number.

        Raises:
            InvalidTypeError: `data` is no str or bytes, or `dimensions` is no whole number.
            MalformedTextError: it is no base64, or not of whole float32.
            InvalidValueError: too many dimensions, or none, or another number than expected; or a
                number that does not fit.
        """
        native = cls._native()
        value: Self | None = native and native.from_float_base64(cls, data)
        if value is not None and (
            dimensions is None or read_whole(dimensions, "of dimensions") == len(value)
        ):
            return value
        raw = decode_base64(data)
        count, rest = divmod(len(raw), FLOAT32.width)
        if rest:
            raise MalformedTextError(
                f"expected base64 of float32, 4 bytes each, got one of {len(raw)} bytes"
            )
        if dimensions is not None and count != read_whole(dimensions, "of dimensions"):
            raise InvalidValueError(
                f"expected base64 of {shorten(dimensions)} dimensions in float32, 4 bytes each, "
                f"got {count} dimensions in {len(raw)} bytes"
            )
        numpy = loaded_numpy()
        numbers = numpy.frombuffer(raw, "<f4") if numpy else _LITTLE_FLOAT32.unpack(raw, 0, count)
        return wrap(cls, cls.codec.encode(numbers))

    def checked(self) -> Self:
        check_dimensions(self.info, len(self))
        self.element_format.check(self._wire[self.header.size :])
        if self.attribute_formats:
            self._narrow_attributes(self._named_attributes().values())
        return self

    def to_text(self) -> str:
        number_text = require_text(self.info, self.text_format)
        return f"[{number_text.print_row(self.element_format, self._wire, self.header.size)}]"

    def to_float_base64(self) -> str:
        """Return base64 of little-endian float32, which `from_float_base64` reads."""
        payload = _LITTLE_FLOAT32.pack(self._numbers())
        return binascii.b2a_base64(payload, newline=False).decode()

    def to_list(self) -> list[NumberT]:
        """Return the elements as a list of Python numbers."""
        return self.element_format.unpack_list(self._wire, self.header.size)

    @classmethod
    def from_json(cls, data: Any, /) -> Self:
        if not (cls.attribute_formats and isinstance(data, Mapping)):
            return cls.coerce(data)
        members = cast("Mapping[str, Any]", data)
        if set(members) != {"elements", *cls.attribute_formats}:
            raise InvalidTypeError(
                f"expected an object of elements, {', '.join(cls.attribute_formats)}, "
                f"got {describe(members)}"
            )
        elements, *attributes = (members[name] for name in ("elements", *cls.attribute_formats))
        return cls._with_attributes(elements, *attributes)

    def to_json(self) -> Any:
        """Return a list of the elements, or with attributes a dict of both.

        Each float has the fewest digits that narrow to the same number: 0.1 for the float32 that
        `to_list` returns as 0.10000000149011612.
        """
        elements = self.element_format.unpack_shortest(self._wire, self.header.size)
        if not self.attribute_formats:
            return elements
        attributes = {
            name: self.attribute_formats[name].shorten([attribute])[0]
            for name, attribute in self._named_attributes().items()
        }
        return {"elements": elements, **attributes}

    @classmethod
    def json_schema(cls, dimensions: int | None = None) -> dict[str, Any]:
        elements = {
            "type": "array",
            "items": {"type": cls.element_format.json_type},
            "minItems": dimensions or 1,
            "maxItems": dimensions or cls.info.max_dimensions,
        }
        if not cls.attribute_formats:
            return elements
        attributes = {
            name: {"type": each.json_type} for name, each in cls.attribute_formats.items()
        }
        return object_schema({"elements": elements, **attributes})

    @classmethod
    def _with_attributes(cls, value: DenseInput, *attributes: Any) -> Self:
        """Make a value of elements, and of attributes in the order of the header."""
        return wrap(cls, cls.codec.encode(Attributed((cls._read(value), attributes))))

    def _named_attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.attribute_formats}

    def to_numpy(self) -> NDArray[ScalarT]:
        """Return the elements as a new ndarray of shape (dimensions,), in native byte order."""
        return self.element_format.unpack_array(self._wire, self.header.size)

    def dimensions(self) -> int:
        """Return the number of dimensions, the same as ``len()``."""
        return len(self)

    def __len__(self) -> int:
        return (len(self._wire) - self.header.size) // self.element_format.width

    @overload
    def __getitem__(self, key: int, /) -> NumberT: ...
    @overload
    def __getitem__(self, key: slice, /) -> Self: ...
    def __getitem__(self, key: int | slice, /) -> NumberT | Self:
        """Return an element; of a slice, a value of the same class."""
        if type(key) is int and key >= 0:  # a loop calls this for each: there is no __iter__
            element = self.element_format
            try:
                offset = self.header.size + key * element.width
                number: NumberT = element.unpack_from(self._wire, offset)[0]
            except (struct.error, OverflowError):
                pass  # there is no such element; the message is below
            else:
                return number
        if isinstance(key, slice):
            return self._make(self.to_list()[key])
        try:
            index = range(len(self))[key]
        except IndexError:
            raise IndexError(
                f"expected an index from {-len(self)} to {len(self) - 1}, got {shorten(key)}"
            ) from None
        except TypeError:
            raise InvalidTypeError(f"expected an index or a slice, got {describe(key)}") from None
        return self[index]

    def _numbers(self) -> tuple[NumberT, ...]:
        return self.element_format.unpack(self._wire, self.header.size, len(self))

    def _canonical(self) -> bytes:
        return self.element_format.canonical(self._wire, self.header.size)

    def __repr__(self) -> str:
        elements = ", ".join(self.element_format.literals(self._numbers()))
        attributes = (f", {name}={value!r}" for name, value in self._named_attributes().items())
        return f"{type(self).__name__}([{elements}]{''.join(attributes)})"

    def __str__(self) -> str:
        if len(self) <= SHOWN:
            return repr(self)
        shown = ", ".join(self.element_format.literals(self._numbers()[:SHOWN]))
        return f"{type(self).__name__}([{shown}, ...], {len(self)} dimensions)"

    _repr_pretty_ = show_short


def _is_real_row(value: object) -> TypeIs[NDArray[Any]]:
    return is_ndarray(value) and value.ndim == 1 and value.dtype.kind in REAL
