"""Arrays of formats that NumPy lacks, and the protocols of tensors and of arrays on other devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pgvector
import pytest

from asyncpg_vector import HalfVector, InvalidTypeError, SparseVector, Vector
from tests.holders.stubs import EagerTensor, OnDevice, OnlyDLPack, Tensor, Variable
from tests.spec_types import SpecType, each_dense_type

FORMATS = [
    *(
        ml_dtypes.bfloat16,
        ml_dtypes.float8_e4m3fn,
        ml_dtypes.float8_e5m2,
        ml_dtypes.float8_e4m3fnuz,
    ),
    *(ml_dtypes.float4_e2m1fn, ml_dtypes.int4, ml_dtypes.uint4),
]
each_format = pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.__name__)


@each_format
@each_dense_type
def test_a_format_that_numpy_lacks(type_: SpecType, format_: Any) -> None:
    cls, matrix = type_.value_class, np.array([[1, 0], [0.5, 2]]).astype(format_)
    exact = [[float(number) for number in row] for row in matrix]
    assert exact[0] == [1, 0]
    expected = [*map(cls, exact)]
    assert cls.from_matrix(matrix) == [cls(row) for row in matrix] == expected
    assert cls.from_matrix([*matrix]) == [cls([*row]) for row in matrix] == expected
    assert type_.encode(matrix[0]) == expected[0].to_binary()


def test_every_bfloat16_is_widened_exactly() -> None:
    bits = np.arange(1 << 16, dtype="u4")
    widened = (bits << 16).view("f4")
    kept = np.isfinite(widened)
    row = bits[kept].astype("u2").view(ml_dtypes.bfloat16)
    for part in range(0, len(row), 16_000):
        expected = widened[kept][part : part + 16_000]
        assert Vector(row[part : part + 16_000]).to_numpy().tobytes() == expected.tobytes()


def test_a_faulty_bfloat16() -> None:
    row = np.array([1, np.nan], ml_dtypes.bfloat16)
    with pytest.raises(ValueError, match="expected a finite number at index 1, got nan"):
        Vector(row)
    with pytest.raises(ValueError, match="row 0: expected a number that fits float16 at index 0"):
        HalfVector.from_matrix(np.array([[1e9]], ml_dtypes.bfloat16))


TENSORS: dict[str, Callable[[Any], Any]] = {
    "float32": Tensor,
    "float16": lambda numbers: Tensor(numbers, "float16"),
    "bfloat16": lambda numbers: Tensor(numbers, "bfloat16"),
    "float8": lambda numbers: Tensor(numbers, "float8_e4m3fn"),
    "requires_grad": lambda numbers: Tensor(numbers, requires_grad=True),
    "another device": lambda numbers: Tensor(numbers, device="cuda"),
    "all of these": lambda numbers: Tensor(numbers, "bfloat16", requires_grad=True, device="cuda"),
    "sparse": lambda numbers: Tensor(numbers, is_sparse=True),
    "sparse on another device": lambda numbers: Tensor(numbers, is_sparse=True, device="cuda"),
    "TensorFlow": lambda numbers: EagerTensor(np.array(numbers)),
    "TensorFlow's bfloat16": lambda numbers: EagerTensor(np.array(numbers, ml_dtypes.bfloat16)),
    "CuPy": lambda numbers: OnDevice(np.array(numbers)),
    "DLPack": lambda numbers: OnlyDLPack(np.array(numbers)),
    "bfloat16 of another array": lambda numbers: np.array(numbers, ml_dtypes.bfloat16).view(
        type("Unknown", (np.ndarray,), {})
    ),
}
if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # which can ask for another device
    TENSORS["DLPack on another device"] = lambda numbers: OnlyDLPack(np.array(numbers), 2)


@pytest.mark.parametrize("make", TENSORS.values(), ids=TENSORS)
@each_dense_type
def test_tensors(type_: SpecType, make: Callable[[Any], Any]) -> None:
    cls = type_.value_class
    assert cls.from_matrix(make([[1, 2], [3, 4]])) == [cls([1, 2]), cls([3, 4])]
    assert cls.from_matrix([make([1, 2]), make([3, 4])]) == [cls([1, 2]), cls([3, 4])]
    assert cls(make([1, 2])) == cls([1, 2])
    assert type_.encode(make([1, 2])) == cls([1, 2]).to_binary()


@pytest.mark.parametrize("make", TENSORS.values(), ids=TENSORS)
def test_tensors_of_another_shape(make: Callable[[Any], Any]) -> None:
    with pytest.raises(
        InvalidTypeError, match=r"^expected one dimension, got an array of shape \(1, 2\)$"
    ):
        Vector(make([[1, 2]]))
    with pytest.raises(
        InvalidTypeError, match=r"^expected two dimensions, got an array of shape \(2,\)$"
    ):
        Vector.from_matrix(make([1, 2]))


def test_a_tensor_without_numbers() -> None:
    meta = Tensor([1], device="meta")
    cause = ".*, which its library fails to convert: Cannot copy out of meta tensor; no data!$"
    for take in (Vector, Vector.encode):
        with pytest.raises(InvalidTypeError, match=f"^expected numbers, got Tensor {cause}"):
            take(meta)
    with pytest.raises(InvalidTypeError, match=f"^expected a matrix, got Tensor {cause}"):
        Vector.from_matrix(meta)
    with pytest.raises(InvalidTypeError, match=f"^row 0: expected numbers, got Tensor {cause}"):
        Vector.from_matrix([meta])


def test_an_array_that_the_host_cannot_have() -> None:
    class Stuck(OnlyDLPack):
        def __dlpack__(self, **_: Any) -> Any:
            raise BufferError

    with pytest.raises(InvalidTypeError, match="^expected numbers, got Stuck .*: BufferError$"):
        Vector(Stuck(np.array([1])))


class NoMemory:
    def __array__(self, *_: object) -> Any:
        raise MemoryError


def test_no_memory() -> None:
    for take in (Vector, Vector.encode, Vector.from_matrix):
        with pytest.raises(MemoryError):
            take(NoMemory())
    with pytest.raises(MemoryError):
        Vector.from_matrix([NoMemory()])


def test_no_memory_for_a_list() -> None:
    class NoList:
        def tolist(self) -> Any:
            raise MemoryError

    with pytest.raises(MemoryError):
        Vector(NoList())


@each_dense_type
def test_masked_arrays(type_: SpecType) -> None:
    """Without masked numbers they are ndarrays."""
    cls = type_.value_class
    matrix = np.ma.masked_array([[1.0, 2], [3, 4]], mask=False)
    assert cls.from_matrix(matrix) == [cls(row) for row in matrix] == [cls([1, 2]), cls([3, 4])]


@each_dense_type
def test_an_array_that_is_masked_once_it_is_read(type_: SpecType) -> None:
    """A variable of netCDF4 is one."""
    cls = type_.value_class
    plain = np.array([[1.0, 2], [3, 4]])
    assert cls.from_matrix(Variable(plain)) == cls.from_matrix(plain)
    assert cls(Variable(np.ma.masked_array(plain[0], mask=False))) == cls(plain[0])
    masked = np.ma.masked_array(plain, mask=[[False, False], [False, True]])
    with pytest.raises(InvalidTypeError, match="^row 1: expected a number at index 1, got NoneTyp"):
        cls.from_matrix(Variable(masked))
    with pytest.raises(InvalidTypeError, match="^expected a number at index 1, got NoneType"):
        cls(Variable(masked[1]))


@each_dense_type
def test_values_of_pgvector_python(type_: SpecType) -> None:
    cls = type_.value_class
    theirs = [
        pgvector.Vector([1, 0, 2]),
        pgvector.HalfVector([1, 0, 2]),
        pgvector.SparseVector([1, 0, 2]),
    ]
    for value in theirs:
        assert cls(value) == cls([1, 0, 2])
        assert type_.encode(value) == cls([1, 0, 2]).to_binary()
    assert cls.from_matrix(theirs) == [cls([1, 0, 2])] * 3
    assert SparseVector(theirs[0]) == SparseVector([1, 0, 2])


def test_a_null_row_of_a_list_is_an_error() -> None:
    with pytest.raises(
        InvalidTypeError, match="^row 1: expected a sequence of numbers, got NoneType"
    ):
        Vector.from_matrix([np.array([1]), None])


@pytest.mark.parametrize("dtype", ["f4", "f2", "i1", "u1", "i8"])
def test_scalars_of_numpy_in_a_list(dtype: str) -> None:
    row = [*np.array([0, 1, 100], dtype)]
    assert Vector(row) == Vector([0, 1, 100])
    tenth = np.float32(0.1)
    assert Vector([tenth])[0] == float(tenth)


def test_bytes_of_float32() -> None:
    data = np.array([1, 2], "f4").tobytes()
    advice = r'; memoryview\(data\).cast\("f"\) reads float32, from_binary\(\) a wire payload'
    with pytest.raises(InvalidTypeError, match=advice):
        Vector(data)
    with pytest.raises(
        InvalidTypeError, match=r"""of format 'B'; cast\("f"\) makes one of float32 of"""
    ):
        Vector(memoryview(data))
    assert Vector(memoryview(data).cast("f")) == Vector([1, 2])
