"""Inputs that the classes refuse; each message names the expected and the given object, and where."""

from __future__ import annotations

import base64
import re
import struct
import sys
from array import array
from collections import deque
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from functools import partial
from reprlib import Repr
from typing import Any

import pytest
from asyncpg import BitString

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    SparseVector,
    TypesNotFoundError,
    Vector,
    VectorError,
    errors,
)
from asyncpg_vector._messages import shorten
from asyncpg_vector.testing import special_numbers
from tests.needs import needs_numpy, np, sparse
from tests.spec_types import SpecType, each_dense_type, each_numeric_type, each_type
from tests.test_inputs import in_a_file


class TorchLike:
    """A scalar whose dtype is not NumPy's."""

    dtype = object()


CHARACTERS = "w" if sys.version_info >= (3, 13) else "u"


class Raising:
    """Raises as PyTorch does for a complex tensor, or for one of several elements."""

    def __float__(self) -> float:
        raise RuntimeError("value cannot be converted to type double without overflow")

    __int__ = __float__


class LyingSequence:
    """Has two elements, and another length."""

    def __init__(self, length: int, elements: tuple[float, float] = (1.0, 2.0)) -> None:
        self.length = length
        self.elements = elements

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> float:
        return self.elements[index]


class Keyed:
    """A mapping that looks like a sequence."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, key: str) -> float:
        return {"a": 1.0}[key]


class Unsized(Keyed):
    """Has a `__len__` that raises, as an array without a dimension has."""

    def __len__(self) -> int:
        raise TypeError("len() of unsized object")


class Broken:
    """Has no repr, and is no number."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __float__(self) -> float:
        raise ValueError("broken")


class OneElement(list[float]):
    """A sequence that float() takes, as it takes an array of one element."""

    def __float__(self) -> float:
        return 2.0


NotAList = type("list", (), {"__repr__": lambda _: "[...]"})
"""A class that is called list, and is none."""


