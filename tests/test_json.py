"""JSON has the fewest digits of each number's own format, and reads back to the same bits."""

from __future__ import annotations

import json
import struct
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncpg_vector import HalfVector, SparseVector, Vector
from asyncpg_vector.runtime import number_format
from tests.needs import needs_kernel, without_numpy
from tests.spec_types import SpecType, each_type_to_limits

INFINITIES = {"float16": 0x7C00, "bfloat16": 0x7F80, "float32": 0x7F80_0000}
LETTERS = {"float16": "H", "bfloat16": "H", "float32": "I"}
EXACT = Context(prec=400)
each_format = pytest.mark.parametrize("name", INFINITIES)
each_order = pytest.mark.parametrize("byte_order", ["big", "little"])


def draw_bits(name: str) -> list[int]:
    """All finite numbers of 16 bits; of float32, neighbours of each power of two, and others."""
    infinity = INFINITIES[name]
    if infinity < 1 << 16:
        magnitudes = range(infinity)
        return [*magnitudes, *(1 << 15 | bits for bits in magnitudes)]
    draw = Random(20261129)
    fractions = [0, 1, 2, 3, 0x40_0000, 0x7F_FFFE, 0x7F_FFFF]
    edges = [exponent << 23 | fraction for exponent in range(255) for fraction in fractions]
    subnormal = [draw.getrandbits(draw.randint(1, 23)) for _ in range(1_000)]
    drawn = [draw.randrange(infinity) for _ in range(8_000)]
    near_one = [0x3C80_0000 + draw.getrandbits(26) for _ in range(8_000)]
    bits = [*edges, *subnormal, *drawn, *near_one]
    return bits + [1 << 31 | each for each in bits]


def pack_bits(name: str, byte_order: str, bits: list[int]) -> bytes:
    return struct.pack(f"{'>' if byte_order == 'big' else '<'}{len(bits)}{LETTERS[name]}", *bits)


def count_digits(number: float) -> int:
    """Return how many significant digits Python prints."""
    return len(Decimal(repr(number)).normalize().as_tuple().digits)


@each_format
@each_order
def test_the_same_bits(name: str, byte_order: Any) -> None:
    """Each finite number reads back, through the digits that Python prints."""
    format_ = number_format(name, byte_order)
    payload = pack_bits(name, byte_order, draw_bits(name))
    shortest = format_.unpack_shortest(payload, 0)
    read: Any = json.loads(json.dumps(shortest))
    assert bytes(format_.pack(read)) == payload
    signs = [struct.pack(">d", number)[0] >> 7 for number in shortest]
    assert signs == [
        struct.pack(">d", number)[0] >> 7 for number in format_.unpack_list(payload, 0)
    ]


@each_format
def test_no_decimal_is_shorter(name: str) -> None:
    """Of a digit less, the decimals on both sides of a number are other numbers, or half-way."""
    format_ = number_format(name, "big")
    bits = [each for each in Random(1).sample(draw_bits(name), 3_000) if each << 1 & 0xFFFF_FFFF]
    numbers = format_.unpack_list(pack_bits(name, "big", bits), 0)
    shortest = format_.unpack_shortest(pack_bits(name, "big", bits), 0)
    most = {"float16": 5, "bfloat16": 4, "float32": 9}[name]
    for number, short in zip(numbers, shortest, strict=True):
        digits = count_digits(short)
        assert digits <= most
        if digits > 1:
            exact = Decimal(number)
            place = Decimal((0, (1,), exact.adjusted() - digits + 2))
            for rounding in (ROUND_FLOOR, ROUND_CEILING):
                other = float(exact.quantize(place, rounding, EXACT))
                is_other = narrow(name, other) != number
                assert is_other or is_half_way(name, number, other), (number, short, other)


def narrow(name: str, number: float) -> float:
    format_ = number_format(name, "big")
    try:
        payload = format_.pack_list([number])
    except ValueError:
        return float("inf")
    (narrowed,) = format_.unpack(payload, 0, 1)
    return float(narrowed)


