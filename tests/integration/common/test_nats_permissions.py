"""What each context can do on the real server of NATS: its own, and nothing else (decision 0028)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_common.stream_settings import DEAD_LETTERS
from unora_common.streams import durables
from unora_sdk.names import durable, stream
from unora_sdk.nats_client import NatsClient
from unora_testing.deadlines import GENEROUS, within

from tests.integration.common.bare_world import BareWorld

READS = consumed_subjects(CONTEXTS)
STREAMS = (*map(stream, CONTEXTS), DEAD_LETTERS)
EVENT = "unora.{}.v1.something_happened"
AGAIN = "unora.{0}.again.push__something_happened.something_happened"
NAMES = "$JS.API.CONSUMER.NAMES.{}"
LETTER = "dead.{0}.{0}__something_happened"
CONSUMERS = {context: list(durables(context, READS[context])) for context in CONTEXTS}
REQUESTS = ("CONSUMER.INFO.{}.{}", "CONSUMER.MSG.NEXT.{}.{}")
"""What a context may ask about its own consumers."""
POWERS = (
    "CONSUMER.CREATE.{}.{}.{}",
    "CONSUMER.CREATE.{}.{}",
    "CONSUMER.DURABLE.CREATE.{}.{}",
    "CONSUMER.DELETE.{}.{}",
    "CONSUMER.PAUSE.{}.{}",
    "CONSUMER.RESET.{}.{}",
    "CONSUMER.UNPIN.{}.{}",
    "CONSUMER.LEADER.STEPDOWN.{}.{}",
)
"""What nobody but the administrator may do with a consumer."""
OVER_STREAMS = (
    "STREAM.CREATE.{}",
    "STREAM.UPDATE.{}",
    "STREAM.DELETE.{}",
    "STREAM.PURGE.{}",
    "STREAM.INFO.{}",
    "STREAM.SNAPSHOT.{}",
    "STREAM.RESTORE.{}",
    "STREAM.MSG.GET.{}",
    "STREAM.MSG.DELETE.{}",
    "STREAM.LEADER.STEPDOWN.{}",
    "DIRECT.GET.{}",
    "CONSUMER.CREATE.{}",
    "CONSUMER.NAMES.{}",
    "CONSUMER.LIST.{}",
)
ELSEWHERE = (
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.ACCOUNT.PURGE.unora",
    "$JS.API.META.LEADER.STEPDOWN",
    "$JS.API.SERVER.REMOVE",
    "$JS.FC.unora_matching.x.y",
    "$JS.EVENT.ADVISORY.API",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.USER.INFO",
    "_R_.abcdef",
    "unora.x",
    "dead.x",
    "anything",
)


def everything() -> set[str]:
    """Subjects of every kind, of every context."""
    found = set(ELSEWHERE)
    for context in CONTEXTS:
        found |= {EVENT.format(context), LETTER.format(context), f"wake.{context}", f"_INBOX.{context}.x"}
        found |= {AGAIN.format(context), f"unora.{context}.again.x", f"unora.{context}.again.x.y.z"}
        found |= {f"unora.{context}.v2.x", f"unora.{context}.x", f"unora.{context}.v1.x.y", f"dead.{context}.x.y"}
        for each in CONSUMERS[context]:
            found |= {f"$JS.API.{request.format(each.stream, each.name)}" for request in REQUESTS}
            found |= {f"$JS.API.{power.format(*each)}" for power in POWERS}
            found.add(f"$JS.ACK.{each.stream}.{each.name}.1.1.1.1.0")
    for name in STREAMS:
        found |= {f"$JS.API.{power.format(name)}" for power in OVER_STREAMS}
    return found


def own(context: str) -> set[str]:
    """The subjects on which a context may publish."""
    found = {EVENT.format(context), AGAIN.format(context), LETTER.format(context), f"wake.{context}"}
    found.add(NAMES.format(stream(context)))
    for each in CONSUMERS[context]:
        found |= {f"$JS.API.{request.format(each.stream, each.name)}" for request in REQUESTS}
        found.add(f"$JS.ACK.{each.stream}.{each.name}.1.1.1.1.0")
    return found


@pytest.fixture
async def admin(bare_world: BareWorld) -> AsyncIterator[NatsClient]:
    connection = await bare_world.admin()
    yield connection
    await connection.close()


async def ends(admin: NatsClient) -> dict[str, int]:
    """The last sequence number of each stream."""
    manager = admin.jetstream(timeout=GENEROUS)
    return {name: (await manager.stream_info(name)).state.last_seq or 0 for name in STREAMS}


async def letters(admin: NatsClient) -> set[str]:
    """The subjects that have dead letters."""
    found = (await admin.jetstream(timeout=GENEROUS).stream_info(DEAD_LETTERS, subjects_filter=">")).state.subjects
    return set(found or {})


@pytest.mark.rule("MA-10")
@pytest.mark.parametrize("context", CONTEXTS)
async def test_a_context_may_publish_on_its_own_subjects_and_no_others(
    bare_world: BareWorld, admin: NatsClient, context: str
) -> None:
    refusals: list[str] = []
    user = await bare_world.testbed.user(context, bare_world.worker, refusals)
    before, tried = await ends(admin), everything()
    for subject in sorted(tried):
        await user.publish(subject, b"{}")
    await within(user.flush())
    await user.close()
    refused = {text.partition('publish to "')[2].rstrip('"') for text in refusals if "publish to" in text}
    may = own(context)
    assert may < tried
    assert refused == {subject.lower() for subject in tried - may}
    after = await ends(admin)
    assert {name for name in STREAMS if after[name] != before[name]} == {stream(context), DEAD_LETTERS}
    assert await letters(admin) == {LETTER.format(context)}


@pytest.mark.rule("MA-10")
@pytest.mark.parametrize("context", CONTEXTS)
async def test_a_context_may_listen_to_its_own_answers_and_wake_ups_only(bare_world: BareWorld, context: str) -> None:
    refusals: list[str] = []
    user = await bare_world.testbed.user(context, bare_world.worker, refusals)
    wild = (">", "*.>", "$JS.>", "$JS.EVENT.ADVISORY.>", "$SYS.>", "_INBOX.>", "_R_.>", "unora.>", "dead.>", "wake.*")
    others = [subject for subject in (*everything(), *wild) if subject != f"wake.{context}"]
    tried = [subject for subject in others if not subject.startswith(f"_INBOX.{context}.")]
    for subject in tried:
        await user.subscribe(subject)
    await within(user.flush())
    await user.close()
    assert len([text for text in refusals if "violation for subscription" in text]) == len(tried)


def led(user: str, victim: str) -> list[str]:
    """Where a context might want to have an answer: into another's stream, its dead letters, its inbox."""
    consumer = durable(victim, sorted(READS[victim])[0])
    assert user != victim
    return [EVENT.format(victim), f"dead.{victim}.{consumer}", f"_INBOX.{victim}.1", f"wake.{victim}"]


