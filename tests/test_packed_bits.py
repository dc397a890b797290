"""Packed bits, eight in a byte, and matrices of bits: of any holder, to the server, and back."""

from __future__ import annotations

import base64
import re
from array import array
from collections import UserList, deque
from typing import Any

import asyncpg
import pgvector
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncpg_vector import Bit, InvalidTypeError, InvalidValueError, Vector, VectorError
from tests.needs import needs_numpy, needs_pgvector, np
from tests.spec_types import ROOT
from tests.test_any_input import ANYTHING, as_objects
from tests.test_bad_input import LyingSequence
from tests.test_inputs import OnlyArray, Tensor

PAGE = (ROOT / "docs" / "bits.md").read_text()

VOYAGE = [-0.03955078, 0.006214142, -0.07446289, -0.039001465]
VOYAGE += [0.0046463013, 0.00030612946, -0.08496094, 0.03994751]
"""The embedding in Voyage's FAQ (docs.voyageai.com/docs/faq), whose bits are 01001101."""

# The numbers are those of the FAQ, or worked out by hand: 2**7 for the first bit of eight, 1 for the
# last; the signed number is 128 less. sentence-transformers' quantize_embeddings() and Mistral's
# "offset binary method" subtract 128 too. Cohere's reference gives the ranges, which the signed
# number has for no other offset.
SENT = [
    ("01001101", [77], [-51]),
    ("00000000", [0], [-128]),
    ("11111111", [255], [127]),
    ("10000000", [128], [0]),
    ("01111111", [127], [-1]),
    ("00000001", [1], [-127]),
    ("1011000010000000", [176, 128], [48, 0]),
    ("000000101111111001010101", [2, 254, 85], [-126, 126, -43]),
]


@pytest.mark.parametrize(("digits", "unsigned", "signed"), SENT)
def test_what_embedding_apis_send(digits: str, unsigned: list[int], signed: list[int]) -> None:
    """As JSON, as base64 (Voyage's, of uint8 or int8), and as raw bytes."""
    value = Bit(digits)
    assert Bit.from_packed(unsigned) == Bit.from_packed(signed, signed=True) == value
    for code, numbers in (("B", unsigned), ("b", signed)):
        text = base64.b64encode(array(code, numbers))
        raw = base64.b64decode(text)
        assert Bit.from_packed(raw, signed=code == "b") == value
    assert value.to_bytes() == bytes(unsigned)


def test_signs_of_an_embedding() -> None:
    assert Bit([number > 0 for number in VOYAGE]) == Bit.from_packed([77])


class ArrowList:
    """A scalar of a column of lists, in Arrow."""

    def __init__(self, value: Any) -> None:
        self.py = value

    def as_py(self) -> Any:
        return self.py


class ArrowBinary(ArrowList):
    """A scalar of a column of bytes."""

    def as_buffer(self) -> Any:
        raise NotImplementedError


UNSIGNED, SIGNED = [176, 1], [48, -127]
DIGITS = "1011000000000001"
OF_EITHER: list[Any] = [list, tuple, deque, UserList, Tensor, lambda row: ArrowList(list(row))]
OF_UNSIGNED = [*OF_EITHER, bytes, bytearray, lambda row: memoryview(bytes(row))]
OF_UNSIGNED += [lambda row: ArrowBinary(bytes(row)), lambda row: memoryview(bytes(row)).cast("c")]
OF_UNSIGNED += [lambda row: array("B", row), lambda row: memoryview(array("B", row))]
OF_UNSIGNED += [lambda row: array("q", row), lambda row: memoryview(array("h", row))]
OF_UNSIGNED += [lambda row: [Index1(number) for number in row]]
OF_SIGNED = [*OF_EITHER, lambda row: array("b", row), lambda row: memoryview(array("b", row))]
OF_SIGNED += [lambda row: array("b", row).tobytes(), lambda row: bytearray(array("b", row))]
OF_SIGNED += [lambda row: memoryview(array("b", row).tobytes()), lambda row: array("q", row)]
if np:
    OF_BOTH = [lambda row, dtype=dtype: np.array(row, dtype) for dtype in ("i2", ">i4", "i8", "O")]
    OF_BOTH += [lambda row: OnlyArray(np.array(row)), lambda row: [*np.array(row)]]
    OF_BOTH += [lambda row: np.array([row[0], 9, row[1], 9], "i4")[::2]]
    OF_UNSIGNED += [*OF_BOTH, lambda row: np.array(row, "u1"), lambda row: np.array(row, ">u8")]
    OF_UNSIGNED += [lambda row: np.array(row[::-1], "u1")[::-1]]
    OF_SIGNED += [*OF_BOTH, lambda row: np.array(row, "i1"), lambda row: memoryview(np.int8(row))]
    OF_SIGNED += [lambda row: np.array(row[::-1], "i1")[::-1]]


