"""The model of specs/types.toml: what a type may say of itself, and what follows from it."""

from __future__ import annotations

import keyword
import struct
import tomllib
from typing import TYPE_CHECKING, Annotated, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = ["BitsType", "DenseType", "Metric", "SparseType", "Spec", "SpecError", "load_spec"]

# The struct module's characters for the formats that the spec may name.
STRUCT_CODES = {"float32": "f", "float16": "e", "int8": "b", "int32": "i"}

TAKEN = {
    # What asyncpg_vector exports besides the value classes, and its sqlalchemy besides the types,
    "ARRAY",
    "ExtensionNotFoundError",
    "InvalidTypeError",
    "InvalidValueError",
    "MalformedTextError",
    "MalformedWireError",
    "Metric",
    "TypeInfo",
    "TypesNotFoundError",
    "VectorError",
    # and what a generated module imports.
    "Any",
    "Bits",
    "BitsInput",
    "BitsType",
    "Callable",
    "Codec",
    "ColumnElement",
    "ColumnType",
    "Comparator",
    "Dense",
    "DenseInput",
    "FloatElement",
    "IntegerElement",
    "Mapping",
    "NDArray",
    "NumbersType",
    "RowsInput",
    "Sparse",
    "SparseInput",
}
"""Names that no value class can have."""


class SpecError(Exception):
    """A spec that cannot be used; the message has a line for each fault: file, key, reason."""


def _no_keyword(name: str) -> str:
    if keyword.iskeyword(name):
        raise ValueError(f"{name!r} is a Python keyword")
    return name


def _not_taken(name: str) -> str:
    if name in TAKEN:
        raise ValueError(f"{name} is a name of the package's own")
    return name


FormatT = TypeVar("FormatT", bound=str)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_no_keyword)]
ClassName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$"),
    AfterValidator(_no_keyword),
    AfterValidator(_not_taken),
]
Operator = Annotated[str, StringConstraints(pattern=r"^[-+*/<>=~!@#%^&|`?]+$")]
Int32 = Annotated[PositiveInt, Field(le=2**31 - 1)]
Release = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]


class Model(BaseModel):
    """A table of the spec: no unknown keys, no conversions between types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Format(Model, Generic[FormatT]):
    """A number's format on the wire."""

    format: FormatT
    width: PositiveInt

    @model_validator(mode="after")
    def _width_matches(self) -> Self:
        width = struct.calcsize(f">{self.code}")
        if self.width != width:
            raise ValueError(f"{self.format} is {width} bytes wide, not {self.width}")
        return self

    @property
    def code(self) -> str:
        """The format's character in the `struct` module."""
        return STRUCT_CODES[self.format]

    @property
    def python_type(self) -> str:
        """What such a number is in Python: ``float`` or ``int``."""
        return self.format.rstrip("0123456789")

    @property
    def element_class(self) -> str:
        """The hand-written class of such elements."""
        return "FloatElement" if self.python_type == "float" else "IntegerElement"


class ElementFormat(Format[Literal["float32", "float16", "int8"]]):
    """The format of an element."""

    @property
    def narrowing(self) -> str:
        """A sentence for docstrings: how a number becomes such an element."""
        if self.python_type == "float":
            return f"Each number is rounded to {self.format}, half to even."
        return f"Each number must be whole and fit {self.format}."


class IndexFormat(Format[Literal["int32"]]):
    """The format of an index."""


class Metric(Model):
    """A distance: its operator, and the operator class that serves it in each index method."""

    operator: Operator
    operator_classes: dict[Name, Name]
    method: Name | None = None


def _list_limits(limits: Mapping[str, int], unit: str = "") -> str:
    return ", ".join(f"{method} {limit:,}{unit}" for method, limit in limits.items()) or "-"


