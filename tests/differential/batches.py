"""Draws batches of values and wire payloads from a seed, for every type of the spec.

The bits of elements are drawn, so that rare numbers are as likely as others. Hypothesis draws the
seed and the kind, and remembers those that failed. A failure shows the value that differs.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from asyncpg_vector.runtime import number_format
from codegen.spec import BitsType, DenseType, Format, SparseType, Type
from tests.needs import np
from tests.spec_types import pack_header

Wires = list[bytes]

KINDS = ["any bits", "subnormal", "powers of two", "decimal", "alike"]

SIZE = 2_000
"""The number of values in a batch."""

compared: Counter[str] = Counter()
"""The number of comparisons with the server, by their names."""

alike: Counter[str] = Counter()
"""The number of comparisons of the kernel with Python alone, by the names of operations."""

BATCHES = int(os.environ.get("ASYNCPG_VECTOR_TEST_BATCHES", "5"))
"""The number of batches of each test."""

in_batches = settings(
    max_examples=BATCHES,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller seed is not simpler
)

seeds = st.integers(0, 2**32 - 1)


def each_batch(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a test with each of some seeds."""
    return in_batches(given(seed=seeds)(function))


def each_batch_of_each_kind(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a test with each of some pairs of a seed and a kind of elements."""
    return in_batches(given(seed=seeds, kind=st.sampled_from(KINDS))(function))


def assert_same(
    what: str, given_: Iterable[Any], ours: Iterable[Any], theirs: Iterable[Any]
) -> None:
    """Fail at the first value for which the server differs; count the comparisons."""
    for value, our, their in zip(given_, ours, theirs, strict=True):
        assert our == their, f"{what} of {value!r}: ours {our!r}, the server's {their!r}"
        compared[what] += 1


def draw_elements(element: Format, kind: str, count: int, draw: np.random.Generator) -> Any:
    """Draw finite elements, in native byte order."""
    unsigned = np.dtype(f"u{element.width}")
    bits = draw.integers(0, 1 << 8 * element.width, count, unsigned, endpoint=False)
    if element.python_type == "int":
        return bits.view(element.format)
    if kind == "decimal":
        digits = draw.integers(0, 6)
        return np.round(draw.uniform(-1000, 1000, count), digits).astype(element.format)
    mantissa = np.finfo(element.format).nmant
    sign = unsigned.type(1 << 8 * element.width - 1)
    below = unsigned.type((1 << mantissa) - 1)
    if kind == "subnormal":
        bits &= sign | below
    if kind == "powers of two":  # and their neighbours
        near = draw.integers(-2, 3, count).astype(unsigned)
        bits = (bits & ~below & ~sign) + near & ~sign | bits & sign
    if kind == "alike":
        one = np.ones(1, element.format).view(unsigned)[0]
        bits = draw.choice(np.array([0, sign, one, one + 1], unsigned), count)
    infinite = ~np.isfinite(bits.view(element.format))
    bits[infinite] ^= unsigned.type(1 << mantissa)  # the next smaller exponent
    return bits.view(element.format)


def draw_wires(model: Type, kind: str, seed: int, count: int = SIZE) -> Wires:
    """Draw wire payloads of small values."""
    draw = np.random.default_rng(seed)
    if isinstance(model, DenseType):
        return _draw_dense(model, kind, count, draw)
    if isinstance(model, SparseType):
        return _draw_sparse(model, kind, count, draw)
    assert isinstance(model, BitsType)
    most = 3 if kind == "alike" else 70
    return [_draw_bits(model, int(length), draw) for length in draw.integers(0, most, count)]


def _draw_dense(model: DenseType, kind: str, count: int, draw: np.random.Generator) -> Wires:
    sizes = draw.integers(1, 3 if kind == "alike" else 9, count)
    elements = draw_elements(model.element, kind, int(sizes.sum()), draw)
    packed = _pack(model.element, model, elements)
    ends = (sizes.cumsum() * model.element.width).tolist()
    starts = [0, *ends[:-1]]
    return [
        pack_header(model, dimensions=size) + packed[start:end]
        for size, start, end in zip(sizes.tolist(), starts, ends, strict=True)
    ]


def _draw_sparse(model: SparseType, kind: str, count: int, draw: np.random.Generator) -> Wires:
    most = 3 if kind == "alike" else int(draw.choice([10, 1000, model.max_dimensions]))
    elements = iter(draw_elements(model.element, kind, count * 8, draw).tolist())
    wires = []
    for dimensions in draw.integers(1, most, count, endpoint=True).tolist():
        nnz = min(dimensions, int(draw.integers(0, 8)))
        found = {int(index): next(elements) for index in draw.integers(0, dimensions, nnz)}
        kept = {index: element for index, element in sorted(found.items()) if element}
        wires.append(
            pack_header(model, dimensions=dimensions, nnz=len(kept))
            + _pack(model.index, model, [*kept])
            + _pack(model.element, model, [*kept.values()])
        )
    return wires


def _pack(format_: Format, model: Type, numbers: Any) -> bytes:
    return bytes(number_format(format_.format, model.byte_order).pack(numbers))


def _draw_bits(model: BitsType, length: int, draw: np.random.Generator) -> bytes:
    flags = draw.integers(0, 2, length, np.uint8)
    return pack_header(model, length=length) + np.packbits(flags).tobytes()


def damage(wire: bytes, random: Random) -> bytes:
    """Change a wire payload in one or two places, or return it unchanged."""
    damaged = bytearray(wire)
    for _ in range(random.randrange(3)):
        place = random.randrange(len(damaged) + 1)
        how = random.randrange(6)
        if how == 0:
            del damaged[place:]
        elif how == 1:
            damaged += random.randbytes(random.randrange(1, 9))
        elif how == 2:  # NaN or an infinity, if it is the upper half of an element
            damaged[place : place + 2] = random.choice([b"\x7f\x80", b"\xff\xc0", b"\x7c\x00"])
        else:
            damaged[place : place + 1] = random.choice([b"\0", b"\1", b"\x7f", b"\x80", b"\xff"])
    return bytes(damaged)
