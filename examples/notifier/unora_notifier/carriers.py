"""Who takes a push message to a device."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from unora.identity.v1.device_service_pb2 import (
    PUSH_PLATFORM_APNS,
    PUSH_PLATFORM_FCM,
    PUSH_PLATFORM_WEB,
    PushPlatform,
)


@dataclass(frozen=True)
class Push:
    """One message to one device."""

    user_id: str
    platform: PushPlatform.ValueType
    token: str = field(repr=False)
    """A secret: it is in no log and in no file."""
    kind: str
    text: str
    lasts: timedelta
    """After that nobody needs to be told."""


class DeadTokenError(Exception):
    """The token leads nowhere any more."""


class NotTakenError(Exception):
    """The carrier did not take the message: it may be given again after `delay` seconds."""

    def __init__(self, reason: str, delay: float) -> None:
        super().__init__(reason)
        self.delay = delay


class RefusedError(Exception):
    """The carrier refuses the message, and does so until somebody changes something, such as the notifier's account."""


class Carrier(Protocol):
    """One way to devices of some platforms."""

    @property
    def platforms(self) -> frozenset[PushPlatform.ValueType]:
        """Those that it can reach."""

    async def send(self, push: Push) -> None:
        """Raises DeadTokenError, NotTakenError or RefusedError. After any other error the message may
        have been taken.
        """

    async def close(self) -> None:
        """Ends its connections."""


class Console:
    """Prints a line for each message, and reaches nobody."""

    platforms: Final = frozenset({PUSH_PLATFORM_FCM, PUSH_PLATFORM_APNS, PUSH_PLATFORM_WEB})

    async def send(self, push: Push) -> None:
        """See Carrier."""
        platform = PushPlatform.Name(push.platform).removeprefix("PUSH_PLATFORM_").lower()
        print(f"{push.user_id}  {platform}  {push.kind}: {push.text}", flush=True)

    async def close(self) -> None:
        """See Carrier."""
