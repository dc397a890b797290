"""Number formats: narrowing numbers to one, and reading them back from the wire.

Each format is one entry of `FORMATS`. Its range, its rounding, and its names in `struct`, `array`
and NumPy follow from that entry. A format knows nothing of types: header, limits and byte order
are the business of generated modules, which ask for `number_format(name, byte_order)`.
"""

from __future__ import annotations

import math
import struct
import sys
from abc import ABC, abstractmethod
from array import array, typecodes
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache, partial
from typing import Any, ClassVar, Literal, NoReturn, SupportsInt, TypeAlias

from asyncpg_vector._annotations import Buffer, NDArray
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._native import kernel
from asyncpg_vector._numpy import import_numpy, is_ndarray, loaded_numpy
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError
from asyncpg_vector.runtime.digits import print_float32, shorten_numbers
from asyncpg_vector.runtime.holders import Numbers, length_error, may_be_real

__all__ = [
    "FLOAT32",
    "FORMATS",
    "SIGNS",
    "ByteOrder",
    "FloatFormat",
    "IntegerFormat",
    "NumberFormat",
    "number_format",
]

ByteOrder: TypeAlias = Literal["big", "little"]

SIGNS: Mapping[ByteOrder, str] = {"big": ">", "little": "<"}
"""The signs of byte orders in `struct` and NumPy."""

Places: TypeAlias = Sequence[int | str]
"""The places of numbers: an index, or words such as "for the attribute radius"."""

_BITS = {2: "H", 4: "I", 8: "Q"}
"""The `struct` module's letters for the bits of a float of so many bytes."""

_FLOAT_ERRORS = (TypeError, ValueError, OverflowError, RuntimeError)
"""Errors of ``float()`` for an object that is no number; the last is PyTorch's."""


