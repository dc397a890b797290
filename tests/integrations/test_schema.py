"""Indexes, and the schemas that SQLAlchemy and sqlacodegen reflect from a database."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy
from sqlacodegen.generators import DeclarativeGenerator
from sqlalchemy import (
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    cast,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.schema import CreateIndex
from sqlalchemy.types import TypeDecorator

from asyncpg_vector import InvalidTypeError, InvalidValueError, Vector
from asyncpg_vector.sqlalchemy import ARRAY, BIT, HALFVEC, VECTOR, vector_index
from codegen.project import TRIED
from tests.integrations.models import Item
from tests.integrations.test_columns import DIALECT
from tests.integrations.test_engine import VALUES, wire
from tests.needs import needs_pgvector
from tests.spec_types import TYPES, SpecType, type_named

TYPES_OF_COLUMNS = {
    "vector": "VECTOR(3)",
    "halfvec": "HALFVEC(3)",
    "sparsevec": "SPARSEVEC(5)",
    "bit": "BIT(3)",
    "vectors": "VECTOR(3)[]",
    "bits": "BIT(3)[]",
}

# SQLAlchemy before 2.0.42 does not reflect the operator classes of indexes.
REFLECTS_OPERATOR_CLASSES = tuple(map(int, sqlalchemy.__version__.split(".")[:3])) >= (2, 0, 42)


def sql(index: Index) -> str:
    return str(CreateIndex(index).compile(dialect=DIALECT))


@pytest.mark.parametrize(
    ("type_", "metric", "method"),
    [
        (type_, metric, method)
        for type_ in TYPES
        for metric, of_metric in type_.model.metrics.items()
        for method in of_metric.operator_classes
    ],
)
def test_operator_class(type_: SpecType, metric: str, method: str) -> None:
    """The operator class of an index is that of the spec."""
    index = vector_index("i", "v", metric=metric, using=method)
    Table("t", MetaData(), Column("v", type_.column_type(3)), index)
    operator_class = type_.model.metrics[metric].operator_classes[method]
    assert sql(index) == f"CREATE INDEX i ON t USING {method} (v {operator_class})"


OPTIONS = [
    ("hnsw", {"m": 64, "postgresql_with": {"ef_construction": 200}}, "ef_construction = 200, m = 64"),
    ("hnsw", {"m": 16, "postgresql_with": None}, "m = 16"),
    ("hnsw", {"m": 24, "ef_construction": 200}, "m = 24, ef_construction = 200"),
    ("hnsw", {"ef_construction": 100, "postgresql_with": {"fillfactor": 50}}, "fillfactor = 50, ef_construction = 100"),
    ("ivfflat", {"lists": 10}, "lists = 10"),
    ("diskann", {"storage_layout": "plain", "max_alpha": 1.5}, "storage_layout = 'plain', max_alpha = 1.5"),
    ("vchordrq", {"probes": [10, 100], "epsilon": 2}, "probes = '10,100', epsilon = 2.0"),
    ("vchordrq", {"lists": [10, 100], "spherical_centroids": True}, "options = 'build.internal.lists = [10, 100]\nbuild.internal.spherical_centroids = true'"),
    ("vchordg", {"bits": 1, "ef_search": 100}, "ef_search = 100, options = 'bits = 1'"),
    ("ybhnsw", {"m0": 64}, "m0 = 64"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "options", "written"), OPTIONS)
def test_options(method: Any, options: Any, written: str) -> None:
    """An index takes its method's options by name, beside those of SQLAlchemy."""
    where = {"postgresql_where": text("true"), "postgresql_concurrently": True}
    index = vector_index("i", "v", metric="cosine", using=method, **options, **where)
    Table("t", MetaData(), Column("v", VECTOR(3)), index)
    assert sql(index) == (
        f"CREATE INDEX CONCURRENTLY i ON t USING {method} (v vector_cosine_ops) WITH ({written}) WHERE true"
    )
    if "options = '" in written:
        assert tomllib.loads(written.partition("options = '")[2][:-1])


def test_an_index_of_an_array() -> None:
    index = vector_index("i", "v", metric="max_sim", using="vchordrq", lists=[100])
    Table("t", MetaData(), Column("v", ARRAY(VECTOR(3))), index)
    assert "USING vchordrq (v vector_maxsim_ops) WITH (options" in sql(index)


