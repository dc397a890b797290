"""Conversions without a server: each operation, with each library's call for it."""

from __future__ import annotations

import base64
import sys
from array import array
from dataclasses import dataclass
from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector
from asyncpg_vector._generated import VALUE_CLASSES
from bench.peers import FIRST, LIMIT, OURS, PGVECTOR, first, pgvector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["offline"]

Operations: TypeAlias = "Iterator[tuple[str, dict[str, Callable[[], object]]]]"

ROWS = 1_000
"""The rows of a matrix."""


@dataclass(frozen=True)
class _Dense:
    """A dense type: NumPy's name of its elements, and each library's class."""

    name: str
    dtype: str
    ours: Any
    peer: Any
    old: Any


DENSE = (
    _Dense("vector", "float32", Vector, pgvector.Vector, first.Vector),
    _Dense("halfvec", "float16", HalfVector, pgvector.HalfVector, first.HalfVector),
)


def offline(dimensions: int) -> Operations:
    """Yield each operation's name, and each library's call for it.

    The same number of dimensions yields the same operations on the same numbers.
    """
    draw = np.random.default_rng(20261122)
    embedding = draw.normal(0, dimensions**-0.5, dimensions).astype(np.float32)
    for type_ in DENSE:
        yield from _lists(type_, embedding)
        yield from _buffers(type_, embedding)
        yield from _values(type_, embedding)
        yield from _texts(type_, embedding)
        yield from _matrices(type_, draw.normal(size=(ROWS, dimensions)).astype(type_.dtype))
    yield from _sparse(draw, dimensions)
    yield from _bits(draw.random(dimensions) < 0.5)


def _lists(type_: _Dense, embedding: Any) -> Operations:
    encode = VALUE_CLASSES[type_.name].codec.encode
    row: list[float] = embedding.tolist()

    def encode_theirs(numbers: list[Any]) -> object:
        return type_.peer(numbers).to_binary()

    yield (
        f"{type_.name}: list to wire",
        {
            OURS: partial(encode, row),
            PGVECTOR: partial(encode_theirs, row),
            FIRST: lambda: type_.old.from_float_list(row).to_database_binary(),
            LIMIT: partial(bytes, bytearray(len(row) * sys.getsizeof(row[0]))),  # copies the floats
        },
    )
    yield f"{type_.name}: tuple to wire", {OURS: partial(encode, tuple(row))}
    kinds = {"ints": list(range(len(row))), "numpy.float64": list(embedding.astype("float64"))}
    for kind, numbers in kinds.items():
        yield (
            f"{type_.name}: list of {kind} to wire",
            {OURS: partial(encode, numbers), PGVECTOR: partial(encode_theirs, numbers)},
        )


def _buffers(type_: _Dense, embedding: Any) -> Operations:
    encode = VALUE_CLASSES[type_.name].codec.encode
    copy = embedding.astype(type_.dtype).tobytes

    def encode_theirs(numbers: Any) -> object:
        return type_.peer(numbers).to_binary()

    for dtype in ("float32", "float16", "float64"):
        numbers = embedding.astype(dtype)
        yield (
            f"{type_.name}: {dtype} ndarray to wire",
            {
                OURS: partial(encode, numbers),
                PGVECTOR: partial(encode_theirs, numbers),
                LIMIT: copy,
            },
        )
    encoded = base64.b64encode(embedding.tobytes()).decode()
    yield (
        f"{type_.name}: base64 to wire",
        {
            OURS: lambda: type_.ours.from_float_base64(encoded).to_binary(),
            PGVECTOR: lambda: encode_theirs(np.frombuffer(base64.b64decode(encoded), "<f4")),
            FIRST: lambda: type_.old.from_float_base64(encoded).to_database_binary(),
            LIMIT: copy,
        },
    )


