"""The commands that prepare Postgres and NATS in compose and Kubernetes, where no supervisor does it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from nats.js.errors import APIError
from unora_common import provision, stream_settings, streams
from unora_common.cli import main as run
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects, load_service
from unora_sdk.names import stream
from unora_testing.deadlines import GENEROUS
from unora_tools.events.asyncapi import FILE

from tests.integration.common.bare_world import BareWorld

DATABASE = "unora_platform"


@pytest.fixture
async def empty(bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[BareWorld]:
    """An empty database, and the passwords of the roles in files as a container gets them."""
    await bare_world.superuser.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
    await bare_world.superuser.execute(f'CREATE DATABASE "{DATABASE}"')
    monkeypatch.setenv("UNORA_DATABASE_URL", bare_world.testbed.dsn(DATABASE))
    for name in provision.role_names():
        (tmp_path / name).write_text(
            f"{bare_world.testbed.secret}\n"
        )  # the passwords in use: all tests of the run share the roles
    yield bare_world
    await bare_world.superuser.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')


@pytest.fixture
async def administrator(
    bare_world: BareWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> BareWorld:
    """The variables are those of the administrator of NATS, who has made all streams."""
    monkeypatch.setenv("UNORA_NATS_URL", bare_world.testbed.nats("admin", bare_world.worker))
    own = bare_world.certificates["streams"]
    for name, file in (("CA", own.ca), ("CERT", own.cert), ("KEY", own.key)):
        monkeypatch.setenv(f"UNORA_TLS_{name}", str(file))
    assert await asyncio.to_thread(streams.main, []) == 0
    capsys.readouterr()
    return bare_world


async def test_a_cluster_can_be_provisioned_again_and_each_context_migrates_as_its_owner(
    empty: BareWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert await asyncio.to_thread(provision.main, [str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    for context in CONTEXTS:
        address = tmp_path / f"{context}_url"
        address.write_text(empty.testbed.dsn(DATABASE, f"unora_{context}_owner") + "\n")
        monkeypatch.delenv("UNORA_DATABASE_URL", raising=False)
        monkeypatch.setenv("UNORA_DATABASE_URL_FILE", str(address))
        assert await asyncio.to_thread(run, load_service(context), ["migrate"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{context}: migrated" for context in CONTEXTS]

    connection = await asyncpg.connect(empty.testbed.dsn(DATABASE, "unora_streak"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM streak.outbox") == 0
        assert await connection.fetchval("SELECT abs(extract(epoch FROM clock.now() - clock_timestamp())) < 1")
    finally:
        await connection.close()


async def test_the_clock_of_production_has_no_offset(empty: BareWorld, tmp_path: Path) -> None:
    assert await asyncio.to_thread(provision.main, [str(tmp_path)]) == 0
    connection = await asyncpg.connect(empty.testbed.dsn(DATABASE))
    try:
        assert await connection.fetchval("SELECT to_regclass('clock.shift')") is None
    finally:
        await connection.close()


@pytest.mark.parametrize(("broken", "said"), [("missing", "cannot be read"), ("empty", "is empty")])
async def test_a_role_without_a_password_is_named_before_anything_is_created(
    empty: BareWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: str, said: str
) -> None:
    file = tmp_path / "unora_safety_owner"
    file.unlink()
    if broken == "empty":
        file.touch()
    assert await asyncio.to_thread(provision.main, [str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "unora_safety_owner" in error
    assert said in error
    connection = await asyncpg.connect(empty.testbed.dsn(DATABASE))
    try:
        assert await connection.fetchval("SELECT to_regnamespace('clock')") is None
    finally:
        await connection.close()


async def test_missing_streams_are_created_and_the_others_stay(
    administrator: BareWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = await administrator.admin()
    try:
        await admin.jetstream(timeout=GENEROUS).publish("unora.streak.v1.checked_in", b"kept")
        await admin.jetstream(timeout=GENEROUS).delete_stream("unora_matching")
        old = (await admin.jetstream(timeout=GENEROUS).stream_info("unora_streak")).config
        await admin.jetstream(timeout=GENEROUS).update_stream(
            old.evolve(max_msg_size=-1)
        )  # as before there was a limit
        assert await asyncio.to_thread(streams.main, []) == 0
        assert capsys.readouterr().out == "streams: made unora_matching\n"
        assert (await admin.jetstream(timeout=GENEROUS).stream_info("unora_streak")).state.messages == 1
        for context in CONTEXTS:
            found = await admin.jetstream(timeout=GENEROUS).stream_info(stream(context))
            assert found.config.subjects == [f"unora.{context}.>"]
            assert found.config.max_age == stream_settings.MAX_AGE.total_seconds()
            assert found.config.max_msg_size == stream_settings.MAX_EVENT
        reads = consumed_subjects(CONTEXTS)
        for each in [each for context in CONTEXTS for each in streams.durables(context, reads[context])]:
            consumer = (await admin.jetstream(timeout=GENEROUS).consumer_info(each.stream, each.name)).config
            assert (consumer.filter_subject, consumer.deliver_subject) == (None, None)
            assert consumer.filter_subjects == each.filters
            assert consumer.max_ack_pending == streams.MAX_ACK_PENDING
        assert (await admin.jetstream(timeout=GENEROUS).stream_info(stream_settings.DEAD_LETTERS)).config.max_age == 0
    finally:
        await admin.close()


async def test_a_full_stream_drops_its_oldest_events_and_takes_no_dead_letter(administrator: BareWorld) -> None:
    """The outbox still has the events; a dead letter is nowhere else, so it stays with its consumer."""
    megabyte, size = 2**20, 100_000
    assert await asyncio.to_thread(streams.main, ["--megabytes", "1", "--dead-letter-megabytes", "1"]) == 0
    admin = await administrator.admin()
    try:
        jetstream = admin.jetstream(timeout=GENEROUS)
        for number in range(15):
            await jetstream.publish("unora.streak.v1.checked_in", bytes([number]) * size)
        events = await jetstream.stream_info("unora_streak")
        assert events.config.max_bytes == megabyte
        assert 0 < events.state.bytes <= megabyte
        assert (await jetstream.get_msg("unora_streak", events.state.last_seq)).data == bytes([14]) * size
        assert events.state.first_seq > 1
        letters = [
            await asyncio.gather(jetstream.publish("dead.streak.x", bytes([number]) * size), return_exceptions=True)
            for number in range(15)
        ]
        assert not isinstance(letters[0][0], Exception)
        assert isinstance(letters[-1][0], APIError)
        assert letters[-1][0].description == "maximum bytes exceeded"
        kept = (await jetstream.stream_info(stream_settings.DEAD_LETTERS)).state
        first = await jetstream.get_msg(stream_settings.DEAD_LETTERS, kept.first_seq)
        assert first.data == bytes([0]) * size
    finally:
        await jetstream.purge_stream(stream_settings.DEAD_LETTERS)
        await admin.close()


@pytest.mark.parametrize("size", ["0", "-1", "much"])
def test_a_size_that_no_stream_can_have_is_refused(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        streams.main(["--megabytes", size])
    assert "--megabytes" in capsys.readouterr().err


async def test_the_consumers_of_a_subscriber_are_made_as_the_contract_says(
    administrator: BareWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--subscriber", "push", "streak.CheckedIn", "ConnectionFormed"]
    for _ in range(2):  # it may be repeated
        assert await asyncio.to_thread(streams.main, asked) == 0
        made = "unora_matching/push__connection_formed unora_streak/push__checked_in"
        assert capsys.readouterr().out == f"UNORA_NATS_CONSUMERS='{made}'\n"
    contract = json.loads(FILE.read_text())["operations"]["receive.streak.CheckedIn"]["x-jetstream"]
    admin = await administrator.admin()
    try:
        found = (await admin.jetstream(timeout=GENEROUS).consumer_info("unora_streak", "push__checked_in")).config
    finally:
        await admin.close()
    said = json.loads(json.dumps(contract).replace("<subscriber>", "push"))
    assert found.filter_subjects == said["filter_subjects"]
    assert (found.durable_name, found.max_ack_pending) == (said["durable"], said["max_ack_pending"])
    assert str(found.ack_policy) == said["ack_policy"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["CheckedIn"], "are named as --subscriber NAME EVENT…"),
        (["--subscriber", "push"], "are named as --subscriber NAME EVENT…"),
        (["--subscriber", "streak", "CheckedIn"], "streak is no name of a subscriber"),
        (["--subscriber", "Push__x", "CheckedIn"], "Push__x is no name of a subscriber"),
        (["--subscriber", "push", "CheckIn"], "CheckIn names no event; docs/events.md lists all"),
    ],
)
def test_a_subscriber_that_cannot_be_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert streams.main(words) == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(("main", "words"), [(provision.main, ["."]), (streams.main, [])])
def test_a_missing_variable_is_named(
    main: object, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("UNORA_DATABASE_URL", raising=False)
    monkeypatch.delenv("UNORA_NATS_URL", raising=False)
    assert callable(main)
    assert main(words) == 1
    assert "URL is not set" in capsys.readouterr().err
