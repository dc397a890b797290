"""The checks of an input, for the fuzzer and for the tests that replay its findings.

An input is bytes. A check returns if the package refuses the input with an error of its own, or if
the value survives each conversion and its inverse. It raises any other error.
"""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector.errors import VectorError
from asyncpg_vector.runtime.bits import Bits
from codegen.spec import Spec, SpecError, load_spec
from tests.needs import without_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asyncpg_vector.runtime.value import Value

__all__ = ["TARGETS", "to_text_input"]

_LONGEST_STR = 200


def _check_binary(value_class: type[Value], data: bytes) -> None:
    def read() -> Value:
        # decode trusts the server, so it takes more payloads than from_binary does.
        assert value_class.decode(data).to_binary() == data
        value = value_class.from_binary(data)
        assert value.to_binary() == _as_sent(value_class, data)
        return value

    _check_both(read)


def _check_text(value_class: type[Value], data: bytes) -> None:
    _check_both(lambda: value_class.from_text(to_text_input(data)))


def _check_spec(data: bytes) -> None:
    with NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        try:
            spec = load_spec(Path(file.name))
        except SpecError:
            return
    assert Spec.model_validate(spec.model_dump(by_alias=True)) == spec
    for type_ in spec.types.values():
        assert all((type_.origin, type_.elements, type_.limits))
        assert {*type_.methods.values()} == {*type_.metrics}


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    **{f"{name}-binary": partial(_check_binary, cls) for name, cls in VALUE_CLASSES.items()},
    **{f"{name}-text": partial(_check_text, cls) for name, cls in VALUE_CLASSES.items()},
    "spec": _check_spec,
}
"""The checks, by the names of the targets."""


def to_text_input(data: bytes) -> str:
    """Return an input as a text. Bytes that are not UTF-8 become surrogates, as a str may have."""
    return data.decode("utf-8", "surrogateescape")


def _as_sent(value_class: type[Value], data: bytes) -> bytes:
    """Return the payload that the server sends for a payload that it accepted.

    The two are the same, except that bits past the length become zero (PostgreSQL, bit_recv).
    """
    if not issubclass(value_class, Bits):
        return data
    spare = -int.from_bytes(data[:4], "big") % 8
    return (int.from_bytes(data, "big") >> spare << spare).to_bytes(len(data), "big")


def _check_both(read: Callable[[], Value]) -> None:
    """Check with NumPy and without: the code differs, and the outcome has to be the same."""
    with_numpy = _outcome(read)
    with without_numpy():
        assert _outcome(read) == with_numpy


def _outcome(read: Callable[[], Value]) -> tuple[object, ...]:
    try:
        value = read()
    except VectorError as error:
        return type(error), str(error)
    _check_value(value)
    return value.to_binary(), value.to_text(), repr(value)


def _check_value(value: Value) -> None:
    """Check that a value survives each conversion and its inverse."""
    value_class, wire = type(value), value.to_binary()
    again: dict[str, Any] = {
        "binary": value_class.from_binary(wire),
        "text": value_class.from_text(value.to_text()),
        "json": value_class.from_json(value.to_json()),
        "pickle": pickle.loads(pickle.dumps(value)),
        "repr": eval(repr(value), {value_class.__name__: value_class}),
    }
    for way, other in again.items():
        assert type(other) is value_class, way
        assert other.to_binary() == wire, way
        assert other == value, way
        assert hash(other) == hash(value), way
    assert value_class.encode(value) == wire
    assert len(str(value)) < _LONGEST_STR
