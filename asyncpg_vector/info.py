"""What the spec knows of a type, as its value class carries it in ``info``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = ["Metric", "TypeInfo"]


@dataclass(frozen=True)
class Metric:
    """A distance that a type has an operator for."""

    operator: str
    """The SQL operator, such as ``<=>``."""

    operator_classes: Mapping[str, str]
    """Per index method (``hnsw``, ``ivfflat``), the operator class that serves the operator."""

    def __post_init__(self) -> None:
        _freeze(self, operator_classes=self.operator_classes)


@dataclass(frozen=True)
class TypeInfo:
    """A SQL type: where it comes from, its limits, its operators."""

    sql_name: str
    """The type's name in SQL, without a schema."""

    extension: str | None
    """The extension that owns the type; None if PostgreSQL itself has it, in ``pg_catalog``."""

    since: str | None
    """The extension's first release with the type."""

    max_dimensions: int
    """The most dimensions of a value; for `bit`, its most bits."""

    max_nnz: int | None
    """For a sparse type, the most non-zero elements of a value."""

    max_indexed: Mapping[str, int]
    """Per index method, the most dimensions (sparse types: non-zero elements) that it indexes."""

    metrics: Mapping[str, Metric]
    """Per metric (``l2``, ``cosine``), its operator and operator classes."""

    def __post_init__(self) -> None:
        _freeze(self, max_indexed=self.max_indexed, metrics=self.metrics)


def _freeze(info: Metric | TypeInfo, **mappings: Mapping[str, Any]) -> None:
    """Make the mappings of a frozen dataclass read-only as well."""
    for name, mapping in mappings.items():
        object.__setattr__(info, name, MappingProxyType(mapping))
