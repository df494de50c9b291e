"""Base backups and the WAL archive of a Postgres, and a restore from them to a moment.

The commands and settings are those of docs/backup.md.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
from unora_local import postgres_home
from unora_local.postgres import SUPERUSER, Postgres
from unora_local.process import Process, inherited_environment

ARCHIVE_TIMEOUT: Final = 10
"""Seconds after which a segment of WAL that is not full is archived all the same. This is what a lost region loses."""
ARCHIVED_WITHIN: Final = 60.0
# A file appears whole or not at all, and none is ever replaced.
ARCHIVE: Final = (
    "test ! -f {folder}/%f.gz && gzip -1 < %p > {folder}/%f.part && sync {folder}/%f.part"
    " && mv {folder}/%f.part {folder}/%f.gz"
)
FETCH: Final = "gunzip < {folder}/%f.gz > %p"
RECOVERY: Final = """
restore_command = '{fetch}'
recovery_target_time = '{moment}'
recovery_target_action = 'promote'
"""


class Backup:
    """The backups of one server, in a folder of the server's user."""

    def __init__(self, postgres: Postgres, folder: Path, log: Path) -> None:
        self._postgres = postgres
        self._given = folder
        self._log = log
        self._home = postgres_home.prepare(folder)
        self._archive = self._home.folder / "wal"
        self._bases = 0

    @property
    def base(self) -> Path:
        """The latest base backup."""
        return self._home.folder / f"base-{self._bases}"

    async def switch_on(self) -> None:
        """Set the archive; it takes a restart of the server."""
        self._make(self._archive)
        settings = {
            "archive_mode": "on",
            "archive_command": ARCHIVE.format(folder=self._archive),
            "archive_timeout": f"{ARCHIVE_TIMEOUT}s",
        }
        connection = await asyncpg.connect(self._postgres.dsn())
        for name, value in settings.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        await connection.close()

    async def take(self) -> None:
        """Make a base backup, and check it against its manifest."""
        self._bases += 1
        await self._run(
            "pg_basebackup",
            "--host=127.0.0.1",
            f"--port={self._postgres.port}",
            f"--username={SUPERUSER}",
            f"--pgdata={self.base}",
            "--checkpoint=fast",
            "--wal-method=stream",
        )
        await self._run("pg_verifybackup", "--quiet", str(self.base))

    async def catch_up(self) -> None:
        """Archive what is written until now: possible as long as the server lives."""
        connection = await asyncpg.connect(self._postgres.dsn())
        last = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
        await connection.close()
        async with asyncio.timeout(ARCHIVED_WITHIN):
            while not (self._archive / f"{last}.gz").exists():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.1)

    def copy(self, source: Backup) -> None:
        """Take over the backups of another server, as from a place that outlives its region."""
        self._bases = source._bases
        for each in (source.base, source._archive):
            shutil.copytree(each, self._home.folder / each.name)
        self._own(self._home.folder)

    async def restore(self, moment: datetime | None = None) -> Path:
        """Put the latest base backup into the place of the server's data, to be recovered at its next start: to a
        moment, or as far as the archive goes. Returns where the data that were there are kept. The server is stopped.
        """
        home = postgres_home.prepare(self._postgres.folder)
        data, lost = home.folder / "data", home.folder / "data.lost"
        shutil.rmtree(lost, ignore_errors=True)
        if data.exists():
            data.rename(lost)
        await asyncio.to_thread(shutil.copytree, self.base, data)
        fetch = FETCH.format(folder=self._archive)
        with (data / "postgresql.auto.conf").open("a") as settings:
            settings.write(RECOVERY.format(fetch=fetch, moment=moment.isoformat() if moment else ""))
        (data / "recovery.signal").touch()
        self._own(data)
        data.chmod(0o700)
        return lost

    def sizes(self) -> str:
        """How large the latest base backup and the archive are."""
        segments = list(self._archive.glob("*.gz"))
        base, wal = _bytes(self.base.rglob("*")), _bytes(segments)
        return f"base backup {base / 2**20:.0f} MB, {len(segments)} segments of WAL {wal / 2**20:.1f} MB"

    def erase(self) -> None:
        """Remove all of it."""
        postgres_home.erase_data(self._given)

    def _make(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._own(folder)

    def _own(self, folder: Path) -> None:
        """Give a folder and all in it to the server's user."""
        user = self._home.user
        if user is not None:
            for each in (folder, *folder.rglob("*")):
                shutil.chown(each, user.uid, user.gid)

    async def _run(self, program: str, *words: str) -> None:
        command = [str(self._home.binaries / program), *words]
        secret = {"PGPASSWORD": urlsplit(self._postgres.dsn()).password or ""}
        variables = inherited_environment() | secret
        process = Process(program, command, log=self._log, env=variables, cwd=Path("/"), user=self._home.user)
        await process.start()
        try:
            if await process.wait() != 0:
                raise process.failure("failed")
        finally:
            await process.stop()


def _bytes(files: Iterable[Path]) -> int:
    return sum(each.stat().st_size for each in files if each.is_file())
