"""What a fetch gives: values, lists, ndarrays, texts, results of a function, by type; and binding it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidValueError,
    MalformedWireError,
    SparseVector,
    Vector,
    register_vector,
)
from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector.registration import Registration
from asyncpg_vector.runtime import Dense
from examples.own_type.own_types import TinyVector
from tests.needs import needs_numpy, needs_pgvector, np, types_of
from tests.spec_types import SpecType, each_dense_type, each_type, each_type_to_limits
from tests.test_values import sample

METHODS = {"value": "checked", "list": "to_list", "numpy": "to_numpy", "text": "to_text"}
each_form = pytest.mark.parametrize(
    "form", ["value", "list", pytest.param("numpy", marks=needs_numpy), "text"]
)


class Embedding(Vector):
    """A user's subclass, with a form of its own."""

    __slots__ = ()

    def to_list(self) -> list[float]:
        return [*super().to_list(), -1.0]

    def to_text(self) -> str:
        return f"text: {super().to_text()}"


def is_same(found: Any, expected: Any) -> bool:
    """Compare results, also ndarrays, with their types."""
    if np and isinstance(expected, np.ndarray):
        return bool(type(found) is np.ndarray and np.array_equal(found, expected))
    return bool(type(found) is type(expected) and found == expected)


async def register_all(conn: asyncpg.Connection, returns: Any) -> None:
    await register_vector(conn, types=await types_of(conn), returns=returns)


async def fetch(conn: asyncpg.Connection, type_: SpecType) -> tuple[Any, list[Any]]:
    """Fetch the sample of a type, alone and in an array."""
    is_bits = type_.model.layout == "bits"
    sql = f"bit({len(sample(type_))})" if is_bits else str(type_)
    query = f"SELECT $1::{sql} AS one, ARRAY[$1::{sql}, NULL] AS array"
    one, array = await conn.fetchrow(query, sample(type_))
    return one, array


@each_type
@each_form
async def test_a_form_of_all_types(plain: asyncpg.Connection, type_: SpecType, form: str) -> None:
    """Lists and ndarrays are for dense types alone."""
    await register_all(plain, form)
    is_value = form in ("list", "numpy") and type_.model.layout != "dense"
    expected = getattr(sample(type_), METHODS["value" if is_value else form])()
    one, array = await fetch(plain, type_)
    assert is_same(one, expected)
    assert is_same(array[0], expected)
    assert array[1] is None


@each_type
@each_form
async def test_a_form_by_type(plain: asyncpg.Connection, type_: SpecType, form: str) -> None:
    """The form applies whatever the layout; types that the mapping does not name become values."""
    expected = getattr(sample(type_), METHODS[form])()
    for key in (str(type_), type_.value_class):
        await register_all(plain, {key: form})
        one, array = await fetch(plain, type_)
        assert is_same(one, expected)
        assert is_same(array[0], expected)
        other = Vector if type_.value_class is not Vector else Bit
        text = "'[1]'::vector" if other is Vector else "B'1'"
        assert type(await plain.fetchval(f"SELECT {text}")) is other


@each_type
async def test_a_callable(plain: asyncpg.Connection, type_: SpecType) -> None:
    """It is given the value, and no NULL."""
    await register_all(plain, lambda value: (value, "called"))
    one, array = await fetch(plain, type_)
    assert one == (sample(type_), "called")
    assert array == [(sample(type_), "called"), None]


@needs_pgvector("0.7.0")
async def test_several_forms(plain: asyncpg.Connection) -> None:
    returns: Mapping[Any, Any] = {"vector": "list", HalfVector: str, "bit": "text"}
    await register_vector(plain, types="all", returns=returns)
    query = "SELECT '[1,2]'::vector, '[1,2]'::halfvec, '{1:2}/3'::sparsevec, B'101'"
    expected = ([1.0, 2.0], "HalfVector([1, 2])", SparseVector({0: 2}, 3), "101")
    assert tuple(await plain.fetchrow(query)) == expected


@each_type_to_limits
@settings(max_examples=20)
@given(data=st.data())
def test_text_is_the_text_form(type_: SpecType, data: st.DataObject) -> None:
    """The kernel decodes and prints in one call."""
    value = data.draw(type_.values())
    registration = Registration(None, types=[type_.value_class], returns="text")
    assert registration.codecs[str(type_)].decode(value.to_binary()) == value.to_text()


@each_type
async def test_text_is_the_servers(plain: asyncpg.Connection, type_: SpecType) -> None:
    await register_all(plain, "text")
    values = [sample(type_), type_.value_class([1, 0, 1])]
    if type_.model.layout != "bits":
        values += [type_.value_class([number, 1]) for number in (0.1, 1e-7, -60000, 1 / 3, 2**-24)]
    for value in values:
        row = await plain.fetchrow(f"SELECT $1::{type_}, $1::{type_}::text", value)
        assert row[0] == row[1]


async def test_a_subclass_converts_itself(plain: asyncpg.Connection) -> None:
    for returns, expected in (
        ("list", [1.0, -1.0]),
        ({"vector": "text"}, "text: [1]"),
        ({Vector: "list"}, [1.0, -1.0]),
        (repr, "Embedding([1])"),
    ):
        await register_vector(plain, types=Embedding, returns=returns)  # type: ignore[arg-type]
        assert await plain.fetchval("SELECT '[1]'::vector") == expected


