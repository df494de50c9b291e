"""Events once more: a durable consumer goes back to the start of what its stream holds.

The request changes only where the consumer stands. It cannot change what it reads or where messages go, and the server
takes it only from the consumer's own subscriber (docs/decisions/0051-what-a-subscriber-owns.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from nats.js.errors import APIError

from unora_sdk.nats_client import NatsClient
from unora_sdk.settings import Durable
from unora_sdk.stores import Replay, Store

ANSWER_WITHIN: Final = 30.0


def reset_subject(stream: str, consumer: str) -> str:
    """Where a consumer is asked to stand elsewhere."""
    return f"$JS.API.CONSUMER.RESET.{stream}.{consumer}"


async def replay(client: NatsClient, store: Store[Any], consumers: Iterable[Durable], since: datetime) -> None:
    """Lets handlers see the events from `since` on again, as far as the streams hold them (7 days).

    First the store forgets them, then the consumer goes back: in the other order an event could come while its record
    is still there. Raises NatsError if NATS refuses, ValueError for a time without a zone.
    """
    if since.tzinfo is None:
        raise ValueError(f"{since} has no time zone; write it as 2026-03-01T12:00:00Z")
    jetstream = client.jetstream(timeout=ANSWER_WITHIN)
    for each in consumers:
        found = await jetstream.consumer_info(each.stream, each.name)
        below = (found.ack_floor.stream_seq or 0) if found.ack_floor else 0
        await store.begin_replay(each.name, Replay(since.astimezone(UTC), below, datetime.now(UTC)))
        request = json.dumps({"seq": 1}).encode()
        answer = await client.request(reset_subject(*each), request, timeout=ANSWER_WITHIN)
        if error := json.loads(answer.data).get("error"):
            raise APIError.from_error(error)
