"""The example in Node reads the same events as the SDK, by the AsyncAPI document alone."""

from __future__ import annotations

import json
import shutil
import signal
from asyncio.subprocess import Process
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from unora.identity.v1.events_pb2 import AccountClosed
from unora.streak.v1.streak_service_pb2 import STREAK_STATE_ACTIVE, STREAK_STATE_AT_RISK
from unora_notifier.kinds import KINDS
from unora_sdk import Event, SqliteStore, Subscriber
from unora_sdk.names import subject_of
from unora_sdk.settings import Settings
from unora_testing.deadlines import eventually, within

from tests.integration.notifier.people import event
from tests.integration.notifier.processes import NODE, node
from tests.integration.sdk.platform import Platform, serving

COMMAND = "npm --prefix examples/notifier-node ci --ignore-scripts"
pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (NODE / "node_modules" / "protobufjs").exists()),
    reason=f"the example in Node cannot run here: install node and npm, then run `{COMMAND}` once",
)
EVENTS = [*(kind.event for kind in KINDS), AccountClosed]
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
Decoded = dict[str, tuple[str, Any]]
"""Type and message, by the event's id."""


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    made = Platform(tmp_path_factory.mktemp("platform"), "python", EVENTS, others=["node"])
    await made.start()
    yield made
    await made.stop()


def examples() -> list[Message]:
    """One of each kind; some with states, with the largest numbers, with bytes, and with nothing but what each has."""
    told: list[Message] = [event(kind.name, NOW).message for kind in KINDS]
    for message in told:
        if "state" in message.DESCRIPTOR.fields_by_name:
            states: dict[str, Any] = {"previous_state": STREAK_STATE_ACTIVE, "state": STREAK_STATE_AT_RISK}
            for field, value in states.items():
                setattr(message, field, value)
    largest = event("match", NOW, version=2**63 - 1).message
    closed = AccountClosed(user_id=largest.connection_id, version=1, phone_digest=bytes(range(256)))
    closed.occurred_at.FromDatetime(NOW)
    return [*told, largest, closed]


def plain(message: Message) -> dict[str, Any]:
    """As protobuf.js shows it: numbers of 64 bits as texts, enums by name, bytes in base64, null for no message."""
    return {field.name: _plain(field, message) for field in message.DESCRIPTOR.fields}


def _plain(field: Any, message: Message) -> Any:
    value = getattr(message, field.name)
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return plain(value) if message.HasField(field.name) else None
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values_by_number[value].name
    if field.type == FieldDescriptor.TYPE_BYTES:
        return b64encode(value).decode()
    return str(value) if field.type == FieldDescriptor.TYPE_INT64 else value


def in_python(platform: Platform, folder: Path, seen: Decoded) -> Subscriber[Any]:
    """A subscriber that keeps what it has decoded."""
    subscriber = Subscriber(
        Settings.from_environment(platform.environment("python")), SqliteStore(folder / "events.db")
    )
    for kind in EVENTS:

        @subscriber.on(kind)
        def keep(event: Event[Any], _: object) -> None:
            seen[str(event.id)] = event.type, plain(event.message)

    return subscriber


async def read_by_node(process: Process) -> Decoded:
    """Ends the process; what it has printed."""
    process.send_signal(signal.SIGTERM)
    output, errors = await within(process.communicate())
    assert (process.returncode, errors.decode()) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    found: Decoded = {line["id"]: (line["type"], line["message"]) for line in lines}
    assert len(lines) == len(found)
    return found


async def test_both_decode_the_same_of_the_same_events(platform: Platform, tmp_path: Path) -> None:
    sent, by_sdk = examples(), Decoded()
    async with serving(in_python(platform, tmp_path, by_sdk)), node(platform.environment("node")) as process:
        await platform.publish(*sent[:4])
        await eventually(platform.is_done, "both have read the first events")
        await platform.publish(*sent[4:])
        await platform.until_done()
        by_node = await read_by_node(process)
    assert len(by_node) == len(sent)
    assert by_node == by_sdk


async def test_both_take_what_is_published_again_to_them_alone(platform: Platform, tmp_path: Path) -> None:
    sent, by_sdk = examples()[0], Decoded()
    async with serving(in_python(platform, tmp_path, by_sdk)), node(platform.environment("node")) as process:
        (to_python,) = await platform.publish(sent, again_to="python")
        (to_node,) = await platform.publish(sent, again_to="node")
        await platform.until_done()
        by_node = await read_by_node(process)
    expected = subject_of(sent), plain(sent)
    assert (by_sdk, by_node) == ({str(to_python): expected}, {str(to_node): expected})


async def test_what_is_missing_is_named(platform: Platform) -> None:
    variables = platform.environment("node")
    del variables["UNORA_NATS_INBOX"], variables["UNORA_TLS_KEY"]
    async with node(variables) as process:
        _, errors = await within(process.communicate())
    said = "notifier-node: not set: UNORA_NATS_INBOX, UNORA_TLS_KEY; see docs/tutorial-subscriber.md\n"
    assert (process.returncode, errors.decode()) == (1, said)
