"""The sparse layout (pgvector, sparsevec_recv).

i32 dimensions, i32 nnz, i32 reserved, nnz indices, nnz elements.
"""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Generic,
    Protocol,
    SupportsFloat,
    SupportsIndex,
    TypeAlias,
    TypeVar,
    overload,
    runtime_checkable,
)

from asyncpg_vector._elements import read_integer
from asyncpg_vector._float_text import WHITESPACE, denotes_zero
from asyncpg_vector._inputs import NumbersInput, is_ndarray, read_numbers
from asyncpg_vector._layouts.value import (
    SHOWN,
    Value,
    check_dimensions,
    check_wire,
    unpack_header,
    wrap,
)
from asyncpg_vector.errors import (
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    describe,
    shorten,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import coo_array
    from typing_extensions import Self

    from asyncpg_vector._elements import Element

__all__ = ["Sparse", "SparseInput", "decode_sparse"]


@runtime_checkable
class SupportsToCoo(Protocol):
    """A SciPy sparse array or matrix of any format."""

    def tocoo(self, copy: bool = ...) -> Any: ...  # noqa: FBT001  # as SciPy has it


NumberT = TypeVar("NumberT", int, float)
SparseT = TypeVar("SparseT", bound="Sparse[Any]")

SparseInput: TypeAlias = "SupportsToCoo | NumbersInput | Value"
"""What a sparse value is made from, beside a dict: a sparse row, a dense row, any other value."""

_HEADER = struct.Struct(">iii")

_TEXT = re.compile(
    rf"[{WHITESPACE}]*\{{([^}}]*)\}}[{WHITESPACE}]*/([{WHITESPACE}]*[+-]?[0-9]+)[{WHITESPACE}]*"
)


class Sparse(Value, Generic[NumberT]):
    """A vector that holds the elements that are not zero, and at which indices, counted from 0."""

    __slots__ = ()

    element: ClassVar[Element]
    """The format of an element."""
    index: ClassVar[Element]
    """The format of an index."""

    @overload
    def __new__(cls, value: Mapping[int, SupportsFloat], dimensions: SupportsIndex, /) -> Self: ...
    @overload
    def __new__(cls, value: SparseInput, /) -> Self: ...
    def __new__(
        cls,
        value: Mapping[int, SupportsFloat] | SparseInput,
        dimensions: SupportsIndex | None = None,
        /,
    ) -> Self:
        if isinstance(value, Mapping) and not isinstance(value, SupportsToCoo):
            if dimensions is None:
                raise InvalidTypeError(f"expected dimensions beside {describe(value)}")
            return cls.from_coo(list(value.keys()), list(value.values()), dimensions)
        if dimensions is not None:
            raise InvalidTypeError(f"expected dimensions beside a dict only, got {describe(value)}")
        return value if type(value) is cls else super().__new__(cls, value)

    @classmethod
    def from_coo(
        cls,
        indices: Sequence[SupportsIndex] | NumbersInput,
        values: NumbersInput,
        dimensions: SupportsIndex,
        /,
    ) -> Self:
        """Make a value of coordinates: ``values[n]`` stands at ``indices[n]``, in any order.

        Elements that are zero, or become zero in the element format, are dropped.

        Args:
            indices: distinct whole numbers from 0 to `dimensions` - 1.
            values: as many numbers.
            dimensions: the number of dimensions.

        Raises:
            InvalidTypeError: an index or a value is of the wrong type.
            InvalidValueError: an index is out of range or repeated, a value does not fit, there are
                too many dimensions or elements, or more indices than values, or fewer.
        """
        places = [_as_index(index) for index in _as_list(indices)]
        numbers = _as_list(values)
        if len(places) != len(numbers):
            raise InvalidValueError(
                f"expected a value for each index, got {len(places)} indices, {len(numbers)} values"
            )
        payload = cls.element.pack(numbers, places)
        return wrap(cls, cls._assemble(places, payload, _as_index(dimensions)))

    @classmethod
    def _pack(cls, value: SparseInput) -> bytes:
        if isinstance(value, Sparse):
            payload = cls.element.pack(
                value.values(),  # pyright: ignore[reportUnknownArgumentType]  # whatever its class
                value.indices(),
            )
            return cls._assemble(value.indices(), payload, value.dimensions())
        if isinstance(value, SupportsToCoo):
            return cls._pack_row(value)
        numbers = read_numbers(value.to_list() if isinstance(value, Value) else value)
        check_dimensions(cls.info, len(numbers))
        payload = cls.element.pack(numbers)
        return cls._assemble(range(len(numbers)), payload, len(numbers))

    @classmethod
    def _pack_row(cls, value: SupportsToCoo) -> bytes:
        row = value.tocoo(copy=True)
        row.sum_duplicates()  # repeated coordinates add up, in SciPy
        if row.shape[:-1] not in {(), (1,)}:
            raise InvalidTypeError(f"expected one sparse row, got an array of shape {row.shape}")
        indices = row.col.tolist()
        return cls._assemble(indices, cls.element.pack(row.data.tolist(), indices), row.shape[-1])

    @classmethod
    def _assemble(cls, indices: Sequence[int], payload: bytes, dimensions: int) -> bytes:
        """Make a wire payload of packed elements in any order, zeros among them."""
        check_dimensions(cls.info, dimensions)
        elements = cls.element.unpack(payload, 0, len(indices))
        entries = sorted(zip(indices, elements, strict=True))
        kept = [entry for entry in entries if entry[1]]
        cls._check_nnz(len(kept))
        _check_indices([index for index, _ in entries], dimensions)
        return (
            _HEADER.pack(dimensions, len(kept), 0)
            + cls.index.pack([index for index, _ in kept])
            + cls.element.pack([element for _, element in kept])
        )

    @classmethod
    def _read(cls, text: str) -> bytes:
        form = _TEXT.fullmatch(text)
        if not form:
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as {{1:1.5,3:2}}/5, got {describe(text)}"
            )
        body, dimensions = form[1], read_integer(form[2])
        entries = body.split(",") if body.strip(WHITESPACE) else []
        cls._check_nnz(len(entries))  # the server counts the commas too (sparsevec_in)
        columns = [entry.partition(":") for entry in entries]
        indices = [read_integer(index) - 1 for index, _, _ in columns]
        texts = [number for _, _, number in columns]
        payload = cls.element.read(texts, indices)
        # The server drops a zero before it looks at the index, and refuses what became zero.
        elements = cls.element.unpack(payload, 0, len(texts))
        kept = [place for place, element in enumerate(elements) if element]
        for place in set(range(len(texts))).difference(kept):
            if not denotes_zero(texts[place]):
                raise InvalidValueError(
                    f"expected a number that fits {cls.element.name}, got {texts[place].strip()!r}"
                )
        payload = cls.element.pack([elements[place] for place in kept])
        return cls._assemble([indices[place] for place in kept], payload, dimensions)

    @classmethod
    def _check(cls, wire: bytes) -> bytes:
        dimensions, nnz = _read_header(cls, wire)
        check_dimensions(cls.info, dimensions)
        cls._check_nnz(nnz)
        value = wrap(cls, wire)
        indices = value.indices()
        if indices != sorted(indices):
            raise InvalidValueError(f"expected ascending indices in {cls.info.sql_name}")
        _check_indices(indices, dimensions)
        cls.element.check(wire[_HEADER.size + nnz * cls.index.width :])
        if not all(value.values()):
            raise InvalidValueError(f"expected no zero among the elements of {cls.info.sql_name}")
        return wire

    @classmethod
    def _check_nnz(cls, nnz: int) -> None:
        most = cls.info.max_nnz
        if most is not None and nnz > most:
            raise InvalidValueError(
                f"expected at most {most} non-zero elements for {cls.info.sql_name}, got {nnz}"
            )

    def to_text(self) -> str:
        entries = zip(self.indices(), self.element.print(self.values()), strict=True)
        inner = ",".join(f"{index + 1}:{text}" for index, text in entries)
        return f"{{{inner}}}/{self.dimensions()}"

    def dimensions(self) -> int:
        return int(_HEADER.unpack_from(self._wire)[0])

    def nnz(self) -> int:
        """Return the number of non-zero elements."""
        return int(_HEADER.unpack_from(self._wire)[1])

    def indices(self) -> list[int]:
        """Return the indices of the non-zero elements, counted from 0 and ascending."""
        return list(self.index.unpack(self._wire, _HEADER.size, self.nnz()))

    def values(self) -> list[NumberT]:
        """Return the non-zero elements, in the order of `indices`."""
        return list(self.element.unpack(self._wire, self._values_offset(), self.nnz()))

    def to_dict(self) -> dict[int, NumberT]:
        """Return the non-zero elements by their indices, which count from 0 and ascend."""
        return dict(zip(self.indices(), self.values(), strict=True))

    def to_list(self) -> list[NumberT]:
        """Return all elements, zeros included: one for each dimension, up to a billion."""
        elements = [self.element.number(0)] * self.dimensions()
        for index, value in zip(self.indices(), self.values(), strict=True):
            elements[index] = value
        return elements

    def to_numpy(self) -> NDArray[Any]:
        import numpy as np

        elements = np.zeros(self.dimensions(), self._values_array().dtype)
        elements[self.indices()] = self._values_array()
        return elements

    def to_coo(self) -> coo_array:
        """Return a SciPy array of shape (1, dimensions) in coordinate format."""
        from scipy.sparse import coo_array

        coordinates = ([0] * self.nnz(), self.indices())
        return coo_array((self._values_array(), coordinates), shape=(1, self.dimensions()))

    def _values_array(self) -> NDArray[Any]:
        return self.element.unpack_array(self._wire, self._values_offset())

    def _values_offset(self) -> int:
        return _HEADER.size + self.nnz() * self.index.width

    def __repr__(self) -> str:
        entries = zip(self.indices(), self.element.literals(self.values()), strict=True)
        inner = ", ".join(f"{index}: {literal}" for index, literal in entries)
        return f"{type(self).__name__}({{{inner}}}, {self.dimensions()})"

    def __str__(self) -> str:
        if self.nnz() <= SHOWN:
            return repr(self)
        values = self.element.print(self.values()[:SHOWN])
        entries = zip(self.indices()[:SHOWN], values, strict=True)
        shown = ", ".join(f"{index}: {text}" for index, text in entries)
        return (
            f"{type(self).__name__}({{{shown}, ...}}, "
            f"{self.dimensions()} dimensions, {self.nnz()} not zero)"
        )


