"""Run a command with the DSN of a PostgreSQL 16 with pgvector 0.6.2 in ASYNCPG_VECTOR_TEST_DSN.

The server goes with the command. It needs pgserver, and nothing of the project: see noxfile.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pgserver


def main(command: list[str]) -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        pgserver.get_server(folder, cleanup_mode="delete") as server,
    ):
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # it is thrown away
        environment = {**os.environ, "ASYNCPG_VECTOR_TEST_DSN": server.get_uri()}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
