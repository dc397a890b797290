"""A PgBouncer in transaction mode, in front of the server of the tests."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.spec_types import ROOT

CHOSEN = os.environ.get("ASYNCPG_VECTOR_TEST_PGBOUNCER")
MADE = ROOT / ".venv/pgbouncer/pgbouncer"
PORT = 6432  # of a Unix socket: part of a file's name, in a folder of its own
SERVER_CONNECTIONS = 3

# The settings that docs/poolers.md advises, and those that the suite needs to start a PgBouncer. With the
# auth_type "any", every client connects to the server as the same user. A client that waits in vain
# for a server connection gets an error after half a minute, not after two.
CONFIG = """
[databases]
* = {server}
[pgbouncer]
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 1000
query_wait_timeout = 30
auth_type = any
{max_prepared_statements}
listen_addr =
listen_port = {listen_port}
unix_socket_dir = {folder}
logfile = {folder}/log
{run_as}
"""


def find_pgbouncer() -> str:
    """The program ASYNCPG_VECTOR_TEST_PGBOUNCER, or the one that `make` got, or the system's."""
    if CHOSEN:
        assert shutil.which(CHOSEN), f"expected a pgbouncer to run, got {CHOSEN}"
        return CHOSEN
    places = [str(MADE.parent), os.environ["PATH"], "/usr/sbin"]
    found = shutil.which("pgbouncer", path=os.pathsep.join(places))
    advice = f"install PgBouncer, or run make {MADE.relative_to(ROOT)}, which needs apt-get"
    assert found, f"expected a pgbouncer, found none: {advice}"
    return found


def knows_statements() -> bool:
    """Whether PgBouncer keeps the prepared statements of its clients apart, as 1.21 and later do."""
    return _version() >= (1, 21)


def keeps_server_after_copy() -> bool:
    """Whether an asyncpg client keeps its server connection after a COPY, as with PgBouncer 1.26."""
    return _version() in [(1, 26, 0), (1, 26, 1)]


def _version() -> tuple[int, ...]:
    printed = subprocess.check_output([find_pgbouncer(), "--version"], text=True)
    version = re.match(r"PgBouncer (\d+)\.(\d+)\.(\d+)", printed)
    assert version, printed
    return tuple(map(int, version.groups()))


@contextmanager
def run_pgbouncer(server_dsn: str) -> Iterator[str]:
    """Run PgBouncer, and yield the folder of its socket."""
    # The path of a socket is limited to about 100 bytes, which pytest's folders may exceed.
    with tempfile.TemporaryDirectory(prefix="pgbouncer") as name:
        folder = Path(name)
        config = folder / "pgbouncer.ini"
        config.write_text(_configure(server_dsn, folder))
        process = subprocess.Popen([find_pgbouncer(), "--quiet", config])
        try:
            _wait_for(process, folder)
            yield name
        finally:
            process.terminate()
            process.wait()


def through(folder: str, dsn: str) -> str:
    """The DSN of the same database through the PgBouncer whose socket is in the folder."""
    query = urlencode({"host": folder, "port": PORT, "user": "anybody"})
    return f"postgresql://{urlsplit(dsn).path}?{query}"


def _configure(server_dsn: str, folder: Path) -> str:
    import psycopg  # has no wheel for a Python without a GIL
    from psycopg.conninfo import make_conninfo

    with psycopg.connect(server_dsn) as conn:
        info = conn.info
        server = make_conninfo(
            host=info.host, port=info.port, user=info.user, password=info.password or None
        )
        socket_path = Path(info.host) / f".s.PGSQL.{info.port}"
    run_as = ""
    if os.geteuid() == 0:  # PgBouncer refuses to run as root
        owner = _who_runs(socket_path)
        shutil.chown(folder, owner)
        run_as = f"user = {owner}"
    return CONFIG.format(
        server=server,
        server_connections=SERVER_CONNECTIONS,
        listen_port=PORT,
        folder=folder,
        run_as=run_as,
        # Later releases have 200 by default; earlier releases do not know the setting.
        max_prepared_statements="max_prepared_statements = 100"
        if (1, 21) <= _version() < (1, 24)
        else "",
    )


def _who_runs(server: Path) -> str:
    """The user who runs the server can reach its socket; a server elsewhere is open to any user."""
    return pwd.getpwuid(server.stat().st_uid).pw_name if server.exists() else "nobody"


def _wait_for(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    log = folder / "log"
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(folder / f".s.PGSQL.{PORT}")) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(log.read_text() if log.exists() else "PgBouncer did not start")