def decode_sparse(cls: type[SparseT], data: bytes) -> SparseT:
    """Wrap a wire payload that comes from the server, which has checked indices and elements.

    Raises:
        MalformedWireError: its header or its length is wrong.
    """
    _read_header(cls, data)
    return wrap(cls, data)


def _read_header(cls: type[Sparse[Any]], wire: bytes) -> tuple[int, int]:
    dimensions, nnz, reserved = unpack_header(cls.info, _HEADER, wire)
    expected = _HEADER.size + nnz * (cls.index.width + cls.element.width)
    check_wire(cls.info, wire, expected=expected, reserved=reserved)
    return dimensions, nnz


def _check_indices(indices: Sequence[int], dimensions: int) -> None:
    """Check ascending indices: they are in range, and none is there twice."""
    for index in (*indices[:1], *indices[-1:]):
        if not 0 <= index < dimensions:
            raise InvalidValueError(
                f"expected indices from 0 to {dimensions - 1}, got {shorten(index)}"
            )
    for index, following in pairwise(indices):
        if index == following:
            raise InvalidValueError(f"expected distinct indices, got {index} twice")


def _as_index(value: SupportsIndex) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise InvalidTypeError(f"expected a whole number, got {describe(value)}") from None


def _as_list(column: object) -> list[Any]:
    numbers = read_numbers(column)
    return numbers.tolist() if is_ndarray(numbers) else list(numbers)
