"""Applies the dead letters of one context once more: `python -m unora_<context> replay`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from unora_common.consumers import Consumer
from unora_common.dead_letters import subject_of_dead_letters
from unora_common.messaging import Messaging
from unora_common.runtime import AnyRuntime
from unora_common.streams import DEAD_LETTERS
from unora_common.transient import is_transient


class Replay:
    """Replays through the consumers of a process, so that an event is applied exactly once here too."""

    def __init__(self, runtime: AnyRuntime, messaging: Messaging) -> None:
        self._context = runtime.context
        self._database = runtime.database
        self._retry_delay = runtime.config.retry_delays[-1]
        self._log = runtime.log
        self._messaging = messaging
        self._jetstream = messaging.jetstream

    async def run(self, consumers: Sequence[Consumer]) -> int:
        """Applies the dead letters of these consumers. Those that fail again stay. Returns how many succeeded."""
        return sum([await self._replay(consumer) for consumer in consumers])

    async def _replay(self, consumer: Consumer) -> int:
        subject = subject_of_dead_letters(self._context, consumer.name)
        name = f"{consumer.name}__replay"
        config = ConsumerConfig(
            name=name, durable_name=name, filter_subject=subject, ack_policy=AckPolicy.EXPLICIT, ack_wait=30
        )
        info = await self._jetstream.add_consumer(DEAD_LETTERS, config)
        subscription = await self._jetstream.pull_subscribe_bind(name, DEAD_LETTERS)
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
                await message.nak(delay=self._retry_delay)
        await self._messaging.flush()  # so that the next replay does not wait for what was acknowledged
        return applied

    async def _applied(self, consumer: Consumer, message: Msg, identifier: str) -> bool:
        try:
            await consumer.transact([message])
        except Exception as error:  # it stays where it is, and the next gets its turn
            report = self._log.warning if is_transient(error) else self._log.error
            report("event failed", consumer=consumer.name, event_id=identifier, failure=error)
            return False
        async with self._database.transaction() as tx:
            await tx.run(
                f"DELETE FROM {self._context}.inbox_failures WHERE consumer = $1 AND event_id = $2",
                consumer.name,
                UUID(identifier),
            )
        await message.ack()
        return True
