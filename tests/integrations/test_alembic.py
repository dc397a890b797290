"""Migrations that Alembic generates from the models run unedited, and leave no difference."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest
from alembic.autogenerate.api import AutogenContext
from alembic.config import main
from alembic.migration import MigrationContext
from alembic.operations.ops import AlterColumnOp, UpgradeOps
from alembic.runtime.plugins import Plugin
from sqlalchemy import Column, Integer, MetaData, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import NullType, UserDefinedType

import asyncpg_vector.alembic
from asyncpg_vector.alembic import compare_type, render_item, setup
from asyncpg_vector.sqlalchemy import ARRAY, BIT, HALFVEC, VECTOR
from tests.conftest import NewDatabase
from tests.needs import DATABASE_SQL, needs_pgvector
from tests.processes import run_python
from tests.spec_types import ROOT

IMPORT = "import asyncpg_vector.sqlalchemy\n"

# The edit of Alembic's template that registers the engine.
REGISTERED = """
from asyncpg_vector.sqlalchemy import register_engine
from sqlalchemy import text

def engine_from(*args, **options):
    engine = async_engine_from_config(*args, **options)
    register_engine(engine)
    return engine
"""


class Project:
    """A folder with migrations, as `alembic init` makes it."""

    def __init__(self, folder: Path, template: str, dsn: str) -> None:
        self.folder = folder
        self.run("init", "--template", template, "migrations")
        driver = "asyncpg" if template == "async" else "psycopg"
        url = (
            make_url(dsn)
            .set(drivername=f"postgresql+{driver}")
            .render_as_string(hide_password=False)
        )
        config = (folder / "alembic.ini").read_text()
        config = re.sub(
            "^sqlalchemy.url = .*",
            lambda _: f"sqlalchemy.url = {url.replace('%', '%%')}",
            config,
            flags=re.MULTILINE,
        )
        (folder / "alembic.ini").write_text(config)
        self.edit(
            "target_metadata = None",
            "from tests.integrations.models import Base\ntarget_metadata = Base.metadata",
        )

    def run(self, *arguments: str) -> None:
        """Run the command `alembic` in a new thread: `env.py` starts an event loop, and this thread has one."""
        command = partial(main, ["--config", str(self.folder / "alembic.ini"), *arguments])
        with (
            chdir(self.folder),
            patch.object(sys, "path", [*sys.path]),  # each command adds the folder
            patch("logging.config.fileConfig"),  # it disables the loggers of this process
            ThreadPoolExecutor(1) as thread,
        ):
            thread.submit(command).result()

    def run_in_a_process(self, *arguments: str) -> str:
        """Run `alembic` in a new process, as users do: its plugin is found, and a warning is an error."""
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        alembic = ("-W", "error", "-m", "alembic", *arguments)
        return run_python(self.folder, *alembic, PYTHONPATH=path)

    def edit(self, old: str, new: str) -> None:
        path = self.folder / "migrations" / "env.py"
        source = path.read_text()
        assert old in source
        path.write_text(source.replace(old, new))

    def generate(self, message: str) -> str:
        self.run("revision", "--autogenerate", "-m", message)
        (path,) = self.folder.glob(f"migrations/versions/*_{message}.py")
        return path.read_text()


async def tables(dsn: str) -> list[str]:
    conn = await asyncpg.connect(dsn)
    query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') ORDER BY 1"
    names = [row[0] for row in await conn.fetch(query)]
    await conn.close()
    return names


OF_MODELS = ["items", "items_bit", "items_pkey", "items_vector", "notes", "notes_pkey"]


@needs_pgvector("0.7.0")
@pytest.mark.parametrize("template", ["async", "generic"])
async def test_autogenerate(new_database: NewDatabase, tmp_path: Path, template: str) -> None:
    """On an async and a synchronous engine, with the `env.py` of Alembic's template."""
    dsn = await new_database()
    project = Project(tmp_path, template, dsn)
    migration = project.generate("models")
    assert IMPORT in migration
    assert "asyncpg_vector.sqlalchemy.VECTOR(dim=3)" in migration
    assert "asyncpg_vector.sqlalchemy.ARRAY(asyncpg_vector.sqlalchemy.BIT(length=3))" in migration
    assert "postgresql_ops={'vector': 'vector_cosine_ops'}" in migration
    project.run("upgrade", "head")
    assert await tables(dsn) == ["alembic_version", "alembic_version_pkc", *OF_MODELS]
    assert "No new upgrade operations detected" in project.run_in_a_process("check")
    again = project.generate("again")
    assert re.findall(r"^    pass$", again, re.MULTILINE) == ["    pass"] * 2
    assert IMPORT not in again
    project.run("downgrade", "base")
    assert await tables(dsn) == ["alembic_version", "alembic_version_pkc"]


