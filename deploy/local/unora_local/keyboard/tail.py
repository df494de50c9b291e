"""Prints events as they happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from unora_sdk.again import HEADER
from unora_sdk.names import subject_of
from unora_sdk.nats_client import connect

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


def decode(message: Msg) -> Message | str:
    """The event of a message, or in words why there is none."""
    kind = contract.by_subject().get(message.subject)
    if kind is None:
        return "the contract has no such event"
    try:
        return kind.FromString(message.data)
    except DecodeError:
        return "its payload is no such message"


def line(message: Msg) -> str:
    """An event as one line of JSON: its name, its CloudEvents id and time (UTC), and its fields."""
    kind, event = contract.by_subject().get(message.subject), decode(message)
    headers = message.headers or {}
    name = message.subject if kind is None else outer(kind.DESCRIPTOR.full_name)
    shown: dict[str, Any] = {"event": name, "id": headers.get("ce-id"), "at": headers.get("ce-time")}
    if HEADER in headers:
        shown["again"] = headers[HEADER]
    if isinstance(event, str):
        return json.dumps(shown | {"unreadable": event}, ensure_ascii=False)
    shown["data"] = json.loads(messages.to_json(event, indent=None))
    return json.dumps(shown, ensure_ascii=False)


async def tail(env: Env, asked: Sequence[str], say: Callable[[str], None], ready: Callable[[], None]) -> None:
    """Say each event from now on; `ready` is called when none is missed any more. Ends by being cancelled.

    Raises Mistake for a name that is no event's, and when the connection to NATS ends.
    """
    async with aclosing(hear(env, subjects(asked), ready)) as found:
        async for message in found:
            say(line(message))


async def hear(env: Env, wanted: Sequence[str], ready: Callable[[], None]) -> AsyncGenerator[Msg, None]:
    """Each message on these subjects from now on; `ready` is called when none is missed any more. Raises Mistake when
    the connection to NATS ends.
    """
    waiting: asyncio.Queue[Msg | None] = asyncio.Queue()

    async def heard(message: Msg) -> None:
        waiting.put_nowait(message)

    async def closed() -> None:
        waiting.put_nowait(None)

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
        while (message := await waiting.get()) is not None:
            yield message
    finally:
        await client.close()
    raise Mistake("the connection to NATS has ended")
