"""Events that could not be applied wait in the stream `dead_letters`, with consumer and error, to be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

if TYPE_CHECKING:
    from unora_common.consumers import Consumer
    from unora_common.service import App

STREAM = "dead_letters"


class DeadLetters:
    """The dead letters of one context, on the subjects `dead.<context>.<consumer>`."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    async def bury(self, message: Msg, consumer: str, error: str) -> None:
        """Keeps an event that failed too often."""
        headers = {
            **(message.headers or {}),
            "unora-subject": message.subject,
            "unora-error": " ".join(error.split())[:500],
        }
        headers["Nats-Msg-Id"] = f"{consumer}:{headers['ce-id']}"
        subject = f"dead.{self._app.context}.{consumer}"
        await self._app.stream.publish(subject, message.data, timeout=5, stream=STREAM, headers=headers)
        self._app.metrics.dead_letters.labels(consumer).inc()
        self._app.log.error("event buried", consumer=consumer, subject=message.subject, event_id=headers["ce-id"])

    async def replay(self, consumers: list[Consumer]) -> int:
        """Applies the buried events of these consumers once more; what fails stays. Returns how many were applied."""
        applied = 0
        for consumer in consumers:
            applied += await self._replay(consumer)
        return applied

    async def _replay(self, consumer: Consumer) -> int:
        subject = f"dead.{self._app.context}.{consumer.name}"
        name = f"{consumer.name}__replay"
        config = ConsumerConfig(
            name=name, durable_name=name, filter_subject=subject, ack_policy=AckPolicy.EXPLICIT, ack_wait=30
        )
        pending = (await self._app.stream.add_consumer(STREAM, config)).num_pending or 0
        subscription = await self._app.stream.pull_subscribe_bind(name, STREAM)
        applied = 0
        while applied < pending:
            for message in await subscription.fetch(1, timeout=5):
                await consumer.transact([message])
                async with self._app.database.transaction() as tx:
                    await tx.run(
                        f"DELETE FROM {self._app.context}.inbox_failures WHERE consumer = $1 AND event_id = $2",
                        consumer.name,
                        UUID((message.headers or {})["ce-id"]),
                    )
                await message.ack()
                applied += 1
        return applied
