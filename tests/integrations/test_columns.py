"""The column types in SQL, and the operations on their expressions."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, cast, insert, literal, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import CompileError, InvalidRequestError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    configure_mappers,
    foreign,
    mapped_column,
    relationship,
    remote,
)
from sqlalchemy.schema import CreateTable
from sqlalchemy.types import TypeDecorator

import asyncpg_vector.sqlalchemy
from asyncpg_vector import Bit, InvalidTypeError, InvalidValueError, Vector
from asyncpg_vector.sqlalchemy import ARRAY, BIT, SPARSEVEC, VECTOR
from tests.integrations.models import Item
from tests.integrations.test_engine import VALUES
from tests.spec_types import TYPES, SpecType, each_type

DIALECT = postgresql.dialect()


def table_of(column_type: Any) -> Table:
    return Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("v", column_type))


def sql(clause: Any) -> str:
    return " ".join(str(clause.compile(dialect=DIALECT)).split())


def test_every_type_is_there() -> None:
    for type_ in TYPES:
        column_type = getattr(asyncpg_vector.sqlalchemy, type_.sql_name.upper())
        assert column_type.__module__ == "asyncpg_vector.sqlalchemy"
        assert column_type().python_type is type_.value_class
    for name in asyncpg_vector.sqlalchemy.__all__:
        assert getattr(asyncpg_vector.sqlalchemy, name).__doc__


@each_type
def test_ddl(type_: SpecType) -> None:
    name = type_.sql_name.upper()
    any_size = f"{name}(1)" if type_.model.layout == "bits" else name
    for column_type, wanted in (
        (type_.column_type(3), f"{name}(3)"),
        (type_.column_type, any_size),
        (ARRAY(type_.column_type(3)), f"{name}(3)[]"),
    ):
        assert f"v {wanted}, PRIMARY KEY" in sql(CreateTable(table_of(column_type)))


@each_type
def test_casts(type_: SpecType) -> None:
    """An explicit cast has the size. The cast around a parameter has none: it would cut bits off."""
    name, column_type = type_.sql_name.upper(), type_.column_type(3)
    assert f"AS {name}(3))" in sql(cast(literal(None, column_type), column_type))
    parameter = f"pg_catalog.{type_}" if type_.model.built_in else name
    assert f"(v)s::{parameter})" in sql(insert(table_of(column_type)).values(v=None))
    assert f"(v)s::{parameter}[])" in sql(insert(table_of(ARRAY(column_type))).values(v=None))


@each_type
def test_repr_and_pickle(type_: SpecType) -> None:
    column_type = type_.column_type(3)
    assert (
        eval(repr(column_type), vars(asyncpg_vector.sqlalchemy)).compile(DIALECT)
        == f"{type_}(3)".upper()
    )
    for wrapped in (column_type, ARRAY(column_type)):
        for again in (pickle.loads(pickle.dumps(wrapped)), copy.deepcopy(wrapped)):
            assert repr(again) == repr(wrapped)
            assert again.compile(DIALECT) == wrapped.compile(DIALECT)


def test_repr_of_an_array() -> None:
    """It names the module of its item type, which migrations import."""
    for column_type in (ARRAY(VECTOR), ARRAY(VECTOR())):
        assert repr(column_type) == "ARRAY(asyncpg_vector.sqlalchemy.VECTOR())"
        assert column_type.compile(DIALECT) == "VECTOR[]"


async def test_a_list_has_no_hash(engine: AsyncEngine) -> None:
    """A query for unique rows compares arrays by identity, or refuses them by their column type."""
    vectors = [Vector([1, 2, 3])]
    async with AsyncSession(engine) as session:
        item = Item(id=987, vectors=vectors)
        session.add(item)
        await session.flush()
        query = session.sync_session.query(Item, Item.vectors).where(Item.id == 987)
        assert await session.run_sync(lambda _: query.all()) == [(item, vectors)]
        result = await session.execute(select(Item.vectors).where(Item.id == 987))
        with pytest.raises(InvalidRequestError, match="type ARRAY.*non-hashable"):
            result.unique().all()


@each_type
def test_cached(type_: SpecType) -> None:
    """Statements with the same type share a compilation; statements with different types do not."""

    def key(column_type: Any) -> Any:
        return select(literal(None, column_type))._generate_cache_key()

    for wrap in (lambda column_type: column_type, ARRAY):
        assert key(wrap(type_.column_type(3))) == key(wrap(type_.column_type(3))) is not None
        for other in (
            type_.column_type(4),
            *(other.column_type(3) for other in TYPES if other is not type_),
        ):
            assert key(wrap(type_.column_type(3))) != key(wrap(other))


def most_of_a_column(type_: SpecType) -> int:
    return getattr(type_.model, "max_length", type_.model.max_dimensions)


@each_type
async def test_size_is_the_servers(conn: asyncpg.Connection, type_: SpecType) -> None:
    most = most_of_a_column(type_)
    assert await conn.fetchval(f'SELECT NULL::"{type_}"({most})') is None
    with pytest.raises(asyncpg.PostgresError, match=f"cannot exceed {most}"):
        await conn.fetchval(f'SELECT NULL::"{type_}"({most + 1})')


@each_type
def test_size(type_: SpecType) -> None:
    most = most_of_a_column(type_)
    assert type_.column_type(most).compile(DIALECT) == f"{type_}({most})".upper()
    for size in (0, -1, most + 1):
        with pytest.raises(
            InvalidValueError,
            match=f"expected 1 to {most} (dimensions|bits) for (a column of )?{type_}, got",
        ):
            type_.column_type(size)
    for size in ("3", 3.0, [3]):
        with pytest.raises(
            InvalidTypeError, match="expected a whole number of (dimensions|bits), got"
        ):
            type_.column_type(size)


@each_type
def test_methods(type_: SpecType) -> None:
    """An expression has the metrics and aggregates of its type in the spec, and no others."""
    everything = {
        name for other in TYPES for name in (*other.model.methods, *other.model.aggregates)
    }
    column = table_of(type_.column_type(3)).c.v
    assert {name for name in everything if hasattr(column, name)} == {
        *type_.model.methods,
        *type_.model.aggregates,
    }
    for method, metric in type_.model.methods.items():
        operator = type_.model.metrics[metric].operator.replace("%", "%%")
        assert f"SELECT t.v {operator} " in sql(select(getattr(column, method)(None)))
    for aggregate in type_.model.aggregates:
        query = select(getattr(column, aggregate)())
        assert sql(query) == f"SELECT {aggregate}(t.v) AS {aggregate}_1 FROM t"


def test_names_of_methods() -> None:
    """The names that pgvector's users know, with the operators in its documentation."""
    names = {
        "l2_distance": "<->",
        "max_inner_product": "<#>",
        "cosine_distance": "<=>",
        "l1_distance": "<+>",
    }
    of_bits = {"hamming_distance": "<~>", "jaccard_distance": "<%%>"}
    for column_type, operators in ((VECTOR, names), (SPARSEVEC, names), (BIT, of_bits)):
        column = table_of(column_type(3)).c.v
        for name, operator in operators.items():
            assert f"SELECT t.v {operator} " in sql(select(getattr(column, name)(None)))
    assert {"avg", "sum"} <= set(dir(VECTOR.comparator_factory))


