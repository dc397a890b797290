# Generated from specs/types.toml by codegen/templates/registry.py.jinja.
# Do not edit: change one of them, then `make generate`.
"""Every type of the spec: its value class, and its codec by its SQL name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncpg_vector._codec import Codec
from asyncpg_vector._generated.bit import Bit, decode_bit, encode_bit
from asyncpg_vector._generated.halfvec import HalfVector, decode_halfvec, encode_halfvec
from asyncpg_vector._generated.sparsevec import SparseVector, decode_sparsevec, encode_sparsevec
from asyncpg_vector._generated.vector import Vector, decode_vector, encode_vector

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Bit", "HalfVector", "SparseVector", "Vector"]

CODECS: Mapping[str, Codec] = {
    "vector": Codec(Vector, encode_vector, decode_vector),
    "halfvec": Codec(HalfVector, encode_halfvec, decode_halfvec),
    "sparsevec": Codec(SparseVector, encode_sparsevec, decode_sparsevec),
    "bit": Codec(Bit, encode_bit, decode_bit),
}
"""In the order of the spec."""
