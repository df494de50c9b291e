"""What a decorator of `handlers.py` says of a method; the process reads it when it makes its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from google.protobuf.message import Message
from unora_sdk.names import durable

from unora_common.database import Session
from unora_common.due import Due


class Handling(StrEnum):
    """How an RPC method is run, and so what the contract must say of it."""

    IDEMPOTENT = "idempotent"
    """The response is stored for a repeat: `repeat: REPEAT_KEPT_ANSWER`."""
    READ = "reads"
    """Nothing is changed: `idempotency_level = NO_SIDE_EFFECTS`."""
    CUSTOM_READ = "custom_read"
    """The same, but the method opens its own sessions."""
    CUSTOM_IDEMPOTENT = "custom_idempotent"
    """The method calls a method of its own that is `@idempotent`: `repeat: REPEAT_KEPT_ANSWER`."""
    CUSTOM_WRITE = "custom_write"
    """The method opens its own transactions and recognises a repeat itself: `repeat: REPEAT_OWN`."""


@dataclass(frozen=True)
class Consumes:
    """The events that a consumer method takes; read by the consumer runner, and for the permissions in NATS."""

    stream: str
    """The context that emits them."""
    subject: str
    event: type[Message] | None
    """None for a consumer of all events of a context."""
    prepare: Callable[..., Awaitable[Any]] | None
    many: bool = False
    """Whether the method, and `prepare`, take a list of events."""
    of_erased: bool = False
    """Whether it takes events whose aggregate is an erased member too (ID-09)."""

    @property
    def name(self) -> str:
        """The name of the durable consumer within the context, also in the subject of its dead letters."""
        word = self.subject.rpartition(".")[2]
        return f"all_{self.stream}" if word == ">" else word

    def durable_name(self, context: str) -> str:
        """The name of the durable consumer of a context, on the stream of the context that emits the event."""
        return durable(context, self.subject)


@dataclass(frozen=True)
class Every:
    """How often a job runs that finds nothing to do."""

    seconds: float
    due: Callable[[Any, Session], Awaitable[Due]] | None = None
    """Says how much it has left to do."""
