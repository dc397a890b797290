"""`asyncpg_vector.testing`: the values that are drawn, and the faults that a round trip finds."""

from __future__ import annotations

import asyncio
import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pydantic
import pytest
from hypothesis import strategies as st

from asyncpg_vector import Bit, TypesNotFoundError, Vector, _hypothesis
from asyncpg_vector.runtime import Codec, Dense, Sparse, Value, number_format, wrap
from asyncpg_vector.runtime.formats import FORMATS
from asyncpg_vector.testing import check_roundtrip, draw, numbers, special_numbers, tiled, values
from examples.own_type.own_types import TinyVector
from tests.conftest import NewDatabase
from tests.needs import types_of
from tests.own_types import CREATE_SQL
from tests.processes import run_python
from tests.spec_types import (
    TYPES,
    SpecType,
    each_dense_type,
    each_numeric_type,
    each_sparse_type,
    each_type,
    type_named,
)

# Strategies


@each_type
def test_a_class_is_a_strategy(type_: SpecType) -> None:
    """The strategy draws only values that the server accepts."""
    drawn = draw(st.from_type(type_.value_class))
    assert {type(value) for value in drawn} == {type_.value_class}
    assert len({*drawn}) > 10
    for value in drawn:
        assert type_.value_class.from_binary(value.to_binary()) == value


def test_a_later_subclass_is_a_strategy() -> None:
    class Later(Vector):
        __slots__ = ()

    class Latest(Later):
        __slots__ = ()

    for value_class in (Later, Latest):
        assert {type(value) for value in draw(st.from_type(value_class))} == {value_class}


@dataclasses.dataclass
class Item:
    embedding: Vector


class ItemModel(pydantic.BaseModel):
    embedding: Vector
    tiny: TinyVector


@pytest.mark.parametrize("model", [Item, ItemModel])
def test_a_model_is_a_strategy(model: Any) -> None:
    drawn = draw(st.builds(model))
    assert {type(item.embedding) for item in drawn} == {Vector}
    assert len({item.embedding for item in drawn}) > 10


def test_a_field_of_a_model_is_a_strategy() -> None:
    assert {type(item.tiny) for item in draw(st.builds(ItemModel))} == {TinyVector}


def test_special_numbers() -> None:
    assert special_numbers(number_format("int8", "big")) == [0, 1, 127, -128]
    positive = [0.0, 2.0**-24, 2.0**-14, 65504.0, 1.0, 0.0999755859375]
    both_signs = [repr(sign * number) for number in positive for sign in (1, -1)]
    assert [*map(repr, special_numbers(number_format("float16", "little")))] == both_signs


@pytest.mark.parametrize("name", FORMATS)
def test_numbers(name: str) -> None:
    """Numbers between the special ones are drawn too, with each sign that the format has."""
    number_format = FORMATS[name]("big")
    others = {*draw(numbers(number_format), 300)} - {*special_numbers(number_format)}
    assert len(others) > 30
    assert {number > 0 for number in others} == {True, name.startswith("uint")}


def test_rows_that_repeat_elements() -> None:
    rows = draw(tiled(st.builds(object), st.integers(0, 5)), 100)
    assert {len(row) for row in rows} == {*range(6)}
    assert {1, 2, 3} <= {len({*row}) for row in rows if len(row) > 3}


def test_the_same_values_in_each_run() -> None:
    drawn = draw(st.integers())
    assert len(drawn) == 20
    assert draw(st.integers()) == drawn


@each_numeric_type
def test_corners_of_elements(type_: SpecType) -> None:
    """Every special number is drawn; sparse values lack only the zeros."""
    cls = type_.value_class
    special = {*map(str, special_numbers(cls.element_format))}
    drawn = draw(values(cls), 300)
    is_sparse = issubclass(cls, Sparse)
    elements = {
        str(number)
        for value in drawn
        for number in (value.values() if is_sparse else value.to_list())
    }
    assert special - ({"0", "0.0", "-0.0"} if is_sparse else set()) <= elements


@each_dense_type
def test_limits_of_dense_values(type_: SpecType) -> None:
    most = type_.value_class.info.max_dimensions
    sizes = {len(value) for value in draw(values(type_.value_class), 600)}
    assert 1 in sizes
    assert {size for size in sizes if size > 100} == {most - 1, most}
    assert len(sizes) > 30


@each_sparse_type
def test_limits_of_sparse_values(type_: SpecType) -> None:
    info = type_.value_class.info
    drawn = draw(values(type_.value_class), 300)
    counts = {value.nnz() for value in drawn}
    assert 0 in counts
    assert {count for count in counts if count > 100} == {info.max_nnz - 1, info.max_nnz}
    assert len(counts) > 30
    assert info.max_dimensions in {value.dimensions() for value in drawn}
    assert info.max_dimensions - 1 in {index for value in drawn for index in value.indices()[-1:]}


@each_sparse_type
def test_indices_are_adjacent_or_far_apart(type_: SpecType) -> None:
    drawn = draw(values(type_.value_class), 300)
    rows = [value.indices() for value in drawn if value.dimensions() > 100 * value.nnz()]
    gaps = [{after - index for index, after in pairwise(row)} for row in rows if len(row) > 2]
    assert {1} in gaps
    assert any(min(each) > 50 for each in gaps)


