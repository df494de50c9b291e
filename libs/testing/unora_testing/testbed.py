"""The servers under a test run: one Postgres (fsync off) with a migrated template, one NATS with an account per worker,
one S3. The first process of the run starts them; workers find them by the environment and clone their own databases.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
from unora_common import declarations, migrations, provision
from unora_common.config import CONTEXTS
from unora_local import ports, postgres_home, tls
from unora_local.nats import Nats
from unora_local.nats_config import ADMIN, user_name
from unora_local.postgres import Postgres
from unora_local.seaweed import PORTS, Seaweed
from unora_local.tls import CALLERS
from unora_sdk.names import inbox
from unora_sdk.nats_client import NatsClient, connect

from unora_testing import split
from unora_testing.deadlines import GENEROUS
from unora_testing.pgbouncer import Pgbouncer

VARIABLE: Final = "UNORA_TESTBED"
TEMPLATE: Final = "unora_template"
EXTERNAL_POSTGRES: Final = "UNORA_TEST_POSTGRES_URL"
"""Names another Postgres (a superuser's address) to run the tests on."""
SPLIT: Final = "UNORA_TEST_SPLIT"
"""`streak` puts the schema of streak on a second Postgres."""
POOLER: Final = "UNORA_TEST_POOLER"
"""`pgbouncer` puts one between the services and Postgres, if it is installed."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder made in it has a random name
NEEDED_SPACE: Final = 1 << 30
"""Bytes; a whole run takes a third of it."""


@dataclass(frozen=True)
class Testbed:
    """The addresses of the servers of this run."""

    __test__ = False  # pytest should not take it for a test

    folder: str
    postgres: str
    """The superuser's address, without a database."""
    nats_port: int
    s3: str
    secret: str
    """The password of every role, user and key of this run."""
    streak_postgres: str = ""
    """The superuser's address of a second server, if streak's schema is there."""
    pooler: str = ""
    """The host and port of a pooler before the first server, through which services go; empty if they go directly."""

    def dsn(self, database: str, role: str = "") -> str:
        """The address of a database, for the superuser or for a role."""
        if not role:
            return f"{self.postgres}/{database}"
        return f"postgresql://{role}:{self.secret}@{self.server_of(role).rpartition('@')[2]}/{database}"

    def pooled_dsn(self, database: str, role: str) -> str:
        """The address of a database through the pooler."""
        return f"postgresql://{role}:{self.secret}@{self.pooler}/{database}"

    def server_of(self, role: str) -> str:
        """The superuser's address of the server that has the schema of a role."""
        return self.streak_postgres if self.streak_postgres and role.startswith("unora_streak") else self.postgres

    def nats(self, user: str, account: str) -> str:
        """The address of NATS for a context, or for `admin`, in a worker's account."""
        return f"tls://{user_name(user, account)}:{self.secret}@127.0.0.1:{self.nats_port}"

    def certificates(self) -> dict[str, tls.Certificate]:
        """The certificates of this run."""
        return _certificates(Path(self.folder))

    async def admin(self, account: str) -> NatsClient:
        """A connection to NATS as the administrator of a worker's account."""
        return await self._connect(ADMIN, account, "streams")

    async def user(self, context: str, account: str, refusals: list[str]) -> NatsClient:
        """A connection to NATS as a context, with all that it may do. What the server refuses goes into `refusals`."""

        async def note(error: Exception) -> None:
            refusals.append(str(error).lower())

        return await self._connect(context, account, context, inbox_prefix=inbox(context).encode(), error_cb=note)

    async def _connect(self, user: str, account: str, certificate: str, **options: Any) -> NatsClient:
        own = self.certificates()[certificate]
        url = self.nats(user, account)
        return await connect(url, own.ca, own.cert, own.key, connect_timeout=GENEROUS, **options)

    def announce(self) -> None:
        """Put it into the environment, where processes started from here find it."""
        os.environ[VARIABLE] = msgspec.json.encode(asdict(self)).decode()

    @classmethod
    def find(cls) -> Testbed:
        """The testbed of this run, from the environment."""
        return msgspec.json.decode(os.environ[VARIABLE], type=cls)

    async def clone(self, database: str) -> None:
        """Create a fresh database from the migrated template: some 30 ms in memory, half a second on a disk."""
        for server in filter(None, (self.postgres, self.streak_postgres)):
            connection = await asyncpg.connect(f"{server}/postgres")
            try:
                await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
                await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{TEMPLATE}"')
            finally:
                await connection.close()
        if self.streak_postgres:
            await split.show_streak(self.dsn(database), f"{self.streak_postgres}/{database}")


def _certificates(folder: Path) -> dict[str, tls.Certificate]:
    return tls.ensure(folder / "tls", [*CONTEXTS, *CALLERS, tls.FRONT, *tls.OUTSIDE, *tls.NATS, "stranger"])


def fast_folder() -> Path | None:
    """The folder in memory for the files of a test run; None if it has no room, or if TMPDIR names another."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > NEEDED_SPACE else None


class Servers:
    """Starts and stops the servers of a test run."""

    def __init__(self, accounts: Sequence[str], *, durable: bool = False) -> None:
        """With `durable`, Postgres writes as in production, into a folder on a disk."""
        self._durable = durable
        self._temporary = tempfile.TemporaryDirectory(
            prefix="unora-test-", dir=None if durable else fast_folder(), ignore_cleanup_errors=True
        )
        self._folder = Path(self._temporary.name)
        postgres_home.let_through(self._folder)  # else Postgres would have to keep its data elsewhere
        self._accounts = accounts
        self._secret = secrets.token_hex(16)
        self._postgres: Postgres | None = None
        self._nats: Nats | None = None
        self._seaweed: Seaweed | None = None
        self._more: list[Postgres | Pgbouncer] = []

    async def start(self) -> Testbed:
        """Start all servers together and migrate the template."""
        free = ports.free(2 + len(PORTS))
        self._nats = Nats(
            self._folder / "nats",
            port=free[0],
            passwords=dict.fromkeys([*CONTEXTS, ADMIN], self._secret),
            reads=declarations.consumed_subjects(CONTEXTS),
            certificates=_certificates(self._folder),  # made here, so that workers do not make them at the same time
            log=self._folder / "nats.log",
            accounts=self._accounts,
        )
        self._seaweed = Seaweed(
            self._folder / "s3",
            ports=dict(zip(PORTS, free[2:], strict=True)),
            access_key="unora-test",
            secret_key=self._secret,
            log=self._folder / "s3.log",
        )
        postgres, _, _ = await asyncio.gather(self._database(free[1]), self._nats.start(), self._seaweed.start())
        testbed = Testbed(str(self._folder), postgres, free[0], self._seaweed.endpoint, self._secret)
        if os.environ.get(SPLIT) == "streak":
            testbed = replace(testbed, streak_postgres=await self._second())
        if os.environ.get(POOLER) == "pgbouncer":
            testbed = replace(testbed, pooler=await self._pooler(postgres))
        await self._template(testbed)
        testbed.announce()
        return testbed

    async def stop(self) -> None:
        """Stop all and remove their data."""
        for server in (*self._more, self._seaweed, self._nats, self._postgres):
            if server is not None:
                await server.stop()
        for server in (*self._more, self._postgres):
            if server is not None:
                server.erase()
        self._temporary.cleanup()

    async def _database(self, port: int) -> str:
        given = os.environ.get(EXTERNAL_POSTGRES, "")
        if given:
            return given.rpartition("/")[0]
        self._postgres = Postgres(
            self._folder / "postgres",
            port=port,
            password=self._secret,
            log=self._folder / "postgres.log",
            fsync=self._durable,
        )
        await self._postgres.start()
        return self._postgres.dsn().rpartition("/")[0]

    async def _second(self) -> str:
        server = Postgres(
            self._folder / "postgres2",
            port=ports.free()[0],
            password=self._secret,
            log=self._folder / "postgres2.log",
            fsync=False,
        )
        self._more.append(server)
        await server.start()
        return server.dsn().rpartition("/")[0]

    async def _pooler(self, postgres: str) -> str:
        passwords = dict.fromkeys(provision.role_names(CONTEXTS), self._secret)
        pooler = Pgbouncer(self._folder / "pgbouncer", to=postgres.rpartition("@")[2], passwords=passwords)
        self._more.insert(0, pooler)
        await pooler.start()
        return pooler.address

    async def _template(self, testbed: Testbed) -> None:
        await make_template(testbed.postgres, CONTEXTS, self._secret)
        if testbed.streak_postgres:
            await make_template(testbed.streak_postgres, ("streak",), self._secret)


async def make_template(server: str, contexts: Sequence[str], secret: str) -> None:
    """Makes the migrated database that is cloned for each world. `server` is a superuser's address,
    `secret` the password of all roles.
    """
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{TEMPLATE}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{TEMPLATE}"')
    finally:
        await connection.close()
    roles = dict.fromkeys(provision.role_names(contexts), secret)
    await provision.prepare(f"{server}/{TEMPLATE}", roles, movable_clock=True)
    for context in contexts:
        owner = f"postgresql://unora_{context}_owner:{secret}@{server.rpartition('@')[2]}/{TEMPLATE}"
        await asyncio.to_thread(migrations.upgrade, context, owner)
