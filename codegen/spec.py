"""The model of a spec: the facts about each type, and their derivatives for the templates."""

from __future__ import annotations

import inspect
import struct
import tomllib
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

from asyncpg_vector import errors, runtime
from asyncpg_vector.runtime.formats import (
    FORMATS,
    SIGNS,
    IntegerFormat,
    NumberFormat,
    number_format,
)
from asyncpg_vector.runtime.text import NUMBER_TEXTS

from .index_methods import IndexMethod, Parameter
from .keys import Model, Name, Release, Source, no_keyword

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = [
    "BitsType",
    "DenseType",
    "Metric",
    "SparseType",
    "Spec",
    "SpecError",
    "Type",
    "load_spec",
]

ItemT = TypeVar("ItemT")

TAKEN = {
    *runtime.__all__,
    *errors.__all__,
    # Other names that a generated module imports or defines, and the names that
    # asyncpg_vector.sqlalchemy exports.
    "ARRAY",
    "Any",
    "BitsType",
    "ColumnElement",
    "ColumnType",
    "Comparator",
    "Double",
    "Expression",
    "INDEX_METHODS",
    "Index",
    "IndexOptions",
    "Integer",
    "Literal",
    "Mapping",
    "NumbersType",
    "SQLALCHEMY",  # the folder of the column types would hide the module of such a type
    "SearchSettings",
    "Self",
    "Sequence",
    "SupportsFloat",
    "TypeAlias",
    "TypeEngine",
    "TypeVar",
    "TypedDict",
    "Unpack",
    "VALUE_CLASSES",
}
"""Names that no value class can have."""

OWN = {
    *runtime.__all__,
    "cls",
    "data",
    "float",
    "header",
    "int",
    "isinstance",
    "len",
    "numbers",
    "property",
    "self",
    "size",
    "struct",
    "value",
}
"""Names that no field of a header can have: generated functions and annotations use them."""


class SpecError(Exception):
    """The spec is unusable; the message has a line for each fault: file, key, reason."""


def _not_taken(name: str) -> str:
    if name in TAKEN:
        raise ValueError(f"{name} is a name of the package's own")
    return name


def _known_format(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return name


def _known_digits(name: str) -> str:
    if name not in NUMBER_TEXTS:
        raise ValueError(f"unknown digits {name!r}; known are {', '.join(NUMBER_TEXTS)}")
    return name


ClassName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$"),
    AfterValidator(no_keyword),
    AfterValidator(_not_taken),
]
Operator = Annotated[str, StringConstraints(pattern=r"^[-+*/<>=~!@#%^&|`?]+$")]
Int32 = Annotated[PositiveInt, Field(le=2**31 - 1)]
FormatName = Annotated[str, AfterValidator(_known_format)]


class Numbers(Model):
    """Numbers of a format, in the header or in the body of a payload."""

    format: FormatName

    @property
    def number_format(self) -> NumberFormat:
        """The format, in either byte order."""
        return number_format(self.format, "big")

    @property
    def python_type(self) -> str:
        """The name of the Python type of a number: ``float`` or ``int``."""
        return self.number_format.number.__name__

    @property
    def values(self) -> str:
        """For the table of the payload: the possible numbers."""
        return "finite" if self.python_type == "float" else "any"


class Format(Numbers):
    """A number's format in the body of a payload, and its width as a reader counts it."""

    width: PositiveInt

    @model_validator(mode="after")
    def _width_matches(self) -> Self:
        width = self.number_format.width
        if self.width != width:
            raise ValueError(f"{self.format} is {width} bytes wide, not {self.width}")
        return self

    @property
    def scalar(self) -> str:
        """The runtime's name for the NumPy scalar type of the format."""
        name = "float32" if self.format == "bfloat16" else self.format
        return name.replace("uint", "UInt") if name.startswith("u") else name.capitalize()

    @property
    def examples(self) -> Sequence[str]:
        """Three numbers for docstrings, as every format prints them."""
        return ("0.5", "1.5", "2.5") if self.python_type == "float" else ("1", "2", "3")

    @property
    def narrowing(self) -> str:
        """A sentence for docstrings: how a number is converted to the format."""
        if self.python_type == "float":
            first = "float32 first, and then to " if self.format == "bfloat16" else ""
            return f"Each number is rounded to {first}{self.format}, half to even."
        return f"Each number must be whole and fit {self.format}."

    @property
    def misfits(self) -> str:
        """For docstrings, after "a number": why the number does not fit the format."""
        if self.python_type == "float":
            return "is NaN, infinite, or does not fit"
        return "is not whole, or does not fit"


