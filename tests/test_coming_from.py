"""The pages for newcomers are true: docs/coming-from-*.md and docs/errors.md."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import AsyncIterator
from runpy import run_module
from types import ModuleType
from typing import Any

import pgvector
import pgvector.asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    Column,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    literal,
    make_url,
    select,
)
from sqlalchemy.dialects.postgresql.base import PGDialect, ischema_names
from sqlalchemy.exc import StatementError

import asyncpg_vector
import asyncpg_vector.sqlalchemy
from asyncpg_vector import Bit, InvalidTypeError, SparseVector, Vector
from asyncpg_vector._first_release import RENAMED
from bench.peers import first
from tests.integrations.conftest import MakeEngine, making_engines
from tests.spec_types import ROOT, SpecType, each_type

PAGES = ["coming-from-pgvector-python", "coming-from-0.1", "errors"]
TEXTS = {page: (ROOT / "docs" / f"{page}.md").read_text() for page in PAGES}
PROMISED = re.compile(r"^ *print\(.*?\)(?:  |\n *)# (.*)$", re.MULTILINE)


def read_rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    section = TEXTS[page].partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [re.split(r" \| ", line[2:-2]) for line in section.splitlines() if line[:2] == "| "]
    return rows[1:]


@pytest.fixture
async def make_engine() -> AsyncIterator[MakeEngine]:
    async with making_engines() as make:
        yield make


@pytest.fixture(scope="module")
def peer_columns() -> Any:
    """pgvector-python's column types, which SQLAlchemy would reflect from their import on."""
    reflected = dict(ischema_names)
    import pgvector.sqlalchemy

    ischema_names.update(reflected)
    return pgvector.sqlalchemy


# pgvector-python


def unquote(cell: str) -> str:
    return cell[1:-1]


def evaluate(expression: str, package: ModuleType) -> str:
    import numpy as np

    try:
        return str(eval(expression, {**vars(package), "np": np}))
    except Exception as error:  # noqa: BLE001  # whichever the page names
        return f"{type(error).__name__}: {error}"


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("row", read_rows("coming-from-pgvector-python", "Values"), ids="".join)
def test_values_of_both_packages(row: list[str]) -> None:
    expression, theirs, ours = map(unquote, row)
    assert evaluate(expression, pgvector) == theirs
    assert evaluate(expression, asyncpg_vector) == ours
    assert theirs != ours


@pytest.mark.parametrize("name", pgvector.__all__)
def test_public_methods_keep_their_names(name: str) -> None:
    methods = {method for method in dir(getattr(pgvector, name)) if method[0] != "_"}
    assert methods <= {*dir(getattr(asyncpg_vector, name))}
    assert "to_list" in methods


def test_column_types_keep_their_names(peer_columns: Any) -> None:
    theirs = {*peer_columns.__all__}
    assert theirs - {*asyncpg_vector.sqlalchemy.__all__} == {"Vector", "avg", "sum"}


def test_their_values_can_be_changed_through_an_array() -> None:
    for package, changed in ((pgvector, 5), (asyncpg_vector, 1)):
        value = package.Vector([1, 2])
        value.to_numpy()[0] = 5
        assert value.to_list() == [changed, 2]


