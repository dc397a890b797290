"""The formats of elements, of which the types of the spec use some."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from asyncpg_vector import InvalidTypeError, InvalidValueError, MalformedTextError
from asyncpg_vector._elements import Element, FloatElement, IntegerElement, _masks, _struct
from tests.needs import without_numpy
from tests.test_bad_input import Raising

FORMATS = [
    (FloatElement, "e", "float16", "f2"),
    (FloatElement, "f", "float32", "f4"),
    (IntegerElement, "b", "int8", "i1"),
    (IntegerElement, "i", "int32", "i4"),
]


@pytest.mark.parametrize(("kind", "code", "name", "dtype"), FORMATS)
def test_names(kind: type[Element], code: str, name: str, dtype: str) -> None:
    element = kind(code)
    assert (element.name, element.width) == (name, np.dtype(dtype).itemsize)
    assert np.dtype(element.native_dtype) == dtype
    assert np.dtype(element.wire_dtype) == f">{dtype}"


@pytest.mark.parametrize(("kind", "code"), [element[:2] for element in FORMATS])
def test_a_list_of_a_new_length(kind: type[Element], code: str) -> None:
    """No format is kept yet for so many."""
    element = kind(code)
    _struct.cache_clear()
    assert element.unpack_list(bytes(1237 * element.width), 0) == [0] * 1237


@pytest.mark.parametrize("code", ["e", "f"])
@pytest.mark.parametrize("hidden", [nullcontext, without_numpy])
def test_a_payload_of_a_new_length(code: str, hidden: Callable[[], Any]) -> None:
    """Nothing is kept yet for so many: a whole number that is a float would find what is."""
    element = FloatElement(code)
    negative_zeros = struct.pack(f">{code}", -0.0) * 1237
    with hidden():
        for look in (element.canonical, element.check):
            _struct.cache_clear()
            _masks.cache_clear()
            assert look(negative_zeros) in (None, bytes(len(negative_zeros)))
        infinite = negative_zeros + struct.pack(f">{code}", math.inf)
        _struct.cache_clear()
        with pytest.raises(InvalidValueError, match="finite number at index 1237, got inf"):
            element.check(infinite)


@pytest.mark.parametrize(("code", "largest"), [("e", 65504.0), ("f", 3.4028234663852886e38)])
def test_largest_float(code: str, largest: float) -> None:
    element = FloatElement(code)
    wire = np.array([largest, -largest], element.wire_dtype).tobytes()
    for numbers in ([largest, -largest], np.array([largest, -largest])):
        assert element.pack(numbers) == wire
    element.check(wire)
    for number in (largest * 1.001, -largest * 1.001):
        for numbers in ([1, number], np.array([1, number])):
            with pytest.raises(InvalidValueError, match=f"fits {element.name} at index 1"):
                element.pack(numbers)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in a program that does not make errors of them
            with pytest.raises(InvalidValueError, match="fits"):
                element.pack(np.array([1, number]))
    for odd in (np.inf, -np.inf, np.nan):
        with pytest.raises(InvalidValueError, match="finite number at index 1"):
            element.check(np.array([0, odd], element.wire_dtype).tobytes())
        for dtype in "efd":
            with pytest.raises(InvalidValueError, match="finite number at index 1"):
                element.pack(np.array([-1, odd], dtype))


@pytest.mark.parametrize("code", ["e", "f"])
def test_a_text_is_counted_by_the_indices_given(code: str) -> None:
    with pytest.raises(InvalidValueError, match="number that fits float32 at index 7, got 1e\\+39"):
        FloatElement(code).read("1,1e39", [3, 7])


@pytest.mark.parametrize("code", ["e", "f"])
def test_zeros_are_equal(code: str) -> None:
    element = FloatElement(code)
    zeros = element.pack([0.0, 0.0, 1.0])
    assert element.canonical(element.pack([-0.0, 0.0, 1.0])) == zeros
    assert element.canonical(zeros) == zeros
    assert element.canonical(element.pack([-0.0, 1.0])) == element.pack([0.0, 1.0])


INTEGERS = [("b", -128, 127), ("i", -(2**31), 2**31 - 1)]


@pytest.mark.parametrize(("code", "least", "most"), INTEGERS)
def test_integers(code: str, least: int, most: int) -> None:
    element = IntegerElement(code)
    wire = np.array([least, 0, most], element.wire_dtype).tobytes()
    for numbers in (
        [least, 0, most],
        [float(least), Decimal(0), np.int64(most)],
        np.array([least, 0, most], element.native_dtype),
        np.array([least, 0, most], np.int64),
        np.array([least, 0, most], np.float64),
    ):
        assert element.pack(numbers) == wire
    assert element.unpack_list(wire, 0) == [least, 0, most]
    assert element.print([least, 0, most]) == element.literals([least, 0, most])
    assert element.print([least, 0, most]) == [str(least), "0", str(most)]
    assert element.read(f" {least}, +00,{most}\n") == wire
    assert element.canonical(wire) == wire
    element.check(wire)


@pytest.mark.parametrize(("code", "least", "most"), INTEGERS)
def test_integers_that_do_not_fit(code: str, least: int, most: int) -> None:
    element = IntegerElement(code)
    for number in (least - 1, most + 1, 10**30):
        with pytest.raises(InvalidValueError, match=f"fits {element.name} at index 1, got"):
            element.pack([0, number])
        with pytest.raises(
            InvalidValueError, match=f"fits {element.name} at index 7, got {number}"
        ):
            element.pack([0, number], [5, 7])
    with pytest.raises(InvalidValueError, match=f"fits {element.name} at index 7, got {most + 1}"):
        element.read(f"0,{most + 1}", [5, 7])
    with pytest.raises(InvalidValueError, match="fits"):
        element.pack(np.array([0, most + 1], np.int64))


def test_floats_of_the_same_width_are_no_integers() -> None:
    with pytest.raises(InvalidValueError, match="whole number at index 1, got 0.5"):
        IntegerElement("i").pack(np.array([0, 0.5], np.float32))


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
def test_no_integer(number: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        IntegerElement("b").pack([0, number])


@pytest.mark.parametrize("more", [1, -1])
def test_another_number_of_them_than_len_says(more: int) -> None:
    class Liar(list[Any]):
        def __len__(self) -> int:
            return super().__len__() + more

    with pytest.raises(InvalidTypeError, match=r"as many as len\(\) says, got Liar \[1, 2\]"):
        IntegerElement("b").pack(Liar([1, 2]))


@pytest.mark.parametrize("text", ["", "1.0", "1e1", "0x1", "--1", "\u0661", "1 1"])
def test_no_text_of_an_integer(text: str) -> None:
    with pytest.raises(MalformedTextError, match="whole number at index 3, got"):
        IntegerElement("b").read(f"0,{text}", [1, 3])
