"""Values to the server and back, on registered and other engines, through ORM and Core."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import asyncpg
import pgvector.asyncpg
import pgvector.psycopg
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY as SQLALCHEMY_ARRAY
from sqlalchemy import (
    Engine,
    column,
    create_engine,
    delete,
    event,
    func,
    insert,
    literal,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, InvalidRequestError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from asyncpg_vector import (
    Bit,
    HalfVector,
    InvalidTypeError,
    InvalidValueError,
    MalformedTextError,
    SparseVector,
    Vector,
)
from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector._generated.vector import decode_vector, encode_vector
from asyncpg_vector.sqlalchemy import ARRAY, BIT, HALFVEC, SPARSEVEC, VECTOR, register_engine
from tests.integrations.conftest import MakeEngine, register_all
from tests.integrations.models import Base, Item, Note
from tests.needs import needs_numpy, np
from tests.spec_types import SpecType, each_type_to_limits

VALUES: dict[str, Any] = {
    "vector": Vector([1, 2.5, -0.0]),
    "halfvec": HalfVector([1, 0.1, 65504]),
    "sparsevec": SparseVector({0: 1.5, 4: 1e-20}, 5),
    "bit": Bit("101"),
    "vectors": [Vector([1, 2, 3]), None, Vector([4, 5, 6])],
    "bits": [Bit("101"), None],
}
make_row: Any = np.array if np else tuple

INPUTS: dict[str, Any] = {
    "vector": [1, 2.5, -0.0],
    "halfvec": make_row([1, 0.1, 65504]),
    "sparsevec": "{1:1.5,5:1e-20}/5",
    "bit": [True, False, True],
    "vectors": [[1, 2, 3], None, (4, 5, 6)],
    "bits": ["101", None],
}
NULLS: dict[str, Any] = dict.fromkeys(VALUES)


def wire(value: Any) -> Any:
    """The class and the payload of a value, or of each in a list."""
    if isinstance(value, list):
        return [wire(one) for one in value]
    return value if value is None else (type(value), value.to_binary())


def columns_of(item: Item) -> dict[str, Any]:
    return {name: wire(getattr(item, name)) for name in VALUES}


WANTED = {name: wire(value) for name, value in VALUES.items()}


@pytest.fixture(autouse=True)
async def empty(unregistered: AsyncEngine) -> None:
    async with unregistered.begin() as conn:
        for table in Base.metadata.sorted_tables:
            await conn.execute(delete(table))


@pytest.fixture
def no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing and reading texts fails, so every value has to travel in binary."""
    for value_class in VALUE_CLASSES.values():
        for method in ("to_text", "from_text"):
            monkeypatch.setattr(value_class, method, None)


async def test_orm(engine: AsyncEngine) -> None:
    """`add_all` inserts many rows in one statement, and fetches their keys from it."""
    async with AsyncSession(engine) as session, session.begin():
        items = [
            Item(**VALUES),
            Item(**INPUTS),
            Item(**NULLS),
            *(Item(**VALUES) for _ in range(50)),
        ]
        session.add_all(items)
        await session.flush()
        ids = [item.id for item in items]
    async with AsyncSession(engine) as session:
        fetched = {item.id: columns_of(item) for item in await session.scalars(select(Item))}
    assert [fetched[id_] for id_ in ids] == [WANTED, WANTED, NULLS, *[WANTED] * 50]


@pytest.mark.usefixtures("no_text")
async def test_binary(models_dsn: str, make_engine: MakeEngine) -> None:
    """On a registered engine: single inserts, executemany, bulk inserts, RETURNING, queries, arrays.

    The engine is new: SQLAlchemy caches the bind processors of an engine, and mutmut would credit them
    to another test.
    """
    engine = register_all(make_engine(models_dsn))
    async with AsyncSession(engine) as session, session.begin():
        session.add_all([Item(**VALUES) for _ in range(3)])
        await session.flush()
        await session.execute(insert(Item).values(**VALUES))
        await session.execute(insert(Item), [VALUES, VALUES])
        returned = await session.scalars(insert(Item).returning(Item), [VALUES, VALUES])
        assert [columns_of(item) for item in returned] == [WANTED] * 2
        session.expunge_all()
        query = (
            select(Item)
            .where(Item.vector == [1, 2.5, 0])
            .order_by(Item.halfvec.l2_distance([1, 2, 3]))
        )
        assert [columns_of(item) for item in await session.scalars(query)] == [WANTED] * 8
        conn = await session.connection()
        raw = await conn.execute(text("SELECT vector, halfvec, sparsevec, bit FROM items"))
        assert wire(list(raw.all()[0])) == [
            WANTED[name] for name in ("vector", "halfvec", "sparsevec", "bit")
        ]


