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
from asyncpg_vector._native import kernel
from asyncpg_vector.errors import VectorError
from asyncpg_vector.runtime.bits import Bits
from asyncpg_vector.runtime.dense import Dense
from codegen.spec import Spec, SpecError, load_spec
from fuzz.twin import import_python_alone
from tests.needs import without_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asyncpg_vector.runtime.value import Value

__all__ = ["TARGETS", "to_text_input"]

_LONGEST_STR = 200


_PYTHON_ALONE: Any = import_python_alone() if kernel is not None else None
"""A copy of the package that does not use the kernel."""


def _check_binary(value_class: type[Value], data: bytes) -> None:
    def read(cls: Any) -> Value:
        # decode trusts the server, so it takes more payloads than from_binary does.
        assert cls.decode(data).to_binary() == data
        value: Value = cls.from_binary(data)
        assert value.to_binary() == _as_sent(value_class, data)
        return value

    _check_all(value_class, read)


def _check_text(value_class: type[Value], data: bytes) -> None:
    _check_all(value_class, lambda cls: cls.from_text(to_text_input(data)))


def _check_base64(value_class: type[Value], data: bytes) -> None:
    _check_all(value_class, lambda cls: cls.from_float_base64(to_text_input(data)))


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
    **{
        f"{name}-base64": partial(_check_base64, cls)
        for name, cls in VALUE_CLASSES.items()
        if issubclass(cls, Dense)
    },
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


def _check_all(value_class: type[Value], read: Callable[[Any], Value]) -> None:
    """Check with NumPy, without, and without the kernel: the outcome has to be the same."""
    with_numpy = _outcome(read, value_class)
    with without_numpy():
        assert _outcome(read, value_class) == with_numpy
    if _PYTHON_ALONE:
        other = getattr(_PYTHON_ALONE, value_class.__name__)
        assert _show(read, other, _PYTHON_ALONE.VectorError) == with_numpy


def _outcome(read: Callable[[Any], Value], value_class: type[Value]) -> tuple[object, ...]:
    def read_and_check(value_class: Any) -> Value:
        value = read(value_class)
        _check_value(value)
        return value

    return _show(read_and_check, value_class, VectorError)


def _show(
    read: Callable[[Any], Value], value_class: Any, refused: type[Exception]
) -> tuple[object, ...]:
    """Return the forms of a value, or the name and message of the error that refuses the input."""
    try:
        value = read(value_class)
    except refused as error:
        return type(error).__name__, str(error)
    return value.to_binary(), value.to_text(), repr(value), repr(value.to_json())


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
