"""Events that could not be applied wait in the stream `dead_letters`; `replay.py` applies them again.

Messages that are no events go there too, for people to look at.
"""

from __future__ import annotations

from typing import Final

from nats.aio.msg import Msg
from unora_sdk.again import HEADER
from unora_sdk.deliveries import FIRST_SUBJECT, subject_of

from unora_common.common_metrics import DEAD_LETTERS_MOVED
from unora_common.messaging import Messaging
from unora_common.runtime import AnyRuntime
from unora_common.stream_settings import DEAD_LETTERS

COPIED_HEADERS: Final[tuple[str, ...]] = (
    "ce-specversion",
    "ce-id",
    "ce-source",
    "ce-type",
    "ce-subject",
    "ce-time",
    "content-type",
    "traceparent",
    HEADER,
)
"""The headers that a dead letter keeps. By those that command the server (Nats-…) it might refuse it."""
MAX_ERROR_LENGTH: Final = 500


def subject_of_dead_letters(context: str, consumer: str) -> str:
    """The subject of the dead letters of one consumer."""
    return f"dead.{context}.{consumer}"


class DeadLetters:
    """The dead letters of one context."""

    def __init__(self, runtime: AnyRuntime, messaging: Messaging) -> None:
        self._context = runtime.context
        self._log = runtime.log
        self._published = runtime.metrics.of(DEAD_LETTERS_MOVED)
        self._jetstream = messaging.jetstream

    async def publish(self, message: Msg, consumer: str, error: str, identity: str) -> None:
        """Stores a message. A repeat of the call with the same identity, such as the event's id, stores it once."""
        given = message.headers or {}
        headers = {name: _printable(given[name]) for name in COPIED_HEADERS if name in given}
        subject = _printable(subject_of(message))
        headers |= {
            FIRST_SUBJECT: subject,
            "unora-error": _printable(" ".join(error.split())),
            "Nats-Msg-Id": f"{consumer}:{identity}",
        }
        to = subject_of_dead_letters(self._context, consumer)
        await self._jetstream.publish(to, message.data, stream=DEAD_LETTERS, headers=headers)
        self._published.labels(consumer).inc()
        self._log.error("event moved to the dead letters", consumer=consumer, subject=subject, event_id=identity)


def _printable(text: str) -> str:
    return "".join(each if " " <= each <= "~" else "?" for each in text[:MAX_ERROR_LENGTH])
