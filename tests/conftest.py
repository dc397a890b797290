"""The suite's settings and fixtures: servers, databases and connections."""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import count
from typing import TypeAlias
from urllib.parse import urlsplit

import asyncpg
import hypothesis
import pytest

from asyncpg_vector import register_vector
from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector._native import kernel
from tests.needs import DATABASE_SQL, are_met, given_dsn, given_server, np, types_of
from tests.pgbouncer import run_pgbouncer, through
from tests.server import run_server
from tests.server import versions as server_versions
from tests.threads import is_gil_enabled

NewDatabase: TypeAlias = Callable[..., Awaitable[str]]

# Time says nothing on a shared machine, and batches of large values may outgrow Hypothesis's buffer:
# it counts them as filtered out. A failing example is printed as a line to paste into a test.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    print_blob=True,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.filter_too_much,
    ],
)
hypothesis.settings.load_profile("suite")
hypothesis.settings.register_profile("quick", max_examples=20)
# Each mutant meets the same examples. They are not minimised, since nobody reads them.
hypothesis.settings.register_profile(
    "mutation",
    hypothesis.settings.get_profile("quick"),
    derandomize=True,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)

# These test, draw or compare ndarrays.
OF_NUMPY = [
    "differential",
    "test_formats.py",
    "test_fuzz_cases.py",
    "test_implementations.py",
    "test_larger_than_memory.py",
    "test_matrix.py",
    "test_sparse_matrix.py",
    "test_threads.py",
]
# These embed text, or show a bar: Rich comes with the model, which has no wheel for Python 3.14 and later.
OF_MODEL = [
    "test_beyond_one_server.py",
    "test_demo.py",
    "test_index_progress.py",
    "test_load_parquet.py",
    "test_recipes.py",
    "test_tune_search.py",
]
HAS_MODEL = find_spec("wordllama") is not None
collect_ignore = [*([] if np else OF_NUMPY), *([] if HAS_MODEL else OF_MODEL)]


def pytest_report_header() -> list[str]:
    """Name the versions of this run, and the libraries and types that it lacks."""
    server = given_server()
    postgresql, pgvector = server[:2] if server else server_versions()
    gil = "with" if is_gil_enabled() else "without"
    libraries = ", ".join(map(release, ("asyncpg_vector", "asyncpg", "NumPy", "SQLAlchemy")))
    lines = [
        f"server: PostgreSQL {postgresql}, pgvector {pgvector}",
        f"client: Python {platform.python_version()} {gil} the GIL, {libraries}",
    ]
    if kernel is None:
        lines.append("without the kernel, and the tests that need it")
    if not np:
        lines.append("without NumPy and SciPy, and the tests that need them")
    if not HAS_MODEL:
        lines.append("without wordllama, and the tests that embed text")
    if server and server.missing:
        lines.append(f"without {', '.join(server.missing)}, and the tests that need them")
    return lines


def release(library: str) -> str:
    """Return a library's name and version, or say that it is missing."""
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"no {library}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if not are_met(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """The server of ASYNCPG_VECTOR_TEST_DSN, or else an embedded one that ends with the suite."""
    given = given_dsn()
    if given:
        yield given
        return
    with run_server() as dsn:
        yield dsn


@pytest.fixture(scope="session")
async def new_database(server_dsn: str) -> AsyncIterator[NewDatabase]:
    """Creates a database, runs SQL in it, and returns its DSN; the suite drops it at its end."""
    names = (f"asyncpg_vector_test_{os.getpid()}_{n}" for n in count())
    created: list[str] = []
    admin = await asyncpg.connect(server_dsn)

    async def create(sql: str = DATABASE_SQL) -> str:
        name = next(names)
        await admin.execute(f"CREATE DATABASE {name}")
        created.append(name)
        conn = await asyncpg.connect(server_dsn, database=name)
        await conn.execute(sql)
        await conn.close()
        return urlsplit(server_dsn)._replace(path=f"/{name}").geturl()

    yield create
    for name in created if given_dsn() else ():  # the suite's own server is removed whole
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="session")
async def dsn(new_database: NewDatabase) -> str:
    """A database that the tests share; their tables are temporary."""
    return await new_database()


@pytest.fixture(scope="session")
async def server(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for many examples of a property, with every type of the spec registered."""
    conn = await asyncpg.connect(dsn)
    await register_vector(conn, types=VALUE_CLASSES, missing_ok=True)
    yield conn
    await conn.close()


@pytest.fixture(scope="session")
def pgbouncer(server_dsn: str) -> Iterator[Callable[[str], str]]:
    """A PgBouncer in transaction mode: turns the DSN of a database into one through PgBouncer."""
    with run_pgbouncer(server_dsn) as folder:
        yield partial(through, folder)


@pytest.fixture(scope="session")
async def server_types(dsn: str) -> list[str]:
    """The types of the spec that the server has."""
    conn = await asyncpg.connect(dsn)
    types = await types_of(conn)
    await conn.close()
    return types


@pytest.fixture
async def plain(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection without registered types."""
    conn = await asyncpg.connect(dsn)
    yield conn
    await conn.close()


@pytest.fixture
async def conn(plain: asyncpg.Connection) -> asyncpg.Connection:
    """A connection with every type of the spec registered, built-in types included."""
    await register_vector(plain, types=VALUE_CLASSES, missing_ok=True)
    return plain
