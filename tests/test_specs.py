"""Specs of other extensions' types, in tests/specs: the generator writes all code for these types."""

from __future__ import annotations

import importlib
import json
import pickle
import struct
import sys
from collections.abc import AsyncIterator, Mapping
from math import inf, nan
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import asyncpg
import pydantic
import pytest
from sqlalchemy import Column, Double, MetaData, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from asyncpg_vector import (
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    MalformedWireError,
    TypesNotFoundError,
    register_vector,
)
from asyncpg_vector.runtime import Value, number_format
from asyncpg_vector.runtime.formats import FORMATS
from asyncpg_vector.testing import check_roundtrip, special_numbers
from codegen import __main__ as command
from codegen.render import MARKER
from codegen.spec import DenseType, SparseType, Type, load_spec
from tests.conftest import NewDatabase
from tests.docstrings import run_examples
from tests.generated_types import (
    MODELS,
    ORDERS,
    SPECS,
    big_spec,
    database_sql,
    generate,
    import_package,
)
from tests.needs import needs_numpy, np
from tests.processes import UNMEASURED, run_python
from tests.spec_types import ROOT


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package for each spec, column types included."""
    folder = tmp_path_factory.mktemp("generated")
    for spec in SPECS:
        done = generate(spec, folder / spec.stem, "--sqlalchemy")
        assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="session")
def classes(generated: Path) -> Mapping[str, Any]:
    """The value classes, by the names of their specs and types."""
    packages = {spec.stem: import_package(generated / spec.stem) for spec in SPECS}
    return {
        f"{stem}.{sql_name}": value_class
        for stem, package in packages.items()
        for sql_name, value_class in package.VALUE_CLASSES.items()
    }


def codecs(value_class: type[Value]) -> tuple[Any, Any]:
    """The generated encoder and decoder of a class."""
    module = sys.modules[value_class.__module__]
    sql_name = value_class.info.sql_name
    return getattr(module, f"encode_{sql_name}"), getattr(module, f"decode_{sql_name}")


# By hand


class ByHand(NamedTuple):
    """A value of a type, with each of its forms written by hand."""

    type_: str
    arguments: tuple[Any, ...]
    wire: str
    text: str | None
    shown: str
    attributes: Mapping[str, float] = {}


ATTRIBUTES = {
    "sum_of_x2": 1.5,
    "norm_of_lattice": -2.0,
    "sum_of_code": 0.5,
    "sum_of_abs_x": 0.0,
}
BY_HAND = [
    ByHand("intvec.intvec", ([1, -2],), "0002 0000 01fe", "[1,-2]", "IntVector([1, -2])"),
    ByHand("float64.doublevec", ([1.5, -0.1],), "0002 3ff8000000000000 bfb999999999999a", "[1.5,-0.1]", "DoubleVector([1.5, -0.1])"),
    ByHand("float64.doublevec", ([1e15, 1e-5],), "0002 430c6bf526340000 3ee4f8b588e368f1", "[1e+15,1e-05]", "DoubleVector([1000000000000000.0, 1e-05])"),
    ByHand("bfloat16.bfloatvec", ([1.5, 0.1],), "0002 0000 3fc0 3dcd", "[1.5,0.100097656]", "BFloatVector([1.5, 0.100097656])"),
    ByHand("uint8.bytevec", ([0, 255],), "00000002 00ff", "[0,255]", "ByteVector([0, 255])"),
    ByHand("pgvecto_rs.vector", ([1, 2.5],), "0200 0000803f 00002040", "[1,2.5]", "Vector([1, 2.5])"),
    ByHand("pgvecto_rs.vecf16", ([1, 2.5],), "0200 003c 0041", "[1,2.5]", "HalfVector([1, 2.5])"),
    ByHand("pgvecto_rs.svector", ({0: 1, 4: -2}, 5), "05000000 02000000 00000000 04000000 0000803f 000000c0", "{0:1,4:-2}/5", "SparseVector({0: 1, 4: -2}, 5)"),
    ByHand("pgvecto_rs.svector", ({}, 1), "01000000 00000000", "{}/1", "SparseVector({}, 1)"),
    ByHand(
        "vectorchord.rabitq8",
        ([0, 255],),
        "00000002 3fc00000 c0000000 3f000000 00000000 00ff",
        None,
        "RabitQ8([0, 255], sum_of_x2=1.5, norm_of_lattice=-2.0, sum_of_code=0.5, sum_of_abs_x=0.0)",
        ATTRIBUTES,
    ),
]  # fmt: skip

each_type = pytest.mark.parametrize("type_", MODELS)
each_by_hand = pytest.mark.parametrize(
    "row", BY_HAND, ids=[f"{row.type_}-{n}" for n, row in enumerate(BY_HAND)]
)


def make(classes: Mapping[str, Any], row: ByHand) -> Any:
    return classes[row.type_](*row.arguments, **row.attributes)


def test_each_type_is_typed_by_hand() -> None:
    assert {row.type_ for row in BY_HAND} == {*MODELS}


def test_the_examples_of_docstrings(classes: Mapping[str, Any]) -> None:
    for value_class in classes.values():
        run_examples(value_class)


@each_by_hand
def test_forms(classes: Mapping[str, Any], row: ByHand) -> None:
    value_class, wire = classes[row.type_], bytes.fromhex(row.wire)
    value, (encode, decode) = make(classes, row), codecs(value_class)
    assert value.to_binary() == encode(value) == wire
    for read in (decode, value_class.from_binary, value_class.decode):
        assert type(read(wire)) is value_class
        assert read(wire) == value
        assert read(wire).to_binary() == wire
    assert repr(value) == row.shown
    assert eval(row.shown, {value_class.__name__: value_class}) == value
    assert pickle.loads(pickle.dumps(value)) == value
    if row.text is None:
        for form in (value.to_text, lambda: value_class.from_text("[1]"), lambda: encode("[1]")):
            with pytest.raises(InvalidTypeError):
                form()
    else:
        assert value.to_text() == row.text
        assert value_class.from_text(row.text) == value
        assert encode(row.text) == wire


@each_by_hand
def test_json(classes: Mapping[str, Any], row: ByHand) -> None:
    value_class, value = classes[row.type_], make(classes, row)
    data = json.loads(json.dumps(value.to_json()))
    assert value_class.from_json(data).to_binary() == value.to_binary()
    adapter = pydantic.TypeAdapter(value_class)
    assert adapter.validate_json(adapter.dump_json(value)) == value
    schema = adapter.json_schema()
    assert schema == value_class.json_schema()
    if isinstance(data, dict):
        assert {*schema["required"]} == {*schema["properties"]} == {*data}
    for name in row.attributes:
        assert schema["properties"][name] == {"type": "number"}


@needs_numpy
@each_by_hand
def test_arrays(classes: Mapping[str, Any], row: ByHand) -> None:
    value = make(classes, row)
    array = value.to_numpy()
    assert array.dtype.isnative
    assert array.dtype == value.element_format.dtype
    assert array.tolist() == value.to_list()
    assert type(value)(array, **row.attributes) == value


# What is refused

BAD_WIRES = [
    ("intvec.intvec", "000100", MalformedWireError, "at least 4 bytes for this intvec, got 3"),
    ("intvec.intvec", "00020001 01fe", MalformedWireError, "0 in the field unused for this intvec, got 1"),
    ("intvec.intvec", "00020000 01fe00", MalformedWireError, "6 bytes for this intvec, got 7"),
    ("intvec.intvec", "00000000", InvalidValueError, "1 to 16000 dimensions for intvec, got 0"),
    ("intvec.intvec", "3e810000" + 16_001 * "01", InvalidValueError, "1 to 16000 dimensions for intvec, got 16001"),
    ("float64.doublevec", "0001 3ff80000000000", MalformedWireError, "10 bytes for this doublevec, got 9"),
    ("float64.doublevec", "0001 7ff8000000000000", InvalidValueError, "finite number at index 0, got nan"),
    ("float64.doublevec", "0002 3ff8000000000000 fff0000000000000", InvalidValueError, "finite number at index 1, got -inf"),
    ("bfloat16.bfloatvec", "00010000 7fc0", InvalidValueError, "finite number at index 0, got nan"),
    ("bfloat16.bfloatvec", "00010000 7f80", InvalidValueError, "finite number at index 0, got inf"),
    ("uint8.bytevec", "00000002 01", MalformedWireError, "6 bytes for this bytevec, got 5"),
    ("uint8.bytevec", "0000fa01" + 64_001 * "01", InvalidValueError, "1 to 64000 dimensions for bytevec, got 64001"),
    ("pgvecto_rs.vector", "0002 3f800000 40200000", MalformedWireError, "2050 bytes for this vector, got 10"),  # big-endian
    ("pgvecto_rs.vector", "0100 0000807f", InvalidValueError, "finite number at index 0, got inf"),
    ("pgvecto_rs.vecf16", "0100 007e", InvalidValueError, "finite number at index 0, got nan"),
    ("pgvecto_rs.svector", "05000000 02000000 00000000 04000000 0000803f", MalformedWireError, "24 bytes for this svector, got 20"),
    ("pgvecto_rs.svector", "05000000 01000000 05000000 0000803f", InvalidValueError, "indices from 0 to 4, got 5"),
    ("pgvecto_rs.svector", "05000000 02000000 04000000 00000000 0000803f 0000803f", InvalidValueError, "ascending indices, got 0 after 4"),
    ("pgvecto_rs.svector", "05000000 02000000 04000000 04000000 0000803f 0000803f", InvalidValueError, "distinct indices, got 4 twice"),
    ("pgvecto_rs.svector", "05000000 01000000 04000000 00000080", InvalidValueError, "no zero, got -0.0 at index 4"),
    ("pgvecto_rs.svector", "00000000 00000000", InvalidValueError, "1 to 1048575 dimensions for svector, got 0"),
    ("pgvecto_rs.svector", "00001000 00000000", InvalidValueError, "1 to 1048575 dimensions for svector, got 1048576"),
    ("vectorchord.rabitq8", 19 * "00", MalformedWireError, "at least 20 bytes for this rabitq8, got 19"),
    ("vectorchord.rabitq8", "00000002" + 16 * "00" + "ff", MalformedWireError, "22 bytes for this rabitq8, got 21"),
    ("vectorchord.rabitq8", "00010000" + 16 * "00" + 65_536 * "01", InvalidValueError, "1 to 65535 dimensions for rabitq8, got 65536"),
    ("vectorchord.rabitq8", "00000001 00000000 00000000 7fc00000 00000000 ff", InvalidValueError, "a finite number for the attribute sum_of_code, got nan"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "wire", "error", "message"), BAD_WIRES)
def test_bad_wire(
    classes: Mapping[str, Any], type_: str, wire: str, error: type[Exception], message: str
) -> None:
    data = bytes.fromhex(wire)
    with pytest.raises(error, match=message):
        classes[type_].from_binary(data)
    if error is MalformedWireError:
        with pytest.raises(error, match=message):
            codecs(classes[type_])[1](data)


@each_by_hand
def test_wire_of_another_length(classes: Mapping[str, Any], row: ByHand) -> None:
    wire, (_, decode) = bytes.fromhex(row.wire), codecs(classes[row.type_])
    for other in (*(wire[:size] for size in range(len(wire))), wire + b"\0"):
        with pytest.raises(MalformedWireError, match=f"for this {row.type_.split('.')[1]}, got"):
            decode(other)


BAD_INPUTS = [
    ("intvec.intvec", ([0, 128],), "fits int8 at index 1, got 128"),
    ("intvec.intvec", ([0, -129],), "fits int8 at index 1, got -129"),
    ("intvec.intvec", ([1.5],), "whole number at index 0, got 1.5"),
    ("intvec.intvec", ([nan],), "whole number at index 0, got nan"),
    ("intvec.intvec", ([],), "1 to 16000 dimensions for intvec, got 0"),
    ("intvec.intvec", ([0] * 16_001,), "1 to 16000 dimensions for intvec, got 16001"),
    ("uint8.bytevec", ([256],), "fits uint8 at index 0, got 256"),
    ("uint8.bytevec", ([-1],), "fits uint8 at index 0, got -1"),
    ("uint8.bytevec", ([0] * 64_001,), "1 to 64000 dimensions for bytevec, got 64001"),
    ("float64.doublevec", ([0, 10**400],), "fits float64 at index 1, got 1000"),
    ("float64.doublevec", ([nan],), "finite number at index 0, got nan"),
    ("float64.doublevec", ([0] * 65_536,), "1 to 65535 dimensions for doublevec, got 65536"),
    ("bfloat16.bfloatvec", ([3.4e38],), "fits bfloat16 at index 0, got 3.4e\\+38"),
    ("bfloat16.bfloatvec", ([-inf],), "finite number at index 0, got -inf"),
    ("pgvecto_rs.vector", ([0] * 65_536,), "1 to 65535 dimensions for vector, got 65536"),
    ("pgvecto_rs.vector", ([1e39],), "fits float32 at index 0, got 1e\\+39"),
    ("pgvecto_rs.vecf16", ([65_520],), "fits float16 at index 0, got 65520"),
    ("pgvecto_rs.svector", ({5: 1}, 5), "indices from 0 to 4, got 5"),
    ("pgvecto_rs.svector", ({-1: 1}, 5), "indices from 0 to 4, got -1"),
    ("pgvecto_rs.svector", ({0: nan}, 5), "finite number at index 0, got nan"),
    ("pgvecto_rs.svector", ({}, 1_048_576), "1 to 1048575 dimensions for svector, got 1048576"),
]


@pytest.mark.parametrize(("type_", "arguments", "message"), BAD_INPUTS)
def test_bad_input(
    classes: Mapping[str, Any], type_: str, arguments: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(InvalidValueError, match=message):
        classes[type_](*arguments)


def test_the_most_dimensions(classes: Mapping[str, Any]) -> None:
    for type_, most in (("intvec.intvec", 16_000), ("pgvecto_rs.vector", 65_535)):
        value = classes[type_]([1] * most)
        assert len(value) == most
        assert classes[type_].from_binary(value.to_binary()) == value


BAD_TEXTS = [
    ("intvec.intvec", "[1.5]", MalformedTextError, "whole number at index 0, got '1.5'"),
    ("intvec.intvec", "[0,128]", InvalidValueError, "fits int8 at index 1, got 128"),
    ("intvec.intvec", "{1:1}/1", MalformedTextError, r"expected intvec as \[1,2,3\]"),
    ("uint8.bytevec", "[-1]", InvalidValueError, "fits uint8 at index 0, got -1"),
    ("float64.doublevec", "[1e400]", InvalidValueError, "at index 0, got inf"),
    ("float64.doublevec", "[nan]", MalformedTextError, "finite number at index 0, got 'nan'"),
    ("bfloat16.bfloatvec", "[3.4e38]", InvalidValueError, "fits bfloat16 at index 0"),
    ("pgvecto_rs.svector", "{5:1}/5", InvalidValueError, "indices from 0 to 4, got 5"),
    ("pgvecto_rs.svector", "{-1:1}/5", InvalidValueError, "indices from 0 to 4, got -1"),
    ("pgvecto_rs.svector", "{1:1,1:2}/5", InvalidValueError, "distinct indices, got 1 twice"),
    ("vectorchord.rabitq8", "[1]", InvalidTypeError, "a binary form of rabitq8, which has no text form"),
    ("vectorchord.rabitq8", "anything", InvalidTypeError, "a binary form of rabitq8, which has no text form"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "error", "message"), BAD_TEXTS)
def test_bad_text(
    classes: Mapping[str, Any], type_: str, text: str, error: type[Exception], message: str
) -> None:
    for read in (classes[type_].from_text, classes[type_].coerce):
        with pytest.raises(error, match=message):
            read(text)


# Attributes


@pytest.fixture
def rabitq8(classes: Mapping[str, Any]) -> Any:
    return classes["vectorchord.rabitq8"]


def test_attributes(rabitq8: Any) -> None:
    """Attributes are narrowed to their formats, as elements are."""
    value = rabitq8([1, 2], **{**ATTRIBUTES, "sum_of_x2": 0.1})
    assert value.sum_of_x2 == struct.unpack("f", struct.pack("f", 0.1))[0]
    assert [getattr(value, name) for name in [*ATTRIBUTES][1:]] == [*ATTRIBUTES.values()][1:]
    with pytest.raises(AttributeError):
        value.sum_of_x2 = 1.0
    assert str(rabitq8([1] * 4, **ATTRIBUTES)) == "RabitQ8([1, 1, 1, ...], 4 dimensions)"


def test_equality_minds_attributes(rabitq8: Any) -> None:
    value, same = (rabitq8([1, 2], **ATTRIBUTES) for _ in range(2))
    assert value == same
    assert hash(value) == hash(same)
    for name in ATTRIBUTES:
        assert value != rabitq8([1, 2], **{**ATTRIBUTES, name: 7})


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (nan, InvalidValueError, "finite number"),
        (1e39, InvalidValueError, "fits float32"),
        ("1", InvalidTypeError, "a number"),
        (None, InvalidTypeError, "a number"),
    ],
)
def test_bad_attribute(
    rabitq8: Any, name: str, number: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"{message} for the attribute {name}, got"):
        rabitq8([1], **{**ATTRIBUTES, name: number})


def test_without_attributes(rabitq8: Any) -> None:
    """Constructors that lack the attributes say how to pass them."""
    value = rabitq8([1, 2], **ATTRIBUTES)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'sum_of_abs_x'"):
        rabitq8([1], sum_of_x2=1, norm_of_lattice=2, sum_of_code=3)
    advice = r"write RabitQ8\(..., sum_of_x2=..., norm_of_lattice=..., sum_of_code=..., sum_of_abs_x=...\)"
    encode, _ = codecs(rabitq8)
    for make_value, got in (
        (lambda: value[:1], r"list \[1\]"),
        (lambda: encode([1, 2]), r"list \[1, 2\]"),
        (lambda: rabitq8.coerce([1, 2]), r"list \[1, 2\]"),
        (lambda: rabitq8.from_json([1, 2]), r"list \[1, 2\]"),
        (lambda: rabitq8.from_matrix([[1, 2]]), r"list \[1, 2\]"),
        (lambda: rabitq8.from_float_base64("AACAPw=="), "(tuple|ndarray)"),
    ):
        with pytest.raises(InvalidTypeError, match=f"RabitQ8 for rabitq8, got {got}.*; {advice}"):
            make_value()
    with pytest.raises(InvalidTypeError, match="expected an object of elements, sum_of_x2, "):
        rabitq8.from_json({"elements": [1]})
    assert rabitq8.from_matrix([value, value]) == [value, value]


@needs_numpy
def test_a_matrix_without_attributes(rabitq8: Any) -> None:
    with pytest.raises(InvalidTypeError, match=r"^row 0: .*got ndarray array\(\[1, 2\]"):
        rabitq8.from_matrix(np.array([[1, 2]]))
    values = [rabitq8([1, 2], **ATTRIBUTES), rabitq8([3, 4], **ATTRIBUTES)]
    assert rabitq8.to_matrix(values).tolist() == [[1, 2], [3, 4]]


# On a server


@pytest.fixture(scope="module")
async def types_dsn(new_database: NewDatabase) -> str:
    """A database with a stand-in for every type, in the schema of its spec."""
    return await new_database(database_sql())


@pytest.fixture(scope="module")
async def conn(types_dsn: str, classes: Mapping[str, Any]) -> AsyncIterator[asyncpg.Connection]:
    conn = await asyncpg.connect(types_dsn)
    for type_, value_class in classes.items():
        schema, sql_name = type_.split(".")
        assert await register_vector(conn, schema, types=[value_class]) == [sql_name]
    yield conn
    await conn.close()


@each_by_hand
async def test_through_the_server(
    conn: asyncpg.Connection, classes: Mapping[str, Any], row: ByHand
) -> None:
    """A value is stored as its payload and fetched again: as a parameter, in an array, by COPY."""
    value, type_ = make(classes, row), row.type_
    stored = bytes.fromhex(row.wire)
    query = f"SELECT $1::{type_}, ARRAY[$1, NULL]::{type_}[], {type_}_send($1)"
    assert tuple(await conn.fetchrow(query, value)) == (value, [value, None], stored)
    assert await conn.fetchval(f"SELECT $1::{type_}[]", [value, None]) == [value, None]
    # asyncpg remembers the columns of a table by its name.
    table = type_.replace(".", "_")
    await conn.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (v {type_}); TRUNCATE {table}")
    assert await conn.copy_records_to_table(table, records=[(value,), (None,)]) == "COPY 2"
    rows = await conn.fetch(f"SELECT v, {type_}_send(v) FROM {table}")
    assert [tuple(each) for each in rows] == [(value, stored), (None, None)]
    if not row.attributes and len(row.arguments) == 1:
        assert await conn.fetchval(f"SELECT $1::{type_}", *row.arguments) == value
    if row.text is not None:
        assert await conn.fetchval(f"SELECT $1::{type_}", row.text) == value
        assert await conn.fetchval(f"SELECT $1::{type_}::text", value) == row.text


async def test_fetched_as_lists(types_dsn: str, classes: Mapping[str, Any]) -> None:
    conn = await asyncpg.connect(types_dsn)
    await register_vector(conn, "intvec", types=classes["intvec.intvec"], returns="list")
    assert await conn.fetchval("SELECT $1::intvec.intvec", [1, -2]) == [1, -2]
    await conn.close()


async def test_a_parameter_that_is_refused(conn: asyncpg.Connection) -> None:
    for type_, given in (("uint8.bytevec", [256]), ("vectorchord.rabitq8", [1])):
        with pytest.raises(asyncpg.DataError, match="expected a"):
            await conn.fetchval(f"SELECT $1::{type_}", given)
    with pytest.raises(MalformedWireError, match="at least 4 bytes for this intvec, got 0"):
        await conn.fetchval("SELECT ''::intvec.intvec")


@each_type
async def test_round_trips(types_dsn: str, classes: Mapping[str, Any], type_: str) -> None:
    """Drawn values survive, and SQL prints the same texts from the stored bytes."""
    conn = await asyncpg.connect(types_dsn)
    await check_roundtrip(conn, classes[type_], schema=type_.split(".", maxsplit=1)[0], examples=40)
    await conn.close()


async def test_found_by_the_search_path_or_by_the_extension(
    types_dsn: str, classes: Mapping[str, Any]
) -> None:
    conn = await asyncpg.connect(types_dsn, server_settings={"search_path": "intvec, vectorchord"})
    intvec, rabitq8 = classes["intvec.intvec"], classes["vectorchord.rabitq8"]
    assert await register_vector(conn, types=[intvec]) == ["intvec"]
    with pytest.raises(TypesNotFoundError, match="run CREATE EXTENSION vchord, then"):
        await register_vector(conn, types=[rabitq8])
    await conn.close()


# Every format in every layout


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the big spec and its package."""
    folder = tmp_path_factory.mktemp("everything")
    (folder / "everything.toml").write_text(big_spec())
    done = generate(folder / "everything.toml", folder / "everything")
    assert (done.returncode, done.stderr) == (0, "")
    return folder