async def test_env_creates_the_extension(new_database: NewDatabase, tmp_path: Path) -> None:
    """The connection of a registered engine then stores vectors in the same migration."""
    dsn = await new_database("SELECT 1")
    project = Project(tmp_path, "async", dsn)
    project.edit("from alembic import context\n", f"from alembic import context\n{REGISTERED}")
    project.edit("connectable = async_engine_from_config", "connectable = engine_from")
    project.edit(
        "    with context.begin_transaction():\n        context.run_migrations()\n\n\nasync",
        "    with context.begin_transaction():\n"
        "        connection.execute(text('CREATE EXTENSION IF NOT EXISTS vector'))\n"
        "        context.run_migrations()\n\n\nasync",
    )
    project.run("revision", "-m", "first")
    (path,) = project.folder.glob("migrations/versions/*_first.py")
    path.write_text(
        path.read_text().replace(
            '    """Upgrade schema."""\n    pass',
            "    from tests.integrations.models import Note\n"
            "    Note.__table__.create(op.get_bind())\n"
            "    op.bulk_insert(Note.__table__, [{'embedding': [1, 2, 3]}])\n"
            "    vector = op.get_bind().execute(sa.text('SELECT embedding FROM notes')).scalar_one()\n"
            "    assert type(vector).__name__ == 'Vector', vector",
        )
    )
    project.run("upgrade", "head")
    assert "notes" in await tables(dsn)


@needs_pgvector("0.7.0")
async def test_a_render_item_of_ones_own(new_database: NewDatabase, tmp_path: Path) -> None:
    """It goes first; the package's renders the items that it leaves."""
    project = Project(tmp_path, "async", await new_database())
    project.edit(
        "target_metadata=target_metadata)",
        "target_metadata=target_metadata, render_item=lambda kind, item, _: 'sa.MINE'"
        " if kind == 'type' and repr(item) == 'HALFVEC(dim=3)' else False)",
    )
    migration = project.generate("models")
    assert "sa.Column('halfvec', sa.MINE, nullable=True)" in migration
    assert (
        "sa.Column('sparsevec', asyncpg_vector.sqlalchemy.SPARSEVEC(dim=5), nullable=True)"
        in migration
    )


@needs_pgvector("0.7.0")
async def test_without_the_plugin(new_database: NewDatabase, tmp_path: Path) -> None:
    """If Alembic does not load the plugin, `env.py` can pass `render_item`."""
    project = Project(tmp_path, "async", await new_database())
    project.edit(
        "target_metadata=target_metadata)",
        "target_metadata=target_metadata, render_item=render_item,"
        " autogenerate_plugins=['alembic.autogenerate.*', '~alembic.autogenerate.asyncpg_vector'])",
    )
    project.edit(
        "from alembic import context\n",
        f"from alembic import context\nfrom {render_item.__module__} import render_item\n",
    )
    assert IMPORT in project.generate("models")


@needs_pgvector("0.7.0")
async def test_changes(new_database: NewDatabase, tmp_path: Path) -> None:
    """A number of dimensions is added, dropped or changed; a column becomes an array, or an item."""
    dsn = await new_database(
        f"{DATABASE_SQL}; CREATE TABLE notes (id integer PRIMARY KEY, embedding vector NOT NULL);"
        "CREATE TABLE changing (v vector(3), h halfvec(3)[], b bit(3), s sparsevec(5), same vector(3)[])"
    )
    project = Project(tmp_path, "async", dsn)
    project.edit(
        "target_metadata = Base.metadata",
        "target_metadata = sa.MetaData()\n"
        "sa.Table('notes', target_metadata, sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('embedding', VECTOR(3), nullable=False))\n"
        "sa.Table('changing', target_metadata, sa.Column('v', VECTOR), sa.Column('h', HALFVEC(3)),"
        " sa.Column('b', BIT(4)), sa.Column('s', ARRAY(SPARSEVEC(5))), sa.Column('same', ARRAY(VECTOR(3))))",
    )
    project.edit(
        "from alembic import context\n",
        "from alembic import context\nimport sqlalchemy as sa\n"
        "from asyncpg_vector.sqlalchemy import *\n",
    )
    migration = project.generate("changes")
    upgrade, _, downgrade = migration.partition("def downgrade")
    types = "asyncpg_vector.sqlalchemy."
    for old, new in (
        (f"{types}VECTOR()", f"{types}VECTOR(dim=3)"),
        (f"{types}VECTOR(dim=3)", f"{types}VECTOR()"),
        (f"postgresql.ARRAY({types}HALFVEC(dim=3))", f"{types}HALFVEC(dim=3)"),
        (f"{types}BIT(length=3)", f"{types}BIT(length=4)"),
        (f"{types}SPARSEVEC(dim=5)", f"{types}ARRAY({types}SPARSEVEC(dim=5))"),
    ):
        assert re.search(rf"existing_type={re.escape(old)},\s+type_={re.escape(new)},", upgrade)
    assert upgrade.count("op.alter_column") == downgrade.count("op.alter_column") == 5
    assert "same" not in migration


