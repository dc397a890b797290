"""Prints a digest of the payloads and texts of many values; it has to be the same on every machine.

`make foreign` compares the digest of a big-endian machine, and of an aarch64, with this machine's.
"""

from __future__ import annotations

import hashlib
import pickle
from array import array
from collections.abc import Iterator
from random import Random

import numpy as np

from asyncpg_vector.runtime import number_format
from codegen.spec import BitsType
from tests.spec_types import TYPES, SpecType

VALUES = 300


def main() -> None:
    """Print the number of results of each type, and a digest of them."""
    for type_ in TYPES:
        digest, count = hashlib.sha256(), 0
        for numbers in draw(type_, Random(type_.sql_name)):
            for result in results(type_, numbers):
                digest.update(result)
                count += 1
        print(f"{type_}: {count:,} results, {digest.hexdigest()}")


def draw(type_: SpecType, random: Random) -> Iterator[list[float]]:
    """Yield numbers of every magnitude that the type holds."""
    if isinstance(type_.model, BitsType):
        for _ in range(VALUES):
            yield [random.getrandbits(1) for _ in range(random.randint(1, 70))]
        return
    element = type_.model.element
    for _ in range(VALUES):
        drawn = number_format(element.format, "little").unpack(
            random.randbytes(20 * element.width), 0, 20
        )
        yield [number for number in drawn if number - number == 0] or [1.0]  # the finite ones


def results(type_: SpecType, numbers: list[float]) -> Iterator[bytes]:
    """Yield the payload, text, repr, list and pickle of a value, from each kind of input."""
    cls = type_.value_class
    made = [cls.coerce(numbers), cls.coerce(tuple(numbers)), cls.coerce(np.array(numbers))]
    if not isinstance(type_.model, BitsType):
        of_double = array("d", numbers)
        made += [
            cls.coerce(of_double),
            cls.coerce(np.array(numbers, ">f8")),
            cls.coerce(np.array(numbers, "<f8")),
        ]
    for value in made:
        yield value.to_binary()
        yield value.to_text().encode()
        yield repr(value).encode()
        yield repr(value.to_list()).encode()
        yield repr(value.to_numpy().tolist()).encode()
        yield pickle.dumps(value, protocol=4)
        yield cls.from_text(value.to_text()).to_binary()
        yield cls.decode(value.to_binary()).to_text().encode()


if __name__ == "__main__":
    main()
