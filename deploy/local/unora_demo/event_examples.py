"""Examples for the reference of events: what the services published while the demo played, without what differs each
time.

Of each type the event is kept whose message has the most different fields. Ids, times, traces and digests are replaced
by ones that are always the same, as in the examples of calls.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from nats.aio.msg import Msg
from unora_local.client import ANSWER_WITHIN
from unora_local.env import Env
from unora_local.keyboard import contract
from unora_sdk.nats_client import connect

from unora_demo.recording import canonical, paths_shown

ALL: Final = "unora.>"
TIME: Final = "ce-time"
OF_THE_SERVER: Final = "Nats-Request-Info"
"""What NATS adds to a request from another account: the account, and how long its last answer took."""
Json = Any


@dataclass
class EventRecording:
    """The events that were kept, by the full name of their type."""

    events: dict[str, Json] = field(default_factory=dict)
    _fields: dict[str, int] = field(default_factory=dict)

    def keep(self, subject: str, headers: Mapping[str, str], payload: bytes) -> None:
        """Keep an event if its message shows more than the one that is kept. What is no event is left out."""
        kind = contract.by_subject().get(subject)
        if kind is None:
            return
        name, message = kind.DESCRIPTOR.full_name, kind.FromString(payload)
        shown = len(set(paths_shown(json_format.MessageToDict(message))))
        if shown > self._fields.get(name, -1):
            self._fields[name], self.events[name] = shown, _example(headers, message)

    def write(self, file: Path) -> None:
        """Write all as JSON; the file appears as a whole or not at all."""
        draft = file.with_name(f".{file.name}.draft")
        draft.write_text(json.dumps(dict(sorted(self.events.items())), indent=1, ensure_ascii=False) + "\n")
        draft.replace(file)


@asynccontextmanager
async def hearing(env: Env, recording: EventRecording) -> AsyncIterator[None]:
    """Keeps examples of what is published meanwhile. As the administrator of NATS, who alone may hear all events."""

    async def heard(message: Msg) -> None:
        recording.keep(message.subject, message.headers or {}, message.data)

    client = await connect(env.nats, *env.certificate_files(), connect_timeout=ANSWER_WITHIN)
    try:
        await client.subscribe(ALL, cb=heard)
        await client.flush()
        yield
        await client.drain()  # what has arrived is kept, too
    finally:
        await client.close()


def _example(headers: Mapping[str, str], message: Message) -> Json:
    """Headers and message, with ids, times, a trace and digests that are always the same."""
    values = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    kept = {name: value for name, value in headers.items() if name != OF_THE_SERVER}
    made = canonical({"headers": kept | {TIME: _as_in_json(headers[TIME])}, "message": values})
    for each in message.DESCRIPTOR.fields:
        if each.type == FieldDescriptor.TYPE_BYTES:
            made["message"][each.name] = b64encode(bytes(len(getattr(message, each.name)))).decode()
    return made


def _as_in_json(time: str) -> str:
    """A time as JSON of protobuf writes it, so that equal times are equal texts."""
    moment = Timestamp()
    moment.FromJsonString(time)
    return moment.ToJsonString()