class NumberFormat(ABC):
    """The representation of a number in a payload: a format in a byte order."""

    number: ClassVar[type[Any]]
    """The Python type of the numbers: float or int."""
    json_type: ClassVar[str]
    """The JSON type of the numbers."""

    def __init__(self, name: str, letter: str, dtype: str, byte_order: ByteOrder) -> None:
        self.name = name
        self.letter = letter
        """The `struct` module's letter for the format's bits."""
        self.width = struct.calcsize(f"={letter}")
        """Bytes of one number."""
        self.byte_order: ByteOrder = byte_order
        self.dtype = dtype
        """NumPy's name for the numbers, in native byte order."""
        self.wire_dtype = SIGNS[byte_order] + dtype
        """NumPy's name for the bits in a payload."""
        self.native: Any = None
        """The native kernel's implementation, if it knows the format."""
        if kernel is not None and name in kernel.FORMATS:
            self.native = kernel.Format(name, byte_order)
            # In place of the method, since one call more takes longer than a few numbers.
            self.unpack_list = self.native.unpack_list  # type: ignore[method-assign]
        self._layout = SIGNS[byte_order] + letter
        self.unpack_from: Callable[[bytes, int], tuple[Any]] = struct.Struct(
            self._layout
        ).unpack_from
        """Unpacks the number at an offset; raises struct.error if the payload ends before."""

    def pack(self, numbers: Numbers, places: Places | None = None) -> Buffer:
        """Narrow numbers to this format.

        Args:
            numbers: what `read_numbers` returns: an ndarray may have any dtype, order and stride.
            places: where an error says that each number is, if not at index 0, 1, 2 ...

        Returns:
            Their bytes on the wire, or an ndarray of them.

        Raises:
            InvalidTypeError: an element is no number.
            InvalidValueError: an element is not finite, or does not fit.
        """
        if not is_ndarray(numbers):
            return self.pack_list(numbers, places)
        narrowed = self.narrow_array(numbers)
        if narrowed is None:
            return self.pack_list(numbers.tolist(), places)  # which finds the faulty element
        # NumPy's stubs say that an array is a buffer from Python 3.12 on.
        return narrowed  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    @abstractmethod
    def pack_list(self, numbers: Sequence[Any], places: Places | None = None) -> bytes:
        """Narrow a sequence; arguments and errors are as for `pack`."""

    @abstractmethod
    def narrow_array(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        """Narrow an ndarray of any shape and dtype to an ndarray of `wire_dtype`.

        Returns:
            None unless every element is known to fit.
        """

    @abstractmethod
    def canonical(self, payload: bytes, offset: int) -> bytes:
        """Map payloads whose numbers from an offset on are equal to the same bytes."""

    @abstractmethod
    def check(self, payload: bytes) -> None:
        """Raise InvalidValueError if a number in a payload is not finite."""

    @abstractmethod
    def literals(self, numbers: Sequence[Any]) -> list[str]:
        """Return short Python literals of unpacked numbers, which narrow to the same numbers."""

    def misfit_error(self, number: object, place: int | str) -> InvalidValueError:
        """Return the error for a number, or its text, that is out of this format's range."""
        return InvalidValueError(
            f"expected a number that fits {self.name} {_name(place)}, got {shorten(number)}"
        )

    def unpack(self, payload: Buffer, offset: int, count: int) -> tuple[Any, ...]:
        """Unpack `count` numbers at an offset."""
        return _struct(self._layout, count).unpack_from(payload, offset)

    def unpack_list(self, payload: bytes, offset: int) -> list[Any]:
        """Unpack all numbers from an offset on."""
        if self.letter not in typecodes:
            return list(self.unpack(payload, offset, (len(payload) - offset) // self.width))
        elements: array[Any] = array(self.letter)
        elements.frombytes(memoryview(payload)[offset:])
        if self.byte_order != sys.byteorder:
            elements.byteswap()
        return elements.tolist()

    def unpack_shortest(self, payload: bytes, offset: int) -> list[Any]:
        """Unpack all numbers from an offset on, as `shorten` returns them."""
        return self.unpack_list(payload, offset)

    def shorten(self, numbers: Sequence[Any]) -> list[Any]:
        """Return unpacked numbers as the floats with the fewest digits that narrow to the same."""
        return list(numbers)

    def unpack_array(self, payload: bytes, offset: int) -> NDArray[Any]:
        """Unpack all numbers from an offset on, into a new ndarray in native byte order."""
        numpy = loaded_numpy() or import_numpy()
        if self.native:
            array: NDArray[Any] = self.native.unpack_array(payload, offset)
            return array
        return self.widen_array(numpy.frombuffer(payload, self.wire_dtype, -1, offset)).astype(
            self.dtype
        )

    def widen_array(self, bits: NDArray[Any]) -> NDArray[Any]:
        """Return the numbers of an ndarray of `wire_dtype`, in any byte order."""
        return bits


class FloatFormat(NumberFormat):
    """A binary floating-point format, rounded half to even; NaN and infinities are refused."""

    number = float
    json_type = "number"

    def __init__(self, name: str, letter: str, dtype: str, byte_order: ByteOrder) -> None:
        super().__init__(name, letter, dtype, byte_order)
        self.infinity = self._infinity_bits()
        """The bits of infinity; the largest number is one below."""
        self.largest = self.of_bits(self.infinity - 1)
        self._fitting = self.largest / 2 * (self.largest / 2)
        """A bound: if the squares of numbers add up to less, each number fits."""
        self._bits_layout = SIGNS[byte_order] + _BITS[self.width]
        self._sign = 1 << (8 * self.width - 1)
        self._negative_zero = self._sign.to_bytes(self.width, byte_order)

    def _infinity_bits(self) -> int:
        return int.from_bytes(struct.pack(f">{self.letter}", math.inf), "big")

    def of_bits(self, bits: int) -> float:
        """Return the number that has these bits."""
        (number,) = self.unpack(bits.to_bytes(self.width, self.byte_order), 0, 1)
        return float(number)

    def pack_list(self, numbers: Sequence[Any], places: Places | None = None) -> bytes:
        try:
            payload = self._pack_floats(numbers)
        except (struct.error, *_FLOAT_ERRORS):
            self._refuse(numbers, places)
        if _have_a_finite_sum(numbers):
            return payload
        if not (all(map(may_be_real, numbers)) and self._is_finite(payload)):
            self._refuse(numbers, places)
        return payload

    def _pack_floats(self, numbers: Sequence[Any]) -> bytes:
        """Pack the results of `float()`, which misreads some objects that are no numbers."""
        numpy = loaded_numpy() if self.width == 2 else None
        if numpy:  # struct takes three times as long for halves, and Python longer for bfloat16
            doubles = numpy.frombuffer(_struct("=d", len(numbers)).pack(*numbers))
            narrowed = self.narrow_array(doubles)
            if narrowed is not None:
                return narrowed.tobytes()
        return self._pack_each(numbers)

    def _pack_each(self, numbers: Sequence[Any]) -> bytes:
        """Pack the results of `float()` without NumPy."""
        return _struct(self._layout, len(numbers)).pack(*numbers)

    def narrow_array(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        numpy, kind, wire_dtype = loaded_numpy(), numbers.dtype.char, _dtype(self.wire_dtype)
        if kind == "e" and numbers.dtype.isnative:
            # Of the masked bits, the upper byte is 0x7C for infinity and NaN alone.
            bits = numbers.view(_dtype("u2")) & _half_exponent()
            return numbers.astype(wire_dtype) if 0x7C not in bits.tobytes() else None
        if kind not in "efd":
            if numbers.dtype.kind not in "biuf":
                return None
            with numpy.errstate(all="ignore"):
                numbers = numbers.astype("f8")  # as float() converts the elements of a list
        try:
            if (
                float(numpy.vdot(numbers, numbers)) < self._fitting
            ):  # the fastest look at all of them
                return numbers.astype(wire_dtype)
        except (FloatingPointError, RuntimeWarning):
            pass  # an underflow, which NumPy was told to report
        with numpy.errstate(all="ignore"):
            narrowed = numbers.astype(wire_dtype)
        return narrowed if numpy.isfinite(narrowed).all() else None

    def canonical(self, payload: bytes, offset: int) -> bytes:
        if payload.find(self._negative_zero, offset) < 0:  # a header may look like one
            return payload
        layout = _struct(self._bits_layout, (len(payload) - offset) // self.width)
        negative_zero = self._sign
        bits = [
            0 if each == negative_zero else each for each in layout.unpack_from(payload, offset)
        ]
        return payload[:offset] + layout.pack(*bits)

    def check(self, payload: bytes) -> None:
        if not self._is_finite(payload):
            count = len(payload) // self.width
            self._refuse(self.unpack(payload, 0, count), None)

    def unpack_shortest(self, payload: bytes, offset: int) -> list[float]:
        if self.native:
            shortest: list[float] | None = self.native.unpack_shortest(payload, offset)
            if shortest is not None:
                return shortest
        return self.shorten(self.unpack_list(payload, offset))

    def shorten(self, numbers: Sequence[float]) -> list[float]:
        # Nobody keeps NaN out of a type that the server does not check.
        if self.width > FLOAT32.width or not all(map(math.isfinite, numbers)):
            return list(numbers)
        shortest = shorten_numbers(numbers, self.name)
        narrowed = self.unpack(self.pack_list(shortest), 0, len(shortest))
        # Seldom, the double nearest to the decimal is half-way between two numbers of this format.
        return [
            short if same == number else number
            for short, same, number in zip(shortest, narrowed, numbers, strict=True)
        ]

    def literals(self, numbers: Sequence[float]) -> list[str]:
        # Nobody keeps NaN out of a type that the server does not check.
        if self.width > FLOAT32.width or not all(map(math.isfinite, numbers)):
            return list(map(repr, numbers))
        texts = print_float32(numbers)
        read = self.unpack(self.pack([float(text) for text in texts]), 0, len(texts))
        # Python reads -0 as 0. Seldom, the double nearest to the decimal is half-way between two
        # numbers of this format. In both cases repr() is right.
        return [
            text if same == number and text != "-0" else repr(number)
            for text, same, number in zip(texts, read, numbers, strict=True)
        ]

    def _is_finite(self, payload: bytes) -> bool:
        numpy = loaded_numpy()
        if numpy:
            elements = numpy.frombuffer(payload, self.wire_dtype).astype(self.dtype)
            return b"\0" not in numpy.isfinite(elements).tobytes()
        return self._has_finite_bits(payload)

    def _has_finite_bits(self, payload: bytes) -> bool:
        """Test all numbers at once: one added to an exponent of ones carries into the sign."""
        exponents, ones, signs = _masks(self.infinity, self.width, len(payload) // self.width)
        return not ((int.from_bytes(payload, self.byte_order) & exponents) + ones) & signs

    def _refuse(self, numbers: Sequence[Any], places: Places | None) -> NoReturn:
        """Raise the error for the first element that is no number or does not fit."""
        for place, number in zip(places or range(len(numbers)), numbers, strict=False):
            self._check_number(number, place)
        raise length_error(numbers)

    def _check_number(self, number: Any, place: int | str) -> None:
        if isinstance(number, (str, bytes, bytearray)) or not may_be_real(number):
            raise _number_error(number, place)  # though float() takes it
        try:
            double = float(number)
        except OverflowError:  # of an int
            raise self.misfit_error(number, place) from None
        except _FLOAT_ERRORS as error:
            raise _number_error(number, place) from error
        if not math.isfinite(double):
            if math.isinf(double) and double != number:  # a large Decimal, say
                raise self.misfit_error(number, place)
            raise InvalidValueError(
                f"expected a finite number {_name(place)}, got {shorten(number)}"
            )
        try:
            fits = self._is_finite(self._pack_floats([double]))
        except OverflowError:
            fits = False
        if not fits:
            raise self.misfit_error(number, place)


class BFloat16Format(FloatFormat):
    """The upper half of a float32, rounded half to even.

    A number becomes a float32 first, as in hardware (and in PyTorch).
    """

    def __init__(self, name: str, byte_order: ByteOrder) -> None:
        super().__init__(name, "H", "f4", byte_order)
        self.unpack_from = lambda payload, offset: self.unpack(payload, offset, 1)
        self.wire_dtype = f"{SIGNS[byte_order]}u2"

    def _infinity_bits(self) -> int:
        return 0x7F80

    def _pack_each(self, numbers: Sequence[Any]) -> bytes:
        count = len(numbers)
        bits = _struct("=I", count).unpack(_struct("=f", count).pack(*numbers))
        if any(each & 0x7F80_0000 == 0x7F80_0000 for each in bits):
            raise OverflowError("infinity or NaN")
        upper = [_round_to_upper(each) for each in bits]
        if any(each & 0x7F80 == 0x7F80 for each in upper):
            raise OverflowError("rounded to infinity")
        return _struct(self._layout, count).pack(*upper)

    def narrow_array(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        narrowed = FLOAT32.narrow_array(numbers)
        if narrowed is None:
            return None
        upper = _round_to_upper(narrowed.astype("f4").view("u4"))
        return None if (upper & 0x7F80 == 0x7F80).any() else upper.astype(self.wire_dtype)

    def unpack(self, payload: Buffer, offset: int, count: int) -> tuple[Any, ...]:
        upper = super().unpack(payload, offset, count)
        return _struct("=f", count).unpack(
            _struct("=I", count).pack(*(each << 16 for each in upper))
        )

    def unpack_list(self, payload: bytes, offset: int) -> list[Any]:
        return list(self.unpack(payload, offset, (len(payload) - offset) // self.width))

    def _is_finite(self, payload: bytes) -> bool:
        return self._has_finite_bits(payload)

    def widen_array(self, bits: NDArray[Any]) -> NDArray[Any]:
        widened: NDArray[Any] = (bits.astype("u4") << 16).view("f4")
        return widened


class IntegerFormat(NumberFormat):
    """A signed or unsigned integer; a float is taken if it is whole."""

    number = int
    json_type = "integer"

    def __init__(self, name: str, letter: str, dtype: str, byte_order: ByteOrder) -> None:
        super().__init__(name, letter, dtype, byte_order)
        bits = 8 * self.width
        self.least, self.most = (
            (0, (1 << bits) - 1) if letter.isupper() else (-(1 << bits - 1), (1 << bits - 1) - 1)
        )

    def pack_list(self, numbers: Sequence[Any], places: Places | None = None) -> bytes:
        try:
            return _struct(self._layout, len(numbers)).pack(*numbers)
        except (struct.error, TypeError):  # a whole number need not be an int
            given = [*numbers]
        if len(given) != len(numbers):
            raise length_error(numbers)
        pairs = zip(places or range(len(given)), given, strict=True)
        whole = [self._narrow(number, place) for place, number in pairs]
        return _struct(self._layout, len(whole)).pack(*whole)

    def narrow_array(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        same = f"{numbers.dtype.kind}{numbers.dtype.itemsize}" == self.dtype
        return numbers.astype(self.wire_dtype) if same else None

    def canonical(self, payload: bytes, offset: int) -> bytes:  # noqa: ARG002  # all are equal
        return payload

    def check(self, payload: bytes) -> None:
        pass  # every bit pattern is a number

    def literals(self, numbers: Sequence[int]) -> list[str]:
        return list(map(str, numbers))

    def _narrow(self, number: Any, place: int | str) -> int:
        if not isinstance(number, SupportsInt) or not may_be_real(number):
            raise _number_error(number, place)
        try:
            whole = int(number)
        except (ValueError, OverflowError):  # of NaN and infinities
            whole = None
        except (TypeError, RuntimeError) as error:
            raise _number_error(number, place) from error
        if whole is None or whole != number:
            raise InvalidValueError(
                f"expected a whole number {_name(place)}, got {shorten(number)}"
            )
        if not self.least <= whole <= self.most:
            raise self.misfit_error(number, place)
        return whole


FORMATS: Mapping[str, Callable[[ByteOrder], NumberFormat]] = {
    "float16": partial(FloatFormat, "float16", "e", "f2"),
    "float32": partial(FloatFormat, "float32", "f", "f4"),
    "float64": partial(FloatFormat, "float64", "d", "f8"),
    "bfloat16": partial(BFloat16Format, "bfloat16"),
    "int8": partial(IntegerFormat, "int8", "b", "i1"),
    "uint8": partial(IntegerFormat, "uint8", "B", "u1"),
    "int16": partial(IntegerFormat, "int16", "h", "i2"),
    "uint16": partial(IntegerFormat, "uint16", "H", "u2"),
    "int32": partial(IntegerFormat, "int32", "i", "i4"),
    "uint32": partial(IntegerFormat, "uint32", "I", "u4"),
}
"""Every format by its name: its class, its bits in `struct`, its numbers in NumPy."""


@cache
def number_format(name: str, byte_order: ByteOrder) -> NumberFormat:
    """Return a format by its name in `FORMATS`."""
    return FORMATS[name](byte_order)


def _number_error(number: object, place: int | str) -> InvalidTypeError:
    return InvalidTypeError(f"expected a number {_name(place)}, got {describe(number)}")


def _name(place: int | str) -> str:
    """Name a place for a message."""
    return place if isinstance(place, str) else f"at index {place}"


def _have_a_finite_sum(numbers: Sequence[Any]) -> bool:
    """Tell quickly whether all elements are finite Python numbers: only their sum is one."""
    if len(numbers) and type(numbers[0]) not in (float, int):
        return False
    try:
        total = sum(numbers)
    except Exception:  # noqa: BLE001  # of any kind: the slow way finds the faulty element
        return False
    return type(total) in (float, int) and math.isfinite(total)


def _round_to_upper(bits: Any) -> Any:
    """Round the bits of a float32, or an ndarray of them, to their upper half, half to even."""
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


@cache
def _dtype(name: str) -> Any:
    """Look up a dtype once: that takes longer than to swap a vector's bytes."""
    return loaded_numpy().dtype(name)


@cache
def _half_exponent() -> Any:
    """Return the exponent's bits of a half as an array, which NumPy combines faster than an int."""
    return loaded_numpy().array(0x7C00, "u2")


@lru_cache(maxsize=256)
def _struct(layout: str, count: int) -> struct.Struct:
    """Compile a byte order and a letter for so many numbers; programs have few such counts."""
    return struct.Struct(f"{layout[0]}{count}{layout[1]}")


@lru_cache(maxsize=64)
def _masks(infinity: int, width: int, count: int) -> tuple[int, int, int]:
    """For so many numbers side by side, mark the exponents, their lowest bits, and the signs."""
    sign = 1 << (8 * width - 1)
    lowest = infinity & -infinity
    exponents, ones, signs = (
        int.from_bytes(bits.to_bytes(width, "big") * count, "big")
        for bits in (infinity, lowest, sign)
    )
    return exponents, ones, signs


FLOAT32 = number_format("float32", "big")
"""The format of base64, and the one that most text is read as first."""