NO_ROWS = [
    (None, "expected a sequence of numbers, got NoneType None"),
    (1.5, "got float 1.5"),
    (Decimal(1), r"got Decimal Decimal\('1'\)"),
    ("[1]", r"got str '\[1\]'; from_text\(\) reads a text"),
    (
        b"\0\1",
        r'; memoryview\(data\).cast\("f"\) reads float32, from_binary\(\) a wire payload, from_float_base64\(\) base64$',
    ),
    (bytearray(2), "got bytearray"),
    (memoryview(b"\0\1"), "sequence of numbers, got memoryview <memory at .*> of format 'B'"),
    (memoryview(array("f", [1, 2, 3, 4])).cast("B").cast("f", [2, 2]), r"shape \(2, 2\)"),
    ({1, 2}, r"expected a sequence of numbers, got set \{1, 2\}"),
    (iter([1]), "got list_iterator"),
    (object(), "got object"),
    ([[1, 2]], r"got a nested sequence: list \[1, 2\] at index 0"),
    ([(1, 2), (3, 4)], "got a nested sequence: tuple"),
    ([Vector([1])], "got a nested sequence: Vector"),
    ([{}], "got a nested sequence: dict"),
    ([1, [2]], r"number at index 1, got list \[2\]"),
    ([1, None], "number at index 1, got NoneType None"),
    ([1, "2"], "number at index 1, got str '2'"),
    (["1"], "number at index 0, got str '1'"),
    ([b"1", 2], "number at index 0, got bytes b'1'"),
    ([1, 2, 1j], "number at index 2, got complex 1j"),
    ([1, Broken()], r"number at index 1, got Broken <Broken \.\.\.>$"),
    ([1, Raising()], "number at index 1, got Raising"),
    ([1, OneElement()], "number at index 1, got OneElement"),
    (NotAList(), r"got list \[\.\.\.\]"),
    ([1, datetime(2026, 1, 1, tzinfo=UTC)], "number at index 1, got datetime"),
    (array(CHARACTERS, "ab"), "number at index 0, got str 'a'"),
    *(
        (LyingSequence(length), r"expected numbers, as many as len\(\) says, got LyingSequence")
        for length in (1, 3)
    ),
    (Keyed(), "expected a sequence, got Keyed"),
    (Unsized(), "expected a sequence, got Unsized"),
]
if np:
    NO_ROWS += [
        (np.float32(1.5), rf"got float32 {re.escape(repr(np.float32(1.5)))}"),
        (np.array(1.0), r"shape \(\)"),
        (np.array([[1.0, 2.0]]), r"one dimension, got an array of shape \(1, 2\)"),
        (np.array([["a"]]), "one dimension"),
        ([np.array([1.0])], "got a nested sequence: ndarray"),
        ([1, np.str_("2")], "number at index 1, got str_"),
        (np.array([1, 2j]), "expected numbers, got an array of complex128"),
        (np.array(["1"]), f"expected numbers, got an array of {np.dtype('U1')}"),
        (np.array([b"1"]), "expected numbers, got an array of .S1"),
        (np.array(["2026-01-01"], "M8[ns]"), r"expected numbers, got an array of datetime64\[ns\]"),
        (np.array([5], "m8[ns]"), r"expected numbers, got an array of timedelta64\[ns\]"),
        ([1, np.complex64(1 + 2j)], "number at index 1, got complex64"),
        ([3.0, 2, np.complex64(1 + 2j)], "number at index 2, got complex64"),
        (np.array([1, np.complex64(1 + 2j)], object), "number at index 1, got complex64"),
        ([np.datetime64(5, "ns")], "number at index 0, got datetime64"),
        ([1.0, np.timedelta64(5, "ns")], "number at index 1, got timedelta64"),
        ([1.0, np.array("2")], r"number at index 1, got ndarray array\('2'"),
        ([1.0, np.void(b"2222")], "number at index 1, got void"),
        ([1.0, np.array([2.0])], "number at index 1, got ndarray"),
        (np.void(b"1234"), "sequence of numbers, got void"),
        (np.ma.array(b"12"), "sequence of numbers, got MaskedArray"),
        (np.ma.array(b"12", object), "expected numbers, got bytes"),
        (
            np.ma.array(["2026-01-01"], "M8[ns]"),
            r"expected numbers, got an array of datetime64\[ns\]",
        ),
        (memoryview(np.array([1 + 2j])), "got memoryview <memory at .*> of format 'Zd'"),
        (np.array([1, None]), "number at index 1, got NoneType None"),
        (np.array([(1, 2)], "f4,f4"), "expected numbers, got an array of"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), "number at index 1, got NoneType None"),
        (
            np.ma.masked_array(in_a_file([1.0, 2.0], "f4"), [False, True]),
            "number at index 1, got NoneType None",
        ),
        (
            in_a_file([1.0, 2.0], "f4").reshape(1, 2),
            r"one dimension, got an array of shape \(1, 2\)",
        ),
        (np.datetime64("2026-01-01"), "sequence of numbers, got datetime64"),
    ]


@pytest.mark.parametrize(("row", "message"), NO_ROWS, ids=lambda case: f"{type(case).__name__}")
@each_numeric_type
def test_no_row_of_numbers(type_: SpecType, row: Any, message: str) -> None:
    with pytest.raises(InvalidTypeError, match=message):
        type_.value_class(row)
    if not isinstance(row, str):
        with pytest.raises(InvalidTypeError, match=message):
            type_.encode(row)


@each_dense_type
def test_a_dict_is_no_row(type_: SpecType) -> None:
    with pytest.raises(InvalidTypeError, match="sequence of numbers, got dict {0: 1}"):
        type_.value_class({0: 1})


NAN, INF = float("nan"), float("inf")


WAYS = [list, tuple]
if np:
    WAYS += [np.array, *(partial(np.array, dtype=dtype) for dtype in ("f4", "f2", ">f2"))]


@each_numeric_type
def test_a_released_buffer(type_: SpecType) -> None:
    view = memoryview(array("f", [1, 2]))
    view.release()
    with pytest.raises(InvalidValueError, match="expected numbers, got memoryview .*: .*released"):
        type_.value_class(view)


