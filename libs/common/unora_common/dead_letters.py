"""Events that could not be applied wait in the stream `dead_letters`; `replay.py` applies them again."""

from __future__ import annotations

from nats.aio.msg import Msg

from unora_common.messaging import Messaging
from unora_common.runtime import AnyRuntime
from unora_common.streams import DEAD_LETTERS


def subject_of_dead_letters(context: str, consumer: str) -> str:
    """The subject of the dead letters of one consumer."""
    return f"dead.{context}.{consumer}"


class DeadLetters:
    """The dead letters of one context."""

    def __init__(self, runtime: AnyRuntime, messaging: Messaging) -> None:
        self._context = runtime.context
        self._log = runtime.log
        self._published = runtime.metrics.dead_letters
        self._jetstream = messaging.jetstream

    async def publish(self, message: Msg, consumer: str, error: str) -> None:
        """Stores an event that failed too often. A repeat of the call stores it once."""
        headers = {
            **(message.headers or {}),
            "unora-subject": message.subject,
            "unora-error": " ".join(error.split())[:500],
        }
        headers["Nats-Msg-Id"] = f"{consumer}:{headers['ce-id']}"
        subject = subject_of_dead_letters(self._context, consumer)
        await self._jetstream.publish(subject, message.data, stream=DEAD_LETTERS, headers=headers)
        self._published.labels(consumer).inc()
        self._log.error(
            "event moved to the dead letters", consumer=consumer, subject=message.subject, event_id=headers["ce-id"]
        )
