"""Reads events from the messages of a stream. A message that is no event goes to the dead letters, with the reason."""

from __future__ import annotations

import asyncio
from typing import Final

from nats.aio.msg import Msg
from unora_sdk.deliveries import Delivery, NotAnEventError, read

from unora_common.common_metrics import MESSAGES_REFUSED
from unora_common.dead_letters import DeadLetters
from unora_common.handler_marks import Consumes
from unora_common.runtime import AnyRuntime

CHUNK: Final = 25
"""How many messages are read before calls get their turn."""


class EventReader:
    """Reads the messages of one consumer."""

    def __init__(self, runtime: AnyRuntime, dead_letters: DeadLetters, consumes: Consumes, consumer: str) -> None:
        self._dead_letters = dead_letters
        self._consumes = consumes
        self._consumer = consumer
        self._log = runtime.log.bind(consumer=consumer)
        self._refused = runtime.metrics.of(MESSAGES_REFUSED)

    async def read(self, messages: list[Msg]) -> list[Delivery]:
        """The events in the order of the stream: what is delivered again comes late."""
        messages.sort(key=lambda message: message.metadata.sequence.stream)
        events: list[Delivery] = []
        for number, message in enumerate(messages, start=1):
            if event := await self._read(message):
                events.append(event)
            if number % CHUNK == 0:
                await asyncio.sleep(0)
        return events

    async def _read(self, message: Msg) -> Delivery | None:
        """The event; None if the message is no event. Then the message is stored with the reason, and not delivered
        again.
        """
        try:
            return read(message, self._consumes, self._consumer)
        except NotAnEventError as error:
            self._refused.labels(self._consumer, error.reason).inc()
            self._log.error("not an event", subject=message.subject, reason=error.reason)
            sequence = message.metadata.sequence.stream
            reason, name = f"not an event: {error.reason}", f"message {sequence}"
            await self._dead_letters.publish(message, self._consumer, reason, name)
            await message.term()
            return None