@pytest.mark.parametrize("name", ["vector", "halfvec", "sparsevec", "bit"])
async def test_distances(engine: AsyncEngine, name: str) -> None:
    """The distances equal the server's, for an operand in each form of a parameter."""
    (type_,) = [type_ for type_ in TYPES if type_.sql_name == name]
    value = VALUES[name]
    other = type_.value_class("011" if name == "bit" else [3, 2, 1, 0, 0][: value.dimensions()])
    left = literal(value, type_.column_type())
    async with engine.connect() as conn:
        for method, metric in type_.model.methods.items():
            operator = type_.model.metrics[metric].operator
            compared = f"'{value.to_text()}'::pg_catalog.bit {operator} '{other.to_text()}'"
            if not type_.model.built_in:
                compared = compared.replace("pg_catalog.bit", name)
            wanted = (await conn.exec_driver_sql(f"SELECT {compared}")).scalar_one()
            for right in (
                other,
                other.to_text(),
                other.to_list(),
                literal(other, type_.column_type()),
            ):
                assert await conn.scalar(select(getattr(left, method)(right))) == wanted


@each_type
async def test_literals(engine: AsyncEngine, type_: SpecType) -> None:
    """A literal in the text of a statement has its type, alone and in an array."""
    value = type_.value_class("101" if type_.model.layout == "bits" else [1, 0, 2])
    column_type = type_.column_type()
    async with engine.connect() as conn:
        for given, of_type, name in (
            (value, column_type, type_.sql_name),
            ([value, None], ARRAY(column_type), f"{type_}[]"),
        ):
            query = select(literal(given, of_type)).compile(
                conn.engine, compile_kwargs={"literal_binds": True}
            )
            typed = await conn.exec_driver_sql(f"SELECT pg_typeof(v)::text FROM ({query}) AS q (v)")
            assert typed.scalar_one() == name
            assert await conn.scalar(select(literal(given, of_type, literal_execute=True))) == given