_LETTERS = {"float16": "e", "float32": "f", "float64": "d", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I"}  # fmt: skip


def pack(format_: str, order: str, *numbers: Any) -> bytes:
    """Pack numbers with the struct module; bfloat16 is the upper half of a float32."""
    sign = {"big": ">", "little": "<"}[order]
    if format_ == "bfloat16":
        floats = (struct.pack(">f", number)[:2] for number in numbers)
        return b"".join(upper if order == "big" else upper[::-1] for upper in floats)
    return struct.pack(f"{sign}{len(numbers)}{_LETTERS[format_]}", *numbers)


def header_of(model: Type, **numbers: Any) -> bytes:
    fields = (
        pack(field.format, model.byte_order, numbers.get(field.name, getattr(field, "constant", None)))
        for field in model.header
    )  # fmt: skip
    return b"".join(fields)


def test_lines_are_no_longer_than_the_formatters(generated: Path) -> None:
    """The formatter does not wrap docstrings."""
    lines = [line for path in generated.rglob("*.py") for line in path.read_text().splitlines()]
    assert [line for line in lines if len(line) > 100] == []


def test_everything(everything: Path) -> None:
    """Each type packs a value as the struct module does, and reads each form of the value."""
    package = import_package(everything / "everything")
    models = load_spec(everything / "everything.toml").types
    assert [*package.VALUE_CLASSES] == [*models]
    assert len(models) == 4 * len(FORMATS) * len(ORDERS) + len(ORDERS)
    for sql_name, value_class in package.VALUE_CLASSES.items():
        model = models[sql_name]
        value, wire = _example(model, value_class)
        assert value.to_binary() == wire, sql_name
        _assert_all_forms(value)
        with pytest.raises(MalformedWireError, match=f"for this {sql_name}, got"):
            value_class.decode(wire + b"\0")
        for row in (row for row in model.rows if row.field == "version"):
            damaged = bytearray(wire)
            damaged[int(row.offset)] ^= 1
            with pytest.raises(MalformedWireError, match="in the field version for this"):
                value_class.decode(damaged)


def _example(model: Type, value_class: Any) -> tuple[Any, bytes]:
    order = model.byte_order
    if isinstance(model, DenseType):
        numbers = special_numbers(number_format(model.element.format, order))
        attributes = {
            name: special_numbers(each)[-1] for name, each in value_class.attribute_formats.items()
        }
        given = {name: float(number) for name, number in attributes.items()}  # the integers too
        header = header_of(model, dimensions=len(numbers), **attributes)
        return value_class(numbers, **given), header + pack(model.element.format, order, *numbers)
    if isinstance(model, SparseType):
        numbers = [*filter(None, special_numbers(number_format(model.element.format, order)))][:9]
        indices = [3 * n + 1 for n in range(len(numbers))]
        header = header_of(model, dimensions=100, nnz=len(numbers))
        body = pack(model.index.format, order, *indices) + pack(
            model.element.format, order, *numbers
        )
        return value_class(dict(zip(indices, numbers, strict=True)), 100), header + body
    return value_class("1010000011"), header_of(model, length=10) + b"\xa0\xc0"


def _assert_all_forms(value: Any) -> None:
    value_class = type(value)
    wire = value.to_binary()
    encode, decode = codecs(value_class)
    forms = [
        decode(wire),
        value_class.from_binary(wire),
        eval(repr(value), {value_class.__name__: value_class}),
        pickle.loads(pickle.dumps(value)),
        value_class.from_json(json.loads(json.dumps(value.to_json()))),
    ]
    if getattr(value, "text_format", True):
        forms.append(value_class.from_text(value.to_text()))
    else:
        with pytest.raises(InvalidTypeError, match="which has no text form"):
            value.to_text()
    assert [encode(form) for form in forms] == [wire] * len(forms), repr(value)


# Style: lint, format and types


@pytest.mark.parametrize("package", ["generated", "everything"])
def test_linted_and_formatted(request: pytest.FixtureRequest, package: str) -> None:
    folder = str(request.getfixturevalue(package))
    for job in (["check"], ["format", "--check", "--line-length", "100"]):
        run_python(ROOT, "-m", "ruff", *job, "--isolated", "--no-cache", folder, **UNMEASURED)


@pytest.mark.copy
@pytest.mark.parametrize("package", ["generated", "everything"])
def test_typed(request: pytest.FixtureRequest, package: str) -> None:
    folder = request.getfixturevalue(package)
    packages = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    cache = f"--cache-dir={folder / 'mypy'}"
    run_python(folder, "-m", "mypy", "--strict", cache, *packages, PYTHONPATH=str(ROOT))
    settings = folder / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "strict", "include": packages, "extraPaths": [str(ROOT)]}))  # fmt: skip
    run_python(folder, "-m", "pyright", "-p", str(settings), "--pythonpath", sys.executable)


