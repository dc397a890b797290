"""The dense layout: u16 dimensions, u16 reserved, elements (pgvector, vector_recv)."""

from __future__ import annotations

import binascii
import struct
from array import array
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, cast, overload

from asyncpg_vector._elements import FLOAT32
from asyncpg_vector._inputs import NumbersInput, read_numbers
from asyncpg_vector._layouts.value import (
    SHOWN,
    NumberT,
    Value,
    check_dimensions,
    check_length,
    check_reserved,
    unpack_header,
    wrap,
)
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._text import WHITESPACE
from asyncpg_vector.errors import InvalidTypeError, MalformedTextError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Self

    from asyncpg_vector._elements import Element

__all__ = ["Dense", "DenseInput"]

DenseInput: TypeAlias = "NumbersInput | Value"
"""What a dense value is made from: numbers in a row, or any other value."""

_HEADER = struct.Struct(">HH")


class Dense(Value, Generic[NumberT]):
    """A vector with an element for every dimension."""

    __slots__ = ()

    element: ClassVar[Element]
    """The format of an element."""

    def __new__(cls, value: DenseInput, /) -> Self:
        return super().__new__(cls, value)

    @classmethod
    def _pack(cls, value: DenseInput) -> bytes:
        if isinstance(value, Value):
            check_dimensions(cls.info, value.dimensions())  # before a sparse one is written out
            value = value.to_list()
        numbers = read_numbers(value)
        check_dimensions(cls.info, len(numbers))
        return _HEADER.pack(len(numbers), 0) + cls.element.pack(numbers)

    @classmethod
    def _read(cls, text: str) -> bytes:
        body = text.strip(WHITESPACE)
        if not (body.startswith("[") and body.endswith("]")):
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as [1,2,3], got {describe(text)}"
            )
        texts = body[1:-1].split(",") if body[1:-1].strip(WHITESPACE) else []
        check_dimensions(cls.info, len(texts))
        return _HEADER.pack(len(texts), 0) + cls.element.read(texts)

    @classmethod
    def from_float_base64(cls, data: str | bytes, /) -> Self:
        """Read base64 of little-endian float32, as embedding APIs send vectors.

        Raises:
            InvalidTypeError: `data` is no str or bytes.
            MalformedTextError: it is no base64, or not of whole float32.
            InvalidValueError: too many dimensions, or none, or a number that does not fit.
        """
        raw = _decode_base64(data)
        if len(raw) % FLOAT32.width:
            raise MalformedTextError(
                f"expected base64 of float32, 4 bytes each, got one of {len(raw)} bytes"
            )
        count = len(raw) // FLOAT32.width
        check_dimensions(cls.info, count)
        payload = _swap(raw)
        if cls.element.code == FLOAT32.code:
            cls.element.check(payload)
        else:
            payload = cls.element.pack(FLOAT32.unpack(payload, 0, count))
        return wrap(cls, _HEADER.pack(count, 0) + payload)

    @classmethod
    def _check_header(cls, wire: bytes) -> None:
        dimensions, reserved = unpack_header(cls.info, _HEADER, wire)
        check_reserved(cls.info, reserved)
        check_length(cls.info, wire, _HEADER.size + dimensions * cls.element.width)

    @classmethod
    def _check(cls, wire: bytes) -> bytes:
        payload = wire[_HEADER.size :]
        check_dimensions(cls.info, len(payload) // cls.element.width)
        cls.element.check(payload)
        return wire

    def to_text(self) -> str:
        return f"[{','.join(self.element.print(self._numbers()))}]"

    def to_float_base64(self) -> str:
        """Return base64 of little-endian float32, what `from_float_base64` reads."""
        payload = _swap(FLOAT32.pack(self._numbers()))
        return binascii.b2a_base64(payload, newline=False).decode()

    def to_list(self) -> list[NumberT]:
        """Return the elements as a list of Python numbers."""
        return list(self._numbers())

    def to_json(self) -> list[NumberT]:
        """Return the elements as a list of Python numbers."""
        return self.to_list()

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": cls.element.json_type},
            "minItems": 1,
            "maxItems": cls.info.max_dimensions,
        }

    def to_numpy(self) -> NDArray[Any]:
        return self.element.unpack_array(self._wire, _HEADER.size)

    def dimensions(self) -> int:
        """Return the number of dimensions, the same as ``len()``."""
        return len(self)

    def __len__(self) -> int:
        return (len(self._wire) - _HEADER.size) // self.element.width

    @overload
    def __getitem__(self, key: int, /) -> NumberT: ...
    @overload
    def __getitem__(self, key: slice, /) -> Self: ...
    def __getitem__(self, key: int | slice, /) -> NumberT | Self:
        """Return an element, or a value of the same class of some of the elements."""
        if isinstance(key, slice):
            return type(self)(self.to_list()[key])
        try:
            index = range(len(self))[key]
        except IndexError:
            raise IndexError(
                f"expected an index from {-len(self)} to {len(self) - 1}, got {shorten(key)}"
            ) from None
        offset = _HEADER.size + index * self.element.width
        (number,) = self.element.unpack(self._wire, offset, 1)
        return cast("NumberT", number)

    def _numbers(self) -> tuple[NumberT, ...]:
        return self.element.unpack(self._wire, _HEADER.size, len(self))

    def _canonical(self) -> bytes:
        return self.element.canonical(self._wire[_HEADER.size :])

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join(self.element.literals(self._numbers()))}])"

    def __str__(self) -> str:
        if len(self) <= SHOWN:
            return repr(self)
        shown = ", ".join(self.element.print(self._numbers()[:SHOWN]))
        return f"{type(self).__name__}([{shown}, ...], {len(self)} dimensions)"


def _decode_base64(data: str | bytes) -> bytes:
    """Decode base64 with no leniency: what is decoded must encode to the very same text."""
    if not isinstance(data, (str, bytes)):
        raise InvalidTypeError(f"expected base64 as str or bytes, got {describe(data)}")
    try:
        encoded = data.encode("ascii") if isinstance(data, str) else data
        raw = binascii.a2b_base64(encoded)
    except ValueError as error:  # binascii.Error and UnicodeEncodeError are ValueErrors
        raise MalformedTextError(f"expected base64, got {describe(data)}: {error}") from None
    if binascii.b2a_base64(raw, newline=False) != encoded:
        raise MalformedTextError(
            f"expected base64 of the standard alphabet, padded, no more, got {describe(data)}"
        )
    return raw


def _swap(payload: bytes) -> bytes:
    """Turn little-endian float32 into big-endian ones or back, on a machine of either order."""
    words = array("f", payload)
    words.byteswap()
    return words.tobytes()
