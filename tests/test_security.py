"""Pickles and texts run no code, and names in SQL stay names."""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import asyncpg
import pytest
from sqlalchemy.dialects import postgresql

from asyncpg_vector import TypesNotFoundError, Vector, VectorError, register_vector
from fuzz.seeds import samples
from tests.conftest import NewDatabase
from tests.spec_types import SpecType, each_type

# Pickles


class Unpickler(pickle.Unpickler):
    """Records the names that a pickle looks up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.found: list[tuple[str, str]] = []

    def find_class(self, module: str, name: str) -> Any:
        self.found.append((module, name))
        return super().find_class(module, name)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@each_type
def test_a_pickle_has_only_the_class_and_the_payload(type_: SpecType, protocol: int) -> None:
    for sample in samples(f"{type_.sql_name}-binary"):
        value = type_.value_class.from_binary(sample)
        assert value.__reduce__() == (type_.value_class.from_binary, (sample,))
        data = pickle.dumps(value, protocol)
        unpickler = Unpickler(data)
        assert unpickler.load() == value
        classes = {f"{module}.{name}" for module, name in unpickler.found}
        of_python = {"builtins.getattr", "__builtin__.getattr", "_codecs.encode"}
        assert classes - of_python <= {
            f"{type_.value_class.__module__}.{type_.value_class.__name__}",
            f"{type_.value_class.__module__}.{type_.value_class.__name__}.from_binary",
        }
        called = [opcode.name for opcode, _, _ in pickletools.genops(data)]
        assert not {"BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID"} & set(called)


@each_type
def test_unpickling_checks_the_payload(type_: SpecType) -> None:
    *_, sample = samples(f"{type_.sql_name}-binary")
    data = pickle.dumps(type_.value_class.from_binary(sample))
    assert data.count(sample) == 1
    with pytest.raises(VectorError):
        pickle.loads(data.replace(sample, b"\xff" * len(sample)))


# Texts and payloads

CODE = "__import__('sys').exit('it ran')"


@pytest.mark.parametrize(
    "text",
    [
        CODE,
        f"[{CODE}]",
        f"[1,{CODE}]",
        f"{{1:{CODE}}}/1",
        f"{{{CODE}:1}}/1",
        f"{{1:1}}/{CODE}",
        "[%s]",
        "[{0.__class__}]",
        "[1]'; DROP TABLE items; --",
        "1'; DROP TABLE items; --",
    ],
)
@each_type
def test_code_is_no_value(type_: SpecType, text: str) -> None:
    value_class = type_.value_class
    for read in (value_class.from_text, value_class.coerce, value_class.encode):
        with pytest.raises(VectorError):
            read(text)
    for data in (text.encode(), pickle.dumps([1, 2])):
        with pytest.raises(VectorError):
            value_class.from_binary(data)
    with pytest.raises(VectorError):
        value_class.from_json({"__reduce__": text})
    if hasattr(value_class, "from_float_base64"):
        with pytest.raises(VectorError):
            value_class.from_float_base64(text)


@each_type
def test_a_literal_is_of_the_values_own_text(type_: SpecType) -> None:
    """Only SQLAlchemy's literal binds make a value part of a statement."""
    column_type = type_.column_type()
    render = column_type.literal_processor(postgresql.dialect())
    for text in samples(f"{type_.sql_name}-text"):
        quoted, _, cast = render(text.decode()).partition("::")
        assert quoted == f"'{text.decode()}'"
        assert cast.replace("pg_catalog.", "") == type_.sql_name.upper().replace("BIT", "bit")
    with pytest.raises(VectorError):
        render("[1]'; DROP TABLE items; --")


# Names

HOSTILE = [
    'x"; DROP TABLE kept; --',
    "x'; DROP TABLE kept; --",
    '""',
    "$1 %s {0} :name \\",
    "Ünï cödé \N{SNOWMAN}",
    " two  words\n",
    "public.vector",
]


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def test_hostile_schemas(new_database: NewDatabase) -> None:
    """The extension is found in any schema, whether the caller names it or not."""
    dsn = await new_database("CREATE TABLE kept (); CREATE EXTENSION vector")
    conn = await asyncpg.connect(dsn)
    for name in HOSTILE:
        await conn.execute(f"CREATE SCHEMA {quote(name)}")
        await conn.execute(f"ALTER EXTENSION vector SET SCHEMA {quote(name)}")
        for schema in (None, name):
            assert "vector" in await register_vector(conn, schema)
            fetched = await conn.fetchval(f"SELECT $1::{quote(name)}.vector", [1, 2])
            assert fetched == Vector([1, 2])
        with pytest.raises(TypesNotFoundError) as caught:
            await register_vector(conn, f"{name}.")
        assert f"is in schema {name!r}" in str(caught.value)
    assert await conn.fetchval("SELECT to_regclass('kept') IS NOT NULL")
    await conn.close()


async def test_the_statement_that_is_advised_runs(new_database: NewDatabase) -> None:
    conn = await asyncpg.connect(await new_database("CREATE TABLE kept ()"))
    for name in HOSTILE:
        await conn.execute(f"CREATE SCHEMA {quote(name)}")
        with pytest.raises(TypesNotFoundError) as caught:
            await register_vector(conn, name)
        _, _, advice = str(caught.value).partition("; run ")
        await conn.execute(advice.removesuffix(", then register again"))
        assert "vector" in await register_vector(conn, name)
        await conn.execute("DROP EXTENSION vector")
    assert await conn.fetchval("SELECT to_regclass('kept') IS NOT NULL")
    await conn.close()


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_types(plain: asyncpg.Connection, name: Any) -> None:
    with pytest.raises(VectorError, match="expected types among"):
        await register_vector(plain, types=[name])
    with pytest.raises(VectorError, match="expected returns among"):
        await register_vector(plain, returns=name)