WRONG_OPTIONS = [
    ({"m": 1}, InvalidValueError, "expected m from 2 to 100, got 1"),
    ({"m": 16.0}, InvalidTypeError, "expected a whole number for m, got float 16.0"),
    ({"m": 33}, InvalidValueError, r"expected ef_construction of at least 2 \* m, which is 66, got 64"),
    ({"ef_construction": 31}, InvalidValueError, r"expected ef_construction of at least 2 \* m, which is 32, got 31"),
    ({"lists": 100}, InvalidValueError, "expected an option of hnsw among m, ef_construction, got 'lists'"),
    ({"m": 16, "postgresql_with": {"m": 8}}, InvalidValueError, "expected m by name or in postgresql_with, got both"),
    ({"ef_construction": 64, "postgresql_with": {"m": 64}}, InvalidValueError, r"at least 2 \* m, which is 128, got 64"),
    ({"using": ["hnsw"], "m": 16}, InvalidValueError, r"expected using among hnsw, .* for m, got \['hnsw'\]"),
    ({"using": "hsnw", "m": 16}, InvalidValueError, "expected using among hnsw, ivfflat, .* for m, got 'hsnw'"),
    ({"using": "diskann", "storage_layout": "sbq"}, InvalidValueError, "expected storage_layout among memory_optimized, plain, got 'sbq'"),
    ({"using": "vchordrq", "lists": 100}, InvalidTypeError, "expected a list of whole numbers for lists, got int 100"),
    ({"using": "vchordrq", "build_threads": 256}, InvalidValueError, "expected build_threads from 1 to 255, got 256"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "error", "message"), WRONG_OPTIONS)
def test_wrong_options(options: Any, error: type[Exception], message: str) -> None:
    """The error is raised where the index is declared."""
    with pytest.raises(error, match=message):
        vector_index("i", "v", metric="l2", **options)


@needs_pgvector("0.7.0")
async def test_options_on_the_server(conn: asyncpg.Connection) -> None:
    """The server takes what is written, and has it in the catalog."""
    await conn.execute("CREATE TEMPORARY TABLE t (v vector(3))")
    for method, options in (("hnsw", {"m": 24, "ef_construction": 48}), ("ivfflat", {"lists": 1})):
        index = vector_index(method, "v", metric="l2", using=method, **options)  # type: ignore[call-overload]
        Table("t", MetaData(), Column("v", VECTOR(3)), index)
        await conn.execute(sql(index))
        stored = await conn.fetchval("SELECT reloptions FROM pg_class WHERE relname = $1", method)
        assert stored == [f"{name}={value}" for name, value in options.items()]


def test_ways_to_name_a_column() -> None:
    """By its name, as a column, as an attribute of a class, and as an expression with a label."""
    table = Table("t", MetaData(), Column("v", VECTOR(3)), Column("id", Integer))
    index = vector_index(
        "i", table.c.v, metric="l2", postgresql_where=table.c.id > 5, postgresql_with={"m": 4}
    )
    wanted = "CREATE INDEX i ON t USING hnsw (v vector_l2_ops) WITH (m = 4) WHERE id > 5"
    assert sql(index) == wanted

    class Base(DeclarativeBase):
        pass

    class Row(Base):
        __tablename__ = "rows"
        id = mapped_column(Integer, primary_key=True)
        v = mapped_column("vec", VECTOR(3), key="other")
        __table_args__ = (
            vector_index("by_column", v, metric="l1"),
            vector_index("by_half", cast(v, HALFVEC(3)).label("half"), metric="cosine"),
        )

    vector_index("outside", Row.v, metric="inner_product")
    bits = cast(func.binary_quantize(Row.v), BIT(3)).label("bits")
    vector_index("by_bits", bits, metric="hamming")
    assert {sql(index).partition(" ON ")[2] for index in Row.__table__.indexes} == {
        "rows USING hnsw (vec vector_l1_ops)",
        "rows USING hnsw (CAST(vec AS HALFVEC(3)) halfvec_cosine_ops)",
        "rows USING hnsw (vec vector_ip_ops)",
        "rows USING hnsw (CAST(binary_quantize(vec) AS BIT(3)) bit_hamming_ops)",
    }


