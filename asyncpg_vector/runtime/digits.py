"""Numbers to text and back, to the digit and to the bit as on the server.

The server prints float32 with ``float_to_shortest_decimal_bufn`` (PostgreSQL, src/common/f2s.c)
and reads it with C's ``strtof`` (pgvector, vector_in). Python has neither, so a double stands in
for the float32 here, and the places where that would show are handled. It prints float64 with
``double_to_shortest_decimal_bufn`` (d2s.c), whose digits are nearly always those of ``repr()``.
"""

from __future__ import annotations

import re
import struct
from array import array
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, localcontext
from functools import lru_cache, partial
from math import frexp, inf, ldexp, nextafter
from typing import TYPE_CHECKING, Any

from asyncpg_vector._messages import shorten
from asyncpg_vector._numpy import loaded_numpy
from asyncpg_vector.errors import MalformedTextError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

__all__ = [
    "WHITESPACE",
    "denotes_zero",
    "print_float32",
    "print_float64",
    "read_float32",
    "read_float64",
    "read_integer",
    "shorten_numbers",
]

WHITESPACE = " \t\n\r\v\f"
"""What the server skips between tokens (pgvector, vector_isspace); Python's own set is larger."""

# What strtof reads as a finite number: decimal, or hexadecimal with an optional binary exponent.
_NUMBER = (
    r"[+-]?(?:0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?"
    r"|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
# Characters that float() reads and C does not: underscores, letters of NaN and infinities, white
# space. Of ASCII texts without them, float() reads exactly the decimal ones of _NUMBER.
_PYTHONS_OWN = "_nN\x1c\x1d\x1e\x1f"

_BELOW = (1 << 29) - 1
"""The bits of a double that are below the last one of a float32."""
_HALF = 1 << 28
"""The value of these bits in a double that is half-way between two float32."""
_ENDS_HALF_WAY = bytes(3)
"""The first bytes of a little-endian double that may be half-way."""

_INTEGER = "([+-]?)([0-9]+)"
_LONG_MAX = str(2**63 - 1)


class _Precision:
    """How many bits and digits the numbers of a format have, and where the subnormal ones end."""

    def __init__(self, bits: int, smallest_exponent: int, fewest: int, most: int) -> None:
        self.bits = bits
        """The significant bits."""
        self.smallest_normal = 2.0**smallest_exponent
        self.half_of_smallest = smallest_exponent - bits
        """The exponent of half the smallest number."""
        self.fewest = fewest
        """Decimals of so many digits round to distinct numbers: fewer make no text shorter."""
        self.most = most
        """So many digits tell any two numbers apart."""


_FLOAT32 = _Precision(24, -126, 6, 9)
_PRECISIONS: Mapping[str, _Precision] = {
    "float16": _Precision(11, -14, 3, 5),
    "bfloat16": _Precision(8, -126, 2, 4),
}

_PRINTED = {digits: f"%.{digits or 1}g" for digits in (0, 6, 7, 8, 9)}
_SIGNIFICANT = [f"%.{digits}g" for digits in range(10)]
_MANY = 50
"""The count from which on NumPy prints faster than a loop."""
_EXACT = Context(prec=400, traps=[])
"""Exact here, whatever the program's own context: a float32 has up to 112 digits, and a float64
that `_is_on_a_bound` looks at has up to 309."""
_EXACT_POWERS = [float(10**exponent) for exponent in range(23)]
"""The powers of ten that are doubles."""
_HALF_WAY_FROM = 2.0**49
"""Below this, no decimal of 17 digits is half-way between two float64."""


# Reading


def read_float32(text: str, indices: Sequence[int] | None = None) -> array[float] | NDArray[Any]:
    """Read each number as `strtof` would, into the double that narrows to that float32.

    A number that overflows float32 becomes a double that does, and narrowing refuses it.

    Args:
        text: numbers separated by commas, with white space around them.
        indices: the number that an error gives to each place, if not 0, 1, 2 ...

    Raises:
        MalformedTextError: a text is no C number, or is NaN or an infinity.
    """
    texts = text.split(",")
    doubles = _read_doubles(text, texts, indices)
    # Of a list itself, an array takes twice as long to make.
    numbers = array("d", struct.pack(f"{len(doubles)}d", *doubles))
    # A text may lie a little beside the point half-way between two float32. Its double lies on that
    # point, and would be rounded a second time, to even.
    for place in _half_way(numbers):
        numbers[place] = _keep_side(texts[place], numbers[place])
    numpy = loaded_numpy()
    return numpy.frombuffer(numbers) if numpy else numbers


def read_float64(text: str, indices: Sequence[int] | None = None) -> list[float]:
    """Read each number as `strtod` would; arguments and errors are as for `read_float32`."""
    return _read_doubles(text, text.split(","), indices)


def denotes_zero(text: str) -> bool:
    """Tell whether a C number is written as zero, and is not merely too small for a float32."""
    hexadecimal = "x" in text.lower()
    mantissa = re.split("[pP]" if hexadecimal else "[eE]", text)[0]
    return not re.search("[1-9a-fA-F]", mantissa)


def read_integer(text: str, place: str) -> int:
    """Read a decimal integer as C's `strtol` does, which reads larger ones as its largest.

    Raises:
        MalformedTextError: the text is no integer; the message names its place.
    """
    digits = re.fullmatch(_INTEGER, text.strip(WHITESPACE))
    if not digits:
        raise MalformedTextError(f"expected a whole number {place}, got {shorten(text)}")
    sign, magnitude = digits[1], digits[2].lstrip("0") or "0"
    return int(sign + (magnitude if len(magnitude) < len(_LONG_MAX) else _LONG_MAX))


def _read_doubles(text: str, texts: Sequence[str], indices: Sequence[int] | None) -> list[float]:
    if text.isascii() and not any(character in text for character in _PYTHONS_OWN):
        try:
            return list(map(float, texts))
        except ValueError:
            pass  # the line below says which one
    places = indices or range(len(texts))
    return [_read_double(text, index) for text, index in zip(texts, places, strict=True)]


def _read_double(text: str, index: int) -> float:
    text = text.strip(WHITESPACE)
    if not re.fullmatch(_NUMBER, text):
        raise MalformedTextError(f"expected a finite number at index {index}, got {shorten(text)}")
    try:
        return float.fromhex(text) if "x" in text.lower() else float(text)
    except OverflowError:  # fromhex; float() answers inf
        return inf


def _half_way(numbers: array[float]) -> list[int]:
    """Find the places of doubles that may be half-way between two float32."""
    numpy = loaded_numpy()
    if numpy:
        doubles, bits = numpy.frombuffer(numbers), numpy.frombuffer(numbers, "u8")
        subnormal = (numpy.abs(doubles) < _FLOAT32.smallest_normal) & (doubles != 0)
        places: list[int] = numpy.flatnonzero((bits & _BELOW == _HALF) | subnormal).tolist()
        return places
    packed = struct.pack(f"<{len(numbers)}d", *numbers)
    if _ENDS_HALF_WAY not in packed or _are_float32(numbers):
        return []
    starts = range(0, len(packed), 8)
    return [start // 8 for start in starts if packed.startswith(_ENDS_HALF_WAY, start)]


def _are_float32(numbers: array[float]) -> bool:
    """Tell whether narrowing changes none of the doubles; then none is half-way."""
    return array("d", array("f", numbers)) == numbers


def _keep_side(text: str, number: float) -> float:
    """Move a double that is half-way between two float32 to the side on which its text lies."""
    if not _is_half_way(number):
        return number
    with localcontext(_EXACT):
        exact = _exact(text)
        if exact == number:
            return number
        return nextafter(number, inf if exact > number else -inf)


def _is_half_way(number: float) -> bool:
    """Tell whether a double is half-way between two float32, or beyond the largest, two such steps.

    It has 25 significant bits; fewer if it is below the smallest normal float32. Packing it would
    not tell: above the largest float32, `struct` raises or answers infinity, as the Python may be.
    """
    _, exponent = frexp(number)
    return ldexp(number, min(25 - exponent, 150)) % 2 == 1


def _exact(text: str) -> Decimal | Fraction:
    text = text.strip(WHITESPACE).lower()
    if "x" not in text:
        return Decimal(text)
    from fractions import Fraction

    mantissa, _, exponent = text.partition("p")
    whole, _, fraction = mantissa.partition(".")
    return Fraction(int(whole + fraction, 16)) * Fraction(2) ** (
        read_integer(exponent or "0", "in the exponent") - 4 * len(fraction)
    )


# Printing


def print_float32(numbers: Iterable[float]) -> list[str]:
    """Print each float32 with the digits that the server prints.

    These are the shortest decimal strictly inside the interval that rounds to the float32, and of
    several the nearest; with an exponent if that is below -4 or above 5.
    """
    numbers = tuple(numbers)
    numpy = loaded_numpy()
    if numpy is None or len(numbers) < _MANY:
        return [_print(number) for number in numbers]
    digits = _count_digits(numpy, numbers)
    texts = (",".join(map(_PRINTED.__getitem__, digits)) % numbers).split(",")
    for place, count in enumerate(digits):
        if not count:
            texts[place] = _print(numbers[place])
    return texts


def _count_digits(numpy: Any, numbers: Sequence[float]) -> list[int]:
    """Count the digits of all float32 at once; 0 stands for one that `_print` has to print.

    These are powers of two, subnormals, numbers printed with a positive exponent, and numbers whose
    digits doubles cannot settle.
    """
    magnitudes = numpy.abs(numpy.array(numbers))
    mantissas, exponents = numpy.frexp(magnitudes)
    settled = (mantissas != 0.5) & (magnitudes >= _FLOAT32.smallest_normal) & (magnitudes < 1e6)
    magnitudes = numpy.where(settled, magnitudes, 0.75)
    half_ulps = numpy.ldexp(1.0, numpy.where(settled, exponents, 0) - 25)
    counts = numpy.full(len(magnitudes), 9)
    units = 10.0 ** (numpy.floor(numpy.log10(magnitudes)) - 5)  # of the sixth digit
    settled &= (magnitudes >= 1e5 * units) & (magnitudes < 1e6 * units)
    for digits in (8, 7, 6):
        places = magnitudes / units * 10.0 ** (digits - 6)
        errors = numpy.abs(places - numpy.rint(places))
        limits = half_ulps / units * 10.0 ** (digits - 6)
        counts[errors < limits] = digits
        settled &= numpy.abs(errors - limits) > 1e-6 * limits
    counts[~settled] = 0
    listed: list[int] = counts.tolist()
    return listed


def shorten_numbers(numbers: Iterable[float], format_name: str) -> list[float]:
    """Return the double that is nearest to the shortest decimal of each finite number of a format.

    The decimal follows the rule of `print_float32`. Python prints the double with its digits.
    """
    if format_name == "float32":
        return _shorten_float32(tuple(numbers))
    # The cache takes 0 and -0 for the same.
    return [number and _shorten(number, format_name) for number in numbers]


@lru_cache(maxsize=1 << 14)  # a vector of a format of 16 bits has the same numbers again and again
def _shorten(number: float, format_name: str) -> float:
    return float(_print(number, _PRECISIONS[format_name]))


def _shorten_float32(numbers: Sequence[float]) -> list[float]:
    numpy = loaded_numpy()
    if numpy is None or len(numbers) < _MANY:
        return [float(_print(number)) for number in numbers]
    doubles, counts = numpy.array(numbers), numpy.array(_count_digits(numpy, numbers))
    decimals = counts - 1 - numpy.floor(numpy.log10(numpy.where(counts, numpy.abs(doubles), 1)))
    settled = (counts > 0) & (decimals < len(_EXACT_POWERS))
    powers = numpy.array(_EXACT_POWERS)[numpy.where(settled, decimals, 0).astype(int)]
    scaled = doubles * powers
    digits = numpy.rint(scaled)
    settled &= numpy.abs(scaled - digits) < 0.5 - 1e-6  # the product is a little inexact
    # Both are exact, so the quotient is the double that is nearest to the decimal.
    shortest: list[float] = (digits / powers).tolist()
    places: list[int] = numpy.flatnonzero(~settled).tolist()
    for place in places:
        shortest[place] = float(_print(numbers[place]))
    return shortest


def _print(number: float, precision: _Precision = _FLOAT32) -> str:
    mantissa, exponent = frexp(number)
    smallest = precision.smallest_normal
    if mantissa in (0.5, -0.5) or -smallest < number < smallest:
        return _print_uneven(number, precision)
    half_ulp = ldexp(1.0, exponent - precision.bits - 1)
    shortest = None
    for digits in range(precision.most - 1, precision.fewest - 1, -1):
        text = _format(number, digits)
        error = abs(float(text) - number)
        if error == half_ulp:  # as doubles go; the decimal may lie a little inside
            return _print_exactly(number, precision)
        if error > half_ulp:
            break
        shortest = text
    return shortest or _format(number, precision.most)


def _print_uneven(number: float, precision: _Precision) -> str:
    """Print a power of two, whose neighbour below is the nearer one, a subnormal, or zero."""
    text = _format(number, precision.fewest)
    return text if float(text) == number else _print_exactly(number, precision)


@lru_cache(maxsize=1024)
def _print_exactly(number: float, precision: _Precision = _FLOAT32) -> str:
    """Print a number by the definition, where doubles cannot settle its digits."""
    if number < 0:
        return "-" + _print_exactly(-number, precision)
    mantissa, exponent = frexp(number)
    above = ldexp(1.0, max(exponent - precision.bits - 1, precision.half_of_smallest))
    is_power = mantissa == 0.5 and number > precision.smallest_normal
    below = above / 2 if is_power else above
    with localcontext(_EXACT):
        exact = Decimal(number)
        for digits in range(1, precision.most + 1):
            last_place = Decimal((0, (1,), exact.adjusted() - digits + 1))
            for rounding in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING):
                rounded = exact.quantize(last_place, rounding)
                if -Decimal(below) < rounded - exact < Decimal(above):
                    return _format(float(rounded), precision.most)
    raise AssertionError(f"{number!r} has more digits than its format")


def print_float64(numbers: Iterable[float]) -> list[str]:
    """Print each float64 with the digits that the server prints.

    They follow the rule of `print_float32`, with an exponent if that is below -4 or above 14.
    """
    return [_print_double(number) for number in numbers]


def _print_double(number: float) -> str:
    shortest = repr(number)
    if not -_HALF_WAY_FROM < number < _HALF_WAY_FROM and _is_on_a_bound(shortest, number):
        # repr() takes a bound of the interval, the server does not.
        shortest = next(filter(partial(_is_inside, number), _lengthen(number)))
    with localcontext(_EXACT):
        decimal = Decimal(shortest).normalize()  # without zeros at its end
    sign, digits, exponent = decimal.as_tuple()
    if not any(digits):
        return "-0" if sign else "0"
    place = int(exponent) + len(digits) - 1
    if -5 < place < 15:
        return f"{decimal:f}"
    first, *rest = map(str, digits)
    fraction = f".{''.join(rest)}" if rest else ""
    return f"{'-' * sign}{first}{fraction}e{place:+03d}"


def _lengthen(number: float) -> Iterator[str]:
    return (f"{number:.{digits}e}" for digits in range(17))


def _is_inside(number: float, text: str) -> bool:
    return float(text) == number and not _is_on_a_bound(text, number)


def _is_on_a_bound(text: str, number: float) -> bool:
    """Tell whether a decimal is half-way between a float64 and one of its neighbours."""
    with localcontext(_EXACT):
        exact, decimal = Decimal(number), Decimal(text)
        return any(
            2 * (decimal - exact) == Decimal(nextafter(number, bound)) - exact
            for bound in (inf, -inf)
            if nextafter(number, bound) not in (inf, -inf)
        )


def _format(number: float, digits: int) -> str:
    if -1e6 < number < 1e6:
        return _SIGNIFICANT[digits] % number
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
