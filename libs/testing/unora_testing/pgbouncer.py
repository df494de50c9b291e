"""Debian's pgbouncer in front of the Postgres of a test run, pooling by transaction."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg
from unora_local import ports, postgres_home
from unora_local.keys import write_private
from unora_local.process import Process

from unora_testing.deadlines import GENEROUS

BINARY: Final = "pgbouncer"
ABSENT: Final = "no pgbouncer is installed (Debian: apt-get install pgbouncer)"
SESSIONS: Final = 3
"""Of each role and database: few, so that transactions of one connection go to several sessions."""
# Databases of tests are dropped and made anew under their names: a login that failed in between says nothing.
CONFIG: Final = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 2000
server_login_retry = 0
logfile =
"""


def binary() -> str | None:
    """The program, or None if it is not installed."""
    return shutil.which(BINARY, path="/usr/sbin:/usr/bin:/usr/local/bin")


class Pgbouncer:
    """One pooler. `to` is host:port of the server, `passwords` are those of the roles."""

    def __init__(self, folder: Path, *, to: str, passwords: Mapping[str, str]) -> None:
        self._folder = folder
        self._to = to
        self._passwords = passwords
        self._port = ports.free()[0]
        self._process: Process | None = None
        self.address = f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Starts it, and returns when it takes connections. Raises RuntimeError if it is not installed."""
        program = binary()
        if program is None:
            raise RuntimeError(ABSENT)
        home = postgres_home.prepare(self._folder)
        host, _, port = self._to.partition(":")
        users = "".join(f'"{name}" "{password}"\n' for name, password in self._passwords.items())
        files = {"users": home.folder / "users.txt", "config": home.folder / "pgbouncer.ini"}
        values = {"host": host, "port": port, "own": self._port, "users": files["users"], "sessions": SESSIONS}
        for file, text in ((files["users"], users), (files["config"], CONFIG.format(**values))):
            write_private(file, text.encode())
            if home.user is not None:
                shutil.chown(file, home.user.uid, home.user.gid)
        log = self._folder.with_suffix(".log")
        self._process = Process(BINARY, [program, str(files["config"])], log, cwd=Path("/"), user=home.user)
        await self._process.start()
        await self._process.wait_until(self._answers, within=GENEROUS)

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(
                f"postgresql://nobody:none@{self.address}/postgres", statement_cache_size=0
            )
        except OSError:
            return False
        except asyncpg.PostgresError:  # it refuses who it does not know
            return True
        await connection.close()
        return True

    async def stop(self) -> None:
        """Stops it."""
        if self._process is not None:
            await self._process.stop()

    def erase(self) -> None:
        """Removes its files."""
        postgres_home.erase_data(self._folder)
