"""Applies the dead letters of one context once more: `python -m unora_<context> replay`."""

from __future__ import annotations

from collections.abc import Sequence

from nats.aio.msg import Msg
from unora_sdk.deliveries import NotAnEventError, read
from unora_sdk.pull import Pull

from unora_common.consumers import Consumer
from unora_common.messaging import Messaging
from unora_common.runtime import AnyRuntime
from unora_common.stream_settings import DEAD_LETTERS
from unora_common.streams import replay_of
from unora_common.transient import log_failure


class Replay:
    """Replays through the consumers of a process, so that an event is applied exactly once here too."""

    def __init__(self, runtime: AnyRuntime, messaging: Messaging) -> None:
        self._context = runtime.context
        self._database = runtime.database
        self._retry_delay = runtime.config.retry_delays[-1]
        self._log = runtime.log
        self._messaging = messaging

    async def run(self, consumers: Sequence[Consumer]) -> int:
        """Applies the dead letters of these consumers. Those that fail again stay. Returns how many succeeded."""
        return sum([await self._replay(consumer) for consumer in consumers])

    async def _replay(self, consumer: Consumer) -> int:
        pull = Pull(self._messaging.client, self._messaging.jetstream, DEAD_LETTERS, replay_of(consumer.name))
        info = await pull.info()
        applied, waiting, failed = 0, (info.num_pending or 0) + (info.num_ack_pending or 0), set[int]()
        while applied + len(failed) < waiting:
            messages = await pull.take(1, 5.0)
            if not messages:  # what failed in a replay just before is not given out again yet
                break
            sequence = messages[0].metadata.sequence.stream
            if sequence not in failed and await self._applied(consumer, messages[0]):
                applied += 1
            else:
                failed.add(sequence)
                await messages[0].nak(delay=self._retry_delay)
        await self._messaging.flush()  # so that the next replay does not wait for what was acknowledged
        await pull.close()
        return applied

    async def _applied(self, consumer: Consumer, message: Msg) -> bool:
        try:
            event = read(message, consumer.consumes, consumer.name)
        except NotAnEventError as error:  # it stays where it is: somebody has to look at it
            self._log.error("not an event", consumer=consumer.name, reason=error.reason)
            return False
        try:
            await consumer.transact_in_trace([event])
        except Exception as error:  # it stays where it is, and the next gets its turn
            log_failure(self._log, "event failed", error, consumer=consumer.name, event_id=str(event.id))
            return False
        async with self._database.transaction() as tx:
            await tx.run(
                f"DELETE FROM {self._context}.inbox_failures WHERE consumer = $1 AND event_id = $2",
                consumer.name,
                event.id,
            )
        await message.ack()
        return True
