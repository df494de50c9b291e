"""The embedded Postgres, as one process that listens on loopback only."""

import asyncio
import shutil
import signal
from pathlib import Path
from typing import Final

import asyncpg

from unora_local import postgres_home
from unora_local.keys import write_private
from unora_local.launcher import READY_WITHIN, Launcher
from unora_local.process import Process, StartFailedError

SUPERUSER: Final = "postgres"


class Postgres(Launcher):
    """A server with its data in `folder`: created at the first start, used again at later ones.

    With `fsync` off a crash of the machine loses everything: for tests only.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int,
        password: str,
        log: Path,
        database: str = "unora",
        fsync: bool = True,
        max_connections: int = 300,
        shared_buffers: str = "128MB",
    ) -> None:
        self.folder = folder
        self.port = port
        self.database = database
        self._password = password
        self._pid_file: Path
        self._log = log
        durable = "on" if fsync else "off"
        self._fsync = fsync
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": str(max_connections),
            "shared_buffers": shared_buffers,
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            # Statements are short: compiling them costs more than running them.
            "jit": "off",
        }

    def dsn(self, user: str = SUPERUSER, password: str | None = None, database: str | None = None) -> str:
        """The address of a database of this server; by default for the superuser."""
        secret = self._password if password is None else password
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database or self.database}"

    async def start(self) -> None:
        """Start the server and return when it answers and the database exists."""
        home = await asyncio.to_thread(postgres_home.prepare, self.folder)
        data = home.folder / "data"
        if not data.exists():
            await self._initdb(home, data)
        options = [part for item in self._settings.items() for part in ("-c", "=".join(item))]
        process = Process(
            "postgres",
            [str(home.binaries / "postgres"), "-D", str(data), *options],
            log=self._log,
            cwd=Path("/"),
            user=home.user,
            # "Fast": sessions are ended, what is committed is written.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            grace=30.0,
        )
        self._pid_file = data / "postmaster.pid"
        await self._launch(process)

    def erase(self) -> None:
        """Remove the data of a server that is stopped."""
        postgres_home.erase_data(self.folder)

    async def _initdb(self, home: postgres_home.Home, data: Path) -> None:
        # Created under another name, so that the rest of an interrupted initdb is not taken for data.
        draft = home.folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        password = home.folder / "password"
        write_private(password, self._password.encode())
        if home.user is not None:
            shutil.chown(password, home.user.uid, home.user.gid)
        initdb = Process(
            "initdb",
            [
                str(home.binaries / "initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                *([] if self._fsync else ["--no-sync"]),
            ],
            log=self._log,
            cwd=Path("/"),
            user=home.user,
        )
        try:
            await initdb.start()
            if await initdb.wait() != 0:
                raise initdb.failure("could not make a database cluster")
        finally:
            await initdb.stop()
            password.unlink()
        draft.rename(data)

    async def _ready(self, process: Process) -> None:
        async def is_ready() -> bool:
            # The server writes its state into this file; trying to connect would fill its log with refusals.
            return _is_ready(self._pid_file, process.pid)

        await process.wait_until(is_ready, within=READY_WITHIN)
        await self._ensure_database()

    async def _ensure_database(self) -> None:
        try:
            connection = await asyncpg.connect(self.dsn(database="postgres"))
        except asyncpg.InvalidPasswordError as error:
            raise StartFailedError(
                f"the data in {self._pid_file.parent} have another password: they are of a folder that was removed"
                " without `make clean`. Run `make clean`, which erases them, and start again"
            ) from error
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", self.database):
                await connection.execute(f'CREATE DATABASE "{self.database}"')
        finally:
            await connection.close()


def _is_ready(pid_file: Path, pid: int) -> bool:
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