@pytest.mark.parametrize("wrap", WAYS)
@pytest.mark.parametrize("bad", [NAN, -NAN, INF, -INF])
@each_numeric_type
def test_not_finite(type_: SpecType, bad: float, wrap: Any) -> None:
    with pytest.raises(InvalidValueError, match=f"number at index 2, got .*{bad}"):
        type_.value_class(wrap([1, 2, bad, 4]))


TOO_LARGE: dict[str, list[Any]] = {
    "float32": [3.4028235677973366e38, -1e39, 1e308, 10**40, 10**400, 10**5000, Decimal("1e400")],
    "float16": [65520.0, -65520, 1e6, 1e308, 10**400, 10**5000, Decimal("-1e400")],
    "float64": [10**400, 10**5000, Decimal("-1e400")],
    "bfloat16": [3.3961775292304957e38, -1e39, 10**400, Decimal("1e400")],
    "int8": [128, -129, 1e3, 10**400],
    "uint8": [256, -1, 1e3, 10**400],
    "int16": [32768, -32769, 1e5, 10**400],
    "uint16": [65536, -1, 1e5, 10**400],
    "int32": [2**31, -(2**31) - 1, 1e10, 10**400],
    "uint32": [2**32, -1, 1e10, 10**400],
}
LARGEST = {"float32": 3.4028234663852886e38, "float16": 65504}


@each_numeric_type
def test_overflow(type_: SpecType) -> None:
    format_ = type_.model.element.format
    for number in TOO_LARGE[format_]:
        with pytest.raises(InvalidValueError, match=f"number that fits {format_} at index 1, got"):
            type_.value_class([1, number])
    if type_.model.element.python_type == "float":
        with pytest.raises(InvalidValueError, match=r"got Decimal\('1E\+400'\)"):
            type_.value_class([Decimal("1e400")])
    ends = [number for number in special_numbers(type_.element_format) if number]
    assert type_.value_class(ends).to_list() == ends


@needs_numpy
@each_numeric_type
def test_overflow_of_an_array(type_: SpecType) -> None:
    format_ = type_.model.element.format
    with pytest.raises(InvalidValueError, match=rf"fits {format_} at index 1, got .*1e\+400"):
        type_.value_class(np.array(["1", "1e400"], "g"))
    if format_ != "float64":
        with pytest.raises(InvalidValueError, match=rf"fits {format_} at index 1, got 1e\+39"):
            type_.value_class(np.array([1, 1e39]))


def test_just_below_overflow_is_rounded_down() -> None:
    assert Vector([3.4028235677973362e38])[0] == LARGEST["float32"]
    assert HalfVector([65519.999])[0] == LARGEST["float16"]


@each_dense_type
def test_dimensions(type_: SpecType) -> None:
    most = type_.model.max_dimensions
    for row in ([], (), range(0), *([np.array([])] if np else [])):
        with pytest.raises(InvalidValueError, match=f"1 to {most} dimensions for {type_}, got 0"):
            type_.value_class(row)
    large = [[0] * (most + 1), SparseVector({}, most + 1)]
    if np:
        large += [np.zeros(most + 1)]
    for row in large:
        with pytest.raises(
            InvalidValueError, match=f"1 to {most} dimensions for {type_}, got {most + 1}"
        ):
            type_.value_class(row)
    assert len(type_.value_class([0] * most)) == most


def test_a_wide_sparse_value_is_not_written_out_to_be_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SparseVector, "to_list", None)
    with pytest.raises(InvalidValueError, match="got 1000000000"):
        Vector(SparseVector({}, 1_000_000_000))


