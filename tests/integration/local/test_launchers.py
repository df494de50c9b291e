"""The launchers with their real servers."""

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import nats
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamSource
from unora_local import ports, postgres_home
from unora_local.nats import Nats
from unora_local.nats_config import ADMIN, consumer
from unora_local.postgres import Postgres
from unora_local.seaweed import PORTS, Seaweed
from unora_testing.deadlines import GENEROUS

NO_ANSWER = 0.15
"""Seconds after which a request that NATS refuses counts as unanswered."""
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


async def _refused(action: Awaitable[Any]) -> None:
    with pytest.raises(NatsTimeoutError):
        await action


async def _user(server: Nats, name: str, account: str | None = None) -> Client:
    async def quiet(_: Exception) -> None:
        """A refusal also shows as a time-out."""

    return await nats.connect(
        server.url(name, account), inbox_prefix=f"_INBOX.{name}", error_cb=quiet, connect_timeout=GENEROUS
    )


def _streams(client: Client) -> JetStreamContext:
    return client.jetstream(timeout=GENEROUS)


async def test_nats_restricts_each_context_to_its_subjects(tmp_path: Path) -> None:
    """MA-10: a context without the permission cannot read an interest in any way."""
    server = Nats(
        tmp_path / "nats",
        port=ports.free()[0],
        passwords=dict.fromkeys(USERS, "secret"),
        reads={"discovery": [SENT], "streak": [FORMED]},
        log=tmp_path / "nats.log",
    )
    async with server:
        matching, streak = await _user(server, "matching"), await _user(server, "streak")
        discovery, admin = await _user(server, "discovery"), await _user(server, ADMIN)
        for subject in (SENT, FORMED):
            await _streams(matching).publish(subject, subject.encode())
        for reader, name, subject in ((streak, "streak", FORMED), (discovery, "discovery", SENT)):
            js, durable = _streams(reader), consumer(name, subject)
            config = ConsumerConfig(name=durable, durable_name=durable, filter_subject=subject)
            await js.add_consumer("unora_matching", config)
            pull = await js.pull_subscribe_bind(durable, "unora_matching")
            (message,) = await pull.fetch(1, timeout=GENEROUS)
            assert message.data == subject.encode()
            await message.ack_sync(GENEROUS)

        js = streak.jetstream(timeout=NO_ANSWER)
        other = consumer("discovery", SENT)
        nosy = ConsumerConfig(name="streak__nosy", filter_subject=SENT)
        disguised = ConsumerConfig(name=consumer("streak", FORMED), filter_subject=SENT)
        await asyncio.gather(
            _refused(js.add_consumer("unora_matching", nosy)),
            _refused(js.add_consumer("unora_matching", disguised)),
            _refused(js.add_consumer("unora_matching", ConsumerConfig(durable_name="streak__old"))),
            _refused((await js.pull_subscribe_bind(other, "unora_matching")).fetch(1, timeout=NO_ANSWER)),
            _refused(js.get_msg("unora_matching", 1)),
            _refused(js.publish(SENT, b"forged")),
            _refused(js.add_stream(name="unora_streak", sources=[StreamSource(name="unora_matching")])),
            _refused(js.update_stream(name="unora_streak", sources=[StreamSource(name="unora_matching")])),
            _refused((await streak.subscribe(SENT)).next_msg(NO_ANSWER)),
            _refused((await streak.subscribe("_INBOX.discovery.>")).next_msg(NO_ANSWER)),
            _streams(matching).publish(SENT, b"again"),
        )

        # The allowed subject, with another filter in the request's body.
        allowed = consumer("streak", FORMED)
        request = {"stream_name": "unora_matching", "config": {"name": allowed, "filter_subject": SENT}}
        answer = await streak.request(
            f"$JS.API.CONSUMER.CREATE.unora_matching.{allowed}.{FORMED}", json.dumps(request).encode(), GENEROUS
        )
        assert json.loads(answer.data)["error"]["err_code"] == 10131

        await _streams(streak).publish(f"dead.streak.{allowed}", b"failed")
        replay = f"{allowed}__replay"
        config = ConsumerConfig(name=replay, durable_name=replay, filter_subject=f"dead.streak.{allowed}")
        await _streams(streak).add_consumer("dead_letters", config)
        (failed,) = await (await _streams(streak).pull_subscribe_bind(replay, "dead_letters")).fetch(
            1, timeout=GENEROUS
        )
        await failed.ack_sync(GENEROUS)
        assert (await _streams(admin).stream_info("dead_letters")).state.messages == 1
        ping = await streak.subscribe("wake.streak")
        await streak.publish("wake.streak", b"")
        await ping.next_msg(GENEROUS)
        for connection in (matching, streak, discovery, admin):
            await connection.close()
    async with server:
        admin = await _user(server, ADMIN)
        assert (await _streams(admin).stream_info("unora_matching")).state.messages == 3
        await admin.close()


async def test_nats_accounts_are_separate(tmp_path: Path) -> None:
    server = Nats(
        tmp_path / "nats",
        port=ports.free()[0],
        passwords=dict.fromkeys(USERS, "secret"),
        reads={},
        log=tmp_path / "nats.log",
        accounts=("w0", "w1"),
    )
    async with server:
        first, second = await _user(server, "streak", "w0"), await _user(server, "streak", "w1")
        await _streams(first).publish("unora.streak.v1.x", b"")
        counts = [(await _streams(c).stream_info("unora_streak")).state.messages for c in (first, second)]
        assert counts == [1, 0]
        await first.close()
        await second.close()


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