class HeaderField(Numbers):
    """A number before the body."""

    @model_validator(mode="after")
    def _has_a_letter(self) -> Self:
        if self.format == "bfloat16":
            raise ValueError("bfloat16 is a format of elements, and not of a header's fields")
        return self

    def _require_integer(self, number: int) -> None:
        """Refuse a float format, and an integer format that is too small for a number."""
        number_format = self.number_format
        if not isinstance(number_format, IntegerFormat):
            raise ValueError(f"expected an integer's format, got {self.format}")  # noqa: TRY004
        if not number_format.least <= number <= number_format.most:
            raise ValueError(f"{number} does not fit {self.format}")


class Count(HeaderField):
    """The number of dimensions, of non-zero elements, or of bits."""

    counts: Literal["dimensions", "nnz", "length"]
    max: PositiveInt | None = None
    source: Source | None = None

    @model_validator(mode="after")
    def _max_fits(self) -> Self:
        self._require_integer(self.max or 0)
        return self

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.counts

    @property
    def least(self) -> int:
        """The smallest number: 1 for dimensions, since every value has one, otherwise 0."""
        return int(self.counts == "dimensions")

    @property
    def most(self) -> int:
        """The largest number."""
        number_format = self.number_format
        assert isinstance(number_format, IntegerFormat)  # noqa: S101  # as was checked
        return self.max or number_format.most

    @property
    def values(self) -> str:
        """For the table of the payload: the limits and their source."""
        source = f" ({self.source})" if self.source else ""
        return f"{self.least} to {self.most:,}{source}"


class Constant(HeaderField):
    """A number that is the same in all payloads."""

    constant: int
    name: Name

    @model_validator(mode="after")
    def _constant_fits(self) -> Self:
        self._require_integer(self.constant)
        return self

    @property
    def values(self) -> str:
        """For the table of the payload: the number."""
        return str(self.constant)


class Attribute(HeaderField):
    """A number of the value's own, beside its elements."""

    attribute: Name

    @property
    def name(self) -> str:
        """The name of the field, and of the constructor's argument."""
        return self.attribute


_KINDS = ("counts", "constant", "attribute")


def _kind(field: Any) -> str | None:
    """Return the kind of a field, which exactly one key names; None if no or several keys do."""
    kinds = [kind for kind in _KINDS if isinstance(field, dict) and kind in field]
    return kinds[0] if len(kinds) == 1 else None


AnyField = Annotated[
    Annotated[Count, Tag("counts")]
    | Annotated[Constant, Tag("constant")]
    | Annotated[Attribute, Tag("attribute")],
    Discriminator(
        _kind,
        custom_error_type="kind",
        custom_error_message=f"expected exactly one of the keys {', '.join(_KINDS)}",
    ),
]


class Row(Model):
    """A row of the table of the payload."""

    offset: str
    field: str
    format: str
    values: str


class Text(Model):
    """How a dense type's numbers are written in its text form."""

    digits: Annotated[str, AfterValidator(_known_digits)]


class SparseText(Text):
    """How a sparse type's entries are written in its text form."""

    first_index: NonNegativeInt


class Metric(Model):
    """A distance: its operator, and the operator class that serves it in each index method."""

    operator: Operator
    operator_classes: dict[Name, Name]
    method: Name | None = None
    values: Source | None = None


class ArrayMetric(Metric):
    """A distance between arrays of values."""

    extension: Name | None = None


def _by_method(metrics: Mapping[str, Metric]) -> dict[str, str]:
    return {metric.method or f"{name}_distance": name for name, metric in metrics.items()}


class Function(Model):
    """A SQL function of a value: its other arguments, and what it returns."""

    arguments: dict[Name, Literal["integer"]] = {}
    returns: Name
    since: Release
    source: Source