class Index1:
    """Is a whole number, and no int."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


@pytest.mark.parametrize(
    ("hold", "signed"),
    [(hold, False) for hold in OF_UNSIGNED] + [(hold, True) for hold in OF_SIGNED],
)
def test_holders(hold: Any, signed: bool) -> None:
    held = hold(SIGNED if signed else UNSIGNED)
    value = Bit.from_packed(held, signed=signed)
    assert type(value) is Bit
    assert value.to_binary() == bytes.fromhex("00000010 b001")
    assert value.to_text() == DIGITS


@pytest.mark.parametrize("nothing", [b"", [], (), array("B"), *([np.array([])] if np else [])])
def test_no_bits(nothing: Any) -> None:
    for signed in (False, True):
        assert Bit.from_packed(nothing, length=0, signed=signed) == Bit("")
    assert Bit("").to_bytes() == b""


@given(st.lists(st.booleans(), max_size=40))
def test_length(flags: list[bool]) -> None:
    """It is the number of bits that the last byte does not fill."""
    value = Bit(flags)
    assert Bit.from_packed(value.to_bytes(), length=len(flags)) == value
    filled = Bit(flags + [False] * (-len(flags) % 8))
    assert Bit.from_packed(value.to_bytes()) == filled
    signed = [byte - 128 for byte in value.to_bytes()]
    assert Bit.from_packed(signed, length=len(flags), signed=True) == value


def released(view: memoryview) -> memoryview:
    view.release()
    return view


BYTE, SIGNED_BYTE = "expected a byte from 0 to 255 at", "expected a byte from -128 to 127 at"
SIGNED_ADVICE = "; signed=True reads the signed kind, whose numbers are 128 less"
UNSIGNED_ADVICE = "; without signed=True, the numbers are from 0 to 255"
OF_BOOLS = "; the constructor and from_matrix() read bools"
NO_PACKED_BITS: list[tuple[Any, dict[str, Any], type[VectorError], str]] = [
    ([1, -51], {}, InvalidValueError, f"{BYTE} index 1, got int -51{SIGNED_ADVICE}"),
    ([1, -128], {}, InvalidValueError, f"{BYTE} index 1, got int -128{SIGNED_ADVICE}"),
    ([1, -129], {}, InvalidValueError, f"{BYTE} index 1, got int -129"),
    ((256,), {}, InvalidValueError, f"{BYTE} index 0, got int 256"),
    ([10**30], {}, InvalidValueError, f"{BYTE} index 0, got int {10**30}"),
    (array("b", [1, -1]), {}, InvalidValueError, f"{BYTE} index 1, got int -1{SIGNED_ADVICE}"),
    (memoryview(array("b", [-1])), {}, InvalidValueError, f"{BYTE} index 0, got int -1{SIGNED_ADVICE}"),
    ([128], {"signed": True}, InvalidValueError, f"{SIGNED_BYTE} index 0, got int 128{UNSIGNED_ADVICE}"),
    ([0, 255], {"signed": True}, InvalidValueError, f"{SIGNED_BYTE} index 1, got int 255{UNSIGNED_ADVICE}"),
    ([256], {"signed": True}, InvalidValueError, f"{SIGNED_BYTE} index 0, got int 256"),
    ([-129], {"signed": True}, InvalidValueError, f"{SIGNED_BYTE} index 0, got int -129"),
    (array("B", [200]), {"signed": True}, InvalidValueError, f"{SIGNED_BYTE} index 0, got int 200{UNSIGNED_ADVICE}"),
    ([1, True], {}, InvalidTypeError, f"{BYTE} index 1, got bool True{OF_BOOLS}"),
    ([1, 2.0], {}, InvalidTypeError, f"{BYTE} index 1, got float 2.0"),
    ([1, "2"], {}, InvalidTypeError, f"{BYTE} index 1, got str '2'"),
    ([1, None], {}, InvalidTypeError, f"{BYTE} index 1, got NoneType None"),
    ([Index1(-1)], {}, InvalidValueError, f"{BYTE} index 0, got Index1 ...{SIGNED_ADVICE}"),
    (LyingSequence(3, (1, 0)), {}, InvalidTypeError, "expected numbers, as many as len() says, got LyingSequence ..."),
    ("01", {}, InvalidTypeError, "expected packed bits, got str '01'; from_text() reads a text"),
    (Bit("1"), {}, InvalidTypeError, "expected packed bits, got a Bit"),
    (Vector([1]), {}, InvalidTypeError, "expected packed bits, got a Vector"),
    (None, {}, InvalidTypeError, "expected a sequence of packed bits, got NoneType None"),
    (ArrowBinary(None), {}, InvalidTypeError, "expected a sequence of packed bits, got NoneType None"),
    (5, {}, InvalidTypeError, "expected a sequence of packed bits, got int 5"),
    ([[1]], {}, InvalidTypeError, "expected packed bits, got a nested sequence: list [1] at index 0"),
    (memoryview(bytes(4)).cast("B", (2, 2)), {}, InvalidTypeError, "expected one dimension, got a buffer of shape (2, 2)"),
    (released(memoryview(b"1")), {}, InvalidValueError, "expected packed bits, got memoryview ...: operation forbidden on released memoryview object"),
    (memoryview(array("f", [1])), {}, InvalidTypeError, f"{BYTE} index 0, got float 1.0"),
    (b"\1\2", {"length": 17}, InvalidValueError, "expected 3 bytes for 17 bits, 8 in a byte, got 2"),
    (b"\1\2", {"length": 8}, InvalidValueError, "expected 1 bytes for 8 bits, 8 in a byte, got 2"),
    (b"", {"length": 1}, InvalidValueError, "expected 1 bytes for 1 bits, 8 in a byte, got 0"),
    (b"", {"length": -1}, InvalidValueError, "expected 0 to 2147483640 bits for bit, got -1"),
    (b"", {"length": 2_147_483_641}, InvalidValueError, "expected 0 to 2147483640 bits for bit, got 2147483641"),
    (b"", {"length": 1.0}, InvalidTypeError, "expected a whole number of bits, got float 1.0"),
    (b"\1\2", {"length": 14}, InvalidValueError, "expected 0 in the bits past the length 14, which are in the byte at index 1, got 00000010"),
    ([-127], {"length": 7, "signed": True}, InvalidValueError, "expected 0 in the bits past the length 7, which are in the byte at index 0, got 00000001"),
]  # fmt: skip
if np:
    NO_PACKED_BITS += [
        (np.array([1, -1], "i1"), {}, InvalidValueError, f"{BYTE} index 1, got int -1{SIGNED_ADVICE}"),
        (np.array([1, 200], "u1"), {"signed": True}, InvalidValueError, f"{SIGNED_BYTE} index 1, got int 200{UNSIGNED_ADVICE}"),
        (np.array([1, 256]), {}, InvalidValueError, f"{BYTE} index 1, got int 256"),
        (np.array([0.5]), {}, InvalidTypeError, f"{BYTE} index 0, got float 0.5"),
        (np.array([True]), {}, InvalidTypeError, f"{BYTE} index 0, got bool True{OF_BOOLS}"),
        (np.zeros((1, 1), "u1"), {}, InvalidTypeError, "expected one dimension, got an array of shape (1, 1)"),
        ([1, np.array([1])], {}, InvalidTypeError, f"{BYTE} index 1, got ndarray array([1])"),
        ([1, np.timedelta64(1, "ns")], {}, InvalidTypeError, f"{BYTE} index 1, got timedelta64 {np.timedelta64(1, 'ns')!r}"),
    ]  # fmt: skip


@pytest.mark.parametrize(("data", "options", "error", "message"), NO_PACKED_BITS)
def test_no_packed_bits(data: Any, options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as caught:
        Bit.from_packed(data, **options)
    assert re.sub(r"<.*?>", "...", str(caught.value)) == message


@given(data=ANYTHING, length=st.none() | st.integers(0, 40), signed=st.booleans())
def test_any_input(data: Any, length: int | None, signed: bool) -> None:
    """It makes a value that the server would take, or raises an error of the package."""
    rows = [data, data]
    try:
        value = Bit.from_packed(data, length=length, signed=signed)
    except VectorError as error:
        with pytest.raises(type(error), match="^row 0: "):
            Bit.from_packed_matrix(rows, length=length, signed=signed)
        return
    assert Bit.from_binary(value.to_binary()).to_binary() == value.to_binary()
    assert Bit.from_packed_matrix(rows, length=length, signed=signed) == [value, value]


@pytest.mark.parametrize("options", [{}, {"length": 8}, {"signed": True}])
def test_values_are_no_packed_bits(options: Any) -> None:
    """They would keep a length and a kind that the caller did not name."""
    with pytest.raises(InvalidTypeError, match="^row 1: expected packed bits, got a Bit$"):
        Bit.from_packed_matrix([b"1", Bit("1")], **options)
    with pytest.raises(InvalidTypeError, match="^row 0: expected packed bits, got a Bit$"):
        Bit.from_packed_matrix([Bit("1")], **options)


# The constructor


PACKED = "Bit.from_packed() and Bit.from_packed_matrix() read packed bits, eight in a byte"
ADVISED = [
    ([1, 77], f"at index 1, got int 77; {PACKED}"),
    ([255], f"at index 0, got int 255; {PACKED}"),
    ([256], "at index 0, got int 256"),
    ([1, -51], f"at index 1, got int -51; {PACKED}, with signed=True"),
    ([-128], f"at index 0, got int -128; {PACKED}, with signed=True"),
    ([-129], "at index 0, got int -129"),
    (array("B", [0, 2]), f"at index 1, got int 2; {PACKED}"),
    ([0.5], "at index 0, got float 0.5; Bit(row > 0) makes bits of an ndarray of numbers"),
    (["1"], "at index 0, got str '1'"),
    ([None], "at index 0, got NoneType None"),
]
if np:
    ADVISED += [
        (np.array([1, 77], "u1"), f"at index 1, got int 77; {PACKED}"),
        (np.array([1, -51], "i1"), f"at index 1, got int -51; {PACKED}, with signed=True"),
        ([np.uint8(77)], f"at index 0, got uint8 {np.uint8(77)!r}; {PACKED}"),
        (np.array([0.5], "f4"), "at index 0, got float 0.5; Bit(row > 0) makes bits of an ndarray of numbers"),
        ([np.float16(0.5)], f"at index 0, got float16 {np.float16(0.5)!r}; Bit(row > 0) makes bits of an ndarray of numbers"),
        ([np.timedelta64(1, "ns")], f"at index 0, got timedelta64 {np.timedelta64(1, 'ns')!r}"),
    ]  # fmt: skip


@pytest.mark.parametrize(("row", "message"), ADVISED)
def test_the_constructor_says_which_call_is_meant(row: Any, message: str) -> None:
    for read in (Bit, Bit.encode, Bit.coerce):
        with pytest.raises(VectorError) as caught:
            read(row)
        assert str(caught.value) == f"expected a bool, 0 or 1 {message}"


def test_the_message_names_a_class_of_own() -> None:
    class Flags(Bit):
        """A class of a user's."""

    assert type(Flags.from_packed([77])) is Flags
    with pytest.raises(InvalidValueError, match=r"got int 7; Flags\.from_packed\(\) and Flags\."):
        Flags((7,))