async def test_core(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        await conn.execute(insert(Item).values(id=-4, **INPUTS))  # an id that no sequence generates
        await conn.execute(
            insert(Item), [{"id": -3, **VALUES}, {"id": -2, **INPUTS}, {"id": -1, **NULLS}]
        )
        returned = await conn.execute(
            insert(Item).returning(Item.vector, Item.bits), [INPUTS, VALUES]
        )
        assert [wire(list(row)) for row in returned] == [[WANTED["vector"], WANTED["bits"]]] * 2
        query = select(*(getattr(Item, name) for name in VALUES)).order_by(Item.id).limit(4)
        rows = [wire(list(row)) for row in await conn.execute(query)]
        assert rows == [list(WANTED.values())] * 3 + [[None] * len(VALUES)]
        streamed = await conn.stream(query)
        assert [wire(list(row)) async for row in streamed] == rows


async def test_upsert(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        for vector in ([1, 2, 3], [4, 5, 6]):
            statement = upsert(Item).values(id=1, vector=vector)
            statement = statement.on_conflict_do_update(
                index_elements=["id"], set_={"vector": statement.excluded.vector}
            ).returning(Item.vector)
            assert await conn.scalar(statement) == Vector(vector)


async def test_update(engine: AsyncEngine) -> None:
    """By statement and by attribute; an attribute with the same bits is not written."""
    async with AsyncSession(engine) as session, session.begin():
        item = Item(vector=[1, 2, 3], sparsevec=SparseVector({0: 1}, 5))
        session.add(item)
        await session.flush()
        await session.refresh(item)
        item.vector = [1, 2, 3]  # type: ignore[assignment]  # as in the database
        assert not session.is_modified(item)
        item.vector = Vector([1, 2, -0.0])
        await session.flush()
        item.vector = Vector([1, 2, 0.0])  # equal, but other bits
        assert session.is_modified(item)
        await session.flush()
        await session.refresh(item)
        assert wire(item.vector) == wire(Vector([1, 2, 0.0]))
        await session.execute(update(Item).values(vector=[7, 8, 9], sparsevec=None))
        await session.refresh(item)
        assert (item.vector, item.sparsevec) == (Vector([7, 8, 9]), None)
        item.sparsevec = None
        assert not session.is_modified(item)
        item.vector = None
        assert session.is_modified(item)


SYNCHRONIZED: dict[str, Any] = {
    "equal": lambda: Item.vector == [1, 2, 3],
    "equal to a text": lambda: Item.vector == "[1,2,3]",
    "equal to a value": lambda: Item.vector == Vector([1, 2, 3]),
    "unequal": lambda: Item.vector != [1, 2, 3],
    "among": lambda: Item.vector.in_([[1, 2, 3], Vector([7, 8, 9])]),
    "not among": lambda: Item.vector.not_in([[1, 2, 3]]),
    "less": lambda: Item.vector < [2, 2, 2],
    "near": lambda: Item.vector.l2_distance([1, 2, 3]) < 1,
    "of bits": lambda: Item.bit == [True, False, True],
    "an array": lambda: Item.vectors == [[1, 2, 3], None],
    "no such array": lambda: Item.vectors != [[1, 2, 3], None],
    "null": lambda: Item.vector.is_(None),
    "no null": lambda: Item.vector != None,  # noqa: E711
}


@pytest.mark.parametrize("returns", ["value", "list", pytest.param("numpy", marks=needs_numpy)])
@pytest.mark.parametrize("condition", SYNCHRONIZED.values(), ids=SYNCHRONIZED)
async def test_a_session_is_synchronized(
    models_dsn: str, make_engine: MakeEngine, returns: Any, condition: Any
) -> None:
    """An UPDATE and a DELETE change the session's objects whose rows they change, and no others.

    Objects may have fetched values, or the inputs that they were given.
    """
    engine = make_engine(models_dsn, poolclass=NullPool)
    register_engine(engine, types=VALUE_CLASSES, returns=returns)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        given = [[1, 2, 3], [4, 5, 6], "[1,2,3]", Vector([1, 2, 3]), None]
        bits = [Bit("101"), "101", [False, True, True], None, "111"]
        fetched, unfetched = (
            [
                Item(name="as it was", vector=v, bit=b, vectors=[v, None])
                for v, b in zip(given, bits, strict=True)
            ]
            for _ in range(2)
        )
        session.add_all([*fetched, *unfetched])
        await session.commit()
        for item in fetched:
            await session.refresh(item)
        items = [*fetched, *unfetched]
        await session.execute(update(Item).where(condition()).values(name="changed"))
        rows = await session.execute(select(Item.id, Item.name).order_by(Item.id))
        names = [name for _, name in rows]
        assert {*names} == {"as it was", "changed"}
        assert [item.name for item in sorted(items, key=lambda item: item.id)] == names
        await session.execute(delete(Item).where(condition()))
        left = {*await session.scalars(select(Item.id))}
        assert {item.id for item in items if item in session} == left


async def test_columns_by_their_attributes(engine: AsyncEngine) -> None:
    """Attributes name columns in an upsert, with RETURNING, and in an UPDATE that the ORM evaluates."""
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        item = Item(id=1, vector=[1, 2, 3], vectors=[[1, 2, 3]])
        session.add(item)
        await session.flush()
        statement = upsert(Item).values({Item.id: 1, Item.vector: [4, 5, 6]})
        statement = statement.on_conflict_do_update(
            index_elements=[Item.id], set_={Item.vector: statement.excluded.vector}
        )
        assert await session.scalar(statement.returning(Item.vector)) == Vector([4, 5, 6])
        added = insert(Item).values({Item.id: 2, Item.vector: [7, 8, 9]}).returning(Item.vector)
        assert await session.scalar(added) == Vector([7, 8, 9])
        await session.refresh(item)
        await session.execute(update(Item).where(Item.id == 1).values({Item.vector: None}))
        assert item.vector is None
        await session.execute(update(Item).where(Item.vector.is_(None)).values(name="without"))
        assert item.name == "without"


async def test_evaluation_in_python_is_refused(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, session.begin():
        session.add(Item(id=1, vector=[1, 2, 3]))
        await session.flush()
        statement = delete(Item).where(Item.vector == Vector([1, 2, 3]))
        in_python = statement.execution_options(synchronize_session="evaluate")
        with pytest.raises(
            InvalidRequestError, match="Could not evaluate current criteria in Python"
        ):
            await session.execute(in_python)
        await session.execute(statement.execution_options(synchronize_session=False))
        assert await session.scalar(select(func.count()).select_from(Item)) == 0


async def test_filters(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, session.begin():
        session.add_all([Item(id=n, vector=[n, 0, 0], bit=f"{n:03b}") for n in range(1, 5)])
        await session.flush()

        async def ids(*conditions: Any) -> list[int]:
            return list(await session.scalars(select(Item.id).where(*conditions).order_by(Item.id)))

        assert await ids(Item.vector == [2, 0, 0]) == [2]
        assert await ids(Item.vector != "[2,0,0]") == [1, 3, 4]
        assert await ids(Item.vector.in_([Vector([1, 0, 0]), [4, 0, 0]])) == [1, 4]
        assert await ids(Item.vector.is_(None)) == []
        assert await ids(Item.vector.l2_distance([4, 0, 0]) < 1.5) == [3, 4]
        assert await ids(Item.bit == "010") == [2]
        nearest = select(Item.id).order_by(Item.vector.l2_distance(Vector([3.2, 0, 0]))).limit(2)
        assert list(await session.scalars(nearest)) == [3, 4]
        similarity = await session.scalar(
            select(1 - Item.vector.cosine_distance([5, 0, 0])).limit(1)
        )
        assert similarity == 1.0


async def test_aggregates(engine: AsyncEngine) -> None:
    """The results of `avg` and `sum` have the type, and so its values and metrics."""
    async with AsyncSession(engine) as session, session.begin():
        session.add_all(
            [Item(vector=[1, 2, 3], halfvec=[1, 2, 3]), Item(vector=[3, 4, 5], halfvec=[3, 4, 5])]
        )
        await session.flush()
        row = (
            await session.execute(
                select(
                    Item.vector.avg(),
                    Item.vector.sum(),
                    Item.halfvec.avg(),
                    Item.halfvec.sum(),
                    func.sum(Item.halfvec),
                    Item.vector.avg().l1_distance([0, 0, 0]),
                )
            )
        ).one()
    assert list(row) == [
        Vector([2, 3, 4]),
        Vector([4, 6, 8]),
        HalfVector([2, 3, 4]),
        HalfVector([4, 6, 8]),
        HalfVector([4, 6, 8]),
        9,
    ]


async def test_array(engine: AsyncEngine) -> None:
    """In SQL, an array has subscripts, slices and comparisons. In Python, other bits are a change."""
    async with AsyncSession(engine) as session, session.begin():
        item = Item(vectors=[[0, 0, 0], make_row([1, 2, 3]), None])
        session.add(item)
        await session.flush()
        query = select(
            Item.vectors[2],
            Item.vectors[1:1],
            Item.vectors[2].l2_distance([1, 2, 4]),
            Item.vectors == [[0, 0, 0], [1, 2, 3], None],
            Item.vectors.contains([[1, 2, 3]]),
        )
        row = (await session.execute(query)).one()
        assert tuple(row) == (Vector([1, 2, 3]), [Vector([0, 0, 0])], 1.0, True, True)
        await session.refresh(item)
        for same in ([[0, 0, 0], "[1,2,3]", None], item.vectors):
            item.vectors = same
            assert not session.is_modified(item)
        for other in ([[0, 0, -0.0], [1, 2, 3], None], [[0, 0, 0]], None, [make_row([1, 2, 3.0])]):
            item.vectors = other
            assert session.is_modified(item)
            await session.flush()
            await session.refresh(item)
        assert item.vectors == [Vector([1, 2, 3])]


async def test_arrays_of_other_shapes(engine: AsyncEngine, psycopg_engine: Engine) -> None:
    """PostgreSQL allows other shapes in a column of one dimension."""
    for written, wanted in (
        ("ARRAY[[v, NULL], [v, v]]", [[Vector([1, 2, 3]), None], [Vector([1, 2, 3])] * 2]),
        ("""'[0:1]={"[1,2,3]",NULL}'::vector[]""", [Vector([1, 2, 3]), None]),
        ("'{}'::vector[]", []),
        ("'{[1]}'::vector[]", [Vector([1])]),
    ):
        query = text(
            f"SELECT {written} AS a FROM (VALUES ('[1,2,3]'::vector)) AS v (v)".replace(":", "\\:")
        )
        typed = query.columns(column("a", ARRAY(VECTOR())))
        async with engine.connect() as conn:
            assert await conn.scalar(typed) == wanted
        with psycopg_engine.connect() as sync_conn:
            assert sync_conn.scalar(typed) == wanted


def test_empty_bits_on_another_driver(psycopg_engine: Engine) -> None:
    """An empty text in an array is not a NULL."""
    bits = [Bit(""), None, Bit("1")]
    with psycopg_engine.connect() as conn:
        assert conn.scalar(select(literal(bits, ARRAY(BIT())))) == bits


async def test_sqlalchemys_own_array(engine: AsyncEngine) -> None:
    """It works on asyncpg."""
    given = [Vector([1, 2, 3]), None, [4, 5, 6]]
    async with engine.connect() as conn:
        query = select(literal(given, SQLALCHEMY_ARRAY(VECTOR(3), dimensions=1)))
        assert await conn.scalar(query) == [Vector([1, 2, 3]), None, Vector([4, 5, 6])]


async def test_text_statements(registered: AsyncEngine) -> None:
    async with registered.begin() as conn:
        await conn.execute(text("INSERT INTO items (id, vector) VALUES (1, :v)"), {"v": [1, 2, 3]})
        query = text("SELECT vector, vector <-> :v FROM items WHERE vector = CAST(:w AS vector)")
        row = (await conn.execute(query, {"v": Vector([1, 2, 4]), "w": "[1,2,3]"})).one()
        assert tuple(row) == (Vector([1, 2, 3]), 1.0)


async def test_annotated_column(engine: AsyncEngine) -> None:
    async with AsyncSession(engine) as session, session.begin():
        note = Note(embedding=Vector([1, 2, 3]))
        session.add(note)
        await session.flush()
        await session.refresh(note)
        assert note.embedding == Vector([1, 2, 3])


@pytest.mark.parametrize("returns", ["list", pytest.param("numpy", marks=needs_numpy)])
async def test_returns(models_dsn: str, make_engine: MakeEngine, returns: Any) -> None:
    """Dense types are fetched in the form of `returns`; assigning an equal value is no change."""
    engine = make_engine(models_dsn)
    register_engine(engine, returns=returns)
    async with AsyncSession(engine) as session, session.begin():
        item = Item(vector=[1, 2, 3], sparsevec=SparseVector({0: 1}, 5), vectors=[[1, 2, 3]])
        session.add(item)
        await session.flush()
        await session.refresh(item)
        kind = {"list": "list", "numpy": "ndarray"}[returns]
        assert type(item.vector).__name__ == kind
        assert list(item.vector) == [1, 2, 3]
        assert type(item.vectors[0]).__name__ == kind
        assert item.sparsevec == SparseVector({0: 1}, 5)
        item.vector = Vector([1, 2, 3])
        item.vector = make_row([1, 2, 3])
        assert not session.is_modified(item)


async def test_uniqueness(models_dsn: str, make_engine: MakeEngine) -> None:
    """SQLAlchemy can find unique values and objects by itself; for lists it needs a strategy."""
    for returns in ("value", "list"):
        engine = make_engine(models_dsn, poolclass=NullPool)
        register_engine(engine, returns=returns)  # type: ignore[arg-type]
        async with AsyncSession(engine) as session:
            await session.execute(delete(Item))
            session.add_all([Item(vector=[1, 2, 3]) for _ in range(2)])
            await session.flush()
            of_objects = await session.scalars(select(Item))
            assert len(of_objects.unique().all()) == 2
            query = select(Item.vector)
            if returns == "value":
                assert (await session.scalars(query)).unique().all() == [Vector([1, 2, 3])]
                continue
            with pytest.raises(TypeError, match="unhashable type: 'list'"):
                (await session.scalars(query)).unique().all()
            rows = (await session.execute(query)).unique(lambda row: tuple(row.vector))
            assert rows.scalars().all() == [[1, 2, 3]]


class BinaryCursor(psycopg.Cursor[Any]):
    """Fetches in binary, which is an option of psycopg's cursors."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.format = psycopg.pq.Format.BINARY


def fetch_all(engine: Engine) -> list[Any]:
    shapes = text(
        "SELECT ARRAY[[v, NULL], [v, v]], '{}'::vector[] FROM CAST('[1,2,3]' AS vector) AS v"
    ).columns(column("a", ARRAY(VECTOR())), column("b", ARRAY(VECTOR())))
    with Session(engine) as session, session.begin():
        items = [Item(**VALUES), Item(**NULLS)]
        session.add_all(items)
        session.flush()
        session.expire_all()
        return [*map(columns_of, items), *session.execute(shapes).one()]


FETCHED = [WANTED, NULLS, [[Vector([1, 2, 3]), None], [Vector([1, 2, 3])] * 2], []]


def test_a_binary_cursor_on_another_driver(models_dsn: str) -> None:
    """psycopg fetches wire payloads for unknown types and for their arrays."""
    url = make_url(models_dsn).set(drivername="postgresql+psycopg")
    engine = create_engine(url, connect_args={"cursor_factory": BinaryCursor}, poolclass=NullPool)
    assert fetch_all(engine) == FETCHED


def test_the_codecs_of_pgvector_on_another_driver(models_dsn: str) -> None:
    """pgvector-python's values become values of this package."""
    url = make_url(models_dsn).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "connect", lambda conn, _: pgvector.psycopg.register_vector(conn))
    assert fetch_all(engine) == FETCHED


async def test_the_codecs_of_pgvector_on_asyncpg(models_dsn: str, make_engine: MakeEngine) -> None:
    """As on another driver. These codecs take no text, so the test only fetches."""
    engine = make_engine(models_dsn, poolclass=NullPool)
    event.listen(
        engine.sync_engine,
        "connect",
        lambda conn, _: conn.run_async(pgvector.asyncpg.register_vector),
    )
    query = text(
        "SELECT CAST('[1,2,3]' AS vector), CAST('[1,0.1,65504]' AS halfvec),"
        " CAST('{1:1.5}/5' AS sparsevec), CAST('101' AS bit(3)), CAST(ARRAY['[1]'] AS vector[])"
    ).columns(
        column("a", VECTOR()),
        column("b", HALFVEC()),
        column("c", SPARSEVEC()),
        column("d", BIT(3)),
        column("e", ARRAY(VECTOR())),
    )
    async with engine.connect() as conn:
        row = (await conn.execute(query)).one()
    wanted = [Vector([1, 2, 3]), VALUES["halfvec"], SparseVector({0: 1.5}, 5), Bit("101")]
    assert list(row) == [*wanted, [Vector([1])]]


async def test_lists_of_another_codec(dsn: str, make_engine: MakeEngine) -> None:
    """On an engine without the registered type, lists become values."""

    async def set_codec(conn: asyncpg.Connection) -> None:
        await conn.set_type_codec(
            "vector",
            encoder=encode_vector,
            decoder=lambda data: decode_vector(data).to_list(),
            format="binary",
        )

    engine = make_engine(dsn, poolclass=NullPool)
    event.listen(engine.sync_engine, "connect", lambda conn, _: conn.run_async(set_codec))
    query = text("SELECT CAST('[1,2,3]' AS vector)").columns(column("a", VECTOR()))
    async with engine.connect() as conn:
        assert await conn.scalar(query) == Vector([1, 2, 3])


@each_type_to_limits
@settings(max_examples=25)
@given(data=st.data())
async def test_echo(engine: AsyncEngine, type_: SpecType, data: st.DataObject) -> None:
    """Every value comes back with the same bits, in binary and as text, alone and in an array."""
    values = data.draw(type_.batches())
    column_type = type_.column_type()
    async with engine.connect() as conn:
        query = select(literal(values[0], column_type), literal(values, ARRAY(column_type)))
        one, several = (await conn.execute(query)).one()
    assert wire(one) == wire(values[0])
    assert wire(several) == wire(values)


@each_type_to_limits
@settings(max_examples=25)
@given(data=st.data())
def test_echo_on_another_driver(
    psycopg_engine: Engine, type_: SpecType, data: st.DataObject
) -> None:
    values = data.draw(type_.batches())
    column_type = type_.column_type()
    with psycopg_engine.connect() as conn:
        query = select(
            literal(values[0], column_type), literal([*values, None], ARRAY(column_type))
        )
        one, several = conn.execute(query).one()
    assert wire(one) == wire(values[0])
    assert wire(several) == wire([*values, None])


def test_the_models_on_another_driver(psycopg_engine: Engine) -> None:
    with Session(psycopg_engine) as session, session.begin():
        items = [Item(**VALUES), Item(**INPUTS), Item(**NULLS)]
        session.add_all(items)
        session.flush()
        session.expire_all()
        assert [columns_of(item) for item in items] == [WANTED, WANTED, NULLS]
        assert items[0].vectors == session.scalar(
            select(Item.vectors).where(Item.vector == [1, 2.5, 0])
        )
        query = select(Item.vector.avg()).where(Item.bit.hamming_distance("111") == 1)
        assert session.scalar(query) == Vector([1, 2.5, 0])
        session.add(Item(vectors=[]))
        session.flush()
        assert session.scalars(select(Item.vectors).order_by(Item.id.desc())).first() == []


# The client's refusals raise errors of the package. The server's refusals, such as of another number
# of dimensions than the column's, raise errors of the driver: the error here is None.
REFUSED = [
    ("vector", [1, float("nan"), 3], InvalidValueError, "expected a finite number at index 1, got nan"),
    ("vector", [1, "2", 3], InvalidTypeError, "expected a number at index 1, got str '2'"),
    ("vector", "[1,2", MalformedTextError, r"expected vector as \[1,2,3\], got str '\[1,2'"),
    ("vector", HalfVector([1, 2, 3]), InvalidTypeError, r"expected a Vector for vector, got a HalfVector; .* Vector\(value\)"),
    ("vector", 5, InvalidTypeError, "expected a sequence of numbers, got int 5"),
    ("vector", [[1, 2, 3]], InvalidTypeError, "got a nested sequence"),
    ("halfvec", [1, 70000, 3], InvalidValueError, "fits float16 at index 1, got 70000"),
    ("sparsevec", {0: 1}, InvalidTypeError, "expected dimensions beside dict"),
    ("bit", "102", MalformedTextError, "expected digits 0 and 1, got '2' at index 2"),
    ("vectors", 5, InvalidTypeError, "expected a list of values, got int 5"),
    ("vectors", Vector([1, 2, 3]), InvalidTypeError, r"expected a list of values, got Vector"),
    ("bits", "101", InvalidTypeError, "expected a list of values, got str '101'"),
    ("vectors", [[1, 2, 3], [1, None, 3]], InvalidTypeError, "number at index 1, got NoneType None"),
    ("vector", [1, 2], None, "expected 3 dimensions, not 2"),
    ("halfvec", [1, 2, 3, 4], None, "expected 3 dimensions, not 4"),
    ("sparsevec", [1, 2, 3], None, "expected 5 dimensions, not 3"),
    ("bit", "10110", None, r"bit string length 5 does not match type bit\(3\)"),
    ("vectors", [[1, 2, 3], [1, 2]], None, "expected 3 dimensions, not 2"),
    ("bits", ["101", "10110"], None, r"bit string length 5 does not match type bit\(3\)"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "bad", "error", "message"), REFUSED)
async def test_refused(
    engine: AsyncEngine, column: str, bad: Any, error: Any, message: str
) -> None:
    """The execution of the statement fails, and no row of the transaction is written."""
    async with AsyncSession(engine) as session:
        session.add_all([Item(vector=[1, 2, 3]), Item(**{column: bad}), Item(vector=[4, 5, 6])])
        with pytest.raises(StatementError, match=message) as caught:
            await session.commit()
        assert (
            isinstance(caught.value.orig, error) if error else isinstance(caught.value, DBAPIError)
        )
        assert re.search(r"INSERT INTO items", caught.value.statement or "")
        await session.rollback()
        assert await session.scalar(select(func.count()).select_from(Item)) == 0


async def test_refused_in_a_text_statement(registered: AsyncEngine) -> None:
    """The parameters of the statement have no column type: asyncpg raises, and names the parameter."""
    async with registered.connect() as conn:
        with pytest.raises(
            DBAPIError, match=r"query argument \$1: .*expected a finite number at index 0"
        ):
            await conn.execute(text("SELECT CAST(:v AS vector)"), {"v": [float("inf")]})


async def test_refused_in_an_update(registered: AsyncEngine) -> None:
    """The row keeps its old value."""
    async with AsyncSession(registered, expire_on_commit=False) as session:
        item = Item(vector=[1, 2, 3])
        session.add(item)
        await session.commit()
        item.vector = HalfVector([1, 2, 3])  # type: ignore[assignment]
        with pytest.raises(StatementError, match="expected a Vector for vector"):
            await session.commit()
        await session.rollback()
        assert await session.scalar(select(Item.vector)) == Vector([1, 2, 3])


async def test_many_at_once(registered: AsyncEngine) -> None:
    """Every connection of the pool is registered."""

    async def one(n: int) -> Vector | None:
        async with AsyncSession(registered) as session:
            await session.execute(text("SELECT pg_sleep(0.02)"))
            return await session.scalar(select(literal([n, 1], VECTOR())))

    assert await asyncio.gather(*map(one, range(30))) == [Vector([n, 1]) for n in range(30)]