@pytest.mark.parametrize(
    "row", read_rows("coming-from-pgvector-python", "Codecs and columns at once"), ids=" ".join
)
async def test_codecs_and_columns(
    row: list[str], dsn: str, peer_columns: Any, make_engine: MakeEngine
) -> None:
    codecs, columns, parameter, fetched = row
    sent: list[Any] = []
    module = peer_columns if columns == "pgvector-python" else asyncpg_vector.sqlalchemy
    table = Table("mixed", MetaData(), Column("x", module.VECTOR(3)), prefixes=["TEMPORARY"])
    engine = make_engine(dsn)
    if codecs == "asyncpg_vector":
        asyncpg_vector.sqlalchemy.register_engine(engine)
    if codecs == "pgvector-python":

        @event.listens_for(engine.sync_engine, "connect")
        def register(connection: Any, _entry: Any) -> None:
            connection.run_async(pgvector.asyncpg.register_vector)

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def spy(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("INSERT"):
            sent.extend(parameters)

    async with engine.connect() as connection:
        await connection.run_sync(table.create)
        await connection.exec_driver_sql("INSERT INTO mixed SELECT '[1,2,3]'::vector")
        await connection.commit()
        sent.clear()
        inserting = connection.execute(insert(table).values(x=[1, 2, 3]))
        if parameter.startswith("`"):
            with pytest.raises(StatementError, match=unquote(parameter)):
                await inserting
            await connection.rollback()
        else:
            await inserting
            assert type(sent[0]) is {"sent as text": str, "sent in binary": Vector}[parameter]
        fetching = connection.scalar(select(table))
        if fetched.startswith("`"):
            with pytest.raises(AttributeError, match=re.escape(unquote(fetched))):
                await fetching
        else:
            assert await fetching == ([1, 2, 3] if "list" in fetched else Vector([1, 2, 3]))


def test_every_way_to_mix_is_in_the_table() -> None:
    rows = read_rows("coming-from-pgvector-python", "Codecs and columns at once")
    assert len({(codecs, columns) for codecs, columns, *_ in rows}) == 3 * 2


def test_their_columns_refuse_our_values(peer_columns: Any) -> None:
    process = peer_columns.VECTOR(3).bind_processor(PGDialect())
    with pytest.raises(ValueError, match="^expected list or ndarray$"):
        process(Vector([1, 2, 3]))


def test_literals(peer_columns: Any) -> None:
    rows = dict(row[::2] for row in read_rows("coming-from-pgvector-python", "SQLAlchemy"))
    (name,) = (name for name in rows if "literal_binds" in name)
    ours, theirs = (
        str(
            literal([1, 2, 3], module.VECTOR(3)).compile(
                dialect=PGDialect(), compile_kwargs={"literal_binds": True}
            )
        )
        for module in (asyncpg_vector.sqlalchemy, peer_columns)
    )
    assert ours == unquote(rows[name])
    assert f"| `{theirs}` | `{ours}` |" in TEXTS["coming-from-pgvector-python"]


@pytest.mark.filterwarnings("ignore:'pgvector.sqlalchemy.vector' found:RuntimeWarning")
@pytest.mark.usefixtures("peer_columns")
def test_the_last_import_is_reflected(monkeypatch: pytest.MonkeyPatch) -> None:
    for column_type in asyncpg_vector.sqlalchemy.COLUMN_TYPES:
        monkeypatch.setitem(ischema_names, column_type, ischema_names[column_type])
    run_module("pgvector.sqlalchemy.vector", run_name="pgvector.sqlalchemy.vector")
    assert ischema_names["vector"].__module__ == "pgvector.sqlalchemy.vector"
    run_module("asyncpg_vector.sqlalchemy.__init__", run_name="asyncpg_vector.sqlalchemy")
    assert ischema_names["vector"] is asyncpg_vector.sqlalchemy.VECTOR


def test_old_revisions(dsn: str, peer_columns: Any) -> None:
    """A table that pgvector-python's revision creates is the one of our model."""
    engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"))
    ours, theirs = (MetaData() for _ in range(2))
    Table("old_revision", theirs, Column("x", peer_columns.VECTOR(dim=3)))
    Table("old_revision", ours, Column("x", asyncpg_vector.sqlalchemy.VECTOR(3)))
    with engine.connect() as connection:
        theirs.create_all(connection)
        options = {"include_name": lambda name, kind, _: kind != "table" or name == "old_revision"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, ours) == []
        ours.tables["old_revision"].c.x.type.dim = 4
        assert len(compare_metadata(context, ours)) == 1
    engine.dispose()


@pytest.mark.parametrize(
    "old",
    [
        "pgvector.sqlalchemy.vector.VECTOR(dim=3)",
        "pgvector.sqlalchemy.Vector(dim=3)",
        "pgvector.sqlalchemy.Vector(3)",
        "pgvector.sqlalchemy.VECTOR(3)",
    ],
)
@pytest.mark.usefixtures("peer_columns")
def test_the_names_in_old_revisions(old: str) -> None:
    (commands,) = re.findall("sed -i -E '(.*)'", TEXTS["coming-from-pgvector-python"])
    new = old
    for command in commands.split("; "):
        _, pattern, replacement, flags = re.split(r"(?<!\\)/", command)
        assert flags == "g"
        new = re.sub(pattern, replacement, new)
    theirs, ours = eval(old, {"pgvector": pgvector}), eval(new, {"asyncpg_vector": asyncpg_vector})
    assert type(ours) is asyncpg_vector.sqlalchemy.VECTOR
    assert ours.get_col_spec() == theirs.get_col_spec() == "VECTOR(3)"


@each_type
def test_a_size_is_for_a_column(type_: SpecType) -> None:
    """The error of the constructor has the column type, to paste."""
    with pytest.raises(InvalidTypeError) as raised:
        type_.value_class(8)
    column_type = str(raised.value).rpartition(" ")[2]
    assert eval(column_type, {"asyncpg_vector": asyncpg_vector}).size == 8


@each_type
def test_the_module_of_column_types_has_no_value_class(type_: SpecType) -> None:
    name = type_.value_class.__name__
    with pytest.raises(ImportError) as raised:
        exec(f"from asyncpg_vector.sqlalchemy import {name}")
    column_type = type_.sql_name.upper()
    assert str(raised.value) == (
        f"expected a column type, got {name}: the column type is {column_type}, "
        f"and the value class is asyncpg_vector.{name}"
    )
    assert not hasattr(asyncpg_vector.sqlalchemy, "of_another_name")


# asyncpg_vector 0.1

OF_ANY_PACKAGE = {*vars(ModuleType("any")), "__builtins__", "__cached__", "__file__", "__path__"}
FIRST_CLASSES = {
    name
    for name, thing in vars(first).items()
    if getattr(thing, "__module__", "") == first.__name__ and isinstance(thing, type)
}
FIRST_NAMES = {
    name: today
    for cell, today in read_rows("coming-from-0.1", "Every name of 0.1")
    for name in re.findall(r"`([\w.]+)", cell)
}


def first_methods(name: str) -> set[str]:
    return {method for method in dir(getattr(first, name)) if method[0] != "_"}


def test_every_name_of_the_first_release_is_listed() -> None:
    about = {name for name in vars(first) if name[:2] == "__"} - OF_ANY_PACKAGE
    methods = {method for name in FIRST_CLASSES for method in first_methods(name)}
    expected = {"register_vector", "__version__"} | FIRST_CLASSES | about | methods
    assert {name.rpartition(".")[2] for name in FIRST_NAMES} == expected
    assert len(about) == 6


@pytest.mark.parametrize("name", ["Vector", "HalfVector", "SparseVector"])
def test_what_became_of_the_methods(name: str) -> None:
    for method in first_methods(name):
        today = FIRST_NAMES.get(f"{name}.{method}") or FIRST_NAMES[method]
        is_gone = today.startswith("gone")
        assert hasattr(getattr(asyncpg_vector, name), method) is not is_gone


@pytest.mark.parametrize("name", ["BasicVector", "DenseVector", "__version__", "__author__"])
def test_names_that_are_gone(name: str) -> None:
    assert FIRST_NAMES[name].startswith("gone")
    assert not hasattr(asyncpg_vector, name)


@pytest.mark.parametrize("name", ["Vector", "HalfVector", "SparseVector"])
def test_old_names_of_methods(name: str) -> None:
    """They do what they did, and the warning is at the line of the call."""
    before, today = getattr(first, name), getattr(asyncpg_vector, name)
    numbers = [1.0, 0.0, -2.5]
    value, old = today(numbers), before.from_float_list(numbers)
    calls: list[tuple[Any, str, list[Any], Any]] = [
        (today, "from_float_list", [numbers], value),
        (today, "from_database_binary", [old.to_database_binary()], value),
        (value, "to_database_binary", [], old.to_database_binary()),
        (value, "to_float_list", [], old.to_float_list()),
        (today, "to_float_list", [value], old.to_float_list()),
    ]
    for owner, method, arguments, expected in calls:
        new = RENAMED[method]
        advice = f"{name}(...)" if new == "__new__" else f"{name}.{new}()"
        message = f"{name}.{method}() is of asyncpg_vector 0.1; write {advice}"
        with pytest.warns(DeprecationWarning, match=f"^{re.escape(message)}$") as warned:
            assert getattr(owner, method)(*arguments) == expected
        assert [warning.filename for warning in warned] == [__file__]


def test_old_names_are_on_the_page() -> None:
    warning = {name for name, today in FIRST_NAMES.items() if "the old name warns" in today}
    assert warning == {*RENAMED}
    for old, new in RENAMED.items():
        assert FIRST_NAMES[old].startswith("the constructor" if new == "__new__" else f"`{new}(")


def test_bits_have_no_old_names() -> None:
    assert not hasattr(Bit, "from_float_list")


@pytest.mark.parametrize("numbers", [[0.6, 0, -0.8], [1e-3, 123.456, 0.1], [2.0**-126, 1, -0.0]])
def test_repair(numbers: list[float]) -> None:
    """What 0.1 made of base64 becomes what it should have been."""
    text = base64.b64encode(struct.pack("<3f", *numbers)).decode()
    right = Vector.from_float_base64(text)
    stored = Vector.from_binary(first.Vector.from_float_base64(text).to_database_binary())
    assert stored != right
    (source,) = re.findall(
        r"^def repair.*?(?=\n\n\n)", TEXTS["coming-from-0.1"], re.DOTALL | re.MULTILINE
    )
    names: dict[str, Any] = {"Vector": Vector}
    exec(source, names)
    assert names["repair"](stored).to_binary() == right.to_binary()


def test_half_vectors_of_base64_were_right() -> None:
    text = base64.b64encode(struct.pack("<2f", 1, 2.5)).decode()
    stored = first.HalfVector.from_float_base64(text).to_database_binary()
    assert stored == asyncpg_vector.HalfVector.from_float_base64(text).to_binary()
    sparse = first.SparseVector.from_float_base64(text).to_database_binary()
    assert sparse == SparseVector(Vector.from_float_base64(text)).to_binary()