def test_bytes_are_packed_and_numbers_are_flags() -> None:
    """The danger that docs/bits.md names."""
    assert Bit(b"\1\0") == Bit("0000000100000000")
    assert Bit([1, 0]) == Bit(array("B", [1, 0])) == Bit("10")
    assert Bit.from_packed([1, 0]) == Bit(b"\1\0")


@pytest.mark.parametrize("digits", ["1", "10110000", "101100001"])
def test_values_of_pgvector_python(digits: str) -> None:
    theirs, ours = pgvector.Bit(digits), Bit(digits)
    assert Bit(theirs) == ours
    assert Bit.encode(theirs) == ours.to_binary()


# Matrices


def matrices() -> st.SearchStrategy[list[list[bool]]]:
    return st.integers(0, 20).flatmap(
        lambda bits: st.lists(
            st.lists(st.booleans(), min_size=bits, max_size=bits), min_size=1, max_size=5
        )
    )


@needs_numpy
@given(matrices())
def test_matrices(rows: list[list[bool]]) -> None:
    """Each row becomes the value that the constructor makes, packed or not, and comes back."""
    values, matrix = [*map(Bit, rows)], np.array(rows, bool).reshape(len(rows), -1)
    bits = matrix.shape[1]
    for given_ in (
        *(rows, tuple(rows), values, [*matrix], OnlyArray(matrix), matrix),
        *(matrix.astype(dtype) for dtype in ("u1", "i1", "i8", ">u2")),
        *(np.asfortranarray(matrix), np.repeat(matrix, 2, axis=1)[:, ::2]),
        [value.to_text() for value in values],
        np.ma.array(matrix),
    ):
        assert Bit.from_matrix(given_) == values
    packed = np.packbits(matrix, axis=1)
    signed = (packed.astype("i2") - 128).astype("i1")
    for kind, dtypes in ((packed, ("u1", "i2", ">u8")), (signed, ("i1", "i2", ">i8"))):
        options: Any = {"length": bits, "signed": kind is signed}
        for given_ in (
            *(kind.tolist(), [*kind], OnlyArray(kind), np.asfortranarray(kind)),
            *(kind.astype(dtype) for dtype in dtypes),
            np.repeat(kind, 2, axis=1)[:, ::2],
        ):
            assert Bit.from_packed_matrix(given_, **options) == values
    held = [value.to_bytes() for value in values]
    assert Bit.from_packed_matrix(held, length=bits) == values
    assert Bit.from_packed_matrix(as_objects(held), length=bits) == values  # of Arrow's binary
    filled = [Bit(row + [False] * (-bits % 8)) for row in rows]
    assert Bit.from_packed_matrix(packed) == filled

    for back, wanted in ((Bit.to_matrix(values), matrix), (Bit.to_packed_matrix(values), packed)):
        assert (back.dtype, back.shape) == (wanted.dtype, wanted.shape)
        assert (back == wanted).all()
        assert back.flags.c_contiguous
        assert back.flags.writeable
    assert (Bit.to_matrix(iter(rows)) == matrix).all()


