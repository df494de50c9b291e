"""An event as each of its hearers gets it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message
from nats.aio.msg import Msg
from unora_sdk.again import HEADER

from unora_local.keyboard import messages, tail
from unora_local.page.hearers import ALWAYS_WITHOUT, HEARERS, Known, Nobody, To

Ask = Callable[[Known, str], Awaitable[frozenset[str]]]


async def hearers_of(event: Message, ask: Ask) -> frozenset[str]:
    """The ids of the members who may hear of an event. `ask` finds those whom the event does not name."""
    entry = HEARERS.get(event.DESCRIPTOR.full_name)
    if entry is None or isinstance(entry, Nobody):
        return frozenset()
    named = frozenset(str(getattr(event, name)) for name in entry.members)
    asked = await ask(entry.asked, str(getattr(event, entry.by))) if entry.asked else frozenset()
    return (named | asked) - {""}


def fields_for(event: Message, member: str) -> dict[str, Any]:
    """The fields that a member gets of an event that they may hear of, as REST writes messages."""
    entry = HEARERS[event.DESCRIPTOR.full_name]
    assert isinstance(entry, To)
    fields: dict[str, Any] = json.loads(messages.to_json(event, indent=None))
    foreign = {name for name, owner in entry.private.items() if getattr(event, owner) != member}
    return {name: value for name, value in fields.items() if name not in {ALWAYS_WITHOUT, *entry.without, *foreign}}


def frame(message: Msg, event: Message, member: str) -> bytes:
    """The event as server-sent events are written."""
    headers = message.headers or {}
    _, context, _, name = message.subject.split(".")
    data = {
        "id": headers.get("ce-id"),
        "type": f"{context}.{name}",
        "time": headers.get("ce-time"),
        "aggregate_id": getattr(event, event.DESCRIPTOR.fields[0].name),
        "event": fields_for(event, member),
    }
    return f"id: {data['id']}\nevent: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()


def read(message: Msg) -> Message | None:
    """The event of a message; None for what no member hears of: what is none of the contract's, and what is published
    again, which happened before.
    """
    if HEADER in (message.headers or {}):
        return None
    found = tail.decode(message)
    return found if isinstance(found, Message) else None