class Type(Model):
    """A type of any layout."""

    class_name: ClassName = Field(alias="class")
    byte_order: Literal["big", "little"]
    source: Source | None = None
    header: Annotated[list[AnyField], Field(min_length=1)]
    extension: Name | None = None
    since: Release | None = None
    built_in: Literal[True] | None = None
    aggregates: list[Name] = []
    max_indexed: dict[Name, Int32] = {}
    metrics: dict[Name, Metric] = {}
    array_metrics: dict[Name, ArrayMetric] = {}
    functions: dict[Name, Function] = {}
    arithmetic: list[Literal["+", "-", "*", "||"]] = []

    base: ClassVar[type[runtime.Value]]
    """The value class of the layout."""
    counted: ClassVar[tuple[str, ...]]
    """The counts that the header has to contain."""
    body: ClassVar[tuple[str, ...]]
    """The fields after the header."""
    takes_attributes: ClassVar[bool] = False
    """Whether the constructor of the layout's value classes can take attributes."""

    @model_validator(mode="after")
    def _one_owner(self) -> Self:
        owners = (self.extension is None, self.since is None, self.built_in is None)
        if owners not in {(False, False, True), (True, True, False), (True, True, True)}:
            raise ValueError("expected extension and since, or built_in = true, or none of these")
        return self

    @model_validator(mode="after")
    def _distinct_methods(self) -> Self:
        methods = [*self.methods, *self.aggregates]
        if len({*methods}) < len(self.metrics) + len(self.aggregates):
            raise ValueError(f"expected metrics and aggregates of distinct names, got {methods}")
        return self

    @model_validator(mode="after")
    def _complete_header(self) -> Self:
        counted = [field.counts for field in self.header if isinstance(field, Count)]
        if sorted(counted) != sorted(self.counted):
            raise ValueError(
                f"expected a header that counts {' and '.join(self.counted)} once each, "
                f"got {', '.join(counted) or 'none'}"
            )
        names = [*self.body, *(field.name for field in self.header)]
        for name in names:
            if name in OWN:
                raise ValueError(f"{name} is a name of the generated code's own, and no field's")
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"expected fields of distinct names, got {', '.join(twice)} twice")
        return self

    @model_validator(mode="after")
    def _possible_attributes(self) -> Self:
        names = [field.name for field in self.attributes]
        if names and not self.takes_attributes:
            raise ValueError(
                f"expected attributes in dense types only, whose constructors take them, "
                f"got {', '.join(names)}"
            )
        for name in names:
            if name in _names_of(self.base):
                raise ValueError(f"{name} is a name of the value class's own, and no attribute's")
        return self

    @property
    def attributes(self) -> Sequence[Attribute]:
        """The fields that the constructor takes in addition to the elements."""
        return [field for field in self.header if isinstance(field, Attribute)]

    @property
    def constants(self) -> Sequence[Constant]:
        """The fields whose numbers are the same in all payloads."""
        return [field for field in self.header if isinstance(field, Constant)]

    @cached_property
    def header_layout(self) -> str:
        """The header as a format string of the `struct` module."""
        letters = "".join(field.number_format.letter for field in self.header)
        return SIGNS[self.byte_order] + letters

    @property
    def header_size(self) -> int:
        """The number of bytes in the header."""
        return struct.calcsize(self.header_layout)

    def count(self, name: str) -> Count:
        """Return the count with a name."""
        (field,) = (each for each in self.header if isinstance(each, Count) and each.name == name)
        return field

    def position(self, name: str) -> int:
        """Return the position of a field in the header, from 0."""
        return [field.name for field in self.header].index(name)

    def targets(self, count: str) -> str:
        """Return the assignment targets for unpacking a header: a count, and the constants."""
        wanted = {count, *(field.name for field in self.constants)}
        names = [field.name if field.name in wanted else "_" for field in self.header]
        return ", ".join(names) if len(names) > 1 else f"({names[0]},)"

    @property
    def field_literals(self) -> str:
        """The fields of the header as Python literals: their formats, and names or constants."""
        return ", ".join(
            f'("{field.format}", {field.constant})'
            if isinstance(field, Constant)
            else f'("{field.format}", "{field.name}")'
            for field in self.header
        )

    @property
    def arguments(self) -> str:
        """The arguments for packing a header."""
        return ", ".join(
            str(field.constant) if isinstance(field, Constant) else field.name
            for field in self.header
        )

    @property
    def max_dimensions(self) -> int:
        """The most dimensions of a value."""
        return self.count("dimensions").most

    @property
    def rows(self) -> Sequence[Row]:
        """The fields of a payload, with their offsets."""
        rows: list[Row] = []
        offset = 0
        for field in self.header:
            rows.append(
                Row(offset=str(offset), field=field.name, format=field.format, values=field.values)
            )
            offset += field.number_format.width
        return [*rows, *self.body_rows]

    @property
    @abstractmethod
    def body_rows(self) -> Sequence[Row]:
        """The fields after the header."""

    @property
    def methods(self) -> dict[str, str]:
        """The metrics by the names of the methods that apply them in SQLAlchemy."""
        return _by_method(self.metrics)

    @property
    def array_methods(self) -> dict[str, str]:
        """The metrics between arrays, by the names of the functions that apply them."""
        return _by_method(self.array_metrics)

    @property
    def origin(self) -> str:
        """For documents: the owner of the type, and the owner's first release with it."""
        if self.extension:
            return f"extension {self.extension} {self.since}"
        return "PostgreSQL" if self.built_in else "CREATE TYPE"


