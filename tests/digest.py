"""Print a digest of what many values become, which is to be the same on every machine.

`make foreign` compares what a big-endian machine and an aarch64 print with what this one does.
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
    """Print how many results there are of each type, and a digest of them."""
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
    """Yield what a value is written as, by whichever way it is made."""
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