NO_SPARSE = [
    (
        ({0: 1},),
        InvalidTypeError,
        r"dimensions beside dict {0: 1}: write SparseVector\({...}, dimensions\)",
    ),
    (([1, 2], 2), InvalidTypeError, r"dimensions beside a dict only, got list \[1, 2\]"),
    ((SparseVector([1]), 1), InvalidTypeError, "dimensions beside a dict only"),
    (({0: 1}, "3"), InvalidTypeError, "whole number of dimensions, got str '3'"),
    (({0: 1}, 3.0), InvalidTypeError, "whole number of dimensions, got float 3.0"),
    (({0.0: 1}, 3), InvalidTypeError, r"whole number for indices\[0\], got float 0.0"),
    (({"0": 1}, 3), InvalidTypeError, r"whole number for indices\[0\], got str '0'"),
    (({None: 1}, 3), InvalidTypeError, r"whole number for indices\[0\], got NoneType"),
    (({0: "1"}, 3), InvalidTypeError, "number at index 0, got str '1'"),
    (({0: 1, 2: None}, 3), InvalidTypeError, "number at index 2, got NoneType"),
    (({1: [1]}, 3), InvalidTypeError, "nested sequence|number at index 1, got list"),
    (({}, 0), InvalidValueError, "1 to 1000000000 dimensions for sparsevec, got 0"),
    (({}, -1), InvalidValueError, "got -1"),
    (({}, 1_000_000_001), InvalidValueError, "got 1000000001"),
    (({}, 2**70), InvalidValueError, "dimensions"),
    (({}, 10**5000), InvalidValueError, "dimensions"),
    (({10**5000: 1}, 5), InvalidValueError, "indices from 0 to 4"),
    (({3: 1}, 3), InvalidValueError, "indices from 0 to 2, got 3"),
    (({3: 0}, 3), InvalidValueError, "indices from 0 to 2, got 3"),
    (({-1: 1}, 3), InvalidValueError, "indices from 0 to 2, got -1"),
    (({2**70: 1}, 3), InvalidValueError, "indices from 0 to 2"),
    (({7: NAN}, 9), InvalidValueError, "finite number at index 7, got nan"),
    (({7: 1e39}, 9), InvalidValueError, "fits float32 at index 7, got 1e[+]39"),
    ((dict.fromkeys(range(16001), 1), 16001), InvalidValueError, "non-zero .*, got 16001$"),
    (
        ([1] * 16001,),
        InvalidValueError,
        "0 to 16000 non-zero elements for sparsevec, got 16001 up",
    ),
]
if np:
    NO_SPARSE += [
        ((sparse.coo_array(np.eye(2)),), InvalidTypeError, r"one sparse row, got .* \(2, 2\)"),
        ((sparse.coo_array(np.ones((3, 1))),), InvalidTypeError, r"shape \(3, 1\)"),
        ((sparse.coo_array([[1j]]),), InvalidTypeError, "number at index 0, got complex"),
        ((sparse.coo_array([[0, NAN]]),), InvalidValueError, "finite number at index 1"),
    ]


