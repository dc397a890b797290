"""The sparse layout: a value has the elements that are not zero, and their indices."""

from __future__ import annotations

import operator
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, islice, pairwise
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    SupportsFloat,
    SupportsIndex,
    TypeAlias,
    cast,
    overload,
)

from asyncpg_vector._annotations import NDArray, sparse
from asyncpg_vector._messages import describe, shorten
from asyncpg_vector._numpy import is_ndarray
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedTextError
from asyncpg_vector.runtime.checks import count_error
from asyncpg_vector.runtime.digits import WHITESPACE, denotes_zero, read_integer
from asyncpg_vector.runtime.formats import NumberFormat
from asyncpg_vector.runtime.holders import (
    Numbers,
    NumbersInput,
    length_error,
    read_numbers,
    read_whole,
)
from asyncpg_vector.runtime.sparse_holders import (
    Entries,
    SupportsEntries,
    SupportsToCoo,
    read_sparse_row,
)
from asyncpg_vector.runtime.sparse_matrix import SparseMatrixRow, for_scipy
from asyncpg_vector.runtime.text import NumberText
from asyncpg_vector.runtime.value import (
    SHOWN,
    NumberT,
    ScalarT,
    Value,
    check_dimensions,
    object_schema,
    require_text,
    show_short,
)

__all__ = ["Sparse", "SparseInput", "check_indices", "without_zeros"]


SparseInput: TypeAlias = SupportsToCoo | SupportsEntries | NumbersInput | Value
"""Arguments of the constructor beside a dict: a sparse row, a dense row, a value of any class."""

_BLOCK = 1 << 16
"""Elements of a dense row that are read at a time, so that its zeros take no memory."""

_TEXT = rf"[{WHITESPACE}]*\{{([^}}]*)\}}[{WHITESPACE}]*/([{WHITESPACE}]*[+-]?[0-9]+)[{WHITESPACE}]*"


class Coordinates(tuple[int, list[int], list[Any]]):
    """The dimensions of a sparse value, ascending indices, and an element for each, narrowed.

    Zeros may be among the elements.
    """

    __slots__ = ()


