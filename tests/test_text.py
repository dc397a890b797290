"""The grammar and the digits of text forms; test_server.py compares them with the server."""

from __future__ import annotations

import struct
from contextlib import nullcontext
from decimal import (
    ROUND_UP,
    Context,
    Decimal,
    FloatOperation,
    Inexact,
    Rounded,
    Subnormal,
    localcontext,
)
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    SparseVector,
    Vector,
)
from asyncpg_vector.runtime.digits import _print_exactly, print_float32, print_float64, read_float32
from tests.cost import at_most
from tests.needs import without_numpy
from tests.spec_types import SpecType, each_type

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)

# The digits that the server prints, as test_server.py checks.
DIGITS = [
    ("0", 0.0),
    ("-0", -0.0),
    ("1", 1.0),
    ("0.1", 0.1),
    ("123456", 123456.0),
    ("1e+06", 1e6),
    ("1.234567e+06", 1234567.0),
    ("0.0001", 1e-4),
    ("1e-05", 1e-5),
    ("1.0000005e+06", 1000000.5),
    ("0.000976565", 0.000976565),  # 0.0009765649 is nearer, and longer
    ("1.6777216e+07", 2.0**24),
    ("3.3554432e+07", 2.0**25),
    ("3.4028235e+38", 3.4028234663852886e38),
    ("1.1754944e-38", 2.0**-126),
    ("1e-45", 2.0**-149),
    ("-0.00024414062", -(2.0**-12)),  # half-way between two decimals of 8 digits: the even one
    ("7.7652944e+07", 77652944.0),  # 7.765294e+07 is half-way to the next float32
    ("1.00001997e+09", 1000019968.0),  # so is 1.00002e+09, which is nearest with 8, 7 and 6 digits
    ("9.53692e-07", 9.53692e-07),  # 9.536921e-07 is nearer, and longer
    (
        "3.5184372e+13",
        2.0**45,
    ),  # 3.518437e+13 is beyond half-way to the float32 below, which is nearer than the one above
    (
        "1.2621775e-29",
        2.0**-96,
    ),  # 1.2621774e-29 is nearer, but beyond half-way to the float32 below
    ("7.038531e-26", 7.0385306918512091e-26),  # as a double, half-way between two float32
    ("7.0385313e-26", 7.038531308148791e-26),  # the float32 above; doubles misjudge no other
]


@pytest.mark.parametrize(("text", "number"), DIGITS)
def test_digits(text: str, number: float) -> None:
    (number,) = struct.unpack("f", struct.pack("f", number))
    assert print_float32([number]) == [text]
    assert print_float32([-number]) == [f"-{text}".removeprefix("--")]
    assert print_float32([number] * 100) == [text] * 100  # all at once, with NumPy
    assert struct.pack("f", *read_float32(text, [0])) == struct.pack("f", number)


@given(st.lists(FLOAT32, min_size=1))
def test_printed_digits_read_back(numbers: list[float]) -> None:
    read = read_float32(",".join(print_float32(numbers)), range(len(numbers)))
    assert struct.pack(f"{len(read)}f", *read) == struct.pack(f"{len(numbers)}f", *numbers)


CONTEXTS = [
    Context(prec=1),
    Context(prec=1, traps=[]),
    Context(Emax=0, Emin=0, rounding=ROUND_UP),
    Context(traps=[Inexact, Rounded, Subnormal, FloatOperation]),
]


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_decimal_context_makes_no_difference_to_float64(context: Context) -> None:
    numbers = [number * 2.0**exponent for number in (1, 1.2, -1 / 3) for exponent in range(-99, 99)]
    texts = print_float64(numbers)
    with localcontext(context):
        assert print_float64(numbers) == texts


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_decimal_context_makes_no_difference(context: Context) -> None:
    numbers = [2.0**exponent for exponent in range(-149, 128)]
    texts = print_float32(numbers)
    _print_exactly.cache_clear()
    with localcontext(context):
        assert print_float32(numbers) == texts
        assert Vector.from_text("[1.0000000596046447753906250000001]")[0] > 1


