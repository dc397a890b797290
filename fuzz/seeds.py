"""The inputs from which libFuzzer starts: valid ones of every target, and words of its grammar."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector.runtime.bits import Bits
from asyncpg_vector.runtime.dense import Dense

if TYPE_CHECKING:
    from asyncpg_vector.runtime.value import Value

__all__ = ["dictionary", "samples"]

_SPEC = Path(__file__).parent.parent / "specs" / "types.toml"

# Words in the texts of bits, and of numbers as pgvector and C's strtof read them.
_WORDS = [
    *"[]{}:,/+-. \t\v",
    *("0x", "0X", "p+", "p-", "e+", "e-", "b", "B", "x", "X"),
    *("nan", "inf", "infinity", "-0", "1_0", "1:1", "1e-45", "1e39", "65520", "0x1.000001p0"),
    *("1.000000059604644775390625", "16001", "1000000000", "2147483648", "9223372036854775808"),
]

_TOML = [
    "[types.",
    "[[",
    "]]",
    " = ",
    "{ ",
    " }",
    '"""',
    "'''",
    "\\u",
    "0x",
    "1979-05-27T07:32:00Z",
]


def samples(target: str) -> list[bytes]:
    """Return valid inputs of a target."""
    if target == "spec":
        text = _SPEC.read_text()
        alone = re.sub("^binary_quantize.*\n", "", text, flags=re.MULTILINE)  # it returns a bit
        _, *types = re.split(r"^(?=\[types\.\w+\]$)", alone, flags=re.MULTILINE)
        return [spec.encode() for spec in (text, *types)]
    name, _, form = target.rpartition("-")
    values = _values(VALUE_CLASSES[name])
    if form == "binary":
        return [value.to_binary() for value in values]
    if form == "base64":
        return [value.to_float_base64().encode() for value in values if isinstance(value, Dense)]
    return [value.to_text().encode() for value in values]


def dictionary(target: str) -> list[str]:
    """Return the words of a target's grammar; binary and base64 have none."""
    if target == "spec":
        return [*_TOML, *sorted(set(re.findall(r"\w+", _SPEC.read_text())))]
    return _WORDS if target.endswith("-text") else []


def _values(value_class: type[Value]) -> list[Value]:
    rows = [[1], [1, 0, 1], [1, 0, 0, 1, 1, 0, 1, 1, 1]]
    if not issubclass(value_class, Bits):
        rows += [[1, 2, 3], [100] * 60]
    values: list[Value] = [value_class(row) for row in rows]
    most = value_class.info.max_dimensions
    if value_class.info.max_nnz:
        at_the_ends: Any = ({0: 1, most - 1: 2}, most)
        values.append(value_class(*at_the_ends))
    return values
