"""The sparse layout (pgvector, sparsevec_recv).

i32 dimensions, i32 nnz, i32 reserved, nnz indices, nnz elements.
"""

from __future__ import annotations

import operator
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, islice, pairwise
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    Protocol,
    Self,
    SupportsFloat,
    SupportsIndex,
    TypeAlias,
    cast,
    overload,
    runtime_checkable,
)

from asyncpg_vector._annotations import NDArray, sparse
from asyncpg_vector._elements import Element
from asyncpg_vector._inputs import Numbers, NumbersInput, read_numbers, read_whole, wrong_length
from asyncpg_vector._layouts.value import (
    SHOWN,
    NumberT,
    Value,
    check_dimensions,
    check_length,
    check_reserved,
    unpack_header,
    wrap,
)
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector._text import WHITESPACE, denotes_zero, read_integer
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedTextError

__all__ = ["Sparse", "SparseInput"]


@runtime_checkable
class SupportsToCoo(Protocol):
    """A SciPy sparse array or matrix of any format."""

    def tocoo(self, copy: bool = ...) -> Any: ...  # noqa: FBT001  # as SciPy has it


SparseInput: TypeAlias = SupportsToCoo | NumbersInput | Value
"""What a sparse value is made from, beside a dict: a sparse row, a dense row, any other value."""

_HEADER = struct.Struct(">iii")
_BLOCK = 1 << 16
"""Elements of a dense row that are looked at a time, so that its zeros take no memory."""

_TEXT = rf"[{WHITESPACE}]*\{{([^}}]*)\}}[{WHITESPACE}]*/([{WHITESPACE}]*[+-]?[0-9]+)[{WHITESPACE}]*"