class ArrowColumn:
    """A column of Arrow, of bytes or bools; None is a null row."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def dictionary_encode(self) -> Any:
        raise NotImplementedError

    def to_pylist(self) -> list[Any]:
        return self.rows


class ArrowChunks:
    """A column in chunks."""

    def __init__(self, *chunks: ArrowColumn) -> None:
        self.chunks = chunks

    def iterchunks(self) -> Any:
        return iter(self.chunks)


@needs_numpy
def test_columns() -> None:
    """A null row becomes None, and rows of all chunks are alike."""
    packed, flags = ArrowColumn([b"M", None]), ArrowColumn([[True, False], None])
    assert Bit.from_packed_matrix(packed, length=8) == [Bit("01001101"), None]
    assert Bit.from_matrix(flags) == [Bit("10"), None]
    chunks = ArrowChunks(packed, ArrowColumn([b"\x4c"]))
    assert Bit.from_packed_matrix(chunks) == [Bit("01001101"), None, Bit("01001100")]
    for read, column, message in (
        (Bit.from_packed_matrix, ArrowChunks(packed, ArrowColumn([b"12"])), "expected 8 dim.* got 16"),
        (Bit.from_packed_matrix, ArrowChunks(packed, ArrowColumn(["1"])), "expected packed bits, got str"),
        (Bit.from_matrix, ArrowChunks(flags, ArrowColumn([[7]])), "expected a bool, 0 or 1 at index 0"),
    ):  # fmt: skip
        with pytest.raises(VectorError, match=f"^row 2: {message}"):
            read(column)


@needs_numpy
def test_values_of_a_matrix_are_the_constructors() -> None:
    class Flags(Bit):
        """A class of a user's."""

    for value in (
        *Flags.from_matrix(np.eye(3)[:1] > 0),
        *Flags.from_packed_matrix(np.array([[128]]), length=3),
    ):
        assert type(value) is Flags
        assert value.to_binary() == bytes.fromhex("00000003 80")
    assert type(Bit.from_matrix([Flags("1")])[0]) is Bit