def test_a_type_of_ones_own() -> None:
    class Mine(TypeDecorator[Any]):
        impl = VECTOR
        cache_ok = True

    index = vector_index("i", "v", metric="l2")
    Table("t", MetaData(), Column("v", Mine(3)), index)
    assert sql(index) == "CREATE INDEX i ON t USING hnsw (v vector_l2_ops)"


def test_an_operator_class_of_ones_own() -> None:
    """vector_index does not take one; SQLAlchemy's Index does."""
    with pytest.raises(InvalidValueError, match="an option of hnsw among m, .*'postgresql_ops'"):
        vector_index("i", "v", metric="l2", postgresql_ops={"v": "vector_ip_ops"})


WRONG = [
    ("v", {"metric": "hamming"}, InvalidValueError, "expected a metric of vector among l2, inner_product, cosine, l1, got 'hamming'"),
    ("v", {"metric": "l1", "using": "ivfflat"}, InvalidValueError, "expected using among hnsw for l1 of vector, got 'ivfflat'"),
    ("v", {"metric": "l2", "using": "gist"}, InvalidValueError, "expected using among hnsw, ivfflat, .* for l2 of vector, got 'gist'"),
    ("id", {"metric": "l2"}, InvalidTypeError, r"expected an index on a vector type, got t.id of Integer\(\)"),
    (cast(Column("v"), HALFVEC(3)), {"metric": "l2"}, InvalidTypeError, r"expected an expression with a label, got CAST\(v AS HALFVEC\(3\)\)"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "options", "error", "message"), WRONG)
def test_wrong_index(column: Any, options: Any, error: type[Exception], message: str) -> None:
    index = vector_index("i", column, **options)
    with pytest.raises(error, match=message):
        Table("t", MetaData(), Column("v", VECTOR(3)), Column("id", Integer), index)


LIMITS = [
    (type_, method, most)
    for type_ in TYPES
    for method, most in type_.model.max_indexed.items()
    if type_.model.layout != "sparse"  # its limit is of elements that are not zero
    and method in TRIED
]


def index_of(column_type: Any, type_: SpecType, method: str) -> Index:
    """An index by a metric that the method serves, on the column of a new table."""
    metrics = type_.model.metrics.items()
    metric = next(name for name, metric in metrics if method in metric.operator_classes)
    index = vector_index("i", "v", metric=metric, using=method)
    Table("t", MetaData(), Column("v", column_type), index)
    return index


@needs_pgvector("0.7.0")  # earlier releases do not index bits
@pytest.mark.parametrize(("type_", "method", "most"), LIMITS)
async def test_most_dimensions_of_an_index(
    conn: asyncpg.Connection, type_: SpecType, method: str, most: int
) -> None:
    """A declaration beyond the limit is refused, and so is the server's CREATE INDEX."""
    assert index_of(type_.column_type(most), type_, method)
    message = f"expected at most {most} dimensions of {type_} for {method}, got {most + 1}"
    with pytest.raises(InvalidValueError, match=message):
        index_of(type_.column_type(most + 1), type_, method)
    metric = next(
        metric for metric in type_.model.metrics.values() if method in metric.operator_classes
    )
    for size, refused in ((most, False), (most + 1, True)):
        await conn.execute(f'CREATE TEMPORARY TABLE t (v "{type_}"({size}))')
        create = f"CREATE INDEX ON t USING {method} (v {metric.operator_classes[method]})"
        if refused:
            with pytest.raises(asyncpg.PostgresError, match=f"more than {most} dimensions"):
                await conn.execute(create)
        else:
            await conn.execute(create)
        await conn.execute("DROP TABLE t")


@pytest.mark.parametrize(
    ("size", "way_out"),
    [
        (4000, r"; for up to 4000, index cast\(column, HALFVEC\(4000\)\)"),
        (2001, r"; for up to 4000, index cast\(column, HALFVEC\(2001\)\)\.label\(\.\.\.\)$"),
        (4001, r"; for up to 64000, index cast\(func\.binary_quantize\(column\), BIT\(4001\)\)"),
    ],
)
def test_the_advice_at_a_limit(size: int, way_out: str) -> None:
    with pytest.raises(InvalidValueError, match=way_out):
        index_of(VECTOR(size), type_named("vector"), "hnsw")
    with pytest.raises(InvalidValueError, match=r"for hnsw, got 64001$"):
        index_of(BIT(64001), type_named("bit"), "hnsw")


