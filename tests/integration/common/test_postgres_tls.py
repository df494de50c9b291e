"""Over the network a process speaks with Postgres only by TLS, and only with the server that it means."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import yaml
from unora_common import migrations, provision
from unora_common.cli import main as run
from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import CONTEXTS
from unora_common.database import Database
from unora_common.declarations import load_service
from unora_common.metrics import Metrics
from unora_common.timeouts import PRODUCTION
from unora_common.whole_files import write_whole
from unora_local import compose_files, tls
from unora_testing.mounted import Authority
from unora_testing.testbed import Testbed

from tests.integration.common.tls_postgres import OTHER_HOST, SECRET, TlsPostgres, tls_postgres

ROOT = Path(__file__).resolve().parents[3]


def settings_of_compose() -> dict[str, str]:
    """What docker-compose.yml says to Postgres."""
    command = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["postgres"]["command"]
    return dict(re.findall(r"-c (\w+)=(\S+)", command[-1]))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tls.Certificate]:
    """Of the authority of the server: one for 127.0.0.1, and that of compose."""
    return tls.ensure(tmp_path_factory.mktemp("tls"), ["server", tls.POSTGRES])


@pytest.fixture(scope="module")
async def server(certificates: dict[str, tls.Certificate]) -> AsyncIterator[TlsPostgres]:
    async with tls_postgres(certificates["server"], settings_of_compose()) as made:
        yield made


async def test_a_service_and_all_commands_work_over_a_verified_connection(
    server: TlsPostgres,
    certificates: dict[str, tls.Certificate],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    authority = certificates["server"].ca
    for name in provision.role_names():
        (tmp_path / name).write_text(SECRET)
    monkeypatch.setenv("UNORA_DATABASE_URL", server.verified(authority))
    assert await asyncio.to_thread(provision.main, [str(tmp_path)]) == 0
    for context in CONTEXTS:
        monkeypatch.setenv("UNORA_DATABASE_URL", server.verified(authority, f"unora_{context}_owner"))
        assert await asyncio.to_thread(run, load_service(context), ["migrate"]) == 0
    assert capsys.readouterr().err == ""
    address = server.verified(authority, "unora_streak")
    metrics = Metrics(COMMON_METRICS)
    database = await Database.open(
        address, "streak", connections=1, kept=0, timeouts=PRODUCTION, wake=lambda: None, metrics=metrics
    )
    async with database.session() as session:
        row = await session.row("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    await database.close()
    assert row is not None
    assert (row["ssl"], row["version"]) == (True, "TLSv1.3")


async def test_a_server_by_another_name_than_its_certificates_is_refused(
    server: TlsPostgres, certificates: dict[str, tls.Certificate]
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        await asyncpg.connect(server.verified(certificates["server"].ca, host=OTHER_HOST))


async def test_a_server_with_a_certificate_of_another_authority_is_refused(server: TlsPostgres, tmp_path: Path) -> None:
    other = tls.ensure(tmp_path, ["server"])["server"].ca
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate verify failed"):
        await asyncpg.connect(server.verified(other))
    with pytest.raises(OSError, match="certificate verify failed"):
        await asyncio.to_thread(migrations.upgrade, "streak", server.verified(other, "unora_streak_owner"))


async def test_a_new_authority_is_taken_at_the_next_connection(
    server: TlsPostgres, certificates: dict[str, tls.Certificate], tmp_path: Path
) -> None:
    """The pool of a process that runs: it needs no restart when the file is replaced."""
    other, file = Authority(tmp_path / "other"), tmp_path / "authority.pem"
    file.write_bytes(other.pem)
    database = await Database.open(
        server.verified(file),
        "streak",
        connections=1,
        kept=0,
        timeouts=PRODUCTION,
        wake=lambda: None,
        metrics=Metrics(COMMON_METRICS),
    )
    try:
        with pytest.raises(OSError, match="certificate verify failed"):
            await database.check()
        write_whole(file, other.pem + certificates["server"].ca.read_bytes())
        await database.check()
    finally:
        await database.close()


async def test_a_server_without_tls_is_refused(testbed: Testbed, certificates: dict[str, tls.Certificate]) -> None:
    """The embedded one has none: whoever answers in plain text gets neither name nor password."""
    verified = f"?sslmode=verify-full&sslrootcert={certificates['server'].ca}"
    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await asyncpg.connect(testbed.dsn("postgres") + verified)


async def test_the_server_of_compose_takes_no_plain_connection(server: TlsPostgres) -> None:
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"no pg_hba.conf entry .* no encryption"):
        await asyncpg.connect(server.address(sslmode="disable"))


def test_the_certificate_of_compose_names_the_host_that_its_clients_use(
    certificates: dict[str, tls.Certificate],
) -> None:
    own = certificates[tls.POSTGRES]
    host = compose_files.POSTGRES.partition(":")[0]
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(own.cert, own.key)
    for name, is_right in ((host, True), ("streak", False), ("postgres.unora.example", False)):
        calling = ssl.create_default_context(cafile=str(own.ca))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = calling.wrap_bio(incoming, outgoing, server_hostname=name)
        server = serving.wrap_bio(outgoing, incoming, server_side=True)
        assert _agree(client, server) is is_right, name


def _agree(client: ssl.SSLObject, server: ssl.SSLObject) -> bool:
    """Whether the client accepts the server."""
    for _ in range(4):
        for end in (client, server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True


def test_no_command_takes_an_address_elsewhere_without_verified_tls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("UNORA_DATABASE_URL", "postgresql://unora_streak:secret@postgres/unora?sslmode=require")
    assert run(load_service("streak"), ["migrate"]) == 2
    for name in provision.role_names():
        (tmp_path / name).write_text(SECRET)
    assert provision.main([str(tmp_path)]) == 1
    errors = capsys.readouterr().err
    assert errors.count("leads to postgres without TLS that checks the server") == 2
    assert "secret" not in errors
