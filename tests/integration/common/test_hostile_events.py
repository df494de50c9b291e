"""Any message that a publisher can make ends in few tries: it is applied, or stored with the reason. No message stops a
consumer, and none is taken for an event of another context (XX-02).
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed, InterestSent
from unora_common.app import App
from unora_common.consumers import MAX_ATTEMPTS
from unora_common.database import Tx
from unora_common.handlers import on, on_all
from unora_common.replay import Replay
from unora_common.runtime import Runtime
from unora_common.stream_settings import MAX_EVENT
from unora_sdk.deliveries import Envelope
from unora_sdk.names import subject_of
from unora_sdk.nats_client import NatsClient
from unora_testing.deadlines import GENEROUS, eventually, within

from tests.integration.common.bare_world import BareWorld, formed, headers_of, stream_messages

pytestmark = pytest.mark.rule("XX-02")

FORMED = subject_of(ConnectionFormed)
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Typed:
    """Takes one type of event."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime

    @on(ConnectionFormed)
    async def begin(self, event: ConnectionFormed, tx: Tx) -> None:
        await tx.run("INSERT INTO streak.probe (key) VALUES ($1)", event.connection_id)


class Everything:
    """Takes all events of matching, as the audit log does."""

    seen: ClassVar[list[Envelope]] = []

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        Everything.seen = []

    @on_all("matching")
    async def record(self, events: list[Envelope], tx: Tx) -> None:
        for event in events:
            await tx.run("INSERT INTO safety.probe (key) VALUES ($1)", event.event_id)
        Everything.seen += events


REFUSED = {"Nats-Expected-Last-Sequence": "1000000000"}


class Publisher:
    """The user of matching, who writes whatever bytes it likes."""

    def __init__(self, bare_world: BareWorld, client: NatsClient) -> None:
        self.bare_world = bare_world
        self.client = client

    async def send(self, subject: bytes, header: bytes | None, payload: bytes) -> None:
        """Publishes without any check of the library."""
        if header is None:
            command = b"PUB %s %d\r\n%s\r\n" % (subject, len(payload), payload)
        else:
            size = len(header) + len(payload)
            command = b"HPUB %s %d %d\r\n%s%s\r\n" % (subject, len(header), size, header, payload)
        await self.client._send_command(command)
        # The stream takes its messages in their order: its answer to one that it refuses says that it has taken this.
        await within(self.client.request("unora.matching.v1.fence", headers=REFUSED, timeout=GENEROUS))

    async def event(self, changes: dict[str, str | None], payload: bytes | None = None, subject: str = FORMED) -> None:
        """Publishes an event with other headers than a relay writes; None leaves one out. Returns when the consumers
        know of it.
        """
        event = formed()
        headers = {**headers_of(event), **changes}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
        body = event.SerializeToString() if payload is None else payload
        async with self.bare_world.counted("matching"):
            await self.send(subject.encode(), f"NATS/1.0\r\n{lines}\r\n".encode(), body)


@pytest.fixture
async def publisher(bare_world: BareWorld) -> Any:
    client = await bare_world.testbed.user("matching", bare_world.worker, [])
    yield Publisher(bare_world, client)
    await client.close()


async def nothing_waits(app: App[Any, Any]) -> None:
    """Requires that no message of the stream is left for the consumer."""
    (consumer,) = app.consumers
    pull, waits = await consumer._subscribed(), (-1, -1)  # a consumer for which nothing came was not stepped

    async def nothing() -> bool:  # NATS has acknowledgements a moment before it counts them
        nonlocal waits
        info = await pull.info()
        waits = (info.num_pending or 0, info.num_ack_pending or 0)
        return waits == (0, 0)

    try:
        await eventually(nothing, "nothing waits")
    except AssertionError as error:
        raise AssertionError(f"{error}; waiting and taken are {waits}") from None


async def reasons(bare_world: BareWorld) -> list[str]:
    return [letter.headers["unora-error"] for letter in await stream_messages(bare_world, "dead_letters")]


