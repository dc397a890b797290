# Generated from [types.sparsevec] of specs/types.toml
# by codegen/templates/sparse.py.jinja. Do not edit: change one of them, then `make generate`.
"""The SQL type ``sparsevec``: the float32 elements that are not zero, and their indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncpg_vector._elements import FloatElement, IntegerElement
from asyncpg_vector._layouts.sparse import Sparse
from asyncpg_vector.info import Metric, TypeInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from asyncpg_vector._layouts.sparse import SparseInput

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

    element = FloatElement("f")
    index = IntegerElement("i")
    info = TypeInfo(
        sql_name="sparsevec",
        extension="vector",
        since="0.7.0",
        max_dimensions=1_000_000_000,
        max_nnz=16_000,
        max_indexed={"hnsw": 1_000},
        metrics={
            "l2": Metric("<->", {"hnsw": "sparsevec_l2_ops"}),
            "inner_product": Metric("<#>", {"hnsw": "sparsevec_ip_ops"}),
            "cosine": Metric("<=>", {"hnsw": "sparsevec_cosine_ops"}),
            "l1": Metric("<+>", {"hnsw": "sparsevec_l1_ops"}),
        },
    )

    def to_numpy(self) -> NDArray[np.float32]:
        """Return the elements as a new ndarray of shape (dimensions,), in native byte order."""
        return super().to_numpy()


def encode_sparsevec(value: SparseInput | str) -> bytes:
    """Return the wire payload of a parameter for ``sparsevec``.

    Args:
        value: of the class, or what that is made from, or the SQL text form.

    Raises:
        InvalidTypeError: it is none of these, or a value of another class.
        InvalidValueError: the server would refuse it.
    """
    return SparseVector.encode(value)


def decode_sparsevec(data: bytes) -> SparseVector:
    """Return the value of a wire payload that comes from the server.

    Its elements are not looked at, since the server has checked them;
    `SparseVector.from_binary` looks.

    Raises:
        MalformedWireError: the header or the length of `data` is wrong.
    """
    return SparseVector.decode(data)
