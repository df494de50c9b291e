"""Prints events as they happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from unora_common.again import HEADER
from unora_common.nats_client import connect
from unora_common.outbox import subject_of

from unora_local.client import ANSWER_WITHIN
from unora_local.env import Env
from unora_local.keyboard import contract, messages
from unora_local.keyboard.names import outer
from unora_local.mistakes import Mistake

ALL = "unora.*.v1.>"
"""Not what is published again to one consumer."""


def subjects(asked: Sequence[str]) -> list[str]:
    """The subjects of these events; of all without a name. Raises Mistake for a name that is no event's."""
    return [subject_of(contract.event_named(name)) for name in dict.fromkeys(asked)] or [ALL]


def line(message: Msg) -> str:
    """An event as one line of JSON: its name, its CloudEvents id and time (UTC), and its fields."""
    kind = contract.by_subject().get(message.subject)
    headers = message.headers or {}
    shown: dict[str, Any] = {"event": message.subject, "id": headers.get("ce-id"), "at": headers.get("ce-time")}
    if HEADER in headers:
        shown["again"] = headers[HEADER]
    if kind is None:
        return json.dumps(shown | {"unreadable": "the contract has no such event"}, ensure_ascii=False)
    shown["event"] = outer(kind.DESCRIPTOR.full_name)
    try:
        shown["data"] = json.loads(messages.to_json(kind.FromString(message.data), indent=None))
    except DecodeError:
        shown["unreadable"] = "its payload is no such message"
    return json.dumps(shown, ensure_ascii=False)


async def tail(env: Env, asked: Sequence[str], say: Callable[[str], None], ready: Callable[[], None]) -> None:
    """Say each event from now on; `ready` is called when none is missed any more. Ends by being cancelled.

    Raises Mistake for a name that is no event's, and when the connection to NATS ends.
    """
    wanted = subjects(asked)
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    async def heard(message: Msg) -> None:
        lines.put_nowait(line(message))

    async def closed() -> None:
        lines.put_nowait(None)

    client = await connect(
        env.nats,
        *env.certificate_files(),
        allow_reconnect=False,
        connect_timeout=ANSWER_WITHIN,
        closed_cb=closed,
    )
    try:
        for subject in wanted:
            await client.subscribe(subject, cb=heard)
        await client.flush()
        ready()
        while (text := await lines.get()) is not None:
            say(text)
    finally:
        await client.close()
    raise Mistake("the connection to NATS has ended")
