"""Calls of every function of the kernel, with good arguments and with bad ones."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from asyncpg_vector import VectorError
from asyncpg_vector._native import kernel
from asyncpg_vector.runtime.sparse import Entries
from tests.needs import np
from tests.spec_types import SpecType


class Foreign:
    """A row of another library."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def numpy(self) -> Any:
        return self.array


class Clearing(Foreign):
    """A row that empties the list of rows as it is read."""

    def __init__(self) -> None:
        super().__init__(np.array([1, 0]))
        self.rows: list[Any] = [self, Foreign(self.array)]

    def numpy(self) -> Any:
        self.rows.clear()
        return self.array


ROWS: list[Any] = [
    *([], [1], [1, 0] * 400, (1, 0), [1.0, 0.0], [True], [2], [-1], [1e300], [float("nan")], [10**400]),
    *([None], ["1"], [[1]], "1", "[1,0]", "[1,]", "{1:1}/2", "[1e400]", b"1", None, 1, {}, {1: 2}),
    *(array("f", [1, 0]), array("d", [1e300]), array("b", [1]), memoryview(array("d", [1, 0]))),
    *(memoryview(b"1234"), memoryview(bytes(8)).cast("d")[::-1], range(3), "AACAPw==", "AACAPw", b"AACA?w=="),
]  # fmt: skip
if np:
    ROWS += [
        *(np.array([1, 0], dtype) for dtype in ("f2", "f4", "f8", ">f4", ">f2", "i1", "u8", "?", "g", "O")),
        *(np.zeros((2, 2)), np.zeros(()), np.zeros((3, 2), "f4")[:, ::-1], np.array([np.nan]), np.array(["1"])),
        *([np.float64(1), np.float32(0)], [np.int8(1), np.bool_(0)], [np.longdouble(1)], np.float32(1)),
    ]  # fmt: skip
    ROWS += [
        Foreign(np.array([1, 0], "f4")),
        [Foreign(np.array([1, 0]))] * 2,
        Foreign(None),
        Clearing().rows,
    ]
COLUMNS: list[Any] = [
    *(([1], [1], 3), ([3], [1], 3), ([1, 1], [1, 1], 3), ([1], [0], 3), ([2, 1], (1, 1), 3), ([1], [], 3)),
    *(([None], [1], 3), ([2**80], [1], 3), ([1], [1], 10**30), ([1], [None], 3)),
]  # fmt: skip
"""Arguments of `from_coo`."""


def calls_of(type_: SpecType) -> list[Callable[[], Any]]:
    """The calls for a type."""
    cls = type_.value_class
    value, wires = cls.decode(type_.encode(type_.text_of_one)), wires_of(type_)
    names = ["from_text", "from_matrix", "to_matrix", "from_float_base64"]
    functions = [cls, cls.encode, *(getattr(cls, name) for name in names if hasattr(cls, name))]
    calls = [partial(function, row) for function in functions for row in ROWS]
    calls += [
        partial(make, each)
        for make in (cls.from_binary, cls.decode, cls.codec.decode)
        for each in wires
    ]
    calls += [
        value.to_list,
        value.to_text,
        value.to_json,
        partial(hash, value),
        partial(cls, value),
        partial(cls.encode, value),
    ]
    if np:
        calls += [value.to_numpy]
    if hasattr(cls, "to_matrix"):
        calls += [partial(cls.to_matrix, [value] * 3), partial(cls.to_matrix, [value, 1])]
    if hasattr(cls, "from_coo"):
        calls += [partial(cls.from_coo, *arguments) for arguments in COLUMNS]
        calls += [partial(cls, {1: 1.5, 0: 2}, 3), partial(cls, {1: None}, 3)]
    return calls


def wires_of(type_: SpecType) -> list[Any]:
    """A good payload, and others."""
    wire = type_.encode(type_.text_of_one)
    bad = [wire[:-1], wire + b"\0", b"", bytearray(wire), memoryview(wire), b"\xff" * len(wire), 1]
    return [wire, *bad]


def direct_calls_of(type_: SpecType) -> list[Callable[[], Any]]:
    """The calls of the kernel's own functions, without a function of Python around them."""
    cls, native = type_.value_class, type_.value_class.codec.native
    wires = wires_of(type_)
    value = cls.decode(wires[0])
    rows = [*ROWS, value, [value] * 3, [value, 1], *map(Entries, COLUMNS)]
    calls = [partial(native.encode, row) for row in rows]
    names = ["from_binary", "from_float_base64", "from_numbers", "to_matrix"]
    calls += [
        partial(getattr(native, name), cls, each) for name in names for each in [*rows, *wires]
    ]
    matrices = [*rows, [value, None], [None, [1, 0], (1, 0)]]
    calls += [
        partial(native.from_matrix, cls, each, are_nullable)
        for each in matrices
        for are_nullable in (True, False)
    ]
    calls += [partial(native.from_matrix, cls, rows[0]), partial(native.from_matrix, int, [], None)]
    decoders = [native.decode, native.decode_list, native.decode_text]
    calls += [partial(decode, wire) for decode in decoders for wire in wires]
    unpack = [kernel.Format(name, "big").unpack_list for name in kernel.FORMATS]
    unpack += [kernel.Format(name, "big").unpack_shortest for name in kernel.FORMATS]
    unpack += [kernel.Format(name, "big").unpack_array for name in kernel.FORMATS if np]
    calls += [partial(each, bytes(size), 0) for each in unpack for size in (0, 8, 800)]
    print_ = kernel.Format("float32", "big").print
    calls += [partial(print_, digits, bytes(8), 0) for digits in kernel.DIGITS]
    return [*calls, partial(kernel.unpack_bits, b"1", 0, 8), partial(kernel.wrap, cls, wires[0])]


def call(function: Callable[[], Any]) -> None:
    """Call a function, which may refuse its argument, or need NumPy, which may be missing."""
    with suppress(VectorError, TypeError, ModuleNotFoundError):
        function()
