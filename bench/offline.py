"""Conversions without a server: each operation, with each library's call for it."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asyncpg_vector import Bit, HalfVector, SparseVector, Vector
from asyncpg_vector._generated import VALUE_CLASSES
from bench.peers import FIRST, OURS, PGVECTOR, first, pgvector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["BARS", "offline"]

BARS = {
    "vector: list to wire": 0.70,
    "halfvec: list to wire": 1.00,
    "vector: float32 ndarray to wire": 1.00,
    "halfvec: float16 ndarray to wire": 1.00,
    "halfvec: float32 ndarray to wire": 1.00,
    "vector: base64 to wire": 1.00,
    "vector: wire to value": 0.35,
    "vector: wire to list": 1.00,
    "vector: wire to ndarray": 0.90,
    "sparsevec: dict to wire": 0.95,
    "sparsevec: wire to value": 0.30,
    "vector: to text": 1.00,
}
"""The most time that an operation may take at 1536 dimensions, as a ratio to pgvector-python's."""

DENSE: list[tuple[str, Any, Any, Any]] = [
    ("vector", Vector, pgvector.Vector, first.Vector),
    ("halfvec", HalfVector, pgvector.HalfVector, first.HalfVector),
]


def offline(dimensions: int) -> Iterator[tuple[str, dict[str, Callable[[], object]]]]:
    """Yield each operation's name, and each library's call for it."""
    draw = np.random.default_rng(20261122)
    embedding = draw.normal(0, dimensions**-0.5, dimensions).astype(np.float32)
    for name, ours, peer, old in DENSE:
        yield from _dense(name, embedding, ours, peer, old)
    yield from _sparse(draw, dimensions)
    yield from _bits(draw.random(dimensions) < 0.5)


def _dense(
    name: str, embedding: Any, ours: Any, peer: Any, old: Any
) -> Iterator[tuple[str, dict[str, Callable[[], object]]]]:
    codec = VALUE_CLASSES[name].codec
    encode, decode = codec.encode, codec.decode
    row: list[float] = embedding.tolist()
    line = tuple(row)
    yield (
        f"{name}: list to wire",
        {
            OURS: lambda: encode(row),
            PGVECTOR: lambda: peer(row).to_binary(),
            FIRST: lambda: old.from_float_list(row).to_database_binary(),
        },
    )
    yield f"{name}: tuple to wire", {OURS: lambda: encode(line)}
    for dtype in ("float32", "float16", "float64"):
        array = embedding.astype(dtype)
        yield (
            f"{name}: {dtype} ndarray to wire",
            {
                OURS: partial(encode, array),
                PGVECTOR: partial(_encode_theirs, peer, array),
            },
        )
    encoded = base64.b64encode(embedding.tobytes()).decode()
    yield (
        f"{name}: base64 to wire",
        {
            OURS: lambda: ours.from_float_base64(encoded).to_binary(),
            PGVECTOR: lambda: peer(np.frombuffer(base64.b64decode(encoded), "<f4")).to_binary(),
            FIRST: lambda: old.from_float_base64(encoded).to_database_binary(),
        },
    )
    wire, value, theirs = encode(row), ours(row), peer(row)
    text = value.to_text()
    yield (
        f"{name}: text to wire",
        {
            OURS: lambda: encode(text),
            PGVECTOR: lambda: peer.from_text(text).to_binary(),
        },
    )
    yield (
        f"{name}: wire to value",
        {
            OURS: lambda: decode(wire),
            PGVECTOR: lambda: peer.from_binary(wire),
            FIRST: lambda: old.from_database_binary(wire),
        },
    )
    yield (
        f"{name}: wire to list",
        {
            OURS: lambda: decode(wire).to_list(),
            PGVECTOR: lambda: peer.from_binary(wire).to_list(),
            FIRST: lambda: old.from_database_binary(wire).to_float_list(),
        },
    )
    yield (
        f"{name}: wire to ndarray",
        {
            OURS: lambda: decode(wire).to_numpy(),
            PGVECTOR: lambda: peer.from_binary(wire).to_numpy(),
        },
    )
    yield f"{name}: to text", {OURS: value.to_text, PGVECTOR: theirs.to_text}
    same, theirs_too = ours(row), peer(row)
    yield f"{name}: equality", {OURS: lambda: value == same, PGVECTOR: lambda: theirs == theirs_too}
    yield f"{name}: hash", {OURS: lambda: hash(value)}


def _encode_theirs(peer: Any, array: Any) -> object:
    return peer(array).to_binary()


def _sparse(draw: Any, dimensions: int) -> Iterator[tuple[str, dict[str, Callable[[], object]]]]:
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
        },
    )
    yield (
        "sparsevec: wire to value",
        {
            OURS: lambda: decode(wire),
            PGVECTOR: lambda: pgvector.SparseVector.from_binary(wire),
            FIRST: lambda: first.SparseVector.from_database_binary(wire),
        },
    )
    yield "sparsevec: wire to dict", {OURS: lambda: decode(wire).to_dict()}


def _bits(flags: Any) -> Iterator[tuple[str, dict[str, Callable[[], object]]]]:
    encode, decode = Bit.codec
    row = flags.tolist()
    wire = encode(flags)
    yield (
        "bit: list to wire",
        {
            OURS: lambda: encode(row),
            PGVECTOR: lambda: pgvector.Bit(row).to_binary(),
        },
    )
    yield (
        "bit: ndarray to wire",
        {
            OURS: lambda: encode(flags),
            PGVECTOR: lambda: pgvector.Bit(flags).to_binary(),
        },
    )
    yield (
        "bit: wire to list",
        {
            OURS: lambda: decode(wire).to_list(),
            PGVECTOR: lambda: pgvector.Bit.from_binary(wire).to_list(),
        },
    )
