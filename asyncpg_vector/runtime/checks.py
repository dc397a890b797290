"""Checks that layouts share, the errors that generated code raises, and its contract."""

from __future__ import annotations

from asyncpg_vector._messages import shorten
from asyncpg_vector.errors import InvalidTypeError, InvalidValueError, MalformedWireError

__all__ = [
    "CONTRACT",
    "CONTRACTS",
    "count_error",
    "require",
    "require_two_dimensions",
    "wire_error",
]

CONTRACT = 1
"""The number of the contract between generated code and this runtime.

It becomes another when generated code that was right would no longer be, and says nothing of
releases.
"""

CONTRACTS = range(1, CONTRACT + 1)
"""The contracts that this runtime serves."""


def require(contract: int, module: str) -> None:
    """Refuse generated code that rests on a contract that this runtime does not serve.

    Raises:
        ImportError: this release of asyncpg_vector is too old for the code, or too new.
    """
    if contract not in CONTRACTS:
        raise ImportError(
            f"expected {module} to rest on a contract from {CONTRACTS[0]} to {CONTRACTS[-1]} of "
            f"asyncpg_vector.runtime, got {contract}: "
            + (
                "install a later release of asyncpg_vector"
                if contract > CONTRACT
                else "generate it anew with this release of asyncpg_vector.codegen"
            )
        )


def count_error(
    sql_name: str, what: str, least: int, most: int, count: object
) -> InvalidValueError:
    """Return the error for a number of dimensions, elements or bits that a type cannot have."""
    return InvalidValueError(
        f"expected {least} to {most} {what} for {sql_name}, got {shorten(count)}"
    )


def wire_error(sql_name: str, expected: str, got: int) -> MalformedWireError:
    """Return the error for a payload with another length, or another constant in its header."""
    return MalformedWireError(f"expected {expected} for this {sql_name}, got {got}")


def require_two_dimensions(shape: tuple[int, ...]) -> None:
    """Raise InvalidTypeError unless this is the shape of a matrix."""
    if len(shape) != 2:
        raise InvalidTypeError(f"expected two dimensions, got an array of shape {shape}")
