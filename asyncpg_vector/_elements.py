"""Elements of a value: narrowing numbers to them, and reading them back, on the wire and in text.

Everything that depends on an element's format and on nothing else is here. A format is a `struct`
format character; width, limits and NumPy's name for it follow from that.
"""

from __future__ import annotations

import math
import struct
import sys
from abc import ABC, abstractmethod
from array import array, typecodes
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, SupportsInt

from asyncpg_vector._inputs import is_real, wrong_length
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray, loaded_numpy
from asyncpg_vector._text import print_float32, read_float32, read_integer
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from asyncpg_vector._inputs import Numbers

__all__ = ["FLOAT32", "Element", "FloatElement", "IntegerElement"]

_LITTLE = sys.byteorder == "little"

_FLOAT_ERRORS = (TypeError, ValueError, OverflowError, RuntimeError)
"""What ``float()`` raises for what is no number; the last is PyTorch's."""


class Element(ABC):
    """The format of one element."""

    kind: ClassVar[str]
    """NumPy's letter for the kind of number: ``f`` or ``i``."""
    number: ClassVar[type[Any]]
    """What an element is in Python."""
    json_type: ClassVar[str]
    """What JSON schemas call it."""

    def __init__(self, code: str) -> None:
        self.code = code
        self._layout = f">{code}"
        self.width = struct.calcsize(f">{code}")
        self.name = f"{self.number.__name__}{8 * self.width}"
        self.native_dtype = f"{self.kind}{self.width}"
        self.wire_dtype = f">{self.native_dtype}"
        self.unpack_one = struct.Struct(self._layout).unpack_from

    def pack(self, numbers: Numbers, indices: Sequence[int] | None = None) -> bytes:
        """Narrow numbers to this format and pack them, big-endian.

        Args:
            numbers: what `read_numbers` returns: an ndarray may have any dtype, order and stride.
            indices: what to call each number's place in an error, if not 0, 1, 2 ...

        Raises:
            InvalidTypeError: one of them is no number.
            InvalidValueError: one of them is not finite, or does not fit.
        """
        if is_ndarray(numbers):
            narrowed = self.narrow(numbers)
            if narrowed is None:
                return self.pack(numbers.tolist(), indices)  # which tells what is wrong
            return narrowed.tobytes()
        return self._pack_numbers(numbers, indices or range(len(numbers)))

    @abstractmethod
    def _pack_numbers(self, numbers: Sequence[Any], indices: Sequence[int]) -> bytes: ...

    @abstractmethod
    def narrow(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        """Narrow an ndarray of any shape and dtype to this format, in the wire's byte order.

        Returns:
            None if not every element is known to fit.
        """

    @abstractmethod
    def canonical(self, payload: bytes) -> bytes:
        """Map payloads that the server takes for equal to the same bytes."""

    @abstractmethod
    def check(self, payload: bytes) -> None:
        """Raise InvalidValueError if one of the packed elements is refused by the server."""

    @abstractmethod
    def print(self, numbers: Iterable[Any]) -> list[str]:
        """Print unpacked elements as the server does."""

    @abstractmethod
    def read(self, text: str, indices: Sequence[int] | None = None) -> bytes:
        """Read elements, separated by commas, as the server does, and pack them.

        Args:
            text: one number or more.
            indices: what to call each number's place in an error, if not 0, 1, 2 ...

        Raises:
            MalformedTextError: something in the text is no number.
            InvalidValueError: a number does not fit.
        """

    def misfit(self, number: object, index: int) -> InvalidValueError:
        """Return the error for a number, or its text, that this format cannot hold."""
        return InvalidValueError(
            f"expected a number that fits {self.name} at index {index}, got {shorten(number)}"
        )

    @abstractmethod
    def literals(self, numbers: Iterable[Any]) -> list[str]:
        """Print unpacked elements, shortly, so that Python reads numbers that narrow to them."""

    def unpack(self, payload: bytes, offset: int, count: int) -> tuple[Any, ...]:
        """Unpack so many elements from there on as Python numbers."""
        return _struct(self._layout, count).unpack_from(payload, offset)

    def unpack_list(self, payload: bytes, offset: int) -> list[Any]:
        """Unpack all elements from there on as a list of Python numbers."""
        if self.code not in typecodes:
            return list(self.unpack(payload, offset, (len(payload) - offset) // self.width))
        elements: array[Any] = array(self.code)
        elements.frombytes(memoryview(payload)[offset:])
        if _LITTLE:
            elements.byteswap()
        return elements.tolist()

    def unpack_array(self, payload: bytes, offset: int) -> NDArray[Any]:
        """Unpack all elements from there on as a new ndarray, in native byte order."""
        numpy = loaded_numpy() or import_module("numpy")
        elements: NDArray[Any] = numpy.frombuffer(payload, self.wire_dtype, -1, offset)
        return elements.astype(self.native_dtype)


class FloatElement(Element):
    """An IEEE 754 binary number, rounded half to even; NaN and infinities are refused."""

    kind = "f"
    number = float
    json_type = "number"

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self._infinity = struct.pack(f">{code}", math.inf)
        before = int.from_bytes(self._infinity, "big") - 1
        (largest,) = struct.unpack(f">{code}", before.to_bytes(self.width, "big"))
        self._fitting = (largest / 2) ** 2
        """Numbers whose squares add up to less than this all fit."""
        self._negative_zero = struct.pack(f">{code}", -0.0)

    def _pack_numbers(self, numbers: Sequence[Any], indices: Sequence[int]) -> bytes:
        try:
            payload = self._pack_plain(numbers)
        except (struct.error, *_FLOAT_ERRORS):
            self._refuse(numbers, indices)
        if _are_plain(numbers):
            return payload
        if not (all(map(is_real, numbers)) and self._is_finite(payload)):
            self._refuse(numbers, indices)
        return payload

    def _pack_plain(self, numbers: Sequence[Any]) -> bytes:
        numpy = loaded_numpy() if self.width < FLOAT32.width else None
        if numpy:  # struct takes three times as long for halves
            doubles = numpy.frombuffer(_struct("=d", len(numbers)).pack(*numbers))
            narrowed = self.narrow(doubles)
            if narrowed is not None:
                return narrowed.tobytes()
        return _struct(self._layout, len(numbers)).pack(*numbers)

    def narrow(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        numpy, kind, wire_dtype = loaded_numpy(), numbers.dtype.char, _dtype(self.wire_dtype)
        if kind == "e" and numbers.dtype.isnative:
            # With the other bits away, no byte but the upper one of infinity or NaN is 0x7C.
            bits = numbers.view(_dtype("u2")) & _half_exponent()
            return numbers.astype(wire_dtype) if 0x7C not in bits.tobytes() else None
        if kind not in "efd":
            if numbers.dtype.kind not in "biuf":
                return None
            with numpy.errstate(all="ignore"):
                numbers = numbers.astype("f8")  # as float() takes the elements of a list
        try:
            if float(numpy.vdot(numbers, numbers)) < self._fitting:  # looks at all of them, fast
                return numbers.astype(wire_dtype)
        except (FloatingPointError, RuntimeWarning):
            pass  # an underflow, where NumPy was told to mind it
        with numpy.errstate(all="ignore"):
            narrowed = numbers.astype(wire_dtype)
        return narrowed if numpy.isfinite(narrowed).all() else None

    def canonical(self, payload: bytes) -> bytes:
        if self._negative_zero not in payload:
            return payload
        count = len(payload) // self.width
        numbers = self.unpack(payload, 0, count)
        return _struct(self._layout, count).pack(*(number + 0.0 for number in numbers))

    def check(self, payload: bytes) -> None:
        if not self._is_finite(payload):
            count = len(payload) // self.width
            self._refuse(self.unpack(payload, 0, count), range(count))

    def print(self, numbers: Iterable[float]) -> list[str]:
        return print_float32(numbers)

    def read(self, text: str, indices: Sequence[int] | None = None) -> bytes:
        numbers: Numbers = read_float32(text, indices)
        if self.width < FLOAT32.width:  # the server narrows the float32, not the text (halfvec_in)
            payload = FLOAT32.pack(numbers, indices)
            numbers = (
                FLOAT32.unpack_array(payload, 0)
                if loaded_numpy()
                else FLOAT32.unpack(payload, 0, len(numbers))
            )
        return self.pack(numbers, indices)

    def literals(self, numbers: Iterable[float]) -> list[str]:
        numbers = list(numbers)
        texts = self.print(numbers)
        read = self.unpack(self.pack([float(text) for text in texts]), 0, len(texts))
        # Python reads -0 as 0. Seldom, the double nearest to the decimal is half-way between two
        # elements. Both are spelled out.
        return [
            text if same == number and text != "-0" else repr(number)
            for text, same, number in zip(texts, read, numbers, strict=True)
        ]

    def _is_finite(self, payload: bytes) -> bool:
        """Test all elements at once: one added to an exponent of ones carries into the sign."""
        numpy = loaded_numpy()
        if numpy:
            elements = numpy.frombuffer(payload, self.wire_dtype).astype(self.native_dtype)
            return b"\0" not in numpy.isfinite(elements).tobytes()
        exponents, ones, signs = _masks(self._infinity, len(payload) // self.width)
        return not ((int.from_bytes(payload, "big") & exponents) + ones) & signs

    def _refuse(self, numbers: Sequence[Any], indices: Sequence[int]) -> NoReturn:
        for index, number in zip(indices, numbers, strict=False):
            self._check_number(number, index)
        raise wrong_length(numbers)

    def _check_number(self, number: Any, index: int) -> None:
        if isinstance(number, (str, bytes, bytearray)) or not is_real(number):  # float() takes them
            raise _no_number(number, index)
        try:
            double = float(number)
            struct.pack(f">{self.code}", double)
        except OverflowError:  # of an int by float(), or of any number by struct
            raise self.misfit(number, index) from None
        except _FLOAT_ERRORS as error:
            raise _no_number(number, index) from error
        if math.isfinite(double):
            return
        if math.isinf(double) and double != number:  # a Decimal, say, that float() makes one of
            raise self.misfit(number, index)
        raise InvalidValueError(f"expected a finite number at index {index}, got {shorten(number)}")


class IntegerElement(Element):
    """A signed integer; a float is taken if it is whole."""

    kind = "i"
    number = int
    json_type = "integer"

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self._limit = 1 << (8 * self.width - 1)

    def _pack_numbers(self, numbers: Sequence[Any], indices: Sequence[int]) -> bytes:
        try:
            return _struct(self._layout, len(numbers)).pack(*numbers)
        except (struct.error, TypeError):  # what is whole may still be no int
            given = [*numbers]
        if len(given) != len(numbers):
            raise wrong_length(numbers)
        pairs = zip(indices, given, strict=True)
        whole = [self._narrow(number, index) for index, number in pairs]
        return _struct(self._layout, len(whole)).pack(*whole)

    def narrow(self, numbers: NDArray[Any]) -> NDArray[Any] | None:
        same = numbers.dtype.kind == self.kind and numbers.dtype.itemsize == self.width
        return numbers.astype(self.wire_dtype) if same else None

    def canonical(self, payload: bytes) -> bytes:
        return payload

    def check(self, payload: bytes) -> None:
        pass  # every bit pattern is a number

    def print(self, numbers: Iterable[int]) -> list[str]:
        return [str(number) for number in numbers]

    def read(self, text: str, indices: Sequence[int] | None = None) -> bytes:
        texts = text.split(",")
        indices = indices or range(len(texts))
        numbers = [
            read_integer(digits, f"at index {index}")
            for digits, index in zip(texts, indices, strict=True)
        ]
        return self.pack(numbers, indices)

    def literals(self, numbers: Iterable[int]) -> list[str]:
        return self.print(numbers)

    def _narrow(self, number: Any, index: int) -> int:
        if not isinstance(number, SupportsInt) or not is_real(number):
            raise _no_number(number, index)
        try:
            whole = int(number)
        except (ValueError, OverflowError):  # of NaN and infinities
            whole = None
        except (TypeError, RuntimeError) as error:
            raise _no_number(number, index) from error
        if whole is None or whole != number:
            raise InvalidValueError(
                f"expected a whole number at index {index}, got {shorten(number)}"
            )
        if not -self._limit <= whole < self._limit:
            raise self.misfit(number, index)
        return whole


def _no_number(number: object, index: int) -> InvalidTypeError:
    return InvalidTypeError(f"expected a number at index {index}, got {describe(number)}")


def _are_plain(numbers: Sequence[Any]) -> bool:
    """Tell quickly whether all are finite Python numbers: only those add up to one."""
    if len(numbers) and type(numbers[0]) not in (float, int):
        return False
    try:
        total = sum(numbers)
    except Exception:  # noqa: BLE001  # whatever it is, the slow way finds out what is wrong
        return False
    return type(total) in (float, int) and math.isfinite(total)


@cache
def _dtype(name: str) -> Any:
    """Look up a dtype once, which takes longer than to swap a vector's bytes."""
    return loaded_numpy().dtype(name)


@cache
def _half_exponent() -> Any:
    """Mark the exponent of a half, for NumPy to combine with arrays; an int takes it longer."""
    return loaded_numpy().array(0x7C00, "u2")


@lru_cache(maxsize=256)
def _struct(layout: str, count: int) -> struct.Struct:
    """Compile a byte order and a format for so many elements; programs have few such counts."""
    return struct.Struct(f"{layout[0]}{count}{layout[1]}")


@lru_cache(maxsize=64)
def _masks(infinity: bytes, count: int) -> tuple[int, int, int]:
    """For so many elements side by side, mark the exponents, their lowest bits, and the signs."""
    width = len(infinity)
    exponent = int.from_bytes(infinity, "big")
    lowest = exponent & -exponent
    sign = 1 << (8 * width - 1)
    exponents, ones, signs = (
        int.from_bytes(bits.to_bytes(width, "big") * count, "big")
        for bits in (exponent, lowest, sign)
    )
    return exponents, ones, signs


FLOAT32 = FloatElement("f")
"""What text is read as first, and what base64 holds."""
