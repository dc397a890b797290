# Generated from [types.vector] of specs/types.toml
# by codegen/templates/dense.py.jinja. Do not edit: change one of them, then `make generate`.
"""The SQL type ``vector``: one float32 for each dimension."""

from __future__ import annotations

from collections.abc import Callable

from asyncpg_vector._annotations import NDArray, np
from asyncpg_vector._elements import FloatElement
from asyncpg_vector._layouts.dense import Dense, DenseInput, RowsInput
from asyncpg_vector.info import Metric, TypeInfo, read_only

__all__ = ["Vector", "decode_vector", "encode_vector"]


class Vector(Dense[float]):
    """A value of the SQL type ``vector``: 1 to 16,000 dimensions of float32.

    It is made from one row of numbers (a sequence, an ``array``, a buffer, an ndarray, a tensor) or
    from another value. Each number is rounded to float32, half to even.

    Raises:
        InvalidTypeError: something in the row is no number, or there is more than one row.
        InvalidValueError: there are too many dimensions or none, or a number is NaN, infinite, or
            does not fit.
    """

    __slots__ = ()

    _element = FloatElement("f")
    info = TypeInfo(
        sql_name="vector",
        extension="vector",
        since="0.1.1",
        max_dimensions=16_000,
        max_nnz=None,
        max_indexed=read_only(hnsw=2_000, ivfflat=2_000),
        metrics=read_only(
            l2=Metric("<->", read_only(hnsw="vector_l2_ops", ivfflat="vector_l2_ops")),
            inner_product=Metric("<#>", read_only(hnsw="vector_ip_ops", ivfflat="vector_ip_ops")),
            cosine=Metric("<=>", read_only(hnsw="vector_cosine_ops", ivfflat="vector_cosine_ops")),
            l1=Metric("<+>", read_only(hnsw="vector_l1_ops")),
        ),
    )

    def to_numpy(self) -> NDArray[np.float32]:
        """Return the elements as a new ndarray of shape (dimensions,), in native byte order."""
        return super().to_numpy()

    @classmethod
    def to_matrix(cls, values: RowsInput, /) -> NDArray[np.float32]:
        """Return values, or fetched records of one column, as one ndarray.

        It has the shape (values, dimensions), and native byte order.

        Raises:
            InvalidTypeError, InvalidValueError: a row is no value, or has another number of
                dimensions than the first; the message has its number.
        """
        return super().to_matrix(values)


encode_vector: Callable[[DenseInput | str], bytes] = Vector.encode
decode_vector: Callable[[bytes], Vector] = Vector.decode