def _check_digits(element: Format, text: Text | None) -> None:
    """Refuse digits that would print different elements of a format as the same text."""
    if text is None:
        return
    if (element.python_type == "int") != (text.digits == "integer") or (
        element.format == "float64" and text.digits != "float64"
    ):
        raise ValueError(f"{text.digits} are not the digits of {element.format}")


def _names_of(class_: type) -> set[str]:
    """Return the names of a class's attributes, including those that only subclasses define."""
    annotated = (inspect.get_annotations(base) for base in class_.__mro__)
    return {*dir(class_)}.union(*annotated)


class DenseType(Type):
    """A type of the dense layout."""

    layout: Literal["dense"]
    element: Format
    text: Text | None = None

    base = runtime.Dense
    counted = ("dimensions",)
    body = ("elements",)
    takes_attributes = True

    @model_validator(mode="after")
    def _digits_match(self) -> Self:
        _check_digits(self.element, self.text)
        return self

    @model_validator(mode="after")
    def _text_holds_all(self) -> Self:
        if self.text and self.attributes:
            raise ValueError("expected no text form of a type with attributes, which it lacks")
        return self

    @property
    def size(self) -> str:
        """An expression for the number of bytes in a payload."""
        return f"{self.header_size} + {_times(self.element.width, 'dimensions')}"

    @property
    def body_rows(self) -> Sequence[Row]:
        """The elements."""
        element = self.element
        return [
            Row(
                offset=str(self.header_size),
                field="elements",
                format=f"{element.format}[dimensions]",
                values=element.values,
            )
        ]

    @property
    def elements(self) -> str:
        """For documents: the elements of a value."""
        return self.element.format

    @property
    def limits(self) -> str:
        """For documents: the limits of a value's size."""
        return f"{self.max_dimensions:,} dimensions"


class SparseType(Type):
    """A type of the sparse layout."""

    layout: Literal["sparse"]
    element: Format
    index: Format
    text: SparseText | None = None

    base = runtime.Sparse
    counted = ("dimensions", "nnz")
    body = ("indices", "elements")

    @model_validator(mode="after")
    def _digits_match(self) -> Self:
        _check_digits(self.element, self.text)
        return self

    @model_validator(mode="after")
    def _index_counts(self) -> Self:
        index = number_format(self.index.format, "big")
        if not isinstance(index, IntegerFormat):
            raise ValueError(f"expected an integer's format of an index, got {self.index.format}")  # noqa: TRY004
        if self.max_dimensions > index.most + 1:
            raise ValueError(
                f"the last index of {self.max_dimensions:,} dimensions does not fit "
                f"{self.index.format}"
            )
        return self

    @property
    def max_nnz(self) -> int:
        """The most non-zero elements of a value."""
        return min(self.count("nnz").most, self.max_dimensions)

    @property
    def size(self) -> str:
        """An expression for the number of bytes in a payload."""
        return f"{self.header_size} + {_times(self.index.width + self.element.width, 'nnz')}"

    @property
    def body_rows(self) -> Sequence[Row]:
        """The indices, and the elements."""
        return [
            Row(
                offset=str(self.header_size),
                field="indices",
                format=f"{self.index.format}[nnz]",
                values="from 0, below dimensions, ascending, each once",
            ),
            Row(
                offset=f"{self.header_size} + {_times(self.index.width, 'nnz')}",
                field="elements",
                format=f"{self.element.format}[nnz]",
                values="finite, neither 0 nor -0"
                if self.element.python_type == "float"
                else "not 0",
            ),
        ]

    @property
    def elements(self) -> str:
        """For documents: the elements of a value."""
        return f"{self.element.format}, zeros left out"

    @property
    def limits(self) -> str:
        """For documents: the limits of a value's size."""
        return f"{self.max_dimensions:,} dimensions, {self.max_nnz:,} not zero"