class Type(Model):
    """What a type of any layout says."""

    class_name: ClassName = Field(alias="class")
    extension: Name | None = None
    since: Release | None = None
    built_in: Literal[True] | None = None
    aggregates: list[Name] = []
    max_indexed: dict[Name, Int32] = {}
    metrics: dict[Name, Metric] = {}

    @model_validator(mode="after")
    def _one_owner(self) -> Self:
        owners = (self.extension is None, self.since is None, self.built_in is None)
        if owners not in {(False, False, True), (True, True, False)}:
            raise ValueError("expected either extension and since, or built_in = true")
        return self

    @model_validator(mode="after")
    def _distinct_methods(self) -> Self:
        methods = [*self.methods, *self.aggregates]
        if len({*methods}) < len(self.metrics) + len(self.aggregates):
            raise ValueError(f"expected metrics and aggregates of distinct names, got {methods}")
        return self

    @property
    def methods(self) -> dict[str, str]:
        """The metrics by the names of the methods that apply them in SQLAlchemy."""
        return {metric.method or f"{name}_distance": name for name, metric in self.metrics.items()}

    @property
    def indexed(self) -> str:
        """For documents: how large a value each index method takes."""
        return _list_limits(self.max_indexed)

    @property
    def origin(self) -> str:
        """For documents: what has the type, from which release on."""
        return "PostgreSQL" if self.built_in else f"extension {self.extension} {self.since}"


class DenseType(Type):
    """A type of the dense layout."""

    layout: Literal["dense"]
    element: ElementFormat
    max_dimensions: Annotated[PositiveInt, Field(le=2**15 - 1)]  # an int16 on the server

    @property
    def elements(self) -> str:
        """For documents: what a value consists of."""
        return self.element.format

    @property
    def limits(self) -> str:
        """For documents: how large a value can be."""
        return f"{self.max_dimensions:,} dimensions"


class SparseType(Type):
    """A type of the sparse layout."""

    layout: Literal["sparse"]
    element: ElementFormat
    index: IndexFormat
    max_dimensions: Int32  # on the server
    max_nnz: Int32  # on the server

    @property
    def elements(self) -> str:
        """For documents: what a value consists of."""
        return f"{self.element.format}, zeros left out"

    @property
    def limits(self) -> str:
        """For documents: how large a value can be."""
        return f"{self.max_dimensions:,} dimensions, {self.max_nnz:,} not zero"

    @property
    def indexed(self) -> str:
        """For documents: how many elements that are not zero each index method takes."""
        return _list_limits(self.max_indexed, " not zero")


class BitsType(Type):
    """A type of the bits layout."""

    layout: Literal["bits"]
    max_dimensions: Int32  # on the server
    max_length: Int32  # of a column

    @property
    def elements(self) -> str:
        """For documents: what a value consists of."""
        return "bits"

    @property
    def limits(self) -> str:
        """For documents: how large a value can be."""
        return f"{self.max_dimensions:,} bits"


class Spec(Model):
    """All types, by their SQL names, which name their modules too."""

    types: Annotated[
        dict[Name, Annotated[DenseType | SparseType | BitsType, Field(discriminator="layout")]],
        Field(min_length=1),
    ]

    @model_validator(mode="after")
    def _distinct_classes(self) -> Self:
        names: dict[str, str] = {}
        for sql_name, type_ in self.types.items():
            for name in (type_.class_name, sql_name.upper()):  # and that of its column type
                other = names.setdefault(_not_taken(name), sql_name)
                if other != sql_name or type_.class_name == sql_name.upper():
                    raise ValueError(f"{other} and {sql_name} have the same class {name}")
        return self


def load_spec(path: Path) -> Spec:
    """Read and check a spec.

    Raises:
        SpecError: it is no TOML, or says what no type can be.
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


_REASONS = {"extra_forbidden": "unknown key", "missing": "missing key"}


def _explain(path: Path, faults: Iterable[ErrorDetails]) -> Iterable[str]:
    for fault in faults:
        keys = [str(key) for key in fault["loc"] if key != "[key]"]
        if len(keys) > 2 and keys[2] in {"dense", "sparse", "bits"}:
            del keys[2]  # the layout, which the model chose by, is no key
        if fault["type"].startswith("union_tag"):
            keys.append("layout")
        reason = _REASONS.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        yield f"{path}: {'.'.join(keys) or 'types'}: {reason}"
