"""Events that could not be applied wait in the stream `dead_letters`, with consumer and error, to be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from unora_common.streams import DEAD_LETTERS

if TYPE_CHECKING:
    from unora_common.consumers import Consumer
    from unora_common.service import App


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
        await self._app.stream.publish(subject, message.data, timeout=5, stream=DEAD_LETTERS, headers=headers)
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
        info = await self._app.stream.add_consumer(DEAD_LETTERS, config)
        subscription = await self._app.stream.pull_subscribe_bind(name, DEAD_LETTERS)
        applied, waiting, failed = 0, (info.num_pending or 0) + (info.num_ack_pending or 0), set[str]()
        while applied + len(failed) < waiting:
            try:
                (message,) = await subscription.fetch(1, timeout=5)
            except TimeoutError:  # what failed in a replay just before is not given out again yet
                break
            identifier = (message.headers or {})["ce-id"]
            if identifier not in failed and await self._applied(consumer, message, identifier):
                applied += 1
            else:
                failed.add(identifier)
                await message.nak(delay=self._app.config.retry_delays[-1])
        await self._app.nats.flush()  # so that the next replay does not wait for what was acknowledged
        return applied

    async def _applied(self, consumer: Consumer, message: Msg, identifier: str) -> bool:
        try:
            await consumer.transact([message])
        except Exception as error:  # it stays where it is, and the next gets its turn
            self._app.log.error("event failed", consumer=consumer.name, event_id=identifier, failure=error)
            return False
        async with self._app.database.transaction() as tx:
            await tx.run(
                f"DELETE FROM {self._app.context}.inbox_failures WHERE consumer = $1 AND event_id = $2",
                consumer.name,
                UUID(identifier),
            )
        await message.ack()
        return True