def test_the_entry_point_of_an_older_alembic() -> None:
    """Alembic before 1.20.1 iterates over the entry point's object; if that fails, Alembic cannot be imported."""
    (entry_point,) = entry_points(
        group="alembic.plugins", name="alembic.autogenerate.asyncpg_vector"
    )
    assert [*entry_point.load()] == [asyncpg_vector.alembic]


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    """A plugin set up as in an import of Alembic. The tests below run in this process."""
    plugin = Plugin("asyncpg_vector_anew")
    setup(plugin)
    yield plugin
    plugin.remove()


def render(plugin: Plugin, kind: str, item: Any, **options: Any) -> tuple[Any, set[str]]:
    """The text that autogeneration renders for an item with this plugin alone, and the imports."""
    opts = {"autogenerate_plugins": [plugin.name], **options}
    migrations = MigrationContext.configure(dialect_name="postgresql", opts=opts)
    context = AutogenContext(migrations, MetaData())
    context.comparators.dispatch("autogenerate")(context, UpgradeOps([]))
    return context.opts["render_item"](kind, item, context), context.imports


@pytest.mark.parametrize("options", [{}, {"render_item": lambda *_: False}], ids=["alone", "first"])
def test_nothing_else_is_imported(plugin: Plugin, options: dict[str, Any]) -> None:
    assert render(plugin, "type", VECTOR(3), **options) == (False, {IMPORT.strip()})
    assert render(plugin, "type", ARRAY(BIT(3)), **options) == (False, {IMPORT.strip()})
    assert render(plugin, "type", Integer(), **options) == (False, set())
    assert render(plugin, "server_default", VECTOR(3), **options) == (False, set())


def test_what_a_render_item_of_ones_own_is_given(plugin: Plugin) -> None:
    given: list[Any] = []

    def render_item(*arguments: Any) -> str:
        given.extend(arguments)
        return "MINE"

    vector = VECTOR(3)
    assert render(plugin, "type", vector, render_item=render_item) == ("MINE", set())
    kind, item, context = given
    assert (kind, item, type(context)) == ("type", vector, AutogenContext)


class Own(UserDefinedType[Any]):
    """A user's own column type for vectors."""

    def get_col_spec(self, **_: Any) -> str:
        return "vector(3)"


COMPARED = [
    (VECTOR(3), VECTOR(3), False),
    (VECTOR(3), VECTOR(), True),
    (VECTOR(), VECTOR(3), True),
    (VECTOR(3), HALFVEC(3), True),
    (postgresql.ARRAY(VECTOR(3)), ARRAY(VECTOR(3)), False),
    (postgresql.ARRAY(VECTOR(3)), VECTOR(3), True),
    (VECTOR(3), postgresql.ARRAY(VECTOR(3)), True),
    (Integer(), BIT(3), True),
    (BIT(3), Integer(), True),
    (Integer(), postgresql.BIGINT(), None),
    (NullType(), VECTOR(3), None),  # its schema is not in the search path
    (VECTOR(3), NullType(), None),
    (postgresql.ARRAY(NullType()), ARRAY(VECTOR(3)), None),
    (VECTOR(3), Own(), False),
    (postgresql.ARRAY(VECTOR(3)), postgresql.ARRAY(VECTOR(3), dimensions=2), False),
]


@pytest.mark.parametrize(("inspected", "metadata", "differ"), COMPARED)
def test_compare_type(plugin: Plugin, inspected: Any, metadata: Any, differ: bool | None) -> None:
    """Alembic calls it through the plugin or from `env.py`; other plugins compare other types."""
    asked: list[Any] = []
    plugin.add_autogenerate_comparator(
        lambda *arguments: asked.append(arguments), "column", "types"
    )
    migrations = MigrationContext.configure(
        dialect_name="postgresql", opts={"autogenerate_plugins": [plugin.name]}
    )
    context = AutogenContext(migrations, MetaData())
    columns = Column("v", inspected), Column("v", metadata)
    assert compare_type(migrations, *columns, inspected, metadata) is differ
    operation = AlterColumnOp("t", "v")
    context.comparators.dispatch("column")(context, operation, None, "t", "v", *columns)
    assert operation.modify_type is (metadata if differ else None)
    assert len(asked) == (differ is None)