class BitsType(Type):
    """A type of the bits layout."""

    layout: Literal["bits"]
    bit_order: Literal["most_significant_first"]
    max_length: Int32 | None = None

    base = runtime.Bits
    counted = ("length",)
    body = ("bits",)

    @property
    def max_dimensions(self) -> int:
        """The most bits of a value."""
        return self.count("length").most

    @property
    def max_declared(self) -> int:
        """The most bits of a column."""
        return self.max_length or self.max_dimensions

    @property
    def size(self) -> str:
        """An expression for the number of bytes in a payload."""
        return f"{self.header_size} + (length + 7) // 8"

    @property
    def body_rows(self) -> Sequence[Row]:
        """The bits."""
        return [
            Row(
                offset=str(self.header_size),
                field="bits",
                format="uint8[(length + 7) // 8]",
                values="the most significant bit first, and 0 past the length",
            )
        ]

    @property
    def elements(self) -> str:
        """For documents: the elements of a value."""
        return "bits"

    @property
    def limits(self) -> str:
        """For documents: the limits of a value's size."""
        return f"{self.max_dimensions:,} bits"


def _times(width: int, count: str) -> str:
    return count if width == 1 else f"{width} * {count}"


class Distance(NamedTuple):
    """A metric of one type."""

    sql_name: str
    name: str
    metric: Metric


class Result(NamedTuple):
    """A SQL function of one type: its Python result, and the column type of that result."""

    sql_name: str
    function: Function
    result: str
    result_type: str


_OWN_FUNCTIONS = {"array_distance", "call", "column", "distance", "other", "vector_index"}

_SCALARS = {"integer": ("int", "Integer"), "float64": ("float", "Double")}
"""The results of functions that are no types of a spec, in Python and in SQLAlchemy."""


