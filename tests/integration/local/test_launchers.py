"""The launchers with their real servers."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from nats.aio.client import Client
from nats.js import JetStreamContext
from unora_common.streams import replay_of
from unora_local import ports, postgres_home, tls
from unora_local.nats import Nats
from unora_local.nats_config import ADMIN
from unora_local.postgres import Postgres
from unora_local.process import StartFailedError
from unora_local.seaweed import PORTS, Seaweed
from unora_sdk.names import durable
from unora_sdk.nats_client import connect
from unora_testing.deadlines import GENEROUS

USERS = ("discovery", "matching", "streak", ADMIN)
SENT, FORMED = "unora.matching.v1.interest_sent", "unora.matching.v1.connection_formed"


async def test_postgres_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "pg", port=ports.free()[0], password="secret", log=tmp_path / "pg.log", fsync=False)
    try:
        async with server:
            connection = await asyncpg.connect(server.dsn())
            await connection.execute("CREATE TABLE kept AS SELECT 'zürich' AS word")
            await connection.close()
        async with server:
            connection = await asyncpg.connect(server.dsn())
            assert await connection.fetchval("SELECT upper(word) FROM kept") == "ZÜRICH"
            await connection.close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(server.dsn(password="wrong"))
        assert server.process is not None
        assert not server.process.running
    finally:
        server.erase()
    assert not (tmp_path / "pg").exists()


async def test_data_of_a_folder_that_was_removed_are_told_as_such(tmp_path: Path) -> None:
    folder, log, port = tmp_path / "pg", tmp_path / "pg.log", ports.free()[0]
    try:
        async with Postgres(folder, port=port, password="old", log=log, fsync=False):
            pass
        with pytest.raises(StartFailedError, match="make clean"):
            async with Postgres(folder, port=port, password="new", log=log, fsync=False):
                pass
    finally:
        Postgres(folder, port=port, password="new", log=log, fsync=False).erase()


async def test_postgres_runs_for_a_folder_that_other_users_cannot_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "pg", port=ports.free()[0], password="secret", log=tmp_path / "pg.log", fsync=False)
    try:
        async with server:
            connection = await asyncpg.connect(server.dsn())
            assert await connection.fetchval("SELECT current_user") == "postgres"
            await connection.close()
    finally:
        server.erase()
    assert not postgres_home.outside(closed / "pg").exists()


def _nats(folder: Path, **options: Any) -> Nats:
    return Nats(
        folder / "nats",
        port=ports.free()[0],
        passwords=dict.fromkeys(USERS, "secret"),
        certificates=tls.ensure(folder / "tls", [*USERS, *tls.NATS]),
        log=folder / "nats.log",
        **options,
    )


async def _user(server: Nats, folder: Path, name: str, account: str | None = None) -> Client:
    own = tls.ensure(folder / "tls", [*USERS, *tls.NATS])["streams" if name == ADMIN else name]
    return await connect(server.url(name, account), own.ca, own.cert, own.key, inbox_prefix=f"_INBOX.{name}".encode())


def _streams(client: Client) -> JetStreamContext:
    return client.jetstream(timeout=GENEROUS)


async def test_nats_delivers_to_each_context_what_it_reads_and_keeps_it_over_a_restart(tmp_path: Path) -> None:
    """What a context cannot do is in tests/integration/common/test_nats_permissions.py."""
    server = _nats(tmp_path, reads={"discovery": [SENT], "streak": [FORMED]})
    async with server:
        matching, streak = await _user(server, tmp_path, "matching"), await _user(server, tmp_path, "streak")
        discovery = await _user(server, tmp_path, "discovery")
        for subject in (SENT, FORMED):
            await _streams(matching).publish(subject, subject.encode())
        for reader, name, subject in ((streak, "streak", FORMED), (discovery, "discovery", SENT)):
            pull = await _streams(reader).pull_subscribe_bind(durable(name, subject), "unora_matching")
            (message,) = await pull.fetch(1, timeout=GENEROUS)
            assert message.data == subject.encode()
            await message.ack_sync(GENEROUS)
        name = durable("streak", FORMED)
        await _streams(streak).publish(f"dead.streak.{name}", b"failed")
        letters = await _streams(streak).pull_subscribe_bind(replay_of(name), "dead_letters")
        (failed,) = await letters.fetch(1, timeout=GENEROUS)
        await failed.ack_sync(GENEROUS)
        for connection in (matching, streak, discovery):
            await connection.close()
    async with server:
        admin = await _user(server, tmp_path, ADMIN)
        assert (await _streams(admin).stream_info("unora_matching")).state.messages == 2
        info = await _streams(admin).consumer_info("unora_matching", durable("streak", FORMED))
        assert (info.num_pending, info.num_ack_pending) == (0, 0)
        await admin.close()


async def test_nats_accounts_are_separate(tmp_path: Path) -> None:
    server = _nats(tmp_path, reads={}, accounts=("w0", "w1"))
    async with server:
        streak = await _user(server, tmp_path, "streak", "w0")
        await _streams(streak).publish("unora.streak.v1.x", b"")
        admins = [await _user(server, tmp_path, ADMIN, worker) for worker in ("w0", "w1")]
        counts = [(await _streams(each).stream_info("unora_streak")).state.messages for each in admins]
        assert counts == [1, 0]
        for connection in (streak, *admins):
            await connection.close()


async def test_seaweed_is_an_s3_with_its_bucket(tmp_path: Path) -> None:
    server = Seaweed(
        tmp_path / "s3",
        ports=dict(zip(PORTS, ports.free(len(PORTS)), strict=True)),
        access_key="unora",
        secret_key="secret-of-the-test",
        log=tmp_path / "s3.log",
    )

    def client(secret: str) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=server.access_key,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    async with server:
        good = client(server.secret_key)
        await asyncio.to_thread(good.put_object, Bucket="photos", Key="a/b", Body=b"picture")
        with pytest.raises(ClientError):
            await asyncio.to_thread(client("wrong").get_object, Bucket="photos", Key="a/b")
    async with server:
        kept = await asyncio.to_thread(good.get_object, Bucket="photos", Key="a/b")
        assert kept["Body"].read() == b"picture"