def is_half_way(name: str, number: float, other: float) -> bool:
    """Tell whether a decimal is as far from another number of the format."""
    return narrow(name, other + (other - number) * 2**-10) != number


@needs_kernel
@each_format
@each_order
def test_both_implementations(name: str, byte_order: Any) -> None:
    """Python alone finds the same floats, with NumPy and without it."""
    format_ = number_format(name, byte_order)
    drawn = draw_bits(name)
    bits = [*drawn[:64], *Random(2).sample(drawn, 4_000)]
    payload = pack_bits(name, byte_order, bits)
    numbers = format_.unpack_list(payload, 0)
    python = format_.shorten(numbers)
    with without_numpy():
        assert repr(format_.shorten(numbers)) == repr(python)
    for place, short in enumerate(shorten_alone(name, byte_order, bits)):
        assert short is None or repr(short) == repr(python[place])
    near_one = [number for number in python if 1e-5 < abs(number) < 1e5]
    payload = bytes(format_.pack_list(near_one))
    assert repr(format_.native.unpack_shortest(payload, 0)) == repr(near_one)


def shorten_alone(name: str, byte_order: Any, bits: list[int]) -> list[float | None]:
    """Let the kernel shorten each number; None stands for those that it leaves to Python."""
    shorten = number_format(name, byte_order).native.unpack_shortest
    lists = [shorten(pack_bits(name, byte_order, [each]), 0) for each in bits]
    return [None if short is None else short[0] for short in lists]


@needs_kernel
@each_format
def test_the_kernel_leaves_few_to_python(name: str) -> None:
    """Those whose nearest double 128 bits do not settle, and the smallest number."""
    format_ = number_format(name, "big")
    bits = draw_bits(name)
    alone = shorten_alone(name, "big", bits)
    numbers = format_.unpack_list(pack_bits(name, "big", bits), 0)
    left = [number for number, short in zip(numbers, alone, strict=True) if short is None]
    assert len(left) < len(bits) / 50
    smallest = min(filter(None, map(abs, numbers)))
    assert all(abs(number) == smallest or abs(number) > 1e17 for number in left)


def test_digits() -> None:
    """The numbers that people see."""
    assert Vector([0.1, 1 / 3, 16777216, 1e-45]).to_json() == [0.1, 0.33333334, 16777216.0, 1e-45]
    assert HalfVector([0.1, 1 / 3, 65504]).to_json() == [0.1, 0.3333, 65500.0]
    sparse = {"indices": [1], "values": [0.1], "dimensions": 3}
    assert SparseVector({1: 0.1}, 3).to_json() == sparse
    assert Vector([0.1]).to_list() == [0.10000000149011612]
    assert json.dumps(Vector([0.1, -0.0, 2]).to_json()) == "[0.1, -0.0, 2.0]"


def test_a_shortest_decimal_whose_double_narrows_to_another_number() -> None:
    """The double of 7.038531e-26 is half-way between two float32: the float has more digits."""
    number = 7.0385306918512091e-26
    assert Vector([0.1, number]).to_json() == [0.1, number]
    assert Vector(json.loads(json.dumps(Vector([number]).to_json()))) == Vector([number])


def test_half_as_long() -> None:
    draw = Random(3)
    for value_class in (Vector, HalfVector):
        value = value_class([draw.gauss(0, 0.03) for _ in range(1536)])
        assert len(json.dumps(value.to_json())) < 0.65 * len(json.dumps(value.to_list()))


def test_no_finite_number() -> None:
    """Nobody keeps NaN out of a payload that is decoded without a check."""
    value = Vector.decode(Vector([0.1, 1]).to_binary()[:-4] + b"\x7f\xc0\0\0")
    assert repr(value.to_json()) == "[0.10000000149011612, nan]"


@each_type_to_limits
@settings(max_examples=25)
@given(data=st.data())
def test_round_trip(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    read = type_.value_class.from_json(json.loads(json.dumps(value.to_json())))
    assert read.to_binary() == value.to_binary()