@pytest.mark.rule("MA-10")
@pytest.mark.parametrize("context", CONTEXTS)
async def test_no_answer_of_the_server_gets_into_the_stream_of_another_context(
    bare_world: BareWorld, admin: NatsClient, context: str
) -> None:
    """Acknowledgements of a publication, answers about a consumer, deliveries of a message with chosen content, and the
    next message that an acknowledgement asks for; also the server's traces of a message.
    """
    refusals: list[str] = []
    user = await bare_world.testbed.user(context, bare_world.worker, refusals)
    victims = [each for each in CONTEXTS if each != context]
    forged = {"ce-id": "0", "unora-subject": EVENT.format(victims[0])}
    for each in CONSUMERS[context]:
        if each.stream == DEAD_LETTERS:
            await user.publish(each.subject, b"chosen content", headers=forged)
    heard = [await _listen(bare_world, victim) for victim in victims]
    before = await ends(admin)
    for to in [to for victim in victims for to in led(context, victim)]:
        for subject in own(context):
            body = b"+NXT" if subject.startswith("$JS.ACK") else b'{"batch":3,"no_wait":true}'
            await user.publish(subject, body, reply=to)
            await user.publish(subject, body, headers={"Nats-Trace-Dest": to})
    await within(user.flush())
    await user.close()
    after = await ends(admin)
    assert {name for name in STREAMS if after[name] != before[name]} == {stream(context), DEAD_LETTERS}
    assert {subject.split(".")[1] for subject in await letters(admin)} == {context}
    for connection, messages in heard:
        await within(connection.flush())
        await connection.close()
        assert messages == []


async def _listen(bare_world: BareWorld, victim: str) -> tuple[NatsClient, list[Any]]:
    """A replica of another context, with all that it hears."""
    connection, heard = await bare_world.testbed.user(victim, bare_world.worker, []), list[Any]()

    async def hear(message: Any) -> None:
        heard.append(message)

    for subject in (f"_INBOX.{victim}.>", f"wake.{victim}"):
        await connection.subscribe(subject, cb=hear)
    await within(connection.flush())
    return connection, heard


async def test_a_context_hears_its_replicas_and_the_answers_to_its_requests(bare_world: BareWorld) -> None:
    one = await bare_world.testbed.user("streak", bare_world.worker, [])
    two, heard = await _listen(bare_world, "streak")
    await one.publish("wake.streak", b"")
    await within(one.flush())
    await within(two.flush())
    assert [message.subject for message in heard] == ["wake.streak"]
    stored = await one.jetstream(timeout=GENEROUS).publish(EVENT.format("streak"), b"x")
    assert stored.stream == stream("streak")
    await one.close()
    await two.close()
