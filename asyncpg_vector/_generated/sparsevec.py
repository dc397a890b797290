# Generated from [types.sparsevec] of specs/types.toml
# by codegen/templates/sparse.py.jinja. Do not edit: change one of them, then `make generate`.
"""The SQL type ``sparsevec``: the float32 elements that are not zero, and their indices."""

from __future__ import annotations

from collections.abc import Callable

from asyncpg_vector._annotations import NDArray, np
from asyncpg_vector._elements import FloatElement, IntegerElement
from asyncpg_vector._layouts.sparse import Sparse, SparseInput
from asyncpg_vector.info import Metric, TypeInfo, read_only

__all__ = ["SparseVector", "decode_sparsevec", "encode_sparsevec"]


class SparseVector(Sparse[float]):
    """A value of the SQL type ``sparsevec``: the float32 elements that are not zero.

    There are 1 to 1,000,000,000 dimensions, and at most 16,000 elements. It is made from
    a dict of elements by index, counted from 0, and the number of dimensions; or from a SciPy
    sparse row, one row of numbers, or another value, which all know their dimensions.
    Each number is rounded to float32, half to even. Zeros are dropped.

    Raises:
        InvalidTypeError: an index or an element is no number, or there is more than one row.
        InvalidValueError: an index is out of range, a number is NaN, infinite, or does not fit, or
            there are too many dimensions, none, or too many elements.
    """

    __slots__ = ()

    _element = FloatElement("f")
    _index = IntegerElement("i")
    info = TypeInfo(
        sql_name="sparsevec",
        extension="vector",
        since="0.7.0",
        max_dimensions=1_000_000_000,
        max_nnz=16_000,
        max_indexed=read_only(hnsw=1_000),
        metrics=read_only(
            l2=Metric("<->", read_only(hnsw="sparsevec_l2_ops")),
            inner_product=Metric("<#>", read_only(hnsw="sparsevec_ip_ops")),
            cosine=Metric("<=>", read_only(hnsw="sparsevec_cosine_ops")),
            l1=Metric("<+>", read_only(hnsw="sparsevec_l1_ops")),
        ),
    )

    def to_numpy(self) -> NDArray[np.float32]:
        """Return the elements as a new ndarray of shape (dimensions,), in native byte order."""
        return super().to_numpy()


encode_sparsevec: Callable[[SparseInput | str], bytes] = SparseVector.encode
decode_sparsevec: Callable[[bytes], SparseVector] = SparseVector.decode
