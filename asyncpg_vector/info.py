"""The facts of the spec about a type, which its value class has in ``info``."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

__all__ = ["Metric", "TypeInfo", "read_only"]

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


def read_only(**facts: FactT) -> Mapping[str, FactT]:
    """Return a read-only mapping; the names are its keys."""
    return MappingProxyType(facts)