@needs_numpy
def test_an_empty_matrix() -> None:
    for nothing in ([], (), np.array([]), np.empty((0, 3)), np.empty((0, 3), bool)):
        assert Bit.from_matrix(nothing) == Bit.from_packed_matrix(nothing) == []
    flags, packed = Bit.to_matrix([]), Bit.to_packed_matrix(iter([]))
    assert (flags.shape, flags.dtype) == ((0, 0), bool)
    assert (packed.shape, packed.dtype) == ((0, 0), "u1")


MASKED: Any = None
NO_MATRIX: list[tuple[str, Any, dict[str, Any], type[VectorError], str]] = []
if np:
    MASKED = np.ma.array([[1, 0], [1, 0]], mask=[[0, 0], [0, 1]])
    NO_MATRIX += [
        ("flags", np.array([[1, 0], [1, 77]], "u1"), {}, InvalidValueError, f"row 1: expected a bool, 0 or 1 at index 1, got int 77; {PACKED}"),
        ("flags", np.array([[1, 0], [1, -1]]), {}, InvalidValueError, f"row 1: expected a bool, 0 or 1 at index 1, got int -1; {PACKED}, with signed=True"),
        ("flags", np.array([[1, 0.5]]), {}, InvalidTypeError, "row 0: expected a bool, 0 or 1 at index 0, got float 1.0; Bit(row > 0) makes bits of an ndarray of numbers"),
        ("flags", [[1, 0], [1]], {}, InvalidValueError, "row 1: expected 2 dimensions, as row 0 has, got 1"),
        ("flags", MASKED, {}, InvalidTypeError, "row 1: expected a bool, 0 or 1 at index 1, got NoneType None"),
        ("flags", [[1], None], {}, InvalidTypeError, "row 1: expected a sequence of bools, got NoneType None"),
        ("packed", MASKED, {}, InvalidTypeError, f"row 1: {BYTE} index 1, got NoneType None"),
        ("packed", np.array([[1, 0], [1, -1]]), {}, InvalidValueError, f"row 1: {BYTE} index 1, got int -1{SIGNED_ADVICE}"),
        ("packed", np.array([[1, 0], [1, 256]]), {}, InvalidValueError, f"row 1: {BYTE} index 1, got int 256"),
        ("packed", np.array([[1, 200]], "u1"), {"signed": True}, InvalidValueError, f"row 0: {SIGNED_BYTE} index 1, got int 200{UNSIGNED_ADVICE}"),
        ("packed", np.array([[-129]]), {"signed": True}, InvalidValueError, f"row 0: {SIGNED_BYTE} index 0, got int -129"),
        ("packed", np.array([[True]]), {}, InvalidTypeError, f"row 0: {BYTE} index 0, got bool True{OF_BOOLS}"),
        ("packed", np.array([[1.0]]), {}, InvalidTypeError, f"row 0: {BYTE} index 0, got float 1.0"),
        ("packed", [[1], [1, 2]], {}, InvalidValueError, "row 1: expected 8 dimensions, as row 0 has, got 16"),
        ("packed", [[1], [1, 2]], {"length": 8}, InvalidValueError, "row 1: expected 1 bytes for 8 bits, 8 in a byte, got 2"),
        ("packed", [b"1", None], {}, InvalidTypeError, "row 1: expected a sequence of packed bits, got NoneType None"),
        ("packed", np.zeros((2, 2), "u1"), {"length": 8}, InvalidValueError, "expected 1 bytes for 8 bits, 8 in a byte, got 2"),
        ("packed", np.zeros((0, 2), "u1"), {"length": 8}, InvalidValueError, "expected 1 bytes for 8 bits, 8 in a byte, got 2"),
        ("packed", np.array([[1, 2], [3, 1]], "u1"), {"length": 15}, InvalidValueError, "row 1: expected 0 in the bits past the length 15, which are in the byte at index 1, got 00000001"),
        ("packed", np.array([[-127]], "i1"), {"length": 7, "signed": True}, InvalidValueError, "row 0: expected 0 in the bits past the length 7, which are in the byte at index 0, got 00000001"),
    ]  # fmt: skip
    for kind_ in ("flags", "packed"):
        NO_MATRIX += [
            (kind_, "101", {}, InvalidTypeError, "expected a matrix, got str '101'"),
            (kind_, b"1", {}, InvalidTypeError, "expected a matrix, got bytes b'1'"),
            (kind_, 5, {}, InvalidTypeError, "expected a matrix, got int 5"),
            (kind_, None, {}, InvalidTypeError, "expected a matrix, got NoneType None"),
            (kind_, np.array([1, 0]), {}, InvalidTypeError, "expected two dimensions, got an array of shape (2,)"),
            (kind_, np.array(1), {}, InvalidTypeError, "expected two dimensions, got an array of shape ()"),
            (kind_, np.zeros((1, 1, 1)), {}, InvalidTypeError, "expected two dimensions, got an array of shape (1, 1, 1)"),
        ]  # fmt: skip


