"""The needs of tests that some runs lack: the kernel, NumPy and SciPy, a type, a release of pgvector.

A run leaves out the tests whose needs it lacks: pytest's header says why, and its last line how many
they are. With the kernel, NumPy and the suite's own server, no test is left out.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from unittest.mock import patch

import asyncpg
import pytest

from asyncpg_vector import _numpy
from asyncpg_vector._native import kernel
from tests.spec_types import SPEC, SpecType

try:
    import numpy as np
    from scipy import sparse
except ImportError:
    np = sparse = None

__all__ = [
    "DATABASE_SQL",
    "Server",
    "are_met",
    "given_dsn",
    "given_server",
    "needs_failing_allocator",
    "needs_kernel",
    "needs_numpy",
    "needs_pgvector",
    "np",
    "sparse",
    "types_of",
    "without_numpy",
]

DATABASE_SQL = (Path(__file__).parent / "database.sql").read_text()

needs_failing_allocator = pytest.mark.needs_failing_allocator
needs_kernel = pytest.mark.needs_kernel
needs_numpy = pytest.mark.needs_numpy
needs_pgvector = pytest.mark.needs_pgvector


class Server(NamedTuple):
    """The releases and the types of a server."""

    postgresql: str
    pgvector: str
    types: list[str]
    """The types of the spec that it has."""

    @property
    def missing(self) -> list[str]:
        """The types of the spec that it lacks."""
        return [name for name in SPEC.types if name not in self.types]

    def has(self, item: pytest.Item) -> bool:
        """Tell whether it has the releases and the types that a test needs."""
        releases = [marker.args[0] for marker in item.iter_markers("needs_pgvector")]
        uses_server = "server_dsn" in getattr(item, "fixturenames", ())
        return all(_release(self.pgvector) >= _release(release) for release in releases) and not (
            uses_server and _types_tested(item) & {*self.missing}
        )


@contextmanager
def without_numpy() -> Iterator[None]:
    """Hide NumPy from the package alone, as if the program had not imported it."""
    not_loaded = SimpleNamespace(modules={})
    # The kernel does not meet what tests put into NumPy's place.
    unknown = patch.multiple(_numpy, _numpy=None, _plain_arrays=(), kernel=None)
    with patch.object(_numpy, "sys", not_loaded), unknown:
        yield


def given_dsn() -> str | None:
    """Return the DSN of the server that the suite has to use, if one is given."""
    return os.environ.get("ASYNCPG_VECTOR_TEST_DSN")


@cache
def given_server() -> Server | None:
    """Ask the given server for its releases and types. (The suite's own, which is pinned, has all.)"""
    dsn = given_dsn()
    return asyncio.run(_ask(dsn)) if dsn else None


def are_met(item: pytest.Item) -> bool:
    """Tell whether this run meets the needs of a test."""
    if np is None and item.get_closest_marker("needs_numpy"):
        return False
    if kernel is None and item.get_closest_marker("needs_kernel"):
        return False
    if find_spec("_testcapi") is None and item.get_closest_marker("needs_failing_allocator"):
        return False
    server = given_server()
    return server is None or server.has(item)


async def types_of(conn: asyncpg.Connection) -> list[str]:
    """Return the types of the spec that are in the search path of a database."""
    query = "SELECT to_regtype(quote_ident($1)) IS NOT NULL"
    return [name for name in SPEC.types if await conn.fetchval(query, name)]


async def _ask(dsn: str) -> Server:
    admin = await asyncpg.connect(dsn)
    name = f"asyncpg_vector_test_{os.getpid()}_asked"
    await admin.execute(f"CREATE DATABASE {name}")
    conn = await asyncpg.connect(dsn, database=name)
    await conn.execute(DATABASE_SQL)
    versions = await conn.fetchrow(
        "SELECT current_setting('server_version'), extversion "
        "FROM pg_extension WHERE extname = 'vector'"
    )
    server = Server(*versions, types=await types_of(conn))
    await conn.close()
    await admin.execute(f"DROP DATABASE {name}")
    await admin.close()
    return server


def _types_tested(item: pytest.Item) -> set[str | None]:
    parametrised = getattr(item, "callspec", None)
    return {_sql_name(value) for value in parametrised.params.values()} if parametrised else set()


def _sql_name(parameter: object) -> str | None:
    """Return the name of the type that a parameter stands for."""
    if isinstance(parameter, (SpecType, str)):
        return str(parameter)
    return getattr(getattr(parameter, "info", None), "sql_name", None)


def _release(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