async def goes_on(bare_world: BareWorld, publisher: Publisher, schema: str = "streak") -> None:
    """Requires that the next event is applied."""
    before = len(await bare_world.keys(schema))
    await publisher.event({})
    await within(bare_world.drain())
    assert len(await bare_world.keys(schema)) == before + 1


MALFORMED: dict[str, tuple[dict[str, str | None], str]] = {
    "no id": ({"ce-id": None}, "id"),
    "an empty id": ({"ce-id": ""}, "id"),
    "an id that is no UUID": ({"ce-id": "1"}, "id"),
    "an id in another spelling": ({"ce-id": ID.upper()}, "id"),
    "an id in braces": ({"ce-id": f"{{{ID}}}"}, "id"),
    "an id with a surrogate": ({"ce-id": "\ufffd"}, "id"),
    "no source": ({"ce-source": None}, "source"),
    "the source of another context": ({"ce-source": "/unora/billing"}, "source"),
    "no type": ({"ce-type": None}, "type"),
    "the type of another event": ({"ce-type": "unora.matching.v1.interest_sent"}, "type"),
    "the type of another context": ({"ce-type": "unora.billing.v1.payment_succeeded"}, "type"),
    "no aggregate": ({"ce-subject": None}, "aggregate"),
    "an aggregate that is no UUID": ({"ce-subject": "x"}, "aggregate"),
    "another aggregate than its payload": ({"ce-subject": ID}, "aggregate"),
    "no time": ({"ce-time": None}, "time"),
    "a time that is none": ({"ce-time": "soon"}, "time"),
    "a time without a zone": ({"ce-time": "2026-03-01T12:00:00"}, "time"),
    "a time before all others": ({"ce-time": "0001-01-01T00:00:00+14:00"}, "time"),
    "a time after all others": ({"ce-time": "9999-12-31T23:59:59-14:00"}, "time"),
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_an_event_with_malformed_headers_ends_with_its_reason(
    bare_world: BareWorld, publisher: Publisher, what: str
) -> None:
    changes, reason = MALFORMED[what]
    app = await bare_world.open(consumers=[Typed])
    await publisher.event(changes)
    assert await app.consumers[0].step() == 1
    assert await bare_world.keys() == []
    assert await reasons(bare_world) == [f"not an event: {reason}"]
    labels = {"consumer": app.consumers[0].name, "reason": reason}
    assert app.metrics.registry.get_sample_value("unora_messages_refused_total", labels) == 1
    await nothing_waits(app)
    await goes_on(bare_world, publisher)


PAYLOADS = {
    "not a message": b"\xff\xff not a message",
    "cut short": formed().SerializeToString()[:-3],
    "empty": b"",
    "text that is no UTF-8": b"\x0a\x02\xff\xfe",
    "an id that is no UUID": ConnectionFormed(connection_id="x", version=1).SerializeToString(),
}


@pytest.mark.parametrize("what", PAYLOADS)
async def test_an_event_that_cannot_be_parsed_ends(bare_world: BareWorld, publisher: Publisher, what: str) -> None:
    app = await bare_world.open(consumers=[Typed])
    await publisher.event({}, PAYLOADS[what])
    assert await app.consumers[0].step() == 1
    assert await reasons(bare_world) == ["not an event: payload"]
    await nothing_waits(app)
    await goes_on(bare_world, publisher)


RAW: dict[str, tuple[bytes, bytes | None]] = {
    "no headers": (FORMED.encode(), None),
    "a header of one byte": (FORMED.encode(), b"x"),
    "headers without an end": (FORMED.encode(), b"NATS/1.0"),
    "headers that are none": (FORMED.encode(), b"GARBAGE\xff\x00\r\nfoo\r\n"),
    "the server's answer that there is nothing": (FORMED.encode(), b"NATS/1.0\r\nStatus: 404\r\n\r\n"),
    "the server's answer that nobody is there": (FORMED.encode(), b"NATS/1.0\r\nStatus: 503\r\n\r\n"),
    "the server's sign of life": (FORMED.encode(), b"NATS/1.0 100 Idle Heartbeat\r\n\r\n"),
    "the server's conflict": (FORMED.encode(), b"NATS/1.0 409 Consumer Deleted\r\n\r\n"),
    "a status that is no text": (FORMED.encode(), b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
    "a subject that is no text": (b"unora.matching.v1.\xff\xfe", b"NATS/1.0\r\nce-id: 1\r\n\r\n"),
    "a subject of no event": (b"unora.matching.v1.{x}", b"NATS/1.0\r\nce-id: 1\r\n\r\n"),
}


@pytest.mark.parametrize("what", RAW)
@pytest.mark.parametrize(("schema", "part"), [("streak", Typed), ("safety", Everything)])
async def test_no_bytes_stop_a_consumer(
    bare_world: BareWorld, publisher: Publisher, what: str, schema: str, part: type[Any]
) -> None:
    app = await bare_world.open(schema, consumers=[part])
    subject, header = RAW[what]
    await publisher.send(subject, header, b"" if what.startswith("the server's") else b"data")
    await within(bare_world.drain())
    delivered = 1 if schema == "safety" or subject == FORMED.encode() else 0
    assert len(await reasons(bare_world)) == delivered
    assert await bare_world.keys(schema) == []
    await nothing_waits(app)
    await goes_on(bare_world, publisher, schema)


@pytest.mark.parametrize(
    "header", ["Nats-Expected-Last-Subject-Sequence", "Nats-Expected-Last-Sequence", "Nats-Rollup", "Nats-TTL"]
)
async def test_a_header_that_commands_the_server_does_not_keep_a_message_out_of_the_dead_letters(
    bare_world: BareWorld, publisher: Publisher, header: str
) -> None:
    """It was obeyed once, by the stream of its publisher."""
    app = await bare_world.open(consumers=[Typed])
    for number in range(3):
        await publisher.event({"ce-id": f"{number}"})
    await within(bare_world.drain())
    accepted = {"Nats-Expected-Last-Subject-Sequence": "3", "Nats-Expected-Last-Sequence": "3"}
    await publisher.event({"ce-id": "not an id", header: accepted.get(header, "never")})
    await within(bare_world.drain())
    await nothing_waits(app)
    assert len(await reasons(bare_world)) in (3, 4)  # the stream may refuse the message itself
    for letter in await stream_messages(bare_world, "dead_letters"):
        assert header not in letter.headers
    await goes_on(bare_world, publisher)


async def test_what_is_larger_than_an_event_gets_into_no_stream(bare_world: BareWorld, publisher: Publisher) -> None:
    """So that every event has room in the dead letters, beside the headers that say why it is there."""
    app = await bare_world.open(consumers=[Typed])
    await publisher.event({}, b"\xff" * MAX_EVENT)
    assert await stream_messages(bare_world, "unora_matching") == []
    await publisher.event({"ce-id": "1", "traceparent": "x" * 1000}, b"\xff" * (MAX_EVENT - 2000))
    await within(bare_world.drain())
    (letter,) = await stream_messages(bare_world, "dead_letters")
    assert len(letter.headers["traceparent"]) == 500
    await nothing_waits(app)


async def test_fields_that_this_version_does_not_know_are_left_alone(
    bare_world: BareWorld, publisher: Publisher
) -> None:
    """The contract may have grown in the context that publishes."""
    await bare_world.open(consumers=[Typed])
    event = formed()
    payload = event.SerializeToString() + b"\xfa\x3e\x03new"
    await publisher.event({"ce-subject": event.connection_id}, payload)
    await within(bare_world.drain())
    assert await bare_world.keys() == [event.connection_id]
    assert await reasons(bare_world) == []


async def test_the_header_for_the_subject_counts_on_dead_letters_alone(
    bare_world: BareWorld, publisher: Publisher
) -> None:
    """Else matching could write another context's events into the audit log."""
    forged: dict[str, str | None] = {"unora-subject": "unora.billing.v1.payment_succeeded", "ce-id": ID}
    await bare_world.open("safety", consumers=[Everything])
    await publisher.event(forged)
    await within(bare_world.drain())
    assert [(each.event_id, each.subject) for each in Everything.seen] == [(ID, FORMED)]


@pytest.mark.parametrize("kind", [InterestSent, ConnectionEnded])
async def test_a_dead_letter_of_another_subject_than_its_consumers_is_not_applied(
    bare_world: BareWorld, kind: type[Any]
) -> None:
    """Streak can write its own dead letters, but what they say must fit the consumer that they are for."""
    app = await bare_world.open(consumers=[Typed])
    event = formed()
    headers = headers_of(event) | {"ce-type": subject_of(kind), "unora-subject": subject_of(kind)}
    await _letter(bare_world, event, headers)
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 0
    assert await bare_world.keys() == []
    assert '"reason":"subject"' in bare_world.log.getvalue()


@pytest.mark.parametrize("headers", [{}, {"ce-id": "1"}, {"unora-subject": FORMED}])
async def test_a_dead_letter_that_is_no_event_does_not_stop_a_replay(
    bare_world: BareWorld, headers: dict[str, str]
) -> None:
    app = await bare_world.open(consumers=[Typed])
    await _letter(bare_world, formed(), headers)
    good = formed()
    await _letter(bare_world, good, headers_of(good) | {"unora-subject": FORMED})
    assert await Replay(app.runtime, app.messaging).run(app.consumers) == 1
    assert await bare_world.keys() == [good.connection_id]
    assert len(await stream_messages(bare_world, "dead_letters")) == 2


async def _letter(bare_world: BareWorld, event: ConnectionFormed, headers: dict[str, str]) -> None:
    client = await bare_world.testbed.user("streak", bare_world.worker, [])
    subject = "dead.streak.streak__connection_formed"
    await client.jetstream(timeout=GENEROUS).publish(subject, event.SerializeToString(), headers=headers)
    await client.close()


NAMES = st.sampled_from([*headers_of(formed()), "unora-subject", "Status", "traceparent", "Nats-Rollup", "Description"])
VALUES = st.one_of(
    st.sampled_from([ID, FORMED, "/unora/matching", "2026-03-01T12:00:00Z", "404", "503", "unora.billing.v1.x", ""]),
    st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=40),
)
HEADERS = st.one_of(
    st.none(),
    st.binary(min_size=1, max_size=60),
    st.binary(max_size=60).map(lambda rest: b"NATS/1.0\r\n" + rest + b"\r\n\r\n"),
    st.dictionaries(NAMES, VALUES, max_size=9).map(
        lambda pairs: b"NATS/1.0\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in pairs.items()) + b"\r\n"
    ),
)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from([FORMED.encode(), b"unora.matching.v1.connection_ended", b"unora.matching.v1.x\xf0\x28"]),
        HEADERS,
        st.one_of(st.binary(max_size=60), st.just(formed().SerializeToString()), st.sampled_from([*PAYLOADS.values()])),
    ),
    min_size=20,
    max_size=40,
)


@given(messages=MESSAGES)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
async def test_every_message_that_a_publisher_can_make_ends_in_few_tries(
    bare_world: BareWorld, messages: list[tuple[bytes, bytes | None, bytes]]
) -> None:
    if not bare_world.opened and not bare_world.apps:
        await bare_world.open("streak", consumers=[Typed])
        await bare_world.open("safety", consumers=[Everything])
    client = await bare_world.testbed.user("matching", bare_world.worker, [])
    publisher = Publisher(bare_world, client)
    async with bare_world.counted("matching"):
        for subject, header, payload in messages:
            await publisher.send(subject, header, payload)
    steps = 0
    for app in bare_world.apps.values():
        (consumer,) = app.consumers
        while await consumer.step() or consumer.waiting:
            steps += 1
            assert steps <= 2 * MAX_ATTEMPTS, "messages are delivered again and again"
        await nothing_waits(app)
    for schema in ("streak", "safety"):
        await goes_on(bare_world, publisher, schema)
    await client.close()