# The command


SPEC = Path(__file__).parent / "specs" / "intvec.toml"


def test_a_strangers_package(tmp_path: Path) -> None:
    """The command writes files, finds no difference, finds a difference, and mends it."""
    out = tmp_path / "shop" / "vectors"
    checked = generate(SPEC, out, "--check")
    assert checked.returncode == 1
    assert "+++ vectors/intvec.py\n" in checked.stdout
    assert checked.stderr == "generated files differ from the spec: generate them again\n"
    assert not out.parent.exists()
    written = run_python(ROOT, "-m", "codegen", str(SPEC), "--out", str(out))
    assert written == "wrote vectors/__init__.py\nwrote vectors/intvec.py\n"
    good = (out / "intvec.py").read_text()
    for options in ((), ("--check",)):
        done = generate(SPEC, out, *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (out / "intvec.py").write_text(good.replace("int8", "int4"))
    checked = generate(SPEC, out, "--check")
    assert checked.returncode == 1
    assert '\n-_ELEMENT = number_format("int4", "big")\n' in checked.stdout
    assert '\n+_ELEMENT = number_format("int8", "big")\n' in checked.stdout
    assert generate(SPEC, out).stdout == "wrote vectors/intvec.py\n"
    assert (out / "intvec.py").read_text() == good
    with pytest.raises(SystemExit, match="2"):
        generate(SPEC, out, "--no-such-option")


OWN_METHOD = """
[types.intvec.functions]
intvec_norm = { returns = "float64", since = "1.0", source = "intvec.sql" }
head = { arguments = { count = "integer" }, returns = "intvec", since = "1.0", source = "intvec.sql" }

[index_methods.hnsw]
extension = "intvec"
since = "1.0"
source = "intvec.c"

[index_methods.hnsw.options]
links = { type = "integer", min = 1, max = 8, default = 4, source = "intvec.c" }

[index_methods.hnsw.settings]
"intvec.effort" = { type = "number", min = 0, max = 1, default = 0.5, source = "intvec.c" }
"""


def test_an_index_method_of_ones_own(tmp_path: Path) -> None:
    """A package of one's own has functions, and indexes with the options of its own spec."""
    spec = tmp_path / "types.toml"
    spec.write_text(SPEC.read_text() + OWN_METHOD)
    done = generate(spec, tmp_path / "own_vectors", "--sqlalchemy")
    assert (done.returncode, done.stderr) == (0, "")
    import_package(tmp_path / "own_vectors")
    own: Any = importlib.import_module("own_vectors.sqlalchemy")
    index = own.vector_index("i", "v", metric="l2", links=8)
    table = Table("t", MetaData(), Column("v", own.INTVEC(3)), index)
    dialect = postgresql.dialect()
    assert str(CreateIndex(index).compile(dialect=dialect)) == (
        "CREATE INDEX i ON t USING hnsw (v intvec_l2_ops) WITH (links = 8)"
    )
    with pytest.raises(InvalidValueError, match="expected links from 1 to 8, got 9"):
        own.vector_index("i", "v", metric="l2", links=9)
    called = own.l2_distance(own.head(table.c.v, 2), [1, 2])
    assert str(called.compile(dialect=dialect)).startswith("head(t.v, ")
    assert isinstance(own.intvec_norm(table.c.v).type, Double)
    methods = importlib.import_module("own_vectors._index_methods").INDEX_METHODS
    assert methods["hnsw"].settings["intvec.effort"].most == 1


def test_a_metric_of_arrays_alone(tmp_path: Path) -> None:
    spec = tmp_path / "types.toml"
    text = SPEC.read_text().replace("[types.intvec.metrics.l2]", "[types.intvec.array_metrics.l2]")
    spec.write_text(text)
    assert generate(spec, tmp_path / "array_vectors", "--sqlalchemy").returncode == 0
    import_package(tmp_path / "array_vectors")
    own: Any = importlib.import_module("array_vectors.sqlalchemy")
    distance = own.l2_distance(Column("v", postgresql.ARRAY(own.INTVEC(3))), [[1, 2, 3]])
    assert str(distance).startswith("v <-> ")


def run_command(*arguments: str) -> str | int | None:
    """Run the command in this process with arguments that end it, and return the exit status."""
    with (
        pytest.raises(SystemExit) as caught,
        patch.object(sys, "argv", ["codegen", *arguments]),
    ):
        command.main()
    return caught.value.code


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("--help") == 0
    assert " ".join(capsys.readouterr().out.split()) == (
        "usage: python -m asyncpg_vector.codegen [-h] --out OUT [--check] [--sqlalchemy] spec "
        "Write a package of value classes and codecs for the types of a spec. "
        "positional arguments: spec the TOML file that describes the types "
        "options: -h, --help show this help message and exit --out OUT the package's folder "
        "--check write nothing; print a diff of what is changed, missing, or no longer in the spec "
        "--sqlalchemy write column types for SQLAlchemy too "
        "exit status: 0 if all is as it should be, 1 if --check finds a difference, "
        "2 if the spec or the folder cannot be used"
    )


def test_a_command_without_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(str(SPEC)) == 2
    assert "the following arguments are required: --out\n" in capsys.readouterr().err


def test_a_spec_that_cannot_be_used(tmp_path: Path) -> None:
    spec = tmp_path / "types.toml"
    spec.write_text(SPEC.read_text().replace("width = 1", "width = 2"))
    for options in ((), ("--check",)):
        done = generate(spec, tmp_path / "vectors", *options)
        fault = f"{spec}: types.intvec.element: int8 is 1 bytes wide, not 2\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, "", fault)
    assert [*tmp_path.iterdir()] == [spec]
    missing = generate(tmp_path / "missing.toml", tmp_path / "vectors")
    assert (missing.returncode, missing.stderr) == (
        2, f"{tmp_path / 'missing.toml'}: No such file or directory\n",
    )  # fmt: skip


def test_only_its_own_files_go(tmp_path: Path) -> None:
    """The generator removes only files with its marker that the spec does not account for."""
    out = tmp_path / "vectors"
    generate(SPEC, out, "--sqlalchemy")
    (out / "own.py").write_text("mine = 1\n")
    (out / "sqlalchemy" / "own.py").write_text(f"# Not {MARKER}\n")
    (out / "README.md").write_text(MARKER)
    kept = {path for path in out.rglob("*") if path.name in {"own.py", "README.md"}}
    without = generate(SPEC, out, "--check")
    assert without.returncode == 1
    gone = ("__init__.py", "_functions.py", "intvec.py")
    assert without.stdout.count("+++ /dev/null\n") == len(gone)
    removed = "".join(f"removed vectors/sqlalchemy/{name}\n" for name in gone)
    assert generate(SPEC, out).stdout == removed
    assert {path for path in out.rglob("*") if path.is_file()} == {
        *kept, out / "__init__.py", out / "intvec.py",
    }  # fmt: skip
    assert generate(SPEC, out, "--check").returncode == 0


def test_files_of_others_in_its_place(tmp_path: Path) -> None:
    """They are told, and left as they are; an empty one is taken."""
    out = tmp_path / "vectors"
    out.mkdir()
    for name in ("__init__.py", "intvec.py"):
        (out / name).write_text("mine = 1\n")
    for options in ((), ("--check",)):
        done = generate(SPEC, out, *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "".join(
            f"{out / name}: expected a generated file, got another's\n"
            for name in ("__init__.py", "intvec.py")
        )
        assert {path.read_text() for path in out.iterdir()} == {"mine = 1\n"}
    (out / "__init__.py").write_text("")
    (out / "intvec.py").unlink()
    assert generate(SPEC, out).returncode == 0


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "vectors"
    file.write_text("mine")
    for out, reason in ((file, "File exists"), (file / "inner", "Not a directory")):
        done = generate(SPEC, out)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{out}: {reason}\n")
    assert file.read_text() == "mine"


@pytest.mark.parametrize("name", ["my-types", "my types", "1st", "class", ".."])
def test_a_folder_that_python_cannot_import(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        generate(SPEC, tmp_path / name)
    assert [*tmp_path.iterdir()] == []


def test_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "vectors"
    out.mkdir()
    monkeypatch.chdir(out)
    assert generate(SPEC, Path()).stdout == "wrote vectors/__init__.py\nwrote vectors/intvec.py\n"


@pytest.mark.parametrize("folder", ["other", "sqlalchemy/other", ".venv/lib/other"])
def test_folders_below_are_others(tmp_path: Path, folder: str) -> None:
    """They may be of another spec, or of an installed package."""
    out = tmp_path / "vectors"
    generate(SPEC, out / folder)
    before = {path: path.read_bytes() for path in (out / folder).iterdir()}
    done = generate(SPEC, out, "--sqlalchemy")
    assert (done.returncode, "removed" in done.stdout) == (0, False)
    assert generate(SPEC, out, "--sqlalchemy", "--check").stdout == ""
    assert {path: path.read_bytes() for path in (out / folder).iterdir()} == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ruff.toml", "line-length = 40\nexclude = ['*']\n"),
        (".ruff.toml", "[format]\nquote-style = 'single'\n"),
        (
            "pyproject.toml",
            "[tool.ruff]\nline-length = 40\nforce-exclude = true\nexclude = ['*']\n",
        ),
    ],
)
def test_the_folders_own_settings_of_ruff(
    tmp_path: Path, generated: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ruff looks for settings beside the files and in the working directory; neither applies."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "intvec"
    out.mkdir()
    for folder in (tmp_path, out):
        (folder / name).write_text(text)
    (tmp_path / "asyncpg_vector").mkdir()  # ruff must still treat asyncpg_vector as a package apart
    assert generate(SPEC, out, "--sqlalchemy").returncode == 0
    for path in out.rglob("*.py"):
        assert path.read_text() == (generated / path.relative_to(tmp_path)).read_text()


@each_type
@pytest.mark.usefixtures("generated")
def test_column_types(classes: Mapping[str, Any], type_: str) -> None:
    package, sql_name = type_.split(".")
    column_types = importlib.import_module(f"{package}.sqlalchemy").COLUMN_TYPES
    assert column_types[sql_name].__name__ == sql_name.upper()
    column = Table("t", MetaData(), Column("v", column_types[sql_name](3))).c.v
    assert column.type.python_type is classes[type_]
    assert column.type.compile(postgresql.dialect()) == f"{sql_name.upper()}(3)"
    if MODELS[type_].metrics:
        row = next(row for row in BY_HAND if row.type_ == type_)
        query = select(column.l2_distance(make(classes, row)))
        compiled = query.compile(dialect=postgresql.dialect())
        assert str(compiled) == (f"SELECT t.v <-> %(v_1)s::{sql_name.upper()} AS anon_1 \nFROM t")
        assert compiled.params == {"v_1": make(classes, row)}
