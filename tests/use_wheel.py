"""Uses the installed package: `python -I tests/use_wheel.py native` expects a wheel with the native kernel."""

from __future__ import annotations

import sys

import asyncpg_vector
from asyncpg_vector import HalfVector, SparseVector, Vector

(expected,) = sys.argv[1:]
assert asyncpg_vector.__file__.startswith(sys.prefix), asyncpg_vector.__file__
assert asyncpg_vector.implementation == expected, asyncpg_vector.implementation

NUMBERS = [1.0, -2.5, 0.0]
WIRES = {
    Vector: "0003 0000 3f800000 c0200000 00000000",
    HalfVector: "0003 0000 3c00 c100 0000",
    SparseVector: "00000003 00000002 00000000 00000000 00000001 3f800000 c0200000",
}
for value_class, wire in WIRES.items():
    sent = value_class.codec.encode(NUMBERS)
    assert sent == bytes.fromhex(wire), sent.hex()
    fetched = value_class.codec.decode(sent)
    assert fetched.to_list() == NUMBERS
    assert value_class.from_text(fetched.to_text()) == value_class.from_binary(sent) == fetched
    try:
        value_class.codec.encode([float("nan")])
    except asyncpg_vector.InvalidValueError:
        pass
    else:
        raise AssertionError(value_class)
print(f"Python {sys.version.split()[0]} encodes and decodes with the {expected} implementation")
