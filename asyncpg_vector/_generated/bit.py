# Generated from [types.bit] of specs/types.toml
# by codegen/templates/bits.py.jinja. Do not edit: change one of them, then `make generate`.
"""The SQL type ``bit``: a string of bits."""

from __future__ import annotations

from collections.abc import Callable

from asyncpg_vector._layouts.bits import Bits, BitsInput
from asyncpg_vector.info import Metric, TypeInfo, read_only

__all__ = ["Bit", "decode_bit", "encode_bit"]


class Bit(Bits):
    """A value of the SQL type ``bit``: up to 2,147,483,640 bits.

    It is made from a str of 0 and 1, a row of bools (a sequence, an ndarray, a tensor; 0 and 1 will
    do), bytes (8 bits each, the most significant first), or an `asyncpg.BitString`.

    Raises:
        InvalidTypeError: something in the row is no bool, or there is more than one row.
        InvalidValueError: something is a number but not 0 or 1, or there are too many bits.
    """

    __slots__ = ()

    info = TypeInfo(
        sql_name="bit",
        extension=None,
        since=None,
        max_dimensions=2_147_483_640,
        max_nnz=None,
        max_indexed=read_only(hnsw=64_000, ivfflat=64_000),
        metrics=read_only(
            hamming=Metric("<~>", read_only(hnsw="bit_hamming_ops", ivfflat="bit_hamming_ops")),
            jaccard=Metric("<%>", read_only(hnsw="bit_jaccard_ops")),
        ),
    )


encode_bit: Callable[[BitsInput | str], bytes] = Bit.encode
decode_bit: Callable[[bytes], Bit] = Bit.decode