def test_long_bits() -> None:
    assert 15_999 <= max(len(value) for value in draw(values(Bit), 300)) <= 16_000


@pytest.mark.parametrize(
    "imported",
    [
        "hypothesis",
        "asyncpg_vector, hypothesis",
        "hypothesis, asyncpg_vector",
        "asyncpg_vector.testing",
    ],
)
def test_in_a_process_of_its_own(tmp_path: Path, imported: str) -> None:
    """Hypothesis finds the classes by itself, in any order of imports."""
    script = (
        f"import {imported}\n"
        "from hypothesis import given, settings, strategies as st\n"
        "from asyncpg_vector import Bit\n"
        "@settings(max_examples=1, database=None)\n"
        "@given(st.from_type(Bit))\n"
        "def draw(value): print(type(value).__name__)\n"
        "draw()"
    )
    assert run_python(tmp_path, "-c", script) == "Bit\n"


def test_every_class_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that are there when Hypothesis loads the plugin."""
    registered: list[type[Value]] = []
    monkeypatch.setattr(st, "register_type_strategy", lambda cls, _: registered.append(cls))
    _hypothesis.load()
    assert {type_.value_class for type_ in TYPES} <= {*registered}
    assert not {Value, *Value.__subclasses__(), Dense} & {*registered}


def test_hypothesis_brings_no_strategies(tmp_path: Path) -> None:
    """Strategies take time to import, so they are imported when a value is drawn."""
    script = (
        "import hypothesis, sys\n"
        "print(*{'asyncpg_vector._hypothesis', 'asyncpg_vector.testing'} & {*sys.modules})"
    )
    assert run_python(tmp_path, "-c", script) == "asyncpg_vector._hypothesis\n"


# Round trips


async def test_round_trip(plain: asyncpg.Connection) -> None:
    """Every type of the spec that the server has survives the round trip."""
    for sql_name in await types_of(plain):
        await check_roundtrip(plain, type_named(sql_name).value_class, examples=20)


ODD = 'odd "schema'


async def test_round_trip_of_a_type_without_a_text_form(new_database: NewDatabase) -> None:
    """The type is in a schema outside of the search path; `examples` sets the number of small values."""
    sql = f"""CREATE SCHEMA "odd ""schema"; SET search_path = "odd ""schema"; {CREATE_SQL}"""
    conn = await asyncpg.connect(await new_database(sql))
    with pytest.raises(TypesNotFoundError):
        await check_roundtrip(conn, TinyVector)
    queries: list[str] = []
    conn.add_query_logger(lambda record: queries.append(record.query))
    await check_roundtrip(conn, TinyVector, schema=ODD, examples=7)
    await asyncio.sleep(0)  # loggers are called a little later
    sent = [query for query in queries if query.startswith("SELECT $1")]
    assert sent == [
        *['SELECT $1::"odd ""schema"."tinyvec"'] * (7 + 10),
        'SELECT $1::"odd ""schema"."tinyvec"[]',
    ]
    await conn.close()


encode, decode = Vector.codec


def reverse(payload: bytes) -> bytes:
    """Return a payload with its elements in reverse order."""
    elements = [payload[start : start + 4] for start in range(4, len(payload), 4)]
    return payload[:4] + b"".join(elements[::-1])


class Misread(Vector):
    __slots__ = ()
    codec = Codec(encode, lambda data: wrap(Misread, reverse(data)))


class Mispacked(Vector):
    __slots__ = ()
    codec = Codec(lambda value: reverse(encode(value)), lambda data: wrap(Mispacked, data))


class Mirrored(Vector):
    """Wrong in both directions: the fetched value is right, and the stored value is wrong."""

    __slots__ = ()
    codec = Codec(lambda value: reverse(encode(value)), lambda data: wrap(Mirrored, reverse(data)))


class Misprinted(Vector):
    __slots__ = ()
    codec = Codec(encode, lambda data: wrap(Misprinted, data))

    def to_text(self) -> str:
        return super().to_text().replace(",", ", ")


class Unwrapped(Vector):
    __slots__ = ()
    codec = Codec(encode, decode)


class Iterable(Vector):
    """asyncpg takes such a value apart in an array, since it is iterable."""

    __slots__ = ()
    codec = Codec(encode, lambda data: wrap(Iterable, data))

    def __iter__(self) -> Any:
        return iter(self.to_list())


@pytest.mark.parametrize("cls", [Misread, Mispacked, Mirrored, Misprinted, Unwrapped])
async def test_a_wrong_codec(plain: asyncpg.Connection, cls: type[Vector]) -> None:
    """The comparison of single values finds the fault, before the array is sent."""
    queries: list[str] = []
    plain.add_query_logger(lambda record: queries.append(record.query))
    with pytest.raises(AssertionError, match=r"^expected .* from the server, got "):
        await check_roundtrip(plain, cls)
    await asyncio.sleep(0)  # loggers are called a little later
    assert not any(query.endswith('"vector"[]') for query in queries)


async def test_a_class_that_is_no_element_of_an_array(plain: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.DataError, match="array"):
        await check_roundtrip(plain, Iterable)