def _values(type_: _Dense, embedding: Any) -> Operations:
    ours, peer, old = type_.ours, type_.peer, type_.old
    decode = ours.codec.decode
    value, theirs = ours(embedding), peer(embedding)
    wire = value.to_binary()
    yield (
        f"{type_.name}: wire to value",
        {
            OURS: partial(decode, wire),
            PGVECTOR: partial(peer.from_binary, wire),
            FIRST: partial(old.from_database_binary, wire),
            LIMIT: object,
        },
    )
    yield (
        f"{type_.name}: from_binary",  # ours checks the elements
        {OURS: partial(ours.from_binary, wire), PGVECTOR: partial(peer.from_binary, wire)},
    )
    yield (
        f"{type_.name}: wire to list",
        {
            OURS: lambda: decode(wire).to_list(),
            PGVECTOR: lambda: peer.from_binary(wire).to_list(),
            FIRST: lambda: old.from_database_binary(wire).to_float_list(),
            LIMIT: array("d", embedding).tolist,  # makes as many floats
        },
    )
    yield (
        f"{type_.name}: wire to ndarray",
        {
            OURS: lambda: decode(wire).to_numpy(),
            PGVECTOR: lambda: peer.from_binary(wire).to_numpy(),
            LIMIT: embedding.astype(type_.dtype).copy,
        },
    )
    same, theirs_too = ours(embedding), peer(embedding)
    yield (
        f"{type_.name}: equality",
        {OURS: lambda: value == same, PGVECTOR: lambda: theirs == theirs_too},
    )
    yield f"{type_.name}: hash", {OURS: partial(hash, value)}


def _texts(type_: _Dense, embedding: Any) -> Operations:
    encode = VALUE_CLASSES[type_.name].codec.encode
    value, theirs = type_.ours(embedding), type_.peer(embedding)
    text = value.to_text()
    yield (
        f"{type_.name}: text to wire",
        {
            OURS: partial(encode, text),
            PGVECTOR: lambda: type_.peer.from_text(text).to_binary(),
        },
    )
    yield f"{type_.name}: to text", {OURS: value.to_text, PGVECTOR: theirs.to_text}


def _matrices(type_: _Dense, matrix: Any) -> Operations:
    ours, peer = type_.ours, type_.peer
    values, theirs = ours.from_matrix(matrix), [peer(row) for row in matrix]
    copy = partial(np.copyto, np.empty_like(matrix), matrix)
    yield (
        f"{type_.name}: matrix to values",
        {
            OURS: partial(ours.from_matrix, matrix),
            PGVECTOR: lambda: [peer(row) for row in matrix],
            LIMIT: copy,
        },
    )
    yield (
        f"{type_.name}: values to matrix",
        {
            OURS: partial(ours.to_matrix, values),
            PGVECTOR: lambda: np.stack([value.to_numpy() for value in theirs]),
            LIMIT: copy,
        },
    )


def _sparse(draw: Any, dimensions: int) -> Operations:
    nnz = max(1, dimensions // 8)
    indices = draw.choice(30_000, nnz, replace=False).tolist()
    elements = dict(zip(indices, draw.normal(size=nnz).tolist(), strict=True))
    decode = SparseVector.codec.decode
    wire = SparseVector(elements, 30_000).to_binary()
    yield (
        "sparsevec: dict to wire",
        {
            OURS: lambda: SparseVector(elements, 30_000).to_binary(),
            PGVECTOR: lambda: pgvector.SparseVector(elements, 30_000).to_binary(),
            LIMIT: elements.copy,
        },
    )
    yield (
        "sparsevec: wire to value",
        {
            OURS: partial(decode, wire),
            PGVECTOR: partial(pgvector.SparseVector.from_binary, wire),
            FIRST: partial(first.SparseVector.from_database_binary, wire),
            LIMIT: object,
        },
    )
    yield "sparsevec: wire to dict", {OURS: lambda: decode(wire).to_dict()}


def _bits(flags: Any) -> Operations:
    encode, decode = Bit.codec
    row = flags.tolist()
    wire = encode(flags)
    yield (
        "bit: list to wire",
        {
            OURS: partial(encode, row),
            PGVECTOR: lambda: pgvector.Bit(row).to_binary(),
            LIMIT: partial(mul, [True], len(row)),  # makes as long a list
        },
    )
    yield (
        "bit: ndarray to wire",
        {
            OURS: partial(encode, flags),
            PGVECTOR: lambda: pgvector.Bit(flags).to_binary(),
        },
    )
    yield (
        "bit: wire to list",
        {
            OURS: lambda: decode(wire).to_list(),
            PGVECTOR: lambda: pgvector.Bit.from_binary(wire).to_list(),
            LIMIT: partial(mul, [True], len(row)),
        },
    )
