"""Takes messages from one durable consumer of JetStream.

The library's own `fetch` knows the server's answers by the header `Status`, which a publisher can write into an event:
such an event would never be delivered, or would look like an error. Here an answer is known by its subject, which is
the inbox of the request; an event keeps the subject under which it was published.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, Header, StatusCode
from nats.js.errors import APIError

from unora_sdk.nats_client import NatsClient, publication

_NOTHING_MORE: Final = (StatusCode.NO_MESSAGES, StatusCode.REQUEST_TIMEOUT, StatusCode.CONFLICT)
NO_WAIT: Final = {"batch": 1, "no_wait": True}
REDELIVERED: Final = 100
"""How many messages are asked for behind one that was delivered before: the server does not count such messages."""
_ANSWER_MARGIN: Final = 1.0
"""Seconds that the server gets, beyond the wait that it was asked for, to say that there is nothing."""


class Pull:
    """The messages of one consumer, for one process; other processes may take from the same consumer."""

    def __init__(self, client: NatsClient, jetstream: JetStreamContext, stream: str, consumer: str) -> None:
        self._client = client
        self._jetstream = jetstream
        self._stream = stream
        self._consumer = consumer
        self._inbox = self._client.new_inbox()
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._requests = 0
        self._subscription: Subscription | None = None
        self._messages: list[Msg] = []
        self._left = 0
        """How many answers the last request still gets."""
        self._refusals: list[Msg] = []
        self._answered = asyncio.Event()
        self._behind = 0
        """How many messages were there beyond those that were taken last."""
        self._interrupted = False

    async def info(self) -> ConsumerInfo:
        """What the server knows of the consumer. Raises NotFoundError if the platform has not made it."""
        found: ConsumerInfo = await self._jetstream.consumer_info(self._stream, self._consumer)
        return found

    async def take(self, count: int, wait: float) -> list[Msg]:
        """Waits up to `wait` seconds for one message, then takes those behind it, some `count` in all.

        One request for many messages would wait for all of them: a single event would then wait for seconds.
        Raises nats.js.errors.APIError if the server refuses, such as for a consumer that is gone.
        """
        messages = await self._request(min(self._behind, count), NO_WAIT, 0.0) if self._behind else []
        if not messages:
            messages = await self._request(1, {"batch": 1, "expires": int(wait * 1e9)}, wait)
            if messages and (behind := min(_behind(messages[-1]), count - 1)):
                messages += await self._request(behind, NO_WAIT, 0.0)
        self._behind = _behind(messages[-1]) if messages else 0
        return messages

    async def interrupt(self) -> None:
        """Asks for no more. A `take` that waits returns with what has come until now; nothing comes after it."""
        self._interrupted = True
        if self._subscription is not None:
            await self._client.end_subscription(self._subscription)
        self._answered.set()

    async def close(self) -> None:
        """Takes no more."""
        if self._subscription is not None:
            await self._client.unsubscribe_directly(self._subscription)

    async def _request(self, count: int, request: dict[str, Any], wait: float) -> list[Msg]:
        """Asks `count` times for one message. Each request has one answer, so that no message ends the answers to
        others: between accounts an empty message would do that.
        """
        if self._interrupted:
            return []
        if self._subscription is None:
            self._subscription = await self._client.subscribe_directly(f"{self._inbox}.*", self._on_message)
        self._requests += 1
        reply = f"{self._inbox}.{self._requests}"
        asked = publication(self._next_subject, json.dumps(request).encode(), reply=reply)
        self._left, self._refusals, self._answered = count, [], asyncio.Event()
        await self._client.send([asked] * count)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait + _ANSWER_MARGIN):
                await self._answered.wait()
        messages, self._messages = self._messages, []
        if self._refusals and not messages:
            self._require_harmless(self._refusals[0])
        return messages

    def _on_message(self, message: Msg) -> None:
        """An event, or the server's answer that there is none; an answer to an earlier request counts no more."""
        if not message.subject.startswith(f"{self._inbox}."):
            self._messages.append(message)
        elif message.subject == f"{self._inbox}.{self._requests}":
            self._refusals.append(message)
        else:
            return
        self._left -= 1
        if self._left <= 0:
            self._answered.set()

    @staticmethod
    def _require_harmless(answer: Msg) -> None:
        headers = answer.headers or {}
        status = headers.get(Header.STATUS)
        if status not in _NOTHING_MORE:
            raise APIError(code=int(status) if status else None, description=headers.get(Header.DESCRIPTION))


def _behind(message: Msg) -> int:
    """How many messages there may be behind this one."""
    behind = message.metadata.num_pending
    return max(behind, REDELIVERED) if message.metadata.num_delivered > 1 else behind
