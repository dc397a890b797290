"""The server as the judge: connections, and SQL functions that accept or refuse an input."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from typing import Any

import asyncpg
import pytest

from asyncpg_vector import register_vector
from asyncpg_vector._generated import VALUE_CLASSES
from asyncpg_vector.runtime import Codec
from tests.differential.batches import alike, compared
from tests.needs import without_numpy


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for what, count in sorted(compared.items()):
        terminalreporter.write_line(f"{count:,} times the same as the server: {what}")
    for operation, count in sorted(alike.items()):
        terminalreporter.write_line(f"{count:,} times the same without the kernel: {operation}")


@pytest.fixture
def numpy(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether the package finds NumPy."""
    with nullcontext() if request.param else without_numpy():
        yield request.param


with_and_without_numpy = pytest.mark.parametrize(
    "numpy", [True, False], indirect=True, ids=["with NumPy", "without"]
)

_SENDS = "SELECT typname, typsend::text FROM pg_type WHERE typname = ANY($1) AND typtype = 'b'"

# Returns NULL for an input that the server refuses, else the wire payload.
_JUDGE = """
CREATE FUNCTION pg_temp.judge_{name}({given}) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
    RETURN {send}($1::"{name}");
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END $$
"""


@pytest.fixture(scope="session")
async def judge(server: asyncpg.Connection) -> asyncpg.Connection:
    """The connection, with functions pg_temp.judge_<type> for texts and for numbers."""
    for name, send in await server.fetch(_SENDS, list(VALUE_CLASSES)):
        for given in ("text", "double precision[]"):
            await server.execute(_JUDGE.format(name=name, given=given, send=send))
    return server


@pytest.fixture(scope="session")
async def raw(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sends and fetches unchanged wire payloads."""
    conn = await asyncpg.connect(dsn)
    with pytest.MonkeyPatch.context() as patch:
        for value_class in VALUE_CLASSES.values():
            patch.setattr(value_class, "codec", Codec(bytes, bytes))
        await register_vector(conn, types=VALUE_CLASSES, missing_ok=True)
    yield conn
    await conn.close()
