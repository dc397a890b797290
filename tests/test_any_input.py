"""Any combination of odd objects makes a valid value or raises an error of the package."""

from __future__ import annotations

import ctypes
from array import array
from collections import UserList, deque
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector, VectorError
from tests.needs import needs_numpy, np
from tests.spec_types import SpecType, each_dense_type, each_type, wire_of

# NumPy warns about masked elements, which the package then refuses as NaN.
pytestmark = pytest.mark.filterwarnings("ignore:Warning. converting a masked element")

ODD: list[Any] = [
    *(None, ..., object(), int, print, 1j, datetime(2026, 1, 1, tzinfo=UTC)),
    *(True, 0, 1, 2, -1, 2**31, 2**63, -(2**64), 10**400),
    *(0.0, -0.0, 0.5, 65520.0, 1e39, float("nan"), float("inf"), ctypes.c_float(1)),
    *(Decimal(1), Decimal("1e400"), Decimal("1e-400"), Decimal("nan"), Decimal("sNaN")),
    *(Fraction(1, 3), Fraction(10**400), Fraction(1, 10**400)),
    *("", "1", "[1,2]", "{1:1}/2", "[[1]]", "a\N{SNOWMAN}", "\ud800"),
    *(b"", b"1", b"\1\0", bytearray(b"\1\0"), memoryview(b"\1\0"), memoryview(array("f", [1]))),
    *(memoryview(bytes(4)).cast("B", (2, 2)), array("d", [1, 0]), array("b", [1, 2])),
    *(range(3), range(99_999), {}, {1: 1.5}, {-1: 1}, {"0": None}, {1}),
    *(
        Vector([1]),
        HalfVector([1, 2]),
        SparseVector({1: 1.5}, 3),
        SparseVector({}, 10**9),
        Bit("10"),
    ),
]
if np:
    ODD += [
        *(np.float16(1), np.float32("nan"), np.float64(1e39), np.longdouble("1e400"), np.int8(1)),
        *(np.uint64(2**64 - 1), np.True_, np.complex64(1), np.str_("1"), np.bytes_(b"1")),
        *(np.void(b"\1\0"), np.datetime64("2026-01-01"), np.timedelta64(1, "ns"), np.ma.masked),
        *(np.array(1.0), np.array([1.0, 0.0]), np.array([[1, 0]], ">f2"), np.zeros((2, 0))),
        *(np.array([1.0, None]), np.array(["1"]), np.array([b"1"]), np.array([1j])),
        *(np.ma.masked_array([1.0, 2.0], [0, 1]), np.ma.masked_array([1, 0]), np.ma.array(b"1")),
        *(np.array([(1, 2)], "f4,f4"), np.zeros(2, "M8[ns]"), np.ma.zeros(2, "m8[ns]")),
        *(np.arange(6.0)[::-2], np.array([True, False]), np.array([1e-45, 1e-320])),
        *(np.array([1, np.inf], "g"), memoryview(np.array([1j])), memoryview(np.zeros(2, ">f8"))),
    ]


def pick(place: int) -> Any:
    return ODD[place]  # Hypothesis draws the place: it hashes draws, and some objects have no hash


def as_objects(items: list[Any]) -> Any:
    """An ndarray that holds the items themselves."""
    objects = np.empty(len(items), object)
    for place, item in enumerate(items):
        objects[place] = item
    return objects


HOLDERS: list[Callable[[list[Any]], Any]] = [list, tuple, deque, UserList, iter]
if np:
    HOLDERS.append(as_objects)


def hold(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda make, items: make(items), st.sampled_from(HOLDERS), st.lists(items, max_size=3)
    )


ANYTHING = st.recursive(st.integers(0, len(ODD) - 1).map(pick), hold, max_leaves=6)


@each_type
@given(given_=ANYTHING)
def test_taken_or_refused(type_: SpecType, given_: Any) -> None:
    cls = type_.value_class
    for make in (cls, cls.encode, cls.from_json):
        wire = wire_of(make, given_)
        assert wire is None or cls.from_binary(wire).to_binary() == wire


@needs_numpy
@each_dense_type
@given(rows=st.lists(ANYTHING, min_size=1, max_size=3))
def test_a_matrix_is_what_its_rows_are(type_: SpecType, rows: list[Any]) -> None:
    cls = type_.value_class
    wires = [wire_of(cls, row) for row in rows]
    try:
        values = cls.from_matrix(rows)
    except VectorError:
        assert None in wires or len({*map(len, filter(None, wires))}) > 1
    else:
        assert [value.to_binary() for value in values] == wires
