"""Takes messages from one durable consumer of JetStream.

The library's own `fetch` knows the server's answers by the header `Status`, which a publisher can write into an event:
such an event would never be delivered, or would look like an error. Here an answer is known by its subject, which is
the inbox of the request; an event keeps the subject under which it was published.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any, Final

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.api import ConsumerInfo, Header, StatusCode
from nats.js.errors import APIError

from unora_common.messaging import Messaging

_NOTHING_MORE: Final = (StatusCode.NO_MESSAGES, StatusCode.REQUEST_TIMEOUT, StatusCode.CONFLICT)
_MARGIN: Final = 1.0
"""Seconds that the server gets, beyond the wait that it was asked for, to say that there is nothing."""


class Pull:
    """The messages of one consumer, for one process; other processes may take from the same consumer."""

    def __init__(self, messaging: Messaging, stream: str, consumer: str) -> None:
        self._client = messaging.client
        self._jetstream = messaging.jetstream
        self._stream = stream
        self._consumer = consumer
        self._inbox = self._client.new_inbox()
        self._next_subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._requests = 0
        self._subscription: Subscription | None = None

    async def info(self) -> ConsumerInfo:
        """What the server knows of the consumer. Raises NotFoundError if the platform has not made it."""
        found: ConsumerInfo = await self._jetstream.consumer_info(self._stream, self._consumer)
        return found

    async def take(self, count: int, wait: float) -> list[Msg]:
        """Waits up to `wait` seconds for one message, then takes those behind it, at most `count` in all.

        One request for many messages would wait for all of them: a single event would then wait for seconds.
        Raises nats.js.errors.APIError if the server refuses, such as for a consumer that is gone.
        """
        messages = await self._request(1, {"batch": 1, "expires": int(wait * 1e9)}, wait)
        if messages and (behind := min(messages[0].metadata.num_pending, count - 1)):
            messages += await self._request(behind, {"batch": 1, "no_wait": True}, 0.0)
        return messages

    async def close(self) -> None:
        """Takes no more."""
        if self._subscription is not None:
            with suppress(Exception):  # NATS may be away
                await self._subscription.unsubscribe()

    async def _request(self, count: int, request: dict[str, Any], wait: float) -> list[Msg]:
        """Asks `count` times for one message. Each request has one answer, so that no message ends the answers to
        others: between accounts an empty message would do that.
        """
        if self._subscription is None:
            self._subscription = await self._client.subscribe(f"{self._inbox}.*")
        self._requests += 1
        inbox = f"{self._inbox}.{self._requests}"
        body = json.dumps(request).encode()
        for _ in range(count):
            await self._client.publish(self._next_subject, body, inbox)
        messages: list[Msg] = []
        until = time.monotonic() + wait + _MARGIN
        answers = 0
        while answers < count:
            message = await self._next(self._subscription, until)
            if message is None:
                break
            if not message.subject.startswith(f"{self._inbox}."):
                messages.append(message)
                answers += 1
            elif message.subject == inbox:
                answers += 1
                if not messages:
                    self._require_harmless(message)
        return messages

    @staticmethod
    async def _next(subscription: Subscription, until: float) -> Msg | None:
        try:
            return await subscription.next_msg(timeout=max(until - time.monotonic(), 0.001))
        except TimeoutError:
            return None

    @staticmethod
    def _require_harmless(answer: Msg) -> None:
        headers = answer.headers or {}
        status = headers.get(Header.STATUS)
        if status not in _NOTHING_MORE:
            raise APIError(code=int(status) if status else None, description=headers.get(Header.DESCRIPTION))