@needs_numpy
@pytest.mark.parametrize(("kind", "matrix", "options", "error", "message"), NO_MATRIX)
def test_no_matrix(kind: str, matrix: Any, options: Any, error: Any, message: str) -> None:
    """An error has the number of its row."""
    read = Bit.from_matrix if kind == "flags" else Bit.from_packed_matrix
    with pytest.raises(error) as caught:
        read(matrix, **options)
    assert str(caught.value) == message


@needs_numpy
@pytest.mark.parametrize("to_matrix", [Bit.to_matrix, Bit.to_packed_matrix])
def test_no_values(to_matrix: Any) -> None:
    for values, error, message in (
        ([Bit("1"), Bit("10")], InvalidValueError, "row 1: expected 1 dimensions, as row 0 has, got 2"),
        ([Bit("1"), [77]], InvalidValueError, "row 1: expected a bool, 0 or 1 at index 0, got int 77"),
        ([Bit("1"), None], InvalidTypeError, "row 1: expected a value, got None, which is NULL: leave"),
        ([Vector([1])], InvalidTypeError, "row 0: expected a Bit for bit, got a Vector"),
        (5, InvalidTypeError, "expected values, got int 5"),
    ):  # fmt: skip
        with pytest.raises(error, match=message):
            to_matrix(values)