HALF_WAY = 1 + 2**-24  # between 1 and the next float32


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.000000059604644775390625", 1.0),  # half-way: to even
        ("1.0000000596046447753906249999999", 1.0),
        ("1.0000000596046447753906250000001", 1 + 2**-23),
        ("-1.0000000596046447753906250000001", -1 - 2**-23),
        (
            "1.0000000596046449086173880",
            1 + 2**-23,
        ),  # between the double that is half-way and the next double
        ("  +1.0000000596046447753906250000001e0 ", 1 + 2**-23),
        ("0x1.000001p0", 1.0),
        ("0x1.00000100000000000001p0", 1 + 2**-23),
        ("0X1.000000FFFFFFFFFFFFFFp+0", 1.0),
        ("7.0064923216240853546186479164495806564013097093825788587853e-46", 0.0),
        ("7.0064923216240853546186479164495806564013097093825788587855e-46", 2.0**-149),
        # A little less than half-way from the largest float32 to 2**128; half-way is out of range.
        ("340282356779733661637539395458142568447.9", 3.4028234663852886e38),
        ("1e-400", 0.0),
        (f"1.000000059604644775390625{'0' * 9000}", 1.0),
        (f"1.000000059604644775390625{'0' * 9000}1", 1 + 2**-23),
        (f"0x1.000001{'0' * 9000}1", 1 + 2**-23),
        (f"{'0' * 9000}1e-00000000", 1.0),
        (f"0x1.000001p+{'0' * 9000}", 1.0),  # int() refuses so many digits
    ],
)
def test_read_once_rounded(text: str, number: float) -> None:
    assert Vector.from_text(f"[{text}]")[0] == number
    with without_numpy():
        assert Vector.from_text(f"[{text}]")[0] == number