@pytest.mark.parametrize(("type_", "method", "_most"), LIMITS)
def test_a_column_without_a_number_of_dimensions_is_refused(
    type_: SpecType, method: str, _most: int
) -> None:
    if type_.model.layout == "bits":  # without a length, a column has one bit
        assert index_of(type_.column_type(), type_, method)
        return
    message = rf"expected a column with a number of dimensions for {method}, got {type_.sql_name.upper()}\(\)"
    with pytest.raises(InvalidValueError, match=message):
        index_of(type_.column_type(), type_, method)


async def test_the_index_serves_its_metric(registered: AsyncEngine) -> None:
    """The server's plan uses the index for a query by its metric."""
    async with AsyncSession(registered) as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        for query, index in (
            (Item.vector.cosine_distance([1, 2, 3]), "items_vector"),
            (Item.bit.hamming_distance("101"), "items_bit"),
        ):
            statement = select(Item.id).order_by(query).limit(1)
            compiled = statement.compile(
                registered.sync_engine, compile_kwargs={"literal_binds": True}
            )
            plan = await session.scalars(
                text(f"EXPLAIN {str(compiled).replace(':', chr(92) + ':')}")
            )
            assert f"Index Scan using {index}" in "".join(plan)


async def test_columns(engine: AsyncEngine) -> None:
    async with engine.connect() as conn:
        columns = await conn.run_sync(lambda conn: inspect(conn).get_columns("items"))
    found = {column["name"]: column["type"].compile(DIALECT) for column in columns}
    assert {name: found[name] for name in TYPES_OF_COLUMNS} == TYPES_OF_COLUMNS


async def test_indexes(engine: AsyncEngine) -> None:
    """The server's definition of an index has the operator class of the metric."""
    definitions = text(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = 'items'::regclass AND NOT indisunique"
    )
    async with engine.connect() as conn:
        assert {*await conn.scalars(definitions)} == {
            "CREATE INDEX items_vector ON public.items USING hnsw (vector vector_cosine_ops) WITH (m='8')",
            'CREATE INDEX items_bit ON public.items USING ivfflat ("bit" bit_hamming_ops)',
        }


async def test_reflected_indexes(engine: AsyncEngine) -> None:
    """Reflected indexes can be created again, if SQLAlchemy reflects their operator classes."""
    async with engine.connect() as conn:
        table = await conn.run_sync(lambda conn: Table("items", MetaData(), autoload_with=conn))
    vector, bit = ("vector vector_cosine_ops", "bit bit_hamming_ops")
    if not REFLECTS_OPERATOR_CLASSES:
        vector, bit = ("vector", "bit")
    assert {sql(index) for index in table.indexes} == {
        f"CREATE INDEX items_vector ON items USING hnsw ({vector}) WITH (m = 8)",
        f"CREATE INDEX items_bit ON items USING ivfflat ({bit})",
    }


async def test_automap(engine: AsyncEngine) -> None:
    """Reflected classes store and fetch the same values as declared classes."""
    base = automap_base()
    async with engine.connect() as conn:
        await conn.run_sync(base.prepare)
    item_class = base.classes["items"]
    async with AsyncSession(engine) as session:
        item = item_class(**{**VALUES, "vectors": [Vector([1, 2, 3]), None]})
        session.add(item)
        await session.flush()
        await session.refresh(item)
        for name in ("vector", "halfvec", "sparsevec", "bit", "bits"):
            assert wire(getattr(item, name)) == wire(VALUES[name])
        assert item.vectors == [Vector([1, 2, 3]), None]
        distance = item_class.vector.l2_distance(VALUES["vector"])
        assert await session.scalar(select(distance).where(item_class.id == item.id)) == 0


def test_generated_models(psycopg_engine: Engine, tmp_path: Path) -> None:
    """sqlacodegen writes an importable module with the same table."""
    metadata = MetaData()
    metadata.reflect(psycopg_engine)
    source = DeclarativeGenerator(metadata, psycopg_engine, []).generate()
    assert "from asyncpg_vector.sqlalchemy import BIT, HALFVEC, SPARSEVEC, VECTOR" in source
    (tmp_path / "models.py").write_text(source)
    namespace = runpy.run_path(str(tmp_path / "models.py"))
    columns = namespace["Base"].metadata.tables["items"].c
    assert {
        name: columns[name].type.compile(DIALECT) for name in TYPES_OF_COLUMNS
    } == TYPES_OF_COLUMNS
