"""Debian's Postgres with TLS, since the embedded one has none, set up as compose does it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import asyncpg
import pytest
from unora_local import ports, postgres_home
from unora_local.compose_files import ACCESS
from unora_local.process import Process
from unora_local.tls import Certificate
from unora_testing.deadlines import GENEROUS

SECRET: Final = "secret-of-the-test"
DATABASE: Final = "unora"
OTHER_HOST: Final = "127.0.0.2"
"""The same server, by an address that its certificate does not name."""


def binaries() -> Path:
    """The folder of the newest server that is installed. Skips the test if there is none."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    if not found:
        pytest.skip("no Postgres with TLS is installed (Debian: apt-get install postgresql)")
    return max(found, key=lambda folder: int(folder.parent.name))


class TlsPostgres:
    """A server that runs."""

    def __init__(self, port: int) -> None:
        self.port = port

    def address(self, role: str = "postgres", host: str = "127.0.0.1", **query: str) -> str:
        """An address; `query` is what follows it."""
        more = "&".join(f"{name}={value}" for name, value in query.items())
        return f"postgresql://{role}:{SECRET}@{host}:{self.port}/{DATABASE}?{more}"

    def verified(self, authority: Path, role: str = "postgres", host: str = "127.0.0.1") -> str:
        """An address as compose writes it."""
        return self.address(role, host, sslmode="verify-full", sslrootcert=str(authority))


@contextlib.asynccontextmanager
async def tls_postgres(certificate: Certificate, settings: Mapping[str, str]) -> AsyncIterator[TlsPostgres]:
    """A server with this certificate. `settings` are those of compose; its paths are replaced by those here."""
    server, port = binaries(), ports.free()[0]
    folder = Path(tempfile.mkdtemp(prefix="unora-tls-"))
    home = postgres_home.prepare(folder / "pg")
    data, files = home.folder / "data", home.folder / "files"
    try:
        files.mkdir(mode=0o700)
        _, cert, key = certificate.read()
        for name, content in {"password": SECRET.encode(), "cert.pem": cert, "key.pem": key}.items():
            (files / name).write_bytes(content)
            (files / name).chmod(0o600)
        # There is no socket, so the database is made over the network, too: by one line more.
        (files / "pg_hba.conf").write_text(f"{ACCESS}hostssl postgres postgres all scram-sha-256\n")
        if home.user is not None:
            for path in (files, *files.iterdir()):
                os.chown(path, home.user.uid, home.user.gid)
        initdb = [str(server / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=scram-sha-256"]
        initdb += [f"--pwfile={files / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        making = Process("initdb", initdb, folder / "initdb.log", cwd=Path("/"), user=home.user)
        await making.start()
        assert await making.wait() == 0, making.failure("failed")
        own = {name: str(files / Path(value).name) if "/" in value else value for name, value in settings.items()}
        own |= {"listen_addresses": f"127.0.0.1,{OTHER_HOST}", "port": str(port), "unix_socket_directories": ""}
        own |= {"fsync": "off"}
        options = [part for item in own.items() for part in ("-c", "=".join(item))]
        command = [str(server / "postgres"), "-D", str(data), *options]
        async with contextlib.AsyncExitStack() as stack:
            process = Process("postgres", command, folder / "postgres.log", cwd=Path("/"), user=home.user)
            await process.start()
            stack.push_async_callback(process.stop)
            made = TlsPostgres(port)

            async def is_ready() -> bool:
                with contextlib.suppress(OSError, asyncpg.CannotConnectNowError):
                    connection = await asyncpg.connect(made.address(sslmode="require"), database="postgres")
                    await connection.execute(f"CREATE DATABASE {DATABASE}")
                    await connection.close()
                    return True
                return False

            await process.wait_until(is_ready, within=GENEROUS)
            yield made
    finally:
        postgres_home.erase_data(folder / "pg")
        shutil.rmtree(folder, ignore_errors=True)
