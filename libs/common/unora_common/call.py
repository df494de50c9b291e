"""One call as a use case sees it: the caller, the member, and the deadline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from uuid import UUID

import msgspec
from google.protobuf.message import Message

from unora_common.errors import Unauthenticated

_deadline: ContextVar[float | None] = ContextVar("unora_deadline", default=None)
_from_gateway: ContextVar[bool] = ContextVar("unora_from_gateway", default=False)


class Call(msgspec.Struct, frozen=True):
    """What the server knows of an authorised call."""

    method: str
    """Full name, such as `/unora.streak.v1.StreakService/CheckIn`."""
    caller: str
    """The context or gateway that the certificate names."""
    user: UUID | None
    """The member of the token; None if the method needs no member."""
    session: UUID | None = None
    """The member's session."""
    roles: frozenset[str] = frozenset()
    """The member's roles, such as `admin`."""
    answer: type[Message] = Message
    """The class of the method's response."""
    metadata: Mapping[str, str | bytes] = msgspec.field(default_factory=dict)
    """The call's metadata, such as the signature over a webhook's bytes."""

    @property
    def principal(self) -> str:
        """The owner of a stored response: the member, else the calling context (BI-08)."""
        return str(self.user) if self.user else self.caller

    def require_session(self) -> UUID:
        """The session of a member's call. Raises Unauthenticated for a call without one."""
        if self.session is None:
            raise Unauthenticated
        return self.session


def set_deadline(seconds: float) -> None:
    """Sets the deadline of the current work; calls to other contexts get less (see `seconds_left`)."""
    _deadline.set(time.monotonic() + seconds)


def seconds_left(otherwise: float) -> float:
    """Seconds until the deadline of the current work, or `otherwise` if it has none."""
    deadline = _deadline.get()
    return otherwise if deadline is None else max(deadline - time.monotonic(), 0.0)


def set_from_gateway() -> None:
    """Marks the current work as a call of a gateway, with or without a member (XX-06)."""
    _from_gateway.set(True)


def is_from_gateway() -> bool:
    """Whether the current work is a call of a gateway; jobs, consumers and calls of other contexts are not."""
    return _from_gateway.get()