@each_type
def test_no_literal(type_: SpecType) -> None:
    query = select(literal(object(), type_.column_type()))
    with pytest.raises(CompileError, match="Could not render literal value"):
        query.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})


def test_a_type_of_ones_own_is_compared() -> None:
    class Unit(TypeDecorator[Any]):
        impl = VECTOR
        cache_ok = True

    column = table_of(Unit(3)).c.v
    assert sql(column == [1, 2, 3]) == "t.v = %(param_1)s::VECTOR"
    assert sql(column.in_([[1, 2, 3]])) == "t.v IN (__[POSTCOMPILE_param_1])"
    assert sql(column.l2_distance([1, 2, 3]) < 1).startswith("(t.v <-> %(v_1)s::VECTOR) <")


@each_type
def test_a_column_is_itself(type_: SpecType) -> None:
    """SQLAlchemy compares columns to find them in dicts and in joins."""
    column, other = (table_of(type_.column_type(3)).c.v for _ in range(2))
    assert bool(column == column)  # noqa: PLR0124  # as a dict does
    assert not bool(column == other)
    assert bool(column != other)
    assert {column: 1}[column._annotate({"of": "an entity"})] == 1  # type: ignore[index]
    assert sql(column == other) == "t.v = t.v"
    for wrapped in (column, ARRAY(type_.column_type(3))):
        of_array = table_of(wrapped).c.v if wrapped is not column else column
        assert (of_array == None).right.__visit_name__ == "null"  # noqa: E711


def test_attributes_of_classes_are_columns() -> None:
    for condition in (Item.vector == Item.vector, Item.vectors != Item.vectors):
        left: Any = condition.left  # type: ignore[attr-defined]
        assert isinstance(left, Column)


def test_a_column_is_a_key() -> None:
    """A column can be the key of a relationship, as of images by their perceptual hashes."""

    class Base(DeclarativeBase):
        pass

    class Image(Base):
        __tablename__ = "images"
        hash: Mapped[Bit] = mapped_column(BIT(64), primary_key=True)

    class Tag(Base):
        __tablename__ = "tags"
        id: Mapped[int] = mapped_column(primary_key=True)
        hash: Mapped[Bit] = mapped_column(ForeignKey("images.hash"))
        image = relationship(Image)
        same = relationship(
            lambda: Tag,
            primaryjoin=lambda: foreign(Tag.hash) == remote(Tag.hash),
            viewonly=True,
            uselist=True,
        )

    configure_mappers()
    assert sql(select(Tag.id).join(Tag.image)).endswith("JOIN images ON images.hash = tags.hash")


async def test_bits_are_shifted_by_a_number(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        bits = literal("0110", BIT(4))
        query = select(bits.bitwise_lshift(1), bits.bitwise_rshift(2), bits.bitwise_and("0101"))
        assert tuple((await conn.execute(query)).one()) == (Bit("1100"), Bit("0001"), Bit("0100"))
