"""One call as a use case sees it: who calls, for whom, and until when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

from google.protobuf.message import Message

_deadline: ContextVar[float | None] = ContextVar("unora_deadline", default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """What the server knows of a call after it was let in."""

    method: str
    """Full name, such as `/unora.streak.v1.StreakService/CheckIn`."""
    caller: str
    """The context or gateway whose certificate brought the call."""
    user: UUID | None
    """The member whose token it carries."""
    session: UUID | None = None
    """The member's session."""
    roles: frozenset[str] = frozenset()
    """The member's roles beyond membership."""
    answer: type[Message] = Message
    """The class of the method's response."""
    metadata: Mapping[str, str | bytes] = field(default_factory=dict)
    """What came beside the request, such as the signature over a webhook's bytes."""

    @property
    def principal(self) -> str:
        """Under whom an answer is kept: the member, else the calling context."""
        return str(self.user) if self.user else self.caller


def set_deadline(seconds: float) -> None:
    """The work in hand has so long; calls to other contexts get less (see `seconds_left`)."""
    _deadline.set(time.monotonic() + seconds)


def seconds_left(otherwise: float) -> float:
    """What remains of the deadline of the work in hand, or `otherwise` when it has none."""
    deadline = _deadline.get()
    return otherwise if deadline is None else max(deadline - time.monotonic(), 0.0)