class Sparse(SparseMatrixRow[NumberT, ScalarT]):
    """A vector that holds the elements that are not zero, and their indices, counted from 0."""

    __slots__ = ()

    layout = "sparse"

    text_format: ClassVar[NumberText | None] = None
    """How elements are written in the text form, if the type has one."""

    text_first_index: ClassVar[int] = 0
    """The index of the first dimension in the text form; everywhere else it is 0."""

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
            return cls._construct(value)
        if isinstance(value, Mapping) and (isinstance(value, dict) or not hasattr(value, "tocoo")):
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
        return cls._make_of_entries(Entries((indices, values, dimensions)))

    @classmethod
    def _read_coo(cls, indices: Any, values: Any, dimensions: SupportsIndex) -> Coordinates:
        places, numbers = _read_column(indices), _read_column(values)
        _require_pairs(places, numbers)
        whole = read_whole(dimensions, "of dimensions")
        # Another thread may change a list while it is copied.
        copied_places, copied_numbers = _as_list(places), _as_list(numbers)
        _require_pairs(copied_places, copied_numbers)
        return cls._sort(_as_indices(copied_places), copied_numbers, whole)

    @classmethod
    def read_parameter(cls, value: Any, /) -> Coordinates:
        if type(value) is Coordinates:
            return value
        if type(value) is Entries:
            return cls._read_coo(*value)
        coordinates: Coordinates = super().read_parameter(value)
        return coordinates

    @classmethod
    def _read(cls, value: SparseInput) -> Coordinates:
        entries = read_sparse_row(value)
        if entries is not None:
            return cls._read_coo(*entries)
        if isinstance(value, Mapping):
            raise InvalidTypeError(
                f"expected dimensions beside {describe(value)}: "
                f"write {cls.__name__}({{...}}, dimensions)"
            )
        return cls._read_dense(_read_column(value))

    @classmethod
    def _read_dense(cls, numbers: Numbers) -> Coordinates:
        """Read a row with its zeros, which may be far more than the other elements."""
        check_dimensions(cls.info, len(numbers))
        kept: dict[int, Any] = {}
        for indices, block in _blocks(numbers):
            elements = cls._narrow(block, indices)
            kept.update(compress(zip(indices, elements, strict=True), elements))
            cls._check_nnz(len(kept), f" up to index {indices[-1]}")
        return Coordinates((len(numbers), list(kept), list(kept.values())))

    @classmethod
    def _sort(cls, indices: Sequence[int], numbers: Numbers, dimensions: int) -> Coordinates:
        """Narrow numbers, and sort them by their indices."""
        elements = cls._narrow(numbers, indices)
        order = sorted(range(len(indices)), key=indices.__getitem__)
        ascending = [indices[place] for place in order]
        return Coordinates((dimensions, ascending, [elements[place] for place in order]))

    @classmethod
    def _narrow(cls, numbers: Numbers, indices: Sequence[int]) -> tuple[Any, ...]:
        return cls.element_format.unpack(cls.element_format.pack(numbers, indices), 0, len(indices))

    @classmethod
    def _read_text(cls, text: str) -> Coordinates:
        number_text = require_text(cls.info, cls.text_format)
        form = re.fullmatch(_TEXT, text)
        if not form:
            first = cls.text_first_index
            raise MalformedTextError(
                f"expected {cls.info.sql_name} as {{{first}:1,{first + 2}:2}}/5, "
                f"got {describe(text)}"
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
        numbers: Numbers = (
            number_text.read(",".join(texts), cls.element_format, indices) if texts else ()
        )
        elements = cls._narrow(numbers, indices)
        kept = {
            place: element
            for place, (index, text, element) in enumerate(
                zip(indices, texts, elements, strict=True)
            )
            if element or _refuse_underflow(cls.element_format, text, index)
        }
        # The server drops zeros before it checks indices.
        first = cls.text_first_index
        from_zero = [indices[place] - first for place in kept]
        coordinates = cls._sort(from_zero, list(kept.values()), dimensions)
        check_dimensions(cls.info, dimensions)
        check_indices(coordinates[1], dimensions, first=first)  # as the text counts them
        return coordinates

    def checked(self) -> Self:
        check_dimensions(self.info, self.dimensions())
        self._check_nnz(self.nnz())
        indices = self.indices()
        for index, following in pairwise(indices):
            if index > following:
                raise InvalidValueError(
                    f"expected ascending indices, got {following} after {index}"
                )
        check_indices(indices, self.dimensions())
        self.element_format.check(self._wire[self._values_offset() :])
        for index, element in self.to_dict().items():
            if not element:
                raise InvalidValueError(f"expected no zero, got {element} at index {index}")
        return self

    @classmethod
    def _check_nnz(cls, nnz: int, where: str = "") -> None:
        most = cls.info.max_nnz
        if most is not None and nnz > most:
            error = count_error(cls.info.sql_name, "non-zero elements", 0, most, nnz)
            raise InvalidValueError(f"{error}{where}")

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
        """Return a dict of the indices, counted from 0, the values and the dimensions.

        Each value has the fewest digits that narrow to the same number.
        """
        return {
            "indices": self.indices(),
            "values": self.element_format.unpack_shortest(self._wire, self._values_offset()),
            "dimensions": self.dimensions(),
        }

    @classmethod
    def json_schema(cls, dimensions: int | None = None) -> dict[str, Any]:
        def array(**items: Any) -> dict[str, Any]:
            return {"type": "array", "items": items, "maxItems": cls.info.max_nnz}

        least, most = dimensions or 1, dimensions or cls.info.max_dimensions
        properties = {
            "indices": array(type="integer", minimum=0, exclusiveMaximum=most),
            "values": array(type=cls.element_format.json_type),
            "dimensions": {"type": "integer", "minimum": least, "maximum": most},
        }
        return object_schema(properties)

    def to_text(self) -> str:
        entries = zip(
            self.indices(),
            require_text(self.info, self.text_format).print(self.values()),
            strict=True,
        )
        first = self.text_first_index
        inner = ",".join(f"{index + first}:{text}" for index, text in entries)
        return f"{{{inner}}}/{self.dimensions()}"

    @abstractmethod
    def nnz(self) -> int:
        """Return the number of non-zero elements."""

    def indices(self) -> list[int]:
        """Return the indices of the non-zero elements, counted from 0 and ascending."""
        return list(self.index_format.unpack(self._wire, self.header.size, self.nnz()))

    def values(self) -> list[NumberT]:
        """Return the non-zero elements, in the order of `indices`."""
        return list(self.element_format.unpack(self._wire, self._values_offset(), self.nnz()))

    def to_dict(self) -> dict[int, NumberT]:
        """Return the non-zero elements by their indices, which count from 0 and ascend."""
        return dict(zip(self.indices(), self.values(), strict=True))

    def to_list(self) -> list[NumberT]:
        """Return all elements, zeros included: one for each dimension, up to a billion."""
        elements = [self.element_format.number(0)] * self.dimensions()
        for index, value in zip(self.indices(), self.values(), strict=True):
            elements[index] = value
        return elements

    def to_numpy(self) -> NDArray[ScalarT]:
        """Return all elements as a new ndarray of shape (dimensions,), in native byte order."""
        import numpy as np

        elements: NDArray[ScalarT] = np.zeros(self.dimensions(), self.element_format.dtype)
        elements[self.indices()] = self._values_array()
        return elements

    def to_coo(self) -> sparse.coo_array:
        """Return a SciPy array of shape (1, dimensions) in coordinate format."""
        from scipy.sparse import coo_array

        coordinates = ([0] * self.nnz(), self.indices())
        return coo_array(
            (for_scipy(self._values_array()), coordinates), shape=(1, self.dimensions())
        )

    def _values_array(self) -> NDArray[Any]:
        return self.element_format.unpack_array(self._wire, self._values_offset())

    def _values_offset(self) -> int:
        return self.header.size + self.nnz() * self.index_format.width

    def __repr__(self) -> str:
        entries = zip(self.indices(), self.element_format.literals(self.values()), strict=True)
        inner = ", ".join(f"{index}: {literal}" for index, literal in entries)
        return f"{type(self).__name__}({{{inner}}}, {self.dimensions()})"

    def __str__(self) -> str:
        if self.nnz() <= SHOWN:
            return repr(self)
        values = self.element_format.literals(self.values()[:SHOWN])
        entries = zip(self.indices()[:SHOWN], values, strict=True)
        shown = ", ".join(f"{index}: {text}" for index, text in entries)
        return (
            f"{type(self).__name__}({{{shown}, ...}}, "
            f"{self.dimensions()} dimensions, {self.nnz()} not zero)"
        )

    _repr_pretty_ = show_short


def _blocks(numbers: Numbers) -> Iterator[tuple[Sequence[int], Numbers]]:
    """Yield a row in blocks of indices and elements; of an ndarray, without zeros.

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
        raise length_error(numbers)


def check_indices(ascending: Sequence[int], dimensions: int, *, first: int = 0) -> None:
    """Check that sorted indices are in range, and that none is there twice.

    Args:
        ascending: the indices, counted from 0.
        dimensions: of the value.
        first: the number that a message gives to the first dimension.

    Raises:
        InvalidValueError: an index is out of range, or there twice.
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


def without_zeros(indices: list[int], elements: list[Any]) -> tuple[list[int], list[Any]]:
    """Drop elements that are zero, and their indices: a payload has none."""
    if all(elements):
        return indices, elements
    return list(compress(indices, elements)), list(filter(None, elements))


def _refuse_underflow(element: NumberFormat, text: str, index: int) -> Literal[False]:
    """Return False for the text of a zero; raise for a number that the format rounds to zero."""
    if denotes_zero(text):
        return False
    raise element.misfit_error(text, index)


def _as_indices(column: Sequence[Any]) -> list[int]:
    try:
        return list(map(operator.index, column))
    except TypeError:  # the next line finds the faulty one
        return [read_whole(index, f"for indices[{n}]") for n, index in enumerate(column)]


def _read_column(column: object) -> Numbers:
    return read_numbers(column.to_list() if isinstance(column, Value) else column)


def _require_pairs(places: Numbers, numbers: Numbers) -> None:
    """Raise InvalidValueError if there are more indices than values, or fewer."""
    if len(places) != len(numbers):
        raise InvalidValueError(
            f"expected a value for each index, got {len(places)} indices, {len(numbers)} values"
        )


def _as_list(column: Numbers) -> list[Any]:
    numbers = column.tolist() if is_ndarray(column) else list(column)
    if len(numbers) != len(column):
        raise length_error(column)
    return numbers