async def test_text_can_be_bound_back(plain: asyncpg.Connection) -> None:
    await register_vector(plain, returns="text")
    query = "SELECT $1::vector, ARRAY[$1, NULL]::vector[]"
    text, array = await plain.fetchrow(query, [1, 0.1])
    assert (text, array) == ("[1,0.1]", ["[1,0.1]", None])
    again = await plain.fetchrow("SELECT $1::vector, $2::vector[]", text, array)
    assert tuple(again) == (text, array)


async def test_a_pool(dsn: str) -> None:
    init = partial(register_vector, returns="text")
    async with asyncpg.create_pool(dsn, init=init, min_size=1, max_size=1) as pool:
        for _ in range(2):
            assert await pool.fetchval("SELECT '[1,0.1]'::vector") == "[1,0.1]"


async def test_an_error_of_a_callable(plain: asyncpg.Connection) -> None:
    """The fetch raises it, and the connection works on."""

    def fail(value: Vector) -> Any:
        raise LookupError(repr(value))

    await register_vector(plain, returns={"vector": fail})
    with pytest.raises(LookupError, match=re.escape("Vector([1])")):
        await plain.fetch("SELECT '[1]'::vector FROM generate_series(1, 3)")
    assert await plain.fetchval("SELECT 5") == 5


@each_type
@pytest.mark.parametrize("form", ["list", "text"])
def test_damaged_payloads(type_: SpecType, form: Any) -> None:
    """The errors are those of the decoder."""
    codec = Registration(None, types=[type_.value_class], returns={str(type_): form}).codecs
    wire = sample(type_).to_binary()
    for bad in (b"", wire[:-1], wire + b"\0"):
        with pytest.raises(MalformedWireError) as expected:
            type_.decode(bad)
        with pytest.raises(MalformedWireError, match=f"^{re.escape(str(expected.value))}$"):
            codec[str(type_)].decode(bad)


@each_dense_type
def test_text_of_no_finite_number(type_: SpecType) -> None:
    """Nobody keeps NaN out of a type that its server does not check."""
    if type_.model.element.python_type != "float":
        return
    wire = sample(type_).to_binary()
    width = type_.element_format.width
    nan = wire[:-width] + b"\x7f" + b"\xff" * (width - 1)
    codec = Registration(None, types=[type_.value_class], returns="text").codecs[str(type_)]
    with pytest.raises(InvalidValueError, match="expected a finite number at index "):
        codec.decode(nan)


# What is refused

FORMS = "value, list, numpy, text, or a callable,"
REFUSED: list[tuple[Any, str]] = [
    ("tuple", f"expected returns among {FORMS} or a mapping of these by type, got 'tuple'"),
    (5, f"expected returns among {FORMS} or a mapping of these by type, got 5"),
    (None, f"expected returns among {FORMS} or a mapping of these by type, got None"),
    (["list"], f"expected returns among {FORMS} or a mapping of these by type, got ['list']"),
    ({"vector": "lists"}, f"expected returns for vector among {FORMS} got 'lists'"),
    ({Vector: None}, f"expected returns for vector among {FORMS} got None"),
    ({"vector": {"vector": "list"}}, f"expected returns for vector among {FORMS} got {{'vector': 'list'}}"),
    ({"vectr": "list"}, "expected types to register in returns, vector, halfvec, sparsevec, got 'vectr'; to register another one, name it in types, too"),
    ({"bit": "text"}, "expected types to register in returns, vector, halfvec, sparsevec, got 'bit'; to register another one, name it in types, too"),
    ({Embedding: "text"}, "expected types to register in returns, vector, halfvec, sparsevec, got class Embedding; to register another one, name it in types, too"),
    ({Dense: "list"}, "expected types to register in returns, vector, halfvec, sparsevec, got class Dense; to register another one, name it in types, too"),
    ({5: "list"}, "expected types to register in returns, vector, halfvec, sparsevec, got 5; to register another one, name it in types, too"),
    ({"vector": "list", Vector: "text"}, "expected vector once in returns, got it by name and by class"),
]  # fmt: skip


@pytest.mark.parametrize(("returns", "message"), REFUSED)
async def test_refused(plain: asyncpg.Connection, returns: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^{re.escape(message)}$"):
        await register_vector(plain, returns=returns)
    assert await plain.fetchval("SELECT '[1]'::vector") == "[1]"


@pytest.mark.parametrize("returns", ["text", {TinyVector: "text"}])
def test_no_text_form(returns: Any) -> None:
    message = "expected another form than text for tinyvec, which has no text form"
    with pytest.raises(InvalidValueError, match=f"^{message}$"):
        Registration(None, types=[Vector, TinyVector], returns=returns)


# Arrays bound back


@pytest.mark.parametrize("form", ["list", pytest.param("numpy", marks=needs_numpy)])
@each_dense_type
async def test_the_error_of_an_array_has_its_cure(
    plain: asyncpg.Connection, type_: SpecType, form: Any
) -> None:
    """asyncpg takes a list or an ndarray in an array for one more dimension of the array."""
    await register_all(plain, form)
    rows = await plain.fetchval(f"SELECT ARRAY['[1,2]', '[3,4]']::{type_}[]")
    with pytest.raises(asyncpg.DataError) as caught:
        await plain.fetchval(f"SELECT $1::{type_}[]", rows)
    cure = str(caught.value).rpartition("write ")[2].removesuffix(")")
    array = eval(cure, {"rows": rows, **{cls.__name__: cls for cls in VALUE_CLASSES.values()}})
    assert await plain.fetchval(f"SELECT $1::{type_}[]::text", array) == '{"[1,2]","[3,4]"}'
