"""Members with phones in a real identity, and a notifier that asks it, with a carrier that keeps what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message
from unora.identity.v1.device_service_pb2 import PUSH_PLATFORM_FCM
from unora_common.ids import uuid7
from unora_notifier.carriers import Carrier, Push
from unora_notifier.clock import Clock
from unora_notifier.directory import Directory
from unora_notifier.kinds import KINDS, Kind
from unora_notifier.notifier import Notifier
from unora_notifier.pushed import Pushed
from unora_notifier.waiting import Waiting
from unora_sdk import Event
from unora_sdk.names import aggregate_of, occurred_at, subject_of
from unora_testing.world import World

ASK_AGAIN: Final = 3000.0
BY_NAME: Final = {kind.name: kind for kind in KINDS}


@dataclass
class Kept:
    """A carrier that takes everything, but what `fails` holds for a device's token."""

    platforms: frozenset[Any] = frozenset({PUSH_PLATFORM_FCM})
    taken: list[Push] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)

    async def send(self, push: Push) -> None:
        if error := self.fails.get(push.token):
            raise error
        self.taken.append(push)

    async def close(self) -> None:
        pass

    def told(self) -> list[tuple[str, str]]:
        """Whom, and of what."""
        return sorted((push.user_id, push.kind) for push in self.taken)


class MovedClock(Clock):
    """A clock that a test moves."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead


def notifier(world: World, folder: Path, *carriers: Carrier, clock: Clock | None = None) -> Notifier:
    """One that asks the identity of the world."""
    directory = Directory(world.channel("identity", "notifier"))
    pushed, waiting = Pushed(folder / "pushed.db"), Waiting(folder / "waiting.db")
    return Notifier(directory, carriers, pushed, waiting, clock or Clock(), ASK_AGAIN)


def event(kind: str, at: datetime, *, lasts: timedelta = timedelta(hours=4), **fields: Any) -> Event[Any]:
    """An event of a kind that took effect then; a day or a window that it names ends `lasts` later."""
    found: Kind = BY_NAME[kind]
    message = found.event()
    setattr(message, message.DESCRIPTOR.fields[0].name, str(uuid7()))
    _fill(message, {"version": 1} | fields)
    for name, moment in (
        ("occurred_at", at),
        ("recorded_at", at),
        ("day_ends_at", at + lasts),
        ("window_ends_at", at + lasts),
    ):
        if name in message.DESCRIPTOR.fields_by_name:
            getattr(message, name).FromDatetime(moment)
    return as_event(message)


def as_event(message: Message) -> Event[Any]:
    """As a subscriber gets it."""
    subject, version = aggregate_of(message)
    identifier: UUID = uuid7()
    return Event(identifier, subject_of(message), subject, occurred_at(message), version, message, "", None, 1)


def _fill(message: Message, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(message, name, value)