# The server


async def test_every_length_on_the_server(conn: asyncpg.Connection) -> None:
    """The server has the same digits and sends the same bytes."""
    query = "SELECT sent::text, bit_send(sent), sent FROM (SELECT $1::pg_catalog.bit) AS row (sent)"
    for length in range(26):
        digits = "1011000111010010111010001"[:length]
        packed = [int(digits[n : n + 8].ljust(8, "0"), 2) for n in range(0, length, 8)]
        signed = [byte - 128 for byte in packed]
        value = Bit.from_packed(packed, length=length)
        assert value == Bit.from_packed(signed, length=length, signed=True)
        text, wire, back = await conn.fetchrow(query, value)
        assert (text, wire, back) == (digits, value.to_binary(), value)
        assert [*back.to_bytes()] == packed


@needs_numpy
@needs_pgvector("0.7.0")
async def test_the_server_quantizes_alike(conn: asyncpg.Connection) -> None:
    """Of numbers it makes the bits that sentence-transformers packs, and a 0 is no 1."""
    matrix = np.random.default_rng(20261129).normal(size=(50, 64)).astype("f4")
    matrix[:, ::7] = 0
    rows = await conn.fetch(
        "SELECT binary_quantize(embedding) FROM unnest($1::vector[]) AS embedding",
        Vector.from_matrix(matrix),
    )
    values = [row[0] for row in rows]
    unsigned = np.packbits(matrix > 0, axis=1)
    signed = (unsigned.astype(int) - 128).astype("i1")
    assert Bit.from_matrix(matrix > 0) == values
    assert Bit.from_packed_matrix(unsigned) == values
    assert Bit.from_packed_matrix(signed, signed=True) == values
    assert (Bit.to_matrix(rows) == (matrix > 0)).all()
    assert (Bit.to_packed_matrix(rows) == unsigned).all()