class Spec(Model):
    """All types, by their SQL names, and all index methods. The module of a type has its name."""

    types: Annotated[
        dict[Name, Annotated[DenseType | SparseType | BitsType, Field(discriminator="layout")]],
        Field(min_length=1),
    ]
    index_methods: dict[Name, IndexMethod] = {}

    @model_validator(mode="after")
    def _distinct_classes(self) -> Self:
        names: dict[str, str] = {}
        for sql_name, type_ in self.types.items():
            for name in (type_.class_name, sql_name.upper()):  # the name of the column type too
                other = names.setdefault(_not_taken(name), sql_name)
                if type_.class_name == sql_name.upper():
                    raise ValueError(
                        f"{name} is the name of {sql_name}'s column type, and no class's"
                    )
                if other != sql_name:
                    raise ValueError(f"{other} and {sql_name} have the same class {name}")
        return self

    @model_validator(mode="after")
    def _known_methods(self) -> Self:
        if not self.index_methods:
            return self  # the types may be indexed by methods of another spec
        for sql_name, type_ in self.types.items():
            metrics = [*type_.metrics.values(), *type_.array_metrics.values()]
            for method in {*type_.max_indexed}.union(*(each.operator_classes for each in metrics)):
                if method not in self.index_methods:
                    raise ValueError(f"{sql_name}: {method} is none of the index methods")
        return self

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        for method in self.index_methods.values():
            for name, setting in method.settings.items():
                if setting.facts != self.settings[name].facts:
                    raise ValueError(f"expected {name} to be the same in all index methods")
        return self

    @model_validator(mode="after")
    def _possible_functions(self) -> Self:
        for sql_name, type_ in self.types.items():
            for name, function in type_.functions.items():
                if function.returns not in {*_SCALARS, *self.types}:
                    raise ValueError(
                        f"{sql_name}: {name} returns none of the types, nor {' or '.join(_SCALARS)}"
                    )
        for name in self.function_names:
            if name in _OWN_FUNCTIONS:
                raise ValueError(f"{name} is a name of the generated code's own, and no function's")
            if self.function_names.count(name) > 1:
                raise ValueError(f"expected functions of distinct names, got {name} twice")
        for name, results in self.functions.items():
            if len({tuple(result.function.arguments.items()) for result in results}) > 1:
                raise ValueError(f"expected the same arguments of {name} for all types")
            returned = {result.function.returns for result in results}
            if len(returned) > 1 and name not in self.generic_functions:
                raise ValueError(f"expected {name} to return one type, or each type its own")
        return self

    @property
    def settings(self) -> dict[str, Parameter]:
        """The settings of all index methods, each as the first method with it describes it."""
        settings: dict[str, Parameter] = {}
        for method in self.index_methods.values():
            for name, setting in method.settings.items():
                settings.setdefault(name, setting)
        return settings

    @property
    def metrics(self) -> list[str]:
        """The names of all types' metrics, each once."""
        named = (
            name for type_ in self.types.values() for name in (*type_.metrics, *type_.array_metrics)
        )
        return list(dict.fromkeys(named))

    @property
    def distances(self) -> dict[str, list[Distance]]:
        """The metrics of all types, by the names of the functions that apply them."""
        return _group(
            (method, Distance(sql_name, metric, type_.metrics[metric]))
            for sql_name, type_ in self.types.items()
            for method, metric in type_.methods.items()
        )

    @property
    def array_distances(self) -> dict[str, list[Distance]]:
        """The metrics between arrays of all types, by the names of the functions."""
        return _group(
            (method, Distance(sql_name, metric, type_.array_metrics[metric]))
            for sql_name, type_ in self.types.items()
            for method, metric in type_.array_methods.items()
        )

    @property
    def functions(self) -> dict[str, list[Result]]:
        """The SQL functions of all types, by their names."""
        return _group(
            (name, self._result(sql_name, function))
            for sql_name, type_ in self.types.items()
            for name, function in type_.functions.items()
        )

    @property
    def function_names(self) -> list[str]:
        """The names of all functions of expressions."""
        return [*self.distances, *self.array_distances, *self.functions]

    @property
    def generic_functions(self) -> list[str]:
        """The SQL functions of several types that return the type of their first argument."""
        return [
            name
            for name, results in self.functions.items()
            if len(results) > 1 and all(each.function.returns == each.sql_name for each in results)
        ]

    def _result(self, sql_name: str, function: Function) -> Result:
        returned = self.types.get(function.returns)
        if returned is None:
            result, column_type = _SCALARS[function.returns]
            return Result(sql_name, function, result, f"{column_type}()")
        # The dimensions of the result are not those of the column, or not known to the server.
        argument = "None" if returned.layout == "bits" else ""
        return Result(
            sql_name, function, returned.class_name, f"{function.returns.upper()}({argument})"
        )


def _group(pairs: Iterable[tuple[str, ItemT]]) -> dict[str, list[ItemT]]:
    """Group items by their names, in the order of the first of each."""
    groups: dict[str, list[ItemT]] = {}
    for name, item in pairs:
        groups.setdefault(name, []).append(item)
    return groups


def load_spec(path: Path) -> Spec:
    """Read and check a spec.

    Raises:
        SpecError: the file cannot be read or is not TOML, or the spec describes an impossible type.
    """
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
        return Spec.model_validate(tables)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise SpecError("\n".join(_explain(path, error.errors()))) from None
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, too many digits or brackets
        raise SpecError(f"{path}: invalid TOML: {error}") from None


_REASONS = {
    "extra_forbidden": "unknown key",
    "missing": "missing key",
    "union_tag_not_found": "missing key",
}


def _explain(path: Path, faults: Iterable[ErrorDetails]) -> Iterable[str]:
    for fault in faults:
        keys = _without_kinds([str(key) for key in fault["loc"] if key != "[key]"])
        reason = _REASONS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        union = fault.get("ctx", {})
        if "discriminator" in union:
            keys.append(union["discriminator"].strip("'"))
        if "expected_tags" in union:
            tags = union["expected_tags"].rsplit(", ", maxsplit=1)
            reason = f"Input should be {' or '.join(tags)}"
        yield f"{path}: {'.'.join(keys) or 'types'}: {reason}"


def _without_kinds(keys: list[str]) -> list[str]:
    """Leave out what is no key of the spec: the kinds that Pydantic adds to a place.

    They are a type's layout, the kind of a header's field, and the type of an option or setting.
    """
    if keys[4:5] and keys[3] == "header":
        del keys[5:6]
    if keys[2:3] and keys[2] in {"dense", "sparse", "bits"}:
        del keys[2]
    if keys[4:5] and keys[2] in {"options", "settings"}:
        del keys[4]
    return keys
