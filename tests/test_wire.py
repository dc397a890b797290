"""Wire payloads typed by hand, accepted and refused."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    MalformedWireError,
    SparseVector,
    Vector,
)
from asyncpg_vector._generated.bit import decode_bit
from codegen.spec import Constant
from tests.spec_types import SpecType, each_type

# A value, and its bytes by the recv functions of pgvector and PostgreSQL.
BY_HAND = [
    (Vector([1]), "0001 0000 3f800000"),
    (Vector([1, 2.5, -0.0]), "0003 0000 3f800000 40200000 80000000"),
    (Vector([3.4028234663852886e38]), "0001 0000 7f7fffff"),
    (Vector([1e-45]), "0001 0000 00000001"),
    (HalfVector([1, -2, 65504]), "0003 0000 3c00 c000 7bff"),
    (HalfVector([5.960464477539063e-08]), "0001 0000 0001"),
    (SparseVector({}, 1), "00000001 00000000 00000000"),
    (
        SparseVector({4: 2, 0: 1.5}, 5),
        "00000005 00000002 00000000 00000000 00000004 3fc00000 40000000",
    ),
    (SparseVector({999999999: -1}, 1000000000), "3b9aca00 00000001 00000000 3b9ac9ff bf800000"),
    (Bit(""), "00000000"),
    (Bit("1"), "00000001 80"),
    (Bit("101100001"), "00000009 b080"),
    (Bit(b"\xff\x01"), "00000010 ff01"),
]


@pytest.mark.parametrize(("value", "wire"), BY_HAND, ids=str)
def test_by_hand(value: Any, wire: str) -> None:
    payload = bytes.fromhex(wire)
    assert value.to_binary() == payload
    assert type(value).from_binary(payload) == value
    for buffer in (bytearray(payload), memoryview(payload)):
        assert type(value).from_binary(buffer).to_binary() == payload


REFUSED = [
    (Vector, "", MalformedWireError, "at least 4 bytes"),
    (Vector, "0001", MalformedWireError, "at least 4 bytes"),
    (Vector, "0001 0000", MalformedWireError, "expected 8 bytes for this vector, got 4"),
    (Vector, "0001 0000 3f800000 00", MalformedWireError, "expected 8 bytes"),
    (
        Vector,
        "0001 0001 3f800000",
        MalformedWireError,
        "expected 0 in the field unused for this (vector|sparsevec), got 1",
    ),
    (Vector, "0000 0000", InvalidValueError, "1 to 16000 dimensions for vector, got 0$"),
    (Vector, "3e81 0000" + "00000000" * 16001, InvalidValueError, "1 to 16000 .*, got 16001$"),
    (Vector, "0002 0000 3f800000 7fc00000", InvalidValueError, "at index 1, got nan"),
    (Vector, "0002 0000 7f800000 3f800000", InvalidValueError, "at index 0, got inf"),
    (Vector, "0001 0000 ff800000", InvalidValueError, "-inf"),
    (Vector, "0001 0000 7f800001", InvalidValueError, "nan"),
    (HalfVector, "0001 0000 3f800000", MalformedWireError, "expected 6 bytes"),
    (HalfVector, "0001 0000 7c00", InvalidValueError, "inf"),
    (HalfVector, "0002 0000 3c00 fe00", InvalidValueError, "nan"),
    (SparseVector, "00000005 00000000", MalformedWireError, "at least 12 bytes"),
    (
        SparseVector,
        "00000005 00000000 00000001",
        MalformedWireError,
        "expected 0 in the field unused for this (vector|sparsevec), got 1",
    ),
    (SparseVector, "00000005 3b9aca00 00000000", MalformedWireError, "expected 8000000012 bytes"),
    (SparseVector, "00000005 ffffffff 00000000", MalformedWireError, "bytes"),
    (SparseVector, "00000005 00000001 00000000 00000000", MalformedWireError, "expected 20 bytes"),
    (SparseVector, "00000000 00000000 00000000", InvalidValueError, "dimensions"),
    (SparseVector, "3b9aca01 00000000 00000000", InvalidValueError, "1 to 1000000000 dimensions"),
    (SparseVector, "ffffffff 00000000 00000000", InvalidValueError, "dimensions"),
    (
        SparseVector,
        "00000005 00000001 00000000 00000005 3f800000",
        InvalidValueError,
        "indices from 0 to 4, got 5",
    ),
    (SparseVector, "00000005 00000001 00000000 ffffffff 3f800000", InvalidValueError, "got -1"),
    (
        SparseVector,
        "00000005 00000002 00000000 00000001 00000001 3f800000 3f800000",
        InvalidValueError,
        "got 1 twice",
    ),
    (
        SparseVector,
        "00000005 00000002 00000000 00000003 00000001 3f800000 3f800000",
        InvalidValueError,
        "ascending indices, got 1 after 3",
    ),
    (
        SparseVector,
        "00000005 00000001 00000000 00000001 00000000",
        InvalidValueError,
        "no zero, got 0.0 at index 1",
    ),
    (
        SparseVector,
        "00000005 00000001 00000000 00000001 80000000",
        InvalidValueError,
        "no zero, got -0.0 at index 1",
    ),
    (SparseVector, "00000005 00000001 00000000 00000001 7fc00000", InvalidValueError, "nan"),
    (
        SparseVector,
        "00000005 00000005 00000000" + "00000000 00000001 00000002 00000003 00000004"
        "7fc00000 3f800000 3f800000 3f800000 3f800000",
        InvalidValueError,
        "at index 0, got nan",
    ),
    (Bit, "000000", MalformedWireError, "at least 4 bytes"),
    (Bit, "00000001", MalformedWireError, "expected 5 bytes"),
    (Bit, "00000008 ffff", MalformedWireError, "expected 5 bytes"),
    (Bit, "ffffffff", InvalidValueError, "0 to 2147483640"),
]


@pytest.mark.parametrize(("value_class", "wire", "error", "message"), REFUSED)
def test_refused(value_class: Any, wire: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        value_class.from_binary(bytes.fromhex(wire))


@each_type
def test_only_a_buffer_is_a_wire_payload(type_: SpecType) -> None:
    released = memoryview(b"")
    released.release()
    for data in (5, "0001", None, [0, 1, 0, 0], released):
        with pytest.raises(
            InvalidTypeError, match=f"expected a wire payload, got {type(data).__name__}"
        ):
            type_.value_class.from_binary(data)


@each_type
def test_decoder_looks_at_header_and_length(type_: SpecType) -> None:
    wire = type_.encode(type_.value_class.from_text(type_.text_of_one))
    for cut in range(len(wire)):
        with pytest.raises(MalformedWireError):
            type_.decode(wire[:cut])
    with pytest.raises(MalformedWireError):
        type_.decode(wire + b"\0")


@each_type
def test_decoder_looks_at_constants(type_: SpecType) -> None:
    """Also in a payload that is as long as a good one before it."""
    wire = type_.encode(type_.value_class.from_text(type_.text_of_one))
    type_.decode(wire)
    layout = struct.Struct(type_.model.header_layout)
    for place, field in enumerate(type_.model.header):
        if isinstance(field, Constant):
            fields = [*layout.unpack_from(wire)]
            fields[place] += 1
            with pytest.raises(
                MalformedWireError, match=f"{field.constant} in the field {field.name}"
            ):
                type_.decode(layout.pack(*fields) + wire[layout.size :])


@each_type
def test_messages_of_a_wrong_size(type_: SpecType) -> None:
    """They name the type, the size that its header asks for, and the size that came."""
    header, wire = type_.model.header_size, type_.encode(type_.text_of_one)
    for data, wanted in ((b"", f"at least {header} bytes"), (wire + b"\0", f"{len(wire)} bytes")):
        message = f"^expected {wanted} for this {type_}, got {len(data)}$"
        with pytest.raises(MalformedWireError, match=message):
            type_.decode(data)


def test_bits_decoder_refuses_a_negative_length() -> None:
    for wire in ("ffffffff", "fffffff8", "80000000"):
        (length,) = struct.unpack(">i", bytes.fromhex(wire))
        message = f"^expected 0 to 2147483640 bits for bit, got {length}$"
        with pytest.raises(InvalidValueError, match=message):
            decode_bit(bytes.fromhex(wire))


def test_bits_past_the_length_become_zero() -> None:
    """As in bit_recv, so that equal values have equal bytes."""
    value = Bit.from_binary(bytes.fromhex("00000003 ff"))
    assert value == Bit("111")
    assert value.to_binary() == bytes.fromhex("00000003 e0")


def test_most_bits() -> None:
    most = Bit.info.max_dimensions
    value = Bit(bytes(most // 8))
    assert len(value) == most
    with pytest.raises(InvalidValueError, match=f"0 to {most} bits for bit, got {most + 8}"):
        Bit(bytes(most // 8 + 1))