@needs_numpy
async def test_a_table(conn: asyncpg.Connection) -> None:
    """Values go in by COPY, and records of one column become a matrix."""
    await conn.execute("CREATE TEMP TABLE t (id serial, embedding bit(13))")
    matrix = np.random.default_rng(20261129).random((100, 13)) > 0.5
    records = [(value,) for value in Bit.from_matrix(matrix)]
    await conn.copy_records_to_table("t", records=records, columns=["embedding"])
    rows = await conn.fetch("SELECT embedding FROM t ORDER BY id")
    assert (Bit.to_matrix(rows) == matrix).all()
    assert (Bit.to_packed_matrix(iter(rows)) == np.packbits(matrix, axis=1)).all()
    wide = await conn.fetch("SELECT id, embedding FROM t ORDER BY id")
    with pytest.raises(InvalidTypeError, match="row 0: expected one column, got id, embedding"):
        Bit.to_matrix(wide)
    with pytest.raises(asyncpg.DataError, match="got int 77; Bit.from_packed"):
        await conn.execute("INSERT INTO t (embedding) VALUES ($1)", [77, 1])


@needs_numpy
async def test_bits_of_a_connection_that_is_not_registered(plain: asyncpg.Connection) -> None:
    """They are asyncpg's."""
    rows = await plain.fetch("SELECT B'101' UNION ALL SELECT B'011'")
    assert isinstance(rows[0][0], asyncpg.BitString)
    assert Bit.to_matrix(rows).tolist() == [[True, False, True], [False, True, True]]


@needs_pgvector("0.7.0")
async def test_distances_hide_the_wrong_kind(conn: asyncpg.Connection) -> None:
    """As docs/bits.md says, those between two rows of the wrong kind, by Hamming."""
    pairs = [
        [Bit.from_packed([number], signed=True) for number in (-128, -127)],
        [Bit.from_packed([number % 256]) for number in (-128, -127)],  # as two's complement
    ]
    assert pairs[0] != pairs[1]
    right, wrong = [await conn.fetchrow("SELECT $1 <~> $2, $1 <%> $2", *pair) for pair in pairs]
    assert right[0] == wrong[0]
    assert right[1] != wrong[1]
    assert await conn.fetchval("SELECT $1 <~> $2", pairs[0][0], pairs[1][1]) != right[0]


# The page


PROMISED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
