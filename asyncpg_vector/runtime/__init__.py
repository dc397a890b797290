"""What generated code stands on: a module for each job, and here the names that are public.

Generated modules, of this package and of anybody's own, import from here alone. A name that is
listed keeps its meaning as long as the contract has its number (`require`).

- `Dense`, `Sparse` and `Bits` say what a value of each layout can do; `Dense` and `Sparse` are
  generic in an element's Python type and its NumPy scalar (`Float32`, ...).
  Their `read_parameter` reads a parameter, however a caller holds it; `check_indices` and
  `without_zeros` are what else a sparse one needs. `Attributed` is what the constructor of a dense
  one with attributes was given, and `read_attributes` reads it.
- `number_format` narrows and packs numbers, `number_text` prints and reads them.
- `count_error` and `wire_error` make the errors of generated checks; `wrap` makes a value of a
  payload.
- `TypeInfo`, `Metric` and `read_only` carry what the spec knows of a type, `IndexMethod` and
  `Parameter` what it knows of indexes; `Codec` is what asyncpg is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncpg_vector._annotations import (
    Float16,
    Float32,
    Float64,
    Int8,
    Int16,
    Int32,
    UInt8,
    UInt16,
    UInt32,
)
from asyncpg_vector.info import IndexMethod, Metric, Parameter, TypeInfo, read_only
from asyncpg_vector.runtime.accelerate import accelerate
from asyncpg_vector.runtime.bits import Bits, BitsInput
from asyncpg_vector.runtime.checks import CONTRACTS, count_error, require, wire_error
from asyncpg_vector.runtime.codec import Codec
from asyncpg_vector.runtime.dense import Attributed, Dense, DenseInput
from asyncpg_vector.runtime.formats import NumberFormat, number_format
from asyncpg_vector.runtime.header import Header
from asyncpg_vector.runtime.sparse import Sparse, SparseInput, check_indices, without_zeros
from asyncpg_vector.runtime.text import NumberText, number_text
from asyncpg_vector.runtime.value import Value, wrap

__all__ = [
    "Attributed",
    "Bits",
    "BitsInput",
    "Codec",
    "Dense",
    "DenseInput",
    "Float16",
    "Float32",
    "Float64",
    "Header",
    "IndexMethod",
    "Int8",
    "Int16",
    "Int32",
    "Metric",
    "NumberFormat",
    "NumberText",
    "Parameter",
    "Sparse",
    "SparseInput",
    "TypeInfo",
    "UInt8",
    "UInt16",
    "UInt32",
    "Value",
    "accelerate",
    "check_indices",
    "count_error",
    "number_format",
    "number_text",
    "read_only",
    "require",
    "wire_error",
    "without_zeros",
    "wrap",
]

if not TYPE_CHECKING:  # for a type checker, a name that is not there is an error already

    def __getattr__(name: str) -> Any:
        """Say which contracts are served: an import fails before `require` can say so."""
        if name.startswith("__"):
            raise AttributeError(f"expected a name of {__name__}, got {name}")
        raise ImportError(
            f"expected a public name of {__name__}, which serves the contracts from {CONTRACTS[0]} "
            f"to {CONTRACTS[-1]} with generated code, got {name}: generate the code anew, or "
            "install the release of asyncpg_vector that it was generated for"
        )