@pytest.mark.parametrize(("arguments", "error", "message"), NO_SPARSE)
def test_no_sparse_value(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SparseVector(*arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 1], [1], 3), InvalidValueError, "for each index, got 2 indices, 1 values"),
        (([1, 0, 1], [1, 2, 3], 3), InvalidValueError, "distinct indices, got 1 twice"),
        (([1, 1], [0, 2], 3), InvalidValueError, "distinct indices, got 1 twice"),
        (([0, 3], [1, 1], 3), InvalidValueError, "indices from 0 to 2, got 3"),
        (([0, 5, 6, 7], [1, 1, 1, 1], 3), InvalidValueError, "indices from 0 to 2, got 7"),
        (([1.0], [1], 3), InvalidTypeError, r"whole number for indices\[0\], got float 1.0"),
        ((0, [1], 3), InvalidTypeError, "sequence of numbers, got int 0"),
        (([[0]], [1], 3), InvalidTypeError, "nested sequence"),
        (([2, 0], [1, INF], 3), InvalidValueError, "finite number at index 0, got inf"),
        (([2, 1, 0], LyingSequence(3), 3), InvalidTypeError, r"len\(\) says, got LyingSequence"),
        *(
            [
                ((np.array([1.0]), [1], 3), InvalidTypeError, r"indices\[0\], got float 1.0$"),
                (([1], np.array([NAN]), 3), InvalidValueError, "at index 1, got nan$"),
            ]
            if np
            else []
        ),
    ],
)
def test_no_coordinates(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SparseVector.from_coo(*arguments)


@pytest.mark.parametrize("length", [65_536, 2 * 65_536])
def test_a_long_row_with_more_elements_than_it_says(length: int) -> None:
    """The row is read in pieces; elements after its length are noticed."""

    class Liar(list[int]):
        def __len__(self) -> int:
            return length

    with pytest.raises(InvalidTypeError, match=r"as many as len\(\) says, got Liar"):
        SparseVector(Liar([0] * (length + 1)))
    assert SparseVector(Liar([0] * length)).dimensions() == length


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (array("d", range(100)), "array('d', [0.0, 1.0, 2.0, 3.0, 4.0, ...])"),
        (deque(range(100)), "deque([0, 1, 2, 3, 4, 5, ...])"),
        (10**5000, "..."),
        ([1, -(10**5000)], "[1, ...]"),
        (Fraction(10**5000), "<Fraction ...>"),
        (type("Long", (int,), {})(10**5000), "<Long ...>"),
        (type("list", (list,), {})(range(30)), "[0, 1, 2, 3, ...6, 27, 28, 29]"),
    ],
    ids=["array", "deque", "int", "list of int", "Fraction", "subclass of int", "called list"],
)
def test_messages_are_short(value: Any, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shorten(value) == shown
    monkeypatch.setattr(Repr, "repr_int", repr_int_late)
    assert shorten(value) == shown


def repr_int_late(_: Repr, x: int, level: int) -> str:  # noqa: ARG001
    """Show the address of an int that has no repr, as later Pythons do instead of raising."""
    try:
        return repr(x)
    except ValueError:
        return f"<int instance at 0x{id(x):x}>"


@each_type
def test_encoders_refuse_values_of_other_classes(type_: SpecType) -> None:
    name = type_.value_class.__name__
    for value in (Vector([1]), HalfVector([1]), SparseVector([1]), Bit("1")):
        if not isinstance(value, type_.value_class):
            message = f"expected a {name} for {type_}, got a {type(value).__name__}; (.*)"
            with pytest.raises(InvalidTypeError, match=message) as caught:
                type_.encode(value)
            advice = str(caught.value).rpartition("; ")[2]
            if type_.model.layout == "bits":
                assert advice == "binary_quantize() makes bits of it in SQL"
            else:
                written = advice.removeprefix("to convert it, write ")
                assert eval(written, {name: type_.value_class, "value": value}).to_list() == [1]


@pytest.mark.parametrize(
    "number", [0.5, True, *([np.float32(1), np.True_] if np else [])], ids=repr
)
@each_type
def test_a_lone_number_says_how_to_bind_an_array(type_: SpecType, number: object) -> None:
    cure = rf"write \[{type_.value_class.__name__}\(row\) for row in rows\]$"
    with pytest.raises(InvalidTypeError, match=cure):
        type_.encode(number)


class Index:
    """An object that ``bytes()`` takes as it takes NumPy's integers, and no bool."""

    def __index__(self) -> int:
        return 1

    def __radd__(self, _other: object) -> Index:
        return self


class OnlyArray:
    """Becomes an ndarray and nothing else."""

    def __init__(self, array_: Any) -> None:
        self.array = array_

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.array


NO_BITS = [
    ([48, 49], InvalidValueError, "0 or 1 at index 0, got int 48"),  # the codes of digits
    ([Index()], InvalidTypeError, "0 or 1 at index 0, got Index"),
    (None, InvalidTypeError, "got NoneType"),
    (5, InvalidTypeError, "got int 5"),
    ("102", MalformedTextError, "digits 0 and 1, got '2' at index 2"),
    ("1_0", MalformedTextError, "got '_' at index 1"),
    ("0b1", MalformedTextError, "got 'b' at index 1"),
    (" 1", MalformedTextError, "got ' ' at index 0"),
    ("\N{FULLWIDTH DIGIT ONE}", MalformedTextError, "at index 0"),
    ([1, 2], InvalidValueError, "bool, 0 or 1 at index 1, got int 2"),
    ([True, -1], InvalidValueError, "bool, 0 or 1 at index 1, got int -1"),
    ([1, 0.0], InvalidTypeError, "bool, 0 or 1 at index 1, got float 0.0"),
    (["1"], InvalidTypeError, "bool, 0 or 1 at index 0, got str '1'"),
    ([None], InvalidTypeError, "bool, 0 or 1 at index 0, got NoneType"),
    (LyingSequence(1, (1, 0)), InvalidTypeError, r"as many as len\(\) says, got LyingSequence"),
    (LyingSequence(3, (1, 0)), InvalidTypeError, r"as many as len\(\) says, got LyingSequence"),
    ([[1]], InvalidTypeError, "nested"),
    ({0: 1}, InvalidTypeError, "got dict"),
    (Vector([1]), InvalidTypeError, r"got a Vector; binary_quantize\(\) makes bits"),
    (memoryview(b"\1"), InvalidTypeError, "sequence of bools, got memoryview"),
    ([TorchLike()], InvalidValueError, "bool, 0 or 1 at index 0, got TorchLike"),
    ([0.5, 10**400], InvalidTypeError, "bool, 0 or 1 at index 0, got float 0.5"),
    ([Decimal("sNaN")], InvalidTypeError, "bool, 0 or 1 at index 0, got Decimal"),
]
if np:
    NO_BITS += [
        ([np.float32(1)], InvalidTypeError, "bool, 0 or 1 at index 0, got float32"),
        (np.array([1.0, 0.0]), InvalidTypeError, "bool, 0 or 1 at index 0, got float 1.0"),
        (np.array([1, 7], np.uint8), InvalidValueError, "bool, 0 or 1 at index 1, got int 7"),
        (np.array([0, 2], np.uint8), InvalidValueError, "bool, 0 or 1 at index 1, got int 2"),
        (np.array([0, 7], np.uint8), InvalidValueError, "bool, 0 or 1 at index 1, got int 7"),
        (np.array([[True]]), InvalidTypeError, "one dimension"),
        (
            np.array([0, 1], "m8[ns]"),
            InvalidTypeError,
            "expected bools, got an array of timedelta64",
        ),
        (np.bool_(1), InvalidTypeError, "sequence of bools, got bool"),
        ([1, np.array([1])], InvalidTypeError, "bool, 0 or 1 at index 1, got ndarray"),
        ([1, np.array([1, 0])], InvalidTypeError, "bool, 0 or 1 at index 1, got ndarray"),
        (np.void(b"\1\0\1"), InvalidTypeError, "sequence of bools, got void"),
        (OnlyArray(np.array([0.5])), InvalidTypeError, "bool, 0 or 1 at index 0, got float 0.5;"),
    ]


@pytest.mark.parametrize(("flags", "error", "message"), NO_BITS)
def test_no_bits(flags: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Bit(flags)


def test_spare_bytes_of_a_bitstring_are_not_bits() -> None:
    assert Bit(BitString.frombytes(b"\xff", 3)).to_binary() == bytes.fromhex("00000003e0")


NO_BASE64 = [
    (5, InvalidTypeError, "base64 as str or bytes, got int 5"),
    (None, InvalidTypeError, "got NoneType"),
    ("", InvalidValueError, "dimensions for vector, got 0"),
    ("AACAP", MalformedTextError, "expected base64, got str 'AACAP': "),
    ("AACAPw", MalformedTextError, "padding"),
    ("AACAPw=", MalformedTextError, "padding"),
    ("AACAPx==", MalformedTextError, "no more"),  # the last four bits are spare, and not zero
    ("AACAPw==\n", MalformedTextError, r"no more, got str 'AACAPw==\\n'"),
    ("AACA Pw==", MalformedTextError, "no more"),
    ("AACA\nPw==", MalformedTextError, "no more"),
    ("AAD_fw==", MalformedTextError, "expected base64"),
    ("AACAPw==AACAPw==", MalformedTextError, "expected base64"),
    ("\N{FULLWIDTH DIGIT ONE}ACAPw==", MalformedTextError, "expected base64"),
    ("AACA", MalformedTextError, "4 bytes each, got one of 3 bytes"),
    ("AADAfw==", InvalidValueError, "finite number at index 0, got nan"),
    ("AACAPwAAgH8=", InvalidValueError, "finite number at index 1, got inf"),
    ("AAAA" * 85336, InvalidValueError, "1 to 16000 dimensions"),
]


@pytest.mark.parametrize(("text", "error", "message"), NO_BASE64, ids=range(len(NO_BASE64)))
def test_no_base64(text: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Vector.from_float_base64(text)


@each_dense_type
def test_base64_of_halves(type_: SpecType) -> None:
    """They pass for half as many float32, unless the caller gives the number of dimensions."""
    halves = base64.b64encode(struct.pack("<4e", 1, 2, 3, 4))
    expected = (
        "^expected base64 of 4 dimensions in float32, 4 bytes each, got 2 dimensions in 8 bytes"
    )
    with pytest.raises(InvalidValueError, match=expected):
        type_.value_class.from_float_base64(halves, dimensions=4)


@pytest.mark.parametrize(
    ("dimensions", "error", "message"),
    [
        (0, InvalidValueError, "of 0 dimensions"),
        (-1, InvalidValueError, "of -1 dimensions"),
        (10**30, InvalidValueError, f"of {10**30} dimensions"),
        (2.0, InvalidTypeError, "expected a whole number of dimensions, got float 2.0"),
        ("2", InvalidTypeError, "expected a whole number of dimensions, got str '2'"),
    ],
)
def test_base64_with_a_wrong_number_of_dimensions(
    dimensions: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Vector.from_float_base64(Vector([1, 2]).to_float_base64(), dimensions=dimensions)


@each_type
def test_what_is_no_buffer_is_no_payload(type_: SpecType) -> None:
    """Of a number, `bytes` would make so many zeros, and of a list, a byte of each number."""
    for read in (type_.value_class.decode, type_.value_class.from_binary):
        for wrong in (2**40, [0, 1, 0, 0], "0", None):
            with pytest.raises(InvalidTypeError, match="^expected a wire payload, got "):
                read(wrong)


def test_base64_that_overflows_a_half() -> None:
    with pytest.raises(InvalidValueError, match="fits float16 at index 1, got 70000.0"):
        HalfVector.from_float_base64(Vector([1, 70000]).to_float_base64())


def test_errors_are_the_packages_and_the_builtin_ones() -> None:
    """``except`` catches each error by its class, as a VectorError, and as the built-in error."""
    bases = {
        "VectorError": (Exception,),
        "InvalidTypeError": (VectorError, TypeError),
        "InvalidValueError": (VectorError, ValueError),
        "MalformedTextError": (InvalidValueError,),
        "MalformedWireError": (InvalidValueError,),
        "SettingsNotFoundError": (VectorError, LookupError),
        "TypesNotFoundError": (VectorError, LookupError),
        "ExtensionNotFoundError": (TypesNotFoundError,),
    }
    assert {name: getattr(errors, name).__bases__ for name in errors.__all__} == bases


@each_type
def test_a_size_is_for_a_column(type_: SpecType) -> None:
    """`Vector(8)` is what pgvector-python calls a column type."""
    what = "bools" if type_.model.layout == "bits" else "numbers"
    column_type = f"asyncpg_vector.sqlalchemy.{type_.sql_name.upper()}(8)"
    with pytest.raises(InvalidTypeError) as raised:
        type_.value_class(8)
    assert str(raised.value) == (
        f"expected a sequence of {what}, got int 8; the column type of SQLAlchemy is {column_type}"
    )
    with pytest.raises(InvalidTypeError, match=r"got NoneType None$"):
        type_.value_class(None)


@each_type
def test_a_size_for_a_class_of_another_package(type_: SpecType) -> None:
    own = type("Own", (type_.value_class,), {})
    with pytest.raises(InvalidTypeError, match=rf" is {type_.sql_name.upper()}\(8\)$"):
        own(8)
