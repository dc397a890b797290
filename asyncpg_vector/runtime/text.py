"""How numbers are written in the text form of a type, as the spec names it under ``text``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from asyncpg_vector._native import kernel
from asyncpg_vector._numpy import loaded_numpy
from asyncpg_vector.runtime.digits import (
    print_float32,
    print_float64,
    read_float32,
    read_float64,
    read_integer,
)
from asyncpg_vector.runtime.formats import FLOAT32, NumberFormat
from asyncpg_vector.runtime.holders import Numbers

__all__ = ["NUMBER_TEXTS", "NumberText", "number_text"]

Read: TypeAlias = Callable[[str, NumberFormat, Sequence[int] | None], Numbers]


class NumberText:
    """Prints and reads numbers as the server does.

    It is a plain class, since a named tuple would take a twentieth of the package's import.
    """

    def __init__(self, name: str, print_: Callable[[Iterable[Any]], list[str]], read: Read) -> None:
        self.name = name
        self.print = print_
        """Print unpacked numbers."""
        self.read = read
        """Read numbers separated by commas, with white space around them.

        It takes the text of one number or more; the format that they are then narrowed to; and the
        number that an error gives to each place, if not 0, 1, 2 ... It raises MalformedTextError
        for a text that is no number.
        """

    def print_row(self, number_format: NumberFormat, payload: bytes, offset: int) -> str:
        """Print all numbers of a payload from an offset on, with commas between them.

        Raises:
            InvalidValueError: a number is not finite, in a payload that nobody has checked.
        """
        native = number_format.native
        if native and self.name in kernel.DIGITS:
            printed: str | None = native.print(self.name, payload, offset)
            if printed is not None:
                return printed
        number_format.check(payload[offset:])
        count = (len(payload) - offset) // number_format.width
        return ",".join(self.print(number_format.unpack(payload, offset, count)))


def _read_float32(text: str, into: NumberFormat, indices: Sequence[int] | None) -> Numbers:
    numbers = read_float32(text, indices)
    if into.width >= FLOAT32.width:
        return numbers
    # The server narrows the float32, not the text (pgvector, halfvec_in).
    payload = bytes(FLOAT32.pack(numbers, indices))
    if loaded_numpy():
        return FLOAT32.unpack_array(payload, 0)
    return FLOAT32.unpack(payload, 0, len(numbers))


def _read_float64(text: str, _into: NumberFormat, indices: Sequence[int] | None) -> Numbers:
    return read_float64(text, indices)


def _print_integers(numbers: Iterable[int]) -> list[str]:
    return list(map(str, numbers))


def _read_integers(text: str, _into: NumberFormat, indices: Sequence[int] | None) -> Numbers:
    texts = text.split(",")
    pairs = zip(texts, indices or range(len(texts)), strict=True)
    return [read_integer(digits, f"at index {index}") for digits, index in pairs]


NUMBER_TEXTS: Mapping[str, NumberText] = {
    each.name: each
    for each in (
        NumberText("float32", print_float32, _read_float32),
        NumberText("float64", print_float64, _read_float64),
        NumberText("integer", _print_integers, _read_integers),
    )
}
"""Every way to write numbers, by its name."""


def number_text(name: str) -> NumberText:
    """Return a way to write numbers by its name in `NUMBER_TEXTS`."""
    return NUMBER_TEXTS[name]