class Sparse(Value, Generic[NumberT]):
    """A vector that holds the elements that are not zero, and at which indices, counted from 0."""

    __slots__ = ()

    _element: ClassVar[Element]
    """The format of an element."""
    _index: ClassVar[Element]
    """The format of an index."""

    @overload
    def __new__(cls, value: Mapping[Any, SupportsFloat], dimensions: SupportsIndex, /) -> Self: ...
    @overload
    def __new__(cls, value: SparseInput, /) -> Self: ...
    def __new__(
        cls,
        value: Mapping[Any, SupportsFloat] | SparseInput,
        dimensions: SupportsIndex | None = None,
        /,
    ) -> Self:
        if dimensions is None:
            return super().__new__(cls, value)
        if isinstance(value, Mapping) and (
            isinstance(value, dict) or not isinstance(value, SupportsToCoo)
        ):
            return cls.from_coo(list(value.keys()), list(value.values()), dimensions)
        raise InvalidTypeError(f"expected dimensions beside a dict only, got {describe(value)}")

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
        places, numbers = _read_column(indices), _read_column(values)
        if len(places) != len(numbers):
            raise InvalidValueError(
                f"expected a value for each index, got {len(places)} indices, {len(numbers)} values"
            )
        whole = read_whole(dimensions, "of dimensions")
        return wrap(cls, cls._assemble(_as_indices(_as_list(places)), _as_list(numbers), whole))

    @classmethod
    def _pack(cls, value: SparseInput) -> bytes:
        if isinstance(value, Sparse):
            values = value.values()  # pyright: ignore[reportUnknownVariableType]  # of any class
            return cls.from_coo(value.indices(), values, value.dimensions()).to_binary()  # pyright: ignore[reportUnknownArgumentType]
        if isinstance(value, SupportsToCoo):
            return cls._pack_row(value)
        if isinstance(value, Mapping):
            raise InvalidTypeError(
                f"expected dimensions beside {describe(value)}: "
                f"write {cls.__name__}({{...}}, dimensions)"
            )
        return cls._pack_dense(_read_column(value))

    @classmethod
    def _pack_row(cls, value: SupportsToCoo) -> bytes:
        row = value.tocoo(copy=True)
        row.sum_duplicates()  # repeated coordinates add up, in SciPy
        if row.shape[:-1] not in {(), (1,)}:
            raise InvalidTypeError(f"expected one sparse row, got an array of shape {row.shape}")
        return cls.from_coo(row.col, row.data.tolist(), row.shape[-1]).to_binary()

    @classmethod
    def _pack_dense(cls, numbers: Numbers) -> bytes:
        """Make a wire payload of a row with its zeros, which may be far more than is kept."""
        check_dimensions(cls.info, len(numbers))
        kept: dict[int, Any] = {}
        for indices, block in _blocks(numbers):
            elements = cls._element.unpack(cls._element.pack(block, indices), 0, len(indices))
            kept.update(compress(zip(indices, elements, strict=True), elements))
            cls._check_nnz(len(kept), f" up to index {indices[-1]}")
        return cls._join(list(kept), list(kept.values()), len(numbers))

    @classmethod
    def _assemble(
        cls, indices: Sequence[int], numbers: Numbers, dimensions: int, *, first: int = 0
    ) -> bytes:
        """Make a wire payload of indices and numbers in any order, zeros among them.

        Messages call the first index `first`.
        """
        elements = cls._element.pack(numbers, indices)
        check_dimensions(cls.info, dimensions)
        order = sorted(range(len(indices)), key=indices.__getitem__)
        unpacked = cls._element.unpack(elements, 0, len(indices))
        kept = order if all(unpacked) else [place for place in order if unpacked[place]]
        cls._check_nnz(len(kept))
        _check_indices([indices[place] for place in order], dimensions, first=first)
        return cls._join(
            [indices[place] for place in kept], [unpacked[place] for place in kept], dimensions
        )

    @classmethod
    def _join(cls, indices: list[int], elements: list[Any], dimensions: int) -> bytes:
        header = _HEADER.pack(dimensions, len(indices), 0)
        return header + cls._index.pack(indices) + cls._element.pack(elements)

    @classmethod
    def _read(cls, text: str) -> bytes:
        form = re.fullmatch(_TEXT, text)
        if not form:
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as {{1:1.5,3:2}}/5, got {describe(text)}"
            )
        body, dimensions = form[1], read_integer(form[2], "of dimensions")
        entries = body.split(",") if body.strip(WHITESPACE) else []
        cls._check_nnz(len(entries))  # the server counts the commas too (sparsevec_in)
        columns = [entry.partition(":") for entry in entries]
        indices = [
            read_integer(index, f"for the index of entry {place}")
            for place, (index, _, _) in enumerate(columns)
        ]
        texts = [number for _, _, number in columns]
        payload = cls._element.read(",".join(texts), indices) if texts else b""
        elements = cls._element.unpack(payload, 0, len(texts))
        kept = {
            place: element
            for place, (index, text, element) in enumerate(
                zip(indices, texts, elements, strict=True)
            )
            if element or _refuse_underflow(cls._element, text, index)
        }
        # The server drops zeros before it looks at indices, which count from 1 in the text.
        from_zero = [indices[place] - 1 for place in kept]
        return cls._assemble(from_zero, list(kept.values()), dimensions, first=1)

    @classmethod
    def _check_header(cls, wire: bytes) -> None:
        _, nnz, reserved = unpack_header(cls.info, _HEADER, wire)
        check_reserved(cls.info, reserved)
        size = cls._index.width + cls._element.width
        check_length(cls.info, wire, _HEADER.size + nnz * size)

    @classmethod
    def _check(cls, wire: bytes) -> bytes:
        value = wrap(cls, wire)
        check_dimensions(cls.info, value.dimensions())
        cls._check_nnz(value.nnz())
        indices = value.indices()
        for index, following in pairwise(indices):
            if index > following:
                raise InvalidValueError(
                    f"expected ascending indices, got {following} after {index}"
                )
        _check_indices(indices, value.dimensions())
        cls._element.check(wire[_HEADER.size + value.nnz() * cls._index.width :])
        for index, element in value.to_dict().items():
            if not element:
                raise InvalidValueError(f"expected no zero, got {element} at index {index}")
        return wire

    @classmethod
    def _check_nnz(cls, nnz: int, where: str = "") -> None:
        most = cls.info.max_nnz
        if most is not None and nnz > most:
            raise InvalidValueError(
                f"expected at most {most} non-zero elements for {cls.info.sql_name}, "
                f"got {nnz}{where}"
            )

    @classmethod
    def from_json(cls, data: Any, /) -> Self:
        if not isinstance(data, Mapping):
            return cls.coerce(data)
        members = cast("Mapping[str, Any]", data)
        if members.keys() != cls.json_schema()["properties"].keys():
            raise InvalidTypeError(
                f"expected an object of indices, values and dimensions, got {describe(members)}"
            )
        return cls.from_coo(members["indices"], members["values"], members["dimensions"])

    def to_json(self) -> dict[str, Any]:
        """Return a dict of the indices, counted from 0, the values and the dimensions."""
        return {
            "indices": self.indices(),
            "values": self.values(),
            "dimensions": self.dimensions(),
        }

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        def array(**items: Any) -> dict[str, Any]:
            return {"type": "array", "items": items, "maxItems": cls.info.max_nnz}

        most = cls.info.max_dimensions
        properties = {
            "indices": array(type="integer", minimum=0, exclusiveMaximum=most),
            "values": array(type=cls._element.json_type),
            "dimensions": {"type": "integer", "minimum": 1, "maximum": most},
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def to_text(self) -> str:
        entries = zip(self.indices(), self._element.print(self.values()), strict=True)
        inner = ",".join(f"{index + 1}:{text}" for index, text in entries)
        return f"{{{inner}}}/{self.dimensions()}"

    def dimensions(self) -> int:
        return int(_HEADER.unpack_from(self._wire)[0])

    def nnz(self) -> int:
        """Return the number of non-zero elements."""
        return int(_HEADER.unpack_from(self._wire)[1])

    def indices(self) -> list[int]:
        """Return the indices of the non-zero elements, counted from 0 and ascending."""
        return list(self._index.unpack(self._wire, _HEADER.size, self.nnz()))

    def values(self) -> list[NumberT]:
        """Return the non-zero elements, in the order of `indices`."""
        return list(self._element.unpack(self._wire, self._values_offset(), self.nnz()))

    def to_dict(self) -> dict[int, NumberT]:
        """Return the non-zero elements by their indices, which count from 0 and ascend."""
        return dict(zip(self.indices(), self.values(), strict=True))

    def to_list(self) -> list[NumberT]:
        """Return all elements, zeros included: one for each dimension, up to a billion."""
        elements = [self._element.number(0)] * self.dimensions()
        for index, value in zip(self.indices(), self.values(), strict=True):
            elements[index] = value
        return elements

    def to_numpy(self) -> NDArray[Any]:
        import numpy as np

        elements = np.zeros(self.dimensions(), self._values_array().dtype)
        elements[self.indices()] = self._values_array()
        return elements

    def to_coo(self) -> sparse.coo_array:
        """Return a SciPy array of shape (1, dimensions) in coordinate format."""
        from scipy.sparse import coo_array

        coordinates = ([0] * self.nnz(), self.indices())
        return coo_array((self._values_array(), coordinates), shape=(1, self.dimensions()))

    def _values_array(self) -> NDArray[Any]:
        return self._element.unpack_array(self._wire, self._values_offset())

    def _values_offset(self) -> int:
        return _HEADER.size + self.nnz() * self._index.width

    def __repr__(self) -> str:
        entries = zip(self.indices(), self._element.literals(self.values()), strict=True)
        inner = ", ".join(f"{index}: {literal}" for index, literal in entries)
        return f"{type(self).__name__}({{{inner}}}, {self.dimensions()})"

    def __str__(self) -> str:
        if self.nnz() <= SHOWN:
            return repr(self)
        values = self._element.print(self.values()[:SHOWN])
        entries = zip(self.indices()[:SHOWN], values, strict=True)
        shown = ", ".join(f"{index}: {text}" for index, text in entries)
        return (
            f"{type(self).__name__}({{{shown}, ...}}, "
            f"{self.dimensions()} dimensions, {self.nnz()} not zero)"
        )


def _blocks(numbers: Numbers) -> Iterator[tuple[Sequence[int], Numbers]]:
    """Go through a row, so many elements at a time, with their indices; NumPy's zeros are left out.

    Raises:
        InvalidTypeError: it has more elements than its length says, or fewer.
    """
    if is_ndarray(numbers) and numbers.dtype.kind != "O":
        for start in range(0, len(numbers), _BLOCK):
            block = numbers[start : start + _BLOCK]
            (places,) = block.nonzero()
            if len(places):
                yield (places + start).tolist(), block[places]
        return
    elements, start = iter(numbers), 0
    while start <= len(numbers) and (row := list(islice(elements, _BLOCK))):
        yield range(start, start + len(row)), row
        start += len(row)
    if start != len(numbers):
        raise wrong_length(numbers)


def _check_indices(ascending: Sequence[int], dimensions: int, *, first: int = 0) -> None:
    """Check that ascending indices are in range and that none is there twice.

    Messages call the first index `first`.
    """
    for index in (*ascending[:1], *ascending[-1:]):
        if not 0 <= index < dimensions:
            raise InvalidValueError(
                f"expected indices from {first} to {dimensions - 1 + first}, "
                f"got {shorten(index + first)}"
            )
    if len(set(ascending)) < len(ascending):
        twice = next(index for index, following in pairwise(ascending) if index == following)
        raise InvalidValueError(f"expected distinct indices, got {twice + first} twice")


def _refuse_underflow(element: Element, text: str, index: int) -> Literal[False]:
    """Tell that a text of a zero is to be dropped, unless it is only too small for the format."""
    if denotes_zero(text):
        return False
    raise element.misfit(text, index)


def _as_indices(column: Sequence[Any]) -> list[int]:
    try:
        return list(map(operator.index, column))
    except TypeError:  # and this says which one it is
        return [read_whole(index, f"for indices[{n}]") for n, index in enumerate(column)]


def _read_column(column: object) -> Numbers:
    return read_numbers(column.to_list() if isinstance(column, Value) else column)


def _as_list(column: Numbers) -> list[Any]:
    numbers = column.tolist() if is_ndarray(column) else list(column)
    if len(numbers) != len(column):
        raise wrong_length(column)
    return numbers