@pytest.fixture
def late_struct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `struct` refuse an overflow in native order too, as Python 3.13.15 and later do."""

    def pack_late(format_: str, *numbers: Any) -> bytes:
        if format_ == "f":
            pack(">f", *numbers)
        return pack(format_, *numbers)

    pack = struct.pack
    monkeypatch.setattr(struct, "pack", pack_late)


BELOW = [
    "3.4028235677973366e38",
    "340282356779733661637539395458142568447.9",
    "0x1.fffffeffffffffffp127",
]
NOT_BELOW = ["3.4028235677973367e38", "340282356779733661637539395458142568448", "0x1.ffffffp127"]


@pytest.mark.usefixtures("late_struct")
@pytest.mark.parametrize("numpy", [nullcontext, without_numpy], ids=["with", "without"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_half_way_from_the_largest_float32(numpy: Any, sign: str) -> None:
    """The nearest double of each text is half-way to 2**128, which struct does not pack."""
    with numpy():
        for text in BELOW:
            wire = Vector.encode(f"[1,{sign}{text}]")
            assert Vector.from_binary(wire) == Vector([1, float(f"{sign}3.4028234663852886e38")])
        for text in NOT_BELOW:
            for read in (Vector.from_text, Vector.encode):
                with pytest.raises(InvalidValueError, match="fits float32 at index 1"):
                    read(f"[1,{sign}{text}]")


@pytest.mark.parametrize("numpy", [nullcontext, without_numpy], ids=["with", "without"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_half_way_to_the_smallest_float32(numpy: Any, sign: str) -> None:
    """2**-150 is half-way from zero and rounds to even, to zero; a larger number rounds up."""
    tie = f"{sign}{Decimal(2**-150):f}"
    smallest = float(f"{sign}{2.0**-149}")
    with numpy():
        assert Vector.from_text(f"[1,{tie}1]") == Vector([1, smallest])
        assert Vector.from_text(f"[1,{tie}]") == Vector([1, 0])


def test_halfvec_is_read_through_float32() -> None:
    """As in halfvec_in. 1.00048828125 is a float32, and half-way between two float16."""
    assert HalfVector.from_text("[1.0004882812500000001]") == HalfVector([1])
    assert HalfVector([1.00048828125 + 2**-40]) == HalfVector([1 + 2**-10])


ACCEPTED = [
    (SparseVector, "{1:0X0P5,2:0x0p-5,3:0e7,4:0E7}/4", [0, 0, 0, 0]),
    (Vector, "[1,2.5,-3e2]", [1, 2.5, -300]),
    (Vector, " \t\n\r\v\f[ 1\t,\n2 ] ", [1, 2]),
    (Vector, "[+1,.5,5.,1E+2,1e-2,007]", [1, 0.5, 5, 100, 0.01, 7]),
    (Vector, "[0x1p3,0X.8,-0xap-1,0x10]", [8, 0.5, -5, 16]),
    (HalfVector, "[65519.9, 1e-8]", [65504, 0]),
    (SparseVector, "{}/3", [0, 0, 0]),
    (SparseVector, " { 1 : 1.5 ,3:2 } / 3 ", [1.5, 0, 2]),
    (SparseVector, "{3:2,1:1.5}/3", [1.5, 0, 2]),
    (SparseVector, "{+1:1,003:0x1p1}/+3", [1, 0, 2]),
    (SparseVector, "{1:0,1:2,9:0,0:-0,2:0e9,3:0x0p1}/3", [2, 0, 0]),
    (SparseVector, f"{{{'0' * 5000}1:2}}/3", [2, 0, 0]),
    (Bit, "", []),
    (Bit, "101", [True, False, True]),
    (Bit, "B101", [True, False, True]),
    (Bit, "b", []),
    (Bit, "xA", [True, False, True, False]),
    (Bit, "X0f", [False] * 4 + [True] * 4),
]


@pytest.mark.parametrize(("value_class", "text", "numbers"), ACCEPTED)
def test_accepted(value_class: Any, text: str, numbers: list[Any]) -> None:
    value = value_class.from_text(text)
    assert value.to_list() == value_class(numbers).to_list()


NOT_NUMBERS = [
    "", " ", "x", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e5.5", "1.2.3", "0x", "0x.", "0xg", "1p3",
    "0x1p", "1_0", "1f", "- 1", "+-1", "1 2", "--1", "nan", "NaN", "nan(1)", "-nan", "inf",
    "-Infinity", "\N{FULLWIDTH DIGIT ONE}", "\N{NO-BREAK SPACE}1", "1\x1c", "1\0", "1;", "[1]", "'1'",
]  # fmt: skip

MALFORMED = [
    *[(Vector, f"[1,{number}]") for number in NOT_NUMBERS],
    *[(HalfVector, f"[{number},1]") for number in NOT_NUMBERS],
    *[(SparseVector, f"{{1:{number}}}/3") for number in NOT_NUMBERS],
    *[
        (value_class, text)
        for value_class in (Vector, HalfVector)
        for text in ("", "1", "[1", "1]", "[1]]", "[[1]]", "[1,]", "[,1]", "[1],", "[1] x", "(1)", "{1}")
    ],
    *[
        (SparseVector, text)
        for text in (
            "", "{}", "{1:1}", "{}/", "/3", "{1:1,}/3", "{,}/3", "{1}/3", "{:1}/3", "{1:}/3", "{1.0:1}/3",
            "{x:1}/3", "{1:1}/3.0", "{1:1}/x", "{1:1}/3 x", "{1:1:1}/3", "[1]", "{1:1}}/3", "{{1:1}/3",
            "{\x1c}/3", "{\xa0}/3", "{\N{FULLWIDTH DIGIT ONE}:1}/3", "{1_0:1}/30", "{1:1}/1_0",
        )
    ],
    *[
        (Bit, text)
        for text in ("2", "X1X", "1X", "1 0", " 1", "1 ", "0b1", "0x1", "bb", "bx1", "xg", "x 1", "b1_0", "x1_0", "\0")
    ],
]  # fmt: skip

REFUSED = [
    (Vector, "[]", "1 to 16000 dimensions"),
    (Vector, " [ ] ", "1 to 16000 dimensions"),
    (Vector, f"[{','.join('0' * 16001)}]", "1 to 16000 dimensions for vector, got 16001"),
    (Vector, "[1e400]", "index 0"),
    (Vector, "[1,-3.4028236e38]", "fits float32 at index 1"),
    (Vector, "[340282356779733661637539395458142568448]", "fits float32 at index 0"),
    (Vector, "[0x1p128]", "fits float32 at index 0"),
    (Vector, "[0x1p99999]", "index 0"),
    (HalfVector, "[65519.999]", "fits float16"),
    (HalfVector, "[1e39]", "fits float32"),
    (SparseVector, "{1:1}/0", "dimensions"),
    (SparseVector, "{}/-1", "dimensions"),
    (SparseVector, "{1:1}/1000000001", "dimensions"),
    (SparseVector, "{1:1}/4294967299", "dimensions"),
    (SparseVector, f"{{1:1}}/{'9' * 5000}", "dimensions"),
    (SparseVector, "{0:1}/3", "indices from 1 to 3, got 0"),
    (SparseVector, "{-1:1}/3", "indices"),
    (SparseVector, "{4:1}/3", "indices from 1 to 3, got 4"),
    (SparseVector, f"{{{'9' * 5000}:1}}/3", "indices"),
    (SparseVector, "{1:1,1:2}/3", "distinct indices, got 1 twice"),
    (SparseVector, "{1:1e-50}/3", "fits float32 at index 1, got '1e-50'"),
    (SparseVector, "{1:7e-46}/3", "fits"),
    *[
        (SparseVector, f"{{1:{text}}}/3", "fits")
        for text in ("0x1p-200", "0xap-200", "0XAP-200", "0Xcp-200")
    ],
    (SparseVector, "{2:1e39}/3", "fits float32 at index 2"),
    (SparseVector, f"{{{','.join(['1:0'] * 16001)}}}/3", "0 to 16000"),
]


@pytest.mark.parametrize(("value_class", "text"), MALFORMED)
def test_malformed(value_class: Any, text: str) -> None:
    with pytest.raises(MalformedTextError, match="expected"):
        value_class.from_text(text)


@pytest.mark.parametrize(("value_class", "text", "message"), REFUSED)
def test_refused(value_class: Any, text: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        value_class.from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "1" * 100_000 + "x",
        "0" * 100_000 + "x",
        "0x" + "1" * 100_000 + "z",
        "1." + "0" * 100_000 + "e",
        "-" * 100_000,
    ],
    ids=lambda text: text[-1],
)
def test_a_long_text_is_refused_in_linear_time(text: str) -> None:
    """With backtracking, in quadratic time, these texts would take minutes."""
    for value_class, form in (
        (Vector, f"[{text}]"),
        (SparseVector, f"{{{text}:1}}/3"),
        (SparseVector, f"{{1:{text}}}/3"),
    ):
        with at_most(10_000_000, 3), pytest.raises(MalformedTextError):
            value_class.from_text(form)


@pytest.mark.parametrize(
    ("value_class", "text", "message"),
    [
        (Vector, "1", r"expected vector as \[1,2,3\], got str '1'"),
        (Vector, "[1,x]", "at index 1, got 'x'"),
        (Vector, "[\xa0]", r"at index 0, got '\\xa0'"),
        (SparseVector, "{}", r"expected sparsevec as {1:1,3:2}/5, got str '{}'"),
        (SparseVector, "{1:1,y:1}/3", "whole number for the index of entry 1, got 'y'"),
        (SparseVector, "{3:1,7:y}/9", "finite number at index 7, got 'y'"),
        (SparseVector, "{3:1,7:1:2}/9", "finite number at index 7, got '1:2'"),
        (Bit, "1X", "got 'X' at index 1"),
        (Bit, "xAG", "hexadecimal digits, got 'G' at index 2"),
    ],
)
def test_an_error_shows_what_is_wrong_and_where(value_class: Any, text: str, message: str) -> None:
    with pytest.raises(MalformedTextError, match=f"{message}$"):
        value_class.from_text(text)


def test_a_large_whole_number_is_clamped() -> None:
    """As in `strtol`, and in the server's message."""
    with pytest.raises(
        InvalidValueError, match="dimensions for sparsevec, got 9223372036854775807"
    ):
        SparseVector.from_text("{1:1}/9999999999999999999")
    assert SparseVector.from_text(f"{{{1:099}:1}}/{3:099}") == SparseVector([1, 0, 0])


@each_type
def test_only_a_str_is_a_text_form(type_: SpecType) -> None:
    for text in (b"[1]", 1, None, ["[1]"]):
        with pytest.raises(
            InvalidTypeError, match=f"expected a text form, got {type(text).__name__}"
        ):
            type_.value_class.from_text(text)


@pytest.mark.parametrize(("value_class", "letter"), [(Vector, "f"), (HalfVector, "e")])
@pytest.mark.parametrize("odd", [inf, -inf, nan])
def test_no_text_of_a_number_that_is_not_finite(value_class: Any, letter: str, odd: float) -> None:
    """The server checks a payload, and `decode` does not."""
    value = value_class.decode(struct.pack(f">HH{letter}{letter}", 2, 0, 1, odd))
    with pytest.raises(InvalidValueError, match=f"finite number at index 1, got {odd}$"):
        value.to_text()
