"""Subscribers that are not Unora's, with the credentials that `unora subscriber` wrote for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from nats.errors import Error as NatsError
from nats.js.errors import ServiceUnavailableError
from unora_local.env import Env
from unora_sdk.nats_client import NatsClient, connect
from unora_testing.deadlines import GENEROUS, eventually

refusals: list[str] = []
"""What NATS refused since the last one connected."""


async def subscriber(env: Env) -> NatsClient:
    """A connection with the credentials that a subscriber got."""
    files = [Path(env.values[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY")]

    async def ignore(error: Exception) -> None:
        refusals.append(str(error))

    refusals.clear()
    options: dict[str, Any] = {
        "allow_reconnect": False,
        "inbox_prefix": env.values["UNORA_NATS_INBOX"],
        "error_cb": ignore,
    }
    return await connect(env.nats, *files, **options)


async def connected(env: Env) -> NatsClient:
    """A connection of a subscriber that is patient: while NATS reads its configuration anew, it knows nobody."""

    async def tried() -> NatsClient | None:
        try:
            return await subscriber(env)
        except (NatsError, OSError):
            return None

    found: NatsClient | None = await eventually(tried, "NATS knows the subscriber")
    assert found is not None
    return found


async def hold(pull: Any) -> None:
    """Takes an event, and never acknowledges it."""

    async def held() -> object:
        try:
            return await pull.fetch(1, timeout=1.0)
        except (NatsError, TimeoutError):
            return None

    await eventually(held, "an event comes")


async def pull_of(client: NatsClient, env: Env) -> Any:
    """What takes the messages of a subscriber with one consumer."""
    stream, _, durable = env.values["UNORA_NATS_CONSUMERS"].partition("/")
    return await client.jetstream(timeout=GENEROUS).pull_subscribe_bind(durable, stream)


async def take(env: Env) -> list[Any]:
    """Takes and acknowledges what waits for a subscriber with one consumer."""
    client = await connected(env)
    pull = await pull_of(client, env)

    async def info() -> Any:
        try:
            return await pull.consumer_info()
        except ServiceUnavailableError:  # NATS reads its configuration anew
            return None

    messages = []
    for _ in range((await eventually(info, "the consumer is there")).num_pending):
        (message,) = await pull.fetch(1, timeout=GENEROUS)
        await message.ack_sync(timeout=GENEROUS)
        messages.append(message)
    await client.close()
    return messages


@asynccontextmanager
async def refusing(env: Env) -> AsyncIterator[list[int]]:
    """A subscriber that refuses each event as soon as it has it; yields the number of times, in a list of one."""
    client, counted, ends = await connected(env), [0], asyncio.Event()
    pull = await pull_of(client, env)

    async def refuse() -> None:
        while not ends.is_set():
            try:
                (message,) = await pull.fetch(1, timeout=1.0)
            except (NatsError, TimeoutError):  # nothing comes, or NATS reads its configuration anew
                continue
            await message.nak()
            counted[0] += 1

    task = asyncio.ensure_future(refuse())
    try:
        yield counted
        assert not task.done(), "it refuses to the end"
    finally:
        ends.set()  # the library loses a cancellation now and then
        await task
        await client.close()
