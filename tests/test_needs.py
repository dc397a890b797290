"""A run leaves out the tests whose needs it lacks, and no others."""

from __future__ import annotations

import asyncpg
import pytest

from tests.needs import Server, given_server, needs_pgvector
from tests.server import versions
from tests.spec_types import SPEC, SpecType, each_type

OLDER = Server(postgresql="16.2", pgvector="0.6.2", types=["vector", "bit"])
NEWER = Server(postgresql="18.6", pgvector="0.10.0", types=[*SPEC.types])


@each_type
@pytest.mark.usefixtures("dsn")
def test_a_type_that_a_server_lacks(type_: SpecType, request: pytest.FixtureRequest) -> None:
    assert OLDER.has(request.node) == (type_.sql_name in OLDER.types)
    assert NEWER.has(request.node)


@each_type
def test_without_a_server_all_types_are_tested(
    type_: SpecType, request: pytest.FixtureRequest
) -> None:
    assert OLDER.has(request.node), type_


@needs_pgvector("0.7.0")
def test_a_release_that_a_server_lacks(request: pytest.FixtureRequest) -> None:
    assert not OLDER.has(request.node)
    assert NEWER.has(request.node)


@needs_pgvector("0.7.0")
def test_the_server_has_every_type(server_types: list[str]) -> None:
    assert server_types == [*SPEC.types]


async def test_the_releases_in_the_header_are_the_servers(conn: asyncpg.Connection) -> None:
    query = """
        SELECT current_setting('server_version'), extversion
        FROM pg_extension WHERE extname = 'vector'
    """
    given = given_server()
    assert await conn.fetchrow(query) == (given[:2] if given else versions())
