"""Every number format in both byte orders, also those that no type of the spec uses."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from itertools import product
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncpg_vector import InvalidTypeError, InvalidValueError, MalformedTextError
from asyncpg_vector.runtime import NumberFormat, NumberText, number_format, number_text
from asyncpg_vector.runtime.formats import (
    FORMATS,
    ByteOrder,
    FloatFormat,
    IntegerFormat,
    _masks,
    _struct,
)
from asyncpg_vector.testing import numbers, special_numbers
from tests.needs import without_numpy
from tests.test_bad_input import Raising

ORDERS: tuple[ByteOrder, ...] = get_args(ByteOrder)
ALL = [number_format(name, order) for name, order in product(FORMATS, ORDERS)]
FLOATS = [each for each in ALL if isinstance(each, FloatFormat)]
INTEGERS = [each for each in ALL if isinstance(each, IntegerFormat)]


def named(each: object) -> str | None:
    return f"{each.name}-{each.byte_order}" if isinstance(each, NumberFormat) else None


each_format = pytest.mark.parametrize("format_", ALL, ids=named, indirect=True)
each_float = pytest.mark.parametrize("format_", FLOATS, ids=named, indirect=True)
each_integer = pytest.mark.parametrize("format_", INTEGERS, ids=named, indirect=True)
with_and_without_numpy = pytest.mark.parametrize("hidden", [nullcontext, without_numpy])

# Typed by hand: name, width, largest number, a number, and its bytes in big-endian order.
BY_HAND: list[tuple[str, int, float, float, str]] = [
    ("float16", 2, 65504.0, 1.5, "3e00"),
    ("float32", 4, 3.4028234663852886e38, 1.5, "3fc00000"),
    ("float64", 8, 1.7976931348623157e308, 1.5, "3ff8000000000000"),
    ("bfloat16", 2, 3.3895313892515355e38, 1.5, "3fc0"),
    ("int8", 1, 127, -2, "fe"),
    ("uint8", 1, 255, 254, "fe"),
    ("int16", 2, 32767, -2, "fffe"),
    ("uint16", 2, 65535, 65534, "fffe"),
    ("int32", 4, 2147483647, -2, "fffffffe"),
    ("uint32", 4, 4294967295, 4294967294, "fffffffe"),
]


@pytest.fixture
def format_(request: pytest.FixtureRequest) -> NumberFormat:
    """A format that is made for the test: others are made when the package is imported."""
    return FORMATS[request.param.name](request.param.byte_order)


def pack(format_: NumberFormat, given_: Any, *indices: int) -> bytes:
    return bytes(format_.pack(given_, indices or None))


@pytest.mark.parametrize("row", BY_HAND, ids=lambda row: row[0])
@with_and_without_numpy
def test_by_hand(row: tuple[str, int, float, float, str], hidden: Callable[[], Any]) -> None:
    name, width, largest, number, wire = row
    big, little = (FORMATS[name](order) for order in ORDERS)
    with hidden():
        for format_, data in ((big, bytes.fromhex(wire)), (little, bytes.fromhex(wire)[::-1])):
            assert (format_.name, format_.width) == (name, width)
            assert (
                getattr(format_, "largest" if isinstance(format_, FloatFormat) else "most")
                == largest
            )
            assert pack(format_, [number]) == data
            assert pack(format_, (Decimal(number),)) == data
            assert format_.unpack(data * 3, width, 2) == (number, number)
            assert format_.unpack_list(data * 3, width) == [number, number]
            assert format_.unpack_from(data * 3, width) == (number,)
            assert pack(format_, [largest, -0.0])[:width] == pack(format_, [largest])


def test_every_format_is_typed_by_hand() -> None:
    assert [row[0] for row in BY_HAND] == [*FORMATS]


@each_float
def test_literals_of_what_no_format_takes(format_: FloatFormat) -> None:
    """A payload that the server has not checked may hold it, and its value is still shown."""
    odd = [math.nan, math.inf, -math.inf, 1.5]
    assert format_.literals(odd) == ["nan", "inf", "-inf", "1.5"]


@each_format
def test_an_ndarray_of_the_format(format_: NumberFormat) -> None:
    """An ndarray of the format keeps its numbers and bits, in any byte order."""
    given_ = np.array(special_numbers(format_), format_.dtype)
    data = pack(format_, given_)
    assert pack(format_, given_.tolist()) == data
    assert pack(format_, given_[::-1][::-1]) == data
    assert pack(format_, given_.astype(given_.dtype.newbyteorder())) == data
    unpacked = format_.unpack_array(data, 0)
    assert unpacked.dtype == np.dtype(format_.dtype)
    assert unpacked.tobytes() == given_.tobytes()
    assert np.frombuffer(data, format_.wire_dtype).nbytes == len(data)


@each_format
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_round_trip(format_: NumberFormat, data: st.DataObject) -> None:
    row = data.draw(st.lists(numbers(format_)))
    packed = pack(format_, row)
    with without_numpy():
        assert pack(format_, row) == packed
    assert [repr(each) for each in format_.unpack_list(packed, 0)] == [*map(repr, row)]
    assert pack(format_, [eval(text) for text in format_.literals(row)]) == packed
    format_.check(packed)


@each_format
def test_a_list_of_a_new_length(format_: NumberFormat) -> None:
    """The cache has no struct of this length yet."""
    _struct.cache_clear()
    assert format_.unpack_list(bytes(1237 * format_.width), 0) == [0] * 1237


@each_float
@with_and_without_numpy
def test_a_payload_of_a_new_length(format_: FloatFormat, hidden: Callable[[], Any]) -> None:
    """With empty caches: a length that is a float by mistake would find the entry of an equal int."""
    negative_zeros = pack(format_, [-0.0]) * 1237
    infinite = negative_zeros + format_.infinity.to_bytes(format_.width, format_.byte_order)
    with hidden():
        for look in (lambda payload: format_.canonical(payload, 0), format_.check):
            _struct.cache_clear()
            _masks.cache_clear()
            assert look(negative_zeros) in (None, bytes(len(negative_zeros)))
        _struct.cache_clear()
        with pytest.raises(InvalidValueError, match="finite number at index 1237, got inf"):
            format_.check(infinite)


# The last is a NaN of ones, which a bfloat16 would round to a zero.
NOT_FINITE = [math.inf, -math.inf, math.nan, *struct.unpack(">d", b"\x7f" + 7 * b"\xff")]


@each_float
@with_and_without_numpy
def test_numbers_that_are_not_finite(format_: FloatFormat, hidden: Callable[[], Any]) -> None:
    nan = format_.infinity + 1
    with hidden():
        for bits in (format_.infinity, nan):
            for sign in (0, 1 << (8 * format_.width - 1)):
                payload = (bits | sign).to_bytes(format_.width, format_.byte_order)
                with pytest.raises(InvalidValueError, match="finite number at index 1"):
                    format_.check(pack(format_, [0]) + payload)
        for odd in NOT_FINITE:
            with pytest.raises(
                InvalidValueError, match="finite number at index 1, got -?(inf|nan)"
            ):
                format_.pack([-1, odd])
    for dtype in "efd":
        for odd in NOT_FINITE:
            with pytest.raises(InvalidValueError, match="finite number at index 1"):
                format_.pack(np.array([-1, odd], dtype))


@each_float
def test_largest_float(format_: FloatFormat) -> None:
    largest = format_.largest
    for row in ([largest, -largest], np.array([largest, -largest])):
        assert format_.unpack(pack(format_, row), 0, 2) == (largest, -largest)
    if format_.width == 8:
        return
    for number in (largest * 1.01, -largest * 1.01):
        for row in ([1, number], np.array([1, number])):
            with pytest.raises(InvalidValueError, match=f"fits {format_.name} at index 1"):
                format_.pack(row)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pytest makes errors of them
            with pytest.raises(InvalidValueError, match="fits"):
                format_.pack(np.array([1, number]))


@each_float
def test_an_int_that_no_float_holds(format_: FloatFormat) -> None:
    for number in (10**400, Decimal("1e400")):
        with pytest.raises(InvalidValueError, match=f"fits {format_.name} at index 1"):
            format_.pack([0, number])


@each_float
def test_zeros_are_equal(format_: FloatFormat) -> None:
    zeros = pack(format_, [0.0, 0.0, 1.0])
    assert format_.canonical(pack(format_, [-0.0, 0.0, 1.0]), 0) == zeros
    assert format_.canonical(zeros, 0) == zeros
    assert format_.canonical(b"head" + pack(format_, [-0.0, 1.0]), 4) == b"head" + pack(
        format_, [0.0, 1.0]
    )
    # The server does not check the elements of somebody's own type.
    infinity, nan = (
        (format_.infinity + beyond).to_bytes(format_.width, format_.byte_order) for beyond in (0, 1)
    )
    assert format_.canonical(pack(format_, [-0.0]) + infinity + nan, 0) == (
        pack(format_, [0.0]) + infinity + nan
    )
    like_a_zero = pack(format_, [-0.0, 1.0])
    assert format_.canonical(like_a_zero, format_.width) is like_a_zero  # a header may look so


# A bfloat16 is the upper 16 bits of a float32. The lower bits decide; half-way goes to even.
ROUNDED = [
    (0x3F80_8000, 0x3F80),  # half-way, to even below
    (0x3F81_8000, 0x3F82),  # half-way, to even above
    (0x3F80_8001, 0x3F81),
    (0x3F81_7FFF, 0x3F81),
    (0x3FFF_FFFF, 0x4000),  # the carry goes into the exponent
    (0x0000_8000, 0x0000),  # subnormal numbers round likewise
    (0x0000_8001, 0x0001),
    (0x007F_8000, 0x0080),
    (0x8000_8001, 0x8001),
    (0x7F7F_7FFF, 0x7F7F),  # the largest that is not rounded to infinity
]


@pytest.mark.parametrize(("bits", "upper"), ROUNDED)
@pytest.mark.parametrize("order", ORDERS)
@with_and_without_numpy
def test_bfloat16_rounds_half_to_even(
    bits: int, upper: int, order: ByteOrder, hidden: Callable[[], Any]
) -> None:
    format_ = number_format("bfloat16", order)
    (number,) = struct.unpack(">f", struct.pack(">I", bits))
    wanted = upper.to_bytes(2, order)
    with hidden():
        assert pack(format_, [number]) == wanted
    for dtype in ("f4", ">f4", "f8"):
        assert pack(format_, np.array([number], dtype)) == wanted


@pytest.mark.parametrize("bits", [0x7F7F_8000, 0x7F7F_FFFF, 0xFF7F_8000])
def test_bfloat16_does_not_round_to_infinity(bits: int) -> None:
    (number,) = struct.unpack(">f", struct.pack(">I", bits))
    for row in ([number], np.array([number], "f4")):
        with pytest.raises(InvalidValueError, match="fits bfloat16 at index 0"):
            number_format("bfloat16", "big").pack(row)


@each_integer
def test_integers(format_: IntegerFormat) -> None:
    least, most = format_.least, format_.most
    wire = pack(format_, [least, 0, most])
    for row in (
        [float(least), Decimal(0), np.int64(most)],
        np.array([least, 0, most], format_.dtype),
        np.array([least, 0, most], np.int64),
        np.array([least, 0, most], np.float64),
    ):
        assert pack(format_, row) == wire
    assert format_.unpack_list(wire, 0) == [least, 0, most]
    assert format_.literals([least, 0, most]) == [str(least), "0", str(most)]
    assert format_.canonical(wire, 0) == wire
    format_.check(wire)


@each_integer
def test_integers_that_do_not_fit(format_: IntegerFormat) -> None:
    for number in (format_.least - 1, format_.most + 1, 10**30):
        with pytest.raises(InvalidValueError, match=f"fits {format_.name} at index 1, got"):
            format_.pack([0, number])
        with pytest.raises(
            InvalidValueError, match=f"fits {format_.name} at index 7, got {number}"
        ):
            format_.pack([0, number], [5, 7])
    with pytest.raises(InvalidValueError, match="fits"):
        format_.pack(np.array([0, format_.most + 1], np.int64))


def test_floats_of_the_same_width_are_no_integers() -> None:
    with pytest.raises(InvalidValueError, match="whole number at index 1, got 0.5"):
        number_format("int32", "big").pack(np.array([0, 0.5], np.float32))


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (0.5, InvalidValueError, "whole number at index 1, got 0.5"),
        (float("nan"), InvalidValueError, "whole number at index 1, got nan"),
        (float("inf"), InvalidValueError, "whole number at index 1, got inf"),
        ("1", InvalidTypeError, "a number at index 1, got str '1'"),
        (None, InvalidTypeError, "a number at index 1, got NoneType"),
        (1j, InvalidTypeError, "a number at index 1, got complex 1j"),
        (np.complex64(1), InvalidTypeError, "a number at index 1, got complex64"),
        (Raising(), InvalidTypeError, "a number at index 1, got Raising"),
        (np.datetime64(1, "s"), InvalidTypeError, "a number at index 1, got datetime64"),
    ],
)
@pytest.mark.parametrize("name", ["int8", "uint8"])
def test_no_integer(name: str, number: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        number_format(name, "big").pack([0, number])


@pytest.mark.parametrize("more", [1, -1])
def test_a_row_whose_len_is_wrong(more: int) -> None:
    class Liar(list[Any]):
        def __len__(self) -> int:
            return super().__len__() + more

    with pytest.raises(InvalidTypeError, match=r"as many as len\(\) says, got Liar \[1, 2\]"):
        number_format("int8", "big").pack(Liar([1, 2]))


# Text


@pytest.mark.parametrize("name", ["float32", "float64", "integer"])
def test_an_error_in_a_text_has_the_index_given(name: str) -> None:
    with pytest.raises(MalformedTextError, match="number at index 7, got 'x'"):
        number_text(name).read("1,x", number_format("float16", "big"), [3, 7])


def test_a_text_that_no_float32_holds() -> None:
    with pytest.raises(InvalidValueError, match="number that fits float32 at index 7, got 1e\\+39"):
        number_text("float32").read("1,1e39", number_format("float16", "big"), [3, 7])


@pytest.mark.parametrize("text", ["", "1.0", "1e1", "0x1", "--1", "\u0661", "1 1"])
def test_no_text_of_an_integer(text: str) -> None:
    with pytest.raises(MalformedTextError, match="whole number at index 3, got"):
        number_text("integer").read(f"0,{text}", number_format("int8", "big"), [1, 3])


def test_a_way_to_write_numbers() -> None:
    way = number_text("integer")
    made = NumberText(way.name, way.print, way.read)  # others are made by the import
    assert made.read("3,-1", number_format("int8", "big"), None) == [3, -1]
    assert made.print([3, -1]) == ["3", "-1"]


def test_texts_of_integers() -> None:
    int8 = number_format("int8", "big")
    assert number_text("integer").read(" -128, +00,127\n", int8, None) == [-128, 0, 127]
    assert number_text("integer").print([-128, 0, 127]) == ["-128", "0", "127"]
