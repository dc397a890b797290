"""Inputs from which the classes make values."""

from __future__ import annotations

import base64
import ctypes
import pickle
import struct
import tempfile
from array import array
from collections import UserList, deque
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from asyncpg import BitString
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import Bit, HalfVector, InvalidValueError, SparseVector, Vector, _numpy
from asyncpg_vector._numpy import is_ndarray, loaded_numpy
from asyncpg_vector.runtime.formats import FLOAT32
from tests.needs import needs_numpy, np, sparse, without_numpy
from tests.spec_types import (
    SpecType,
    each_dense_type,
    each_dense_type_to_limits,
    each_numeric_type,
    numbers,
)


class Tensor:
    """Becomes a list, as a PyTorch tensor does; ``__array__`` fails, as that of a tensor on a GPU."""

    def __init__(self, numbers: list[Any]) -> None:
        self.numbers = numbers

    def __array__(self) -> Any:
        raise TypeError("not on this device")

    def tolist(self) -> list[Any]:
        return self.numbers


class OnlyArray:
    """Becomes an ndarray and nothing else."""

    def __init__(self, array_: Any) -> None:
        self.array = array_

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.array if dtype is None else self.array.astype(dtype)


class OnlySequence:
    """Has the methods of a sequence, but is no subclass of Sequence."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> float:
        return [1.0, 2.0, 3.0][index]


def in_a_file(row: list[Any], dtype: str) -> Any:
    """An ndarray whose elements are in a file."""
    with tempfile.TemporaryFile() as file:  # the array keeps it open
        mapped = np.memmap(file, dtype, "w+", shape=len(row))
    mapped[:] = row
    return mapped


ROWS_OF_1_2_3 = [
    [1, 2, 3],
    [1.0, 2, Decimal(3)],
    [True, 2, 3],
    (1, 2, 3),
    range(1, 4),
    deque([1, 2, 3]),
    UserList([1, 2, 3]),
    OnlySequence(),
    Tensor([1.0, 2.0, 3.0]),
    *[array(code, [1, 2, 3]) for code in "bBhHiIlLqQfd"],
    (ctypes.c_float * 3)(1, 2, 3),
    (ctypes.c_double * 3)(1, 2, 3),
    (ctypes.c_float.__ctype_be__ * 3)(1, 2, 3),
    (ctypes.c_float.__ctype_le__ * 3)(1, 2, 3),
    memoryview(array("f", [1, 2, 3])),
    *[memoryview(array(code, [1, 2, 3])) for code in "hHiIlLqQ"],
    (ctypes.c_int * 3)(1, 2, 3),
    (ctypes.c_ubyte * 3)(1, 2, 3),
    memoryview(array("d", [1, 0, 2, 0, 3, 0]))[::2],
    Vector([1, 2, 3]),
    HalfVector([1, 2, 3]),
    SparseVector([1, 2, 3]),
]
if np:
    ROWS_OF_1_2_3 += [
        [Fraction(1), np.float32(2), np.int8(3)],
        [np.array(1.0), np.array(2.0), np.array(3.0)],
        OnlyArray(np.array([1.0, 2.0, 3.0])),
        memoryview(np.array([1, 2, 3], ">f4")),
        memoryview(np.array([1, 2, 3], "<i8")),
        *[np.array([1, 2, 3], dtype) for dtype in "bBhHiIlLqQefdg"],
        *[np.array([1, 2, 3], order + kind) for order in "<>" for kind in ("f2", "f4", "f8", "i4")],
        np.array([1, 0, 2, 0, 3, 0])[::2],
        np.array([3.0, 2.0, 1.0])[::-1],
        np.array([1, 2, 3], object),
        np.ma.masked_array([1, 2, 3]),
        np.ma.masked_array(in_a_file([1, 2, 3], "f4")),
        *[in_a_file([1, 2, 3], dtype) for dtype in ("<f2", ">f4", "<f4", "<f8", "<i4")],
        in_a_file([3, 0, 2, 0, 1], "f4")[::-2],
        np.array([1, 2, 3]).view(type("Unknown", (np.ndarray,), {})),
        sparse.coo_array(np.array([[1.0, 2.0, 3.0]])),
    ]


@pytest.mark.parametrize(
    "row",
    ROWS_OF_1_2_3,
    ids=lambda row: f"{type(row).__name__} {getattr(row, 'format', row)!s:.25}",
)
@each_numeric_type
def test_one_row(type_: SpecType, row: Any) -> None:
    if np and sparse.issparse(row) and type_.model.layout == "dense":
        row = row.toarray()[0]
    value = type_.value_class(row)
    assert value.to_list() == [1, 2, 3]
    if not isinstance(row, (Vector, HalfVector, SparseVector)) or isinstance(
        row, type_.value_class
    ):
        assert type_.encode(row) == value.to_binary()


class PyBuffer(ctypes.Structure):
    """CPython's ``Py_buffer``, which describes the contents of memory."""

    _fields_ = (
        ("buf", ctypes.c_char_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    )


@pytest.mark.parametrize("code", "efdhilqHILQ")
@pytest.mark.parametrize("order", ["", *"@=<>!"])
def test_a_buffer_of_any_byte_order_and_width(order: str, code: str) -> None:
    """An exporter in C may name any of these formats; ctypes and NumPy name only some."""
    form, packed = order + code, struct.pack(f"{order}3{code}", 1, 2, 3)
    width = struct.calcsize(form)
    shape, strides = (ctypes.c_ssize_t * 1)(3), (ctypes.c_ssize_t * 1)(width)
    buffer = PyBuffer(packed, None, len(packed), width, 1, 1, form.encode(), shape, strides)
    from_buffer = ctypes.pythonapi.PyMemoryView_FromBuffer
    from_buffer.restype = ctypes.py_object
    view = from_buffer(ctypes.byref(buffer))
    assert view.format == form
    assert Vector(view) == Vector([1, 2, 3])


OTHER_NUMBERS = [
    (2**60 + 2**36 + 1, 2.0**60),
    (Decimal("1.0000000596046447753906251"), 1.0),
    (Fraction(2**54 + 2**30 + 1, 2**54), 1.0),
]


@pytest.mark.parametrize(("number", "element"), OTHER_NUMBERS)
def test_other_numbers_become_floats_first(number: Any, element: float) -> None:
    """As docs/promises.md says. Rounded once, each number would become the next float32."""
    assert Vector([number]).to_list() == [element]


def test_values_of_the_same_class_are_taken_as_they_are() -> None:
    for value in (Vector([1]), SparseVector([1]), Bit("1")):
        assert type(value)(value) is value


@needs_numpy
@each_dense_type
@given(data=st.data())
def test_an_array_narrows_as_its_list_does(type_: SpecType, data: st.DataObject) -> None:
    """For every dtype, byte order and stride, both give the same bits, or the same error."""
    from hypothesis.extra import numpy as st_numpy

    dtypes = st.one_of(st_numpy.floating_dtypes(), st_numpy.integer_dtypes())
    array_ = data.draw(st_numpy.arrays(dtypes, st.integers(1, 20)))
    step = data.draw(st.sampled_from([1, 2, -1, -3]))

    def attempt(row: Any) -> Any:
        try:
            return type_.value_class(row).to_binary()
        except (TypeError, ValueError) as error:
            return type(error), str(error)

    assert attempt(array_[::step]) == attempt(array_[::step].tolist())


@needs_numpy
@each_dense_type
def test_large_integers_narrow_alike(type_: SpecType) -> None:
    """The integer is one above half-way between two float32; a double rounds it to half-way."""
    above_half_way = 2**60 + 2**36 + 1
    for number in (above_half_way, -above_half_way):
        rows = [[number], np.array([number]), np.array([number], np.longdouble)]
        if getattr(type_.element_format, "largest", 0) > above_half_way:
            assert len({type_.value_class(row).to_binary() for row in rows}) == 1
        else:
            for row in rows:
                with pytest.raises(ValueError, match="fits"):
                    type_.value_class(row)


@needs_numpy
@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_narrowing_is_to_the_nearest(number: float) -> None:
    """Ties go to even. NumPy's conversion, which rounds once, is the independent answer."""
    with np.errstate(over="ignore"):
        for value_class, dtype in ((Vector, np.float32), (HalfVector, np.float16)):
            nearest = float(dtype(number))
            if np.isfinite(nearest):
                assert repr(value_class([number])[0]) == repr(nearest)
            else:
                with pytest.raises(ValueError, match="fits"):
                    value_class([number])


@needs_numpy
@pytest.mark.parametrize("scalar", ["float16", "float32", "float64"])
def test_a_scalar_is_a_number(scalar: str) -> None:
    assert Vector([getattr(np, scalar)(0.5)] * 2).to_list() == [0.5, 0.5]


SPARSE = SparseVector({1: 1.5, 3: -2}, 5)
DENSE_ROW = [0, 1.5, 0, -2, 0]


SPARSE_ARGUMENTS: list[tuple[Any, ...]] = [
    ({3: -2, 1: 1.5}, 5),
    ({1: 1.5, 3: -2, 4: 0}, 5),
    ({1: 1.5, 3: -2, 2: 1e-50, 0: -0.0}, 5),
    (DENSE_ROW,),
    (Vector(DENSE_ROW),),
]
COORDINATES: list[tuple[Any, Any]] = [
    ([3, 1], [-2, 1.5]),
    (array("i", [3, 1]), array("f", [-2, 1.5])),
]
if np:
    SPARSE_ARGUMENTS += [
        ({np.int64(1): np.float32(1.5), 3: Decimal(-2)}, np.int16(5)),
        (np.array(DENSE_ROW, ">f8"),),
        *[
            (getattr(sparse, f"{kind}_{container}")(np.array([DENSE_ROW])),)
            for kind in ("coo", "csr", "csc", "dok", "lil", "bsr", "dia")
            for container in ("array", "matrix")
        ],
        (sparse.coo_array(np.array(DENSE_ROW)),),
        (sparse.coo_array(([1, 0.5, -2], ([0, 0, 0], [1, 1, 3])), shape=(1, 5)),),
    ]
    COORDINATES += [(np.array([3, 1]), np.array([-2, 1.5]))]


@pytest.mark.parametrize("arguments", SPARSE_ARGUMENTS)
def test_sparse(arguments: tuple[Any, ...]) -> None:
    """In SciPy's coordinate format, repeated coordinates add up."""
    assert SparseVector(*arguments).to_binary() == SPARSE.to_binary()


@pytest.mark.parametrize(("indices", "values"), COORDINATES)
def test_from_coo(indices: Any, values: Any) -> None:
    assert SparseVector.from_coo(indices, values, 5).to_binary() == SPARSE.to_binary()


@pytest.mark.parametrize("of", [list, tuple, *([np.array] if np else [])])
def test_sparse_of_a_long_row(of: Any) -> None:
    """The row is read in pieces. Elements at the ends of pieces and of the row are found."""
    elements = {0: -1.5, 65_535: 2.0, 65_536: 3.0, 100_000: 4.0, 131_073: 5.0, 199_999: 6.0}
    row = [elements.get(index, 0.0) for index in range(200_000)]
    assert SparseVector(of(row)).to_dict() == elements
    row[150_000] = float("nan")
    with pytest.raises(InvalidValueError, match="finite number at index 150000, got nan"):
        SparseVector(of(row))


def test_sparse_of_another_sparse_class() -> None:
    class Other(SparseVector):
        """Another sparse class, as of a type with another element format."""

    value = SparseVector(Other({1: 1.5, 3: -2}, 5))
    assert type(value) is SparseVector
    assert value.to_binary() == SPARSE.to_binary()


@needs_numpy
def test_a_scipy_array_is_left_as_it_was() -> None:
    row = sparse.coo_array(([1, 0.5], ([0, 0], [1, 1])), shape=(1, 5))
    SparseVector(row)
    assert row.nnz == 2


@needs_numpy
def test_sparse_to_coo() -> None:
    row = SPARSE.to_coo()
    assert row.shape == (1, 5)
    assert row.dtype == np.float32
    assert row.toarray().tolist() == [DENSE_ROW]


FLAGS = [1, 0, 1, 1, 0, 0, 0, 0, 1]
ROWS_OF_FLAGS = [
    "101100001",
    [bool(flag) for flag in FLAGS],
    tuple(FLAGS),
    array("b", FLAGS),
    (ctypes.c_bool * 9)(*FLAGS),
    Tensor([bool(flag) for flag in FLAGS]),
    BitString("101100001"),
]
if np:
    ROWS_OF_FLAGS += [
        [np.True_, np.int8(0), np.uint64(1), True, 0, 0, False, 0, 1],
        np.array(FLAGS, bool),
        np.array(FLAGS, ">u2"),
        np.array([1, 9, 0, 9, 1, 9, 1, 9, 0, 9, 0, 9, 0, 9, 0, 9, 1])[::2],
        OnlyArray(np.array(FLAGS, bool)),
    ]


@pytest.mark.parametrize("flags", ROWS_OF_FLAGS)
def test_bit(flags: Any) -> None:
    value = Bit(flags)
    assert value.to_text() == "101100001"
    assert len(value) == 9
    assert Bit.encode(flags) == value.to_binary()


@pytest.mark.parametrize(
    "nothing", [[], "", b"", *([np.array([]), np.zeros(0, bool)] if np else [])]
)
def test_no_bits(nothing: Any) -> None:
    assert len(Bit(nothing)) == 0


def test_bit_of_another_bits_class() -> None:
    class Other(Bit):
        """Another class of bits, as of another type."""

    value = Bit(Other("101"))
    assert type(value) is Bit
    assert value == Bit("101")


def test_bit_from_bytes_takes_8_bits_each() -> None:
    assert Bit(b"\xb0\x01") == Bit(bytearray(b"\xb0\x01")) == Bit("1011000000000001")


@given(st.text("01"))
def test_bit_reads_out_as_asyncpg_has_it(digits: str) -> None:
    value = Bit(digits)
    assert value.to_list() == [digit == "1" for digit in digits]
    if np:
        assert value.to_numpy().tolist() == value.to_list()
        assert value.to_numpy().dtype == np.bool_
    assert value.to_bitstring().as_string().replace(" ", "") == digits
    assert Bit(value.to_bitstring()) == value


@needs_numpy
def test_underflow_is_no_error_under_any_errstate() -> None:
    with np.errstate(all="raise"):
        assert HalfVector(np.array([1e-10])) == HalfVector([1e-10]) == HalfVector([0])
        assert Vector(np.array([1e-50])) == Vector([np.float64(1e-50)]) == Vector([0])
        assert Vector([np.float32(3e38)] * 2) == Vector(np.array([3e38] * 2))
        assert Vector(np.array(["1e-400"], "g")) == Vector([0])
        with pytest.raises(InvalidValueError, match="fits float32 at index 0"):
            Vector(np.array(["1e400"], "g"))


def test_numpy_is_used_after_its_import_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """sys.modules has NumPy before it is complete; once found, it stays in use when it is hidden."""
    numpy = ModuleType("numpy")
    numpy.__spec__ = importing = SimpleNamespace(_initializing=True)  # as importlib does
    with without_numpy():
        assert loaded_numpy() is None
        monkeypatch.setitem(_numpy.sys.modules, "numpy", numpy)
        assert loaded_numpy() is None
        importing._initializing = False
        assert loaded_numpy() is numpy
        monkeypatch.delitem(_numpy.sys.modules, "numpy")
        assert loaded_numpy() is numpy


def test_numpy_is_used_without_importlibs_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = ModuleType("numpy")
    numpy.__spec__ = SimpleNamespace()
    with without_numpy():
        monkeypatch.setitem(_numpy.sys.modules, "numpy", numpy)
        assert loaded_numpy() is numpy


def test_numpy_is_none_in_sys_modules() -> None:
    with without_numpy(), mock.patch.dict(_numpy.sys.modules, {"numpy": None}):
        assert loaded_numpy() is None
        assert not is_ndarray([])


@needs_numpy
def test_plain_ndarrays() -> None:
    for known in ((), _numpy._plain_arrays):  # not cached, and cached
        with mock.patch.object(_numpy, "_plain_arrays", known):
            assert is_ndarray(np.zeros(1))
            assert is_ndarray(in_a_file([1.0], "f4"))
            assert not is_ndarray(np.ma.zeros(1))
            assert not is_ndarray(np.ma.array(in_a_file([1.0], "f4")))
            assert not is_ndarray(np.zeros(1).view(type("Unknown", (np.ndarray,), {})))
            assert not is_ndarray([1.0])


# Base64


def test_base64_is_little_endian_float32() -> None:
    """The bytes are typed by hand: 1.0 is 00 00 80 3f, -2.5 is 00 00 20 c0."""
    text = "AACAPwAAIMA="
    assert Vector.from_float_base64(text) == Vector([1, -2.5])
    assert HalfVector.from_float_base64(text.encode()) == HalfVector([1, -2.5])
    assert Vector([1, -2.5]).to_float_base64() == HalfVector([1, -2.5]).to_float_base64() == text


@each_dense_type_to_limits
@given(data=st.data())
def test_base64_round_trip(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    if type_.element_format.width <= FLOAT32.width:
        assert type_.value_class.from_float_base64(value.to_float_base64()) == value


@each_dense_type
def test_base64_with_the_number_of_dimensions(type_: SpecType) -> None:
    value = type_.value_class([1, 0, 3, 4])
    text = value.to_float_base64()
    assert type_.value_class.from_float_base64(text, dimensions=4) == value
    assert type_.value_class.from_float_base64(text, dimensions=None) == value
    with without_numpy():
        assert type_.value_class.from_float_base64(text, dimensions=4) == value


# Arrays


@needs_numpy
@each_numeric_type
def test_asarray(type_: SpecType) -> None:
    value = type_.value_class([1, 0, 3])
    assert np.asarray(value).dtype == np.dtype(type_.element_format.dtype)
    assert np.asarray(value).tolist() == [1, 0, 3]
    assert np.asarray(value, np.float64).dtype == np.float64
    assert value.__array__(np.longdouble).dtype == np.longdouble  # NumPy would correct it
    assert np.array(value).flags.writeable
    # NumPy 1 never passes copy=False.
    ask = value.__array__ if np.__version__ < "2" else partial(np.asarray, value)
    with pytest.raises(ValueError, match=f"^{type_.value_class.__name__} holds .* is a copy"):
        ask(copy=False)


@needs_numpy
@each_dense_type
def test_numpy_is_imported_when_asked_for(type_: SpecType) -> None:
    """When nothing has imported NumPy. test_package.py tests that it is not installed."""
    with mock.patch("asyncpg_vector.runtime.formats.loaded_numpy", return_value=None):
        assert type_.value_class([1, 2]).to_numpy().tolist() == [1, 2]


def test_values_pickle_across_protocols() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for value in (Vector([1]), SPARSE, Bit("101")):
            assert pickle.loads(pickle.dumps(value, protocol)) == value


def outcome(make: Any, argument: Any) -> Any:
    try:
        return make(argument)
    except (TypeError, ValueError) as error:
        return type(error), str(error)


@needs_numpy
@each_dense_type
@given(data=st.data())
def test_the_same_without_numpy(type_: SpecType, data: st.DataObject) -> None:
    """The package uses NumPy if it is loaded, with the same results."""
    cls = type_.value_class
    anything = st.one_of(st.floats(), st.integers(), st.just("x"), numbers(type_.model.element))
    row = data.draw(st.lists(st.one_of(numbers(type_.model.element), anything), min_size=1))
    wire = data.draw(st.binary(max_size=80))
    encoded = base64.b64encode(data.draw(st.binary(max_size=40)))

    def everything() -> list[Any]:
        return [
            outcome(type_.encode, row),
            outcome(lambda wire: cls.from_binary(wire).to_binary(), wire),
            outcome(lambda data: cls.from_float_base64(data).to_binary(), encoded),
        ]

    with_numpy = everything()
    with without_numpy():
        assert everything() == with_numpy


@needs_numpy
@each_dense_type_to_limits
@given(data=st.data())
def test_values_are_the_same_without_numpy(type_: SpecType, data: st.DataObject) -> None:
    value = data.draw(type_.values())
    text, row = value.to_text(), value.to_list()
    with without_numpy():
        assert value.to_text() == text
        assert value.to_list() == row
        assert type_.encode(row) == type_.encode(text) == value.to_binary()
