"""The facts of the spec: about a type, which its value class has in ``info``; and about indexes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias, TypeVar

__all__ = ["IndexMethod", "Metric", "Parameter", "TypeInfo", "read_only"]

FactT = TypeVar("FactT")


class Metric(NamedTuple):
    """A distance between values of a type, with its operator. Read the fields by their names."""

    operator: str
    """The SQL operator, such as ``<=>``."""

    operator_classes: Mapping[str, str]
    """Per index method (``hnsw``, ``ivfflat``), the operator class that serves the operator."""


class TypeInfo(NamedTuple):
    """A SQL type: where it comes from, its limits, its operators.

    Read the fields by their names: a later release may add fields.
    """

    sql_name: str
    """The type's name in SQL, without a schema."""

    extension: str | None
    """The extension that owns the type; None if there is none."""

    since: str | None
    """The extension's first release with the type."""

    built_in: bool
    """Whether the type is PostgreSQL's own, in ``pg_catalog``.

    A type that is neither built in nor owned by an extension is found by the search path.
    """

    max_dimensions: int
    """The most dimensions of a value; for `bit`, its most bits."""

    max_nnz: int | None
    """For a sparse type, the most non-zero elements of a value."""

    max_indexed: Mapping[str, int]
    """Per index method, the most dimensions (sparse types: non-zero elements) that it indexes."""

    metrics: Mapping[str, Metric]
    """Per metric (``l2``, ``cosine``), its operator and operator classes."""

    array_metrics: Mapping[str, Metric] = MappingProxyType({})
    """Per metric between arrays of the type (``max_sim``), its operator and operator classes."""

    functions: Mapping[str, str] = MappingProxyType({})
    """Per SQL function whose first argument is a value, the type that it returns."""

    arithmetic: tuple[str, ...] = ()
    """The operators between two values, such as ``+``, whose result is of the type."""


ParameterType: TypeAlias = Literal["integer", "number", "integers", "boolean", "choice"]


class Parameter(NamedTuple):
    """A build option of an index, or a setting of a session. Read the fields by their names."""

    type: ParameterType
    """Whether it is a whole number, any number, whole numbers, a bool, or one of several words."""

    default: int | float | bool | str | tuple[int, ...] | None
    """Its value in a new index or session; None if that depends on the server."""

    since: str
    """The extension's first release with it."""

    least: float | None = None
    """The least number."""

    most: float | None = None
    """The largest number."""

    values: tuple[str, ...] = ()
    """The possible words."""

    multiple: tuple[int, str] | None = None
    """A factor and another option, whose product is one more lower limit."""

    key: str | None = None
    """Its path in the method's TOML document, if it stands there."""


class IndexMethod(NamedTuple):
    """An index method: its owner, options and settings. Read the fields by their names."""

    extension: str
    """The extension that owns the method."""

    since: str
    """The extension's first release with the method."""

    options: Mapping[str, Parameter]
    """What ``CREATE INDEX ... WITH`` takes, by name."""

    settings: Mapping[str, Parameter]
    """What ``SET`` takes in a session that searches, by full name, such as ``hnsw.ef_search``."""

    document: str | None = None
    """The option that holds the options with a key, as one TOML document."""


def read_only(**facts: FactT) -> Mapping[str, FactT]:
    """Return a read-only mapping; the names are its keys."""
    return MappingProxyType(facts)
