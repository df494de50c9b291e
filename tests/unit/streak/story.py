"""A streak as a story: its members and the time act on it, step by step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from unora_streak.domain.due import next_due
from unora_streak.domain.events import Event
from unora_streak.domain.machine import advance, begin, check_in, terminate
from unora_streak.domain.nudges import nudge_or_reject
from unora_streak.domain.recovery import hold, recover, release
from unora_streak.domain.state import BreakKey, Connection, Effort, Policy, State, Streak

A, B, STRANGER = UUID(int=1), UUID(int=2), UUID(int=3)
STREAK, CONNECTION = UUID(int=10), UUID(int=20)
POLICY = Policy()
PAYMENT, OTHER_PAYMENT, NUDGE = UUID(int=30), UUID(int=31), UUID(int=40)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


class Story:
    """Keeps the streak and all its events; `last_events` are those of the last step."""

    def __init__(self, now: datetime, zone: str = "UTC", policy: Policy = POLICY) -> None:
        self.policy = policy
        self.zone = zone
        self.streak, self.last_events = begin(
            streak_id=STREAK,
            connection=Connection(CONNECTION, (A, B), "partner"),
            zone=zone,
            formed_at=now,
            now=now,
            policy=policy,
        )
        self.events: list[Event] = list(self.last_events)
        self.authorized: dict[UUID, BreakKey] = {}

    def checks_in(self, member: UUID, now: datetime, effort: Effort = Effort.MEDIUM) -> "Story":
        return self._then(check_in(self.streak, member, effort, now, self.zone, self.policy))

    def waits_until(self, now: datetime) -> "Story":
        return self._then(advance(self.streak, now, self.policy))

    def ends(self, ended_at: datetime, now: datetime | None = None) -> "Story":
        return self._then(terminate(self.streak, ended_at, now or ended_at, self.policy))

    def holds(self, now: datetime, payment: UUID = PAYMENT, payer: UUID = B) -> "Story":
        self._then(hold(self.streak, payer, payment, now, self.policy))
        assert self.streak.break_key is not None
        self.authorized[payment] = self.streak.break_key
        return self

    def pays(self, paid_at: datetime, payment: UUID = PAYMENT, payer: UUID = B, now: datetime | None = None) -> "Story":
        broken = self.authorized.get(payment)
        return self._then(recover(self.streak, payer, payment, broken, paid_at, now or paid_at, self.policy))

    def fails(self, failed_at: datetime, payment: UUID = PAYMENT, now: datetime | None = None) -> "Story":
        return self._then(release(self.streak, payment, failed_at, now or failed_at, self.policy))

    def buys_a_nudge(self, sender: UUID, now: datetime) -> "Story":
        return self._then(nudge_or_reject(self.streak, sender, NUDGE, PAYMENT, now, self.policy))

    def both_check_in(self, now: datetime) -> "Story":
        before = self.streak
        self.checks_in(A, now)
        first = self.last_events
        self.checks_in(B, now)
        self.last_events = first + self.last_events
        assert self.streak.version == before.version + len(self.last_events)
        return self

    def keeps(self, days: int) -> "Story":
        """Both check in ten hours before each day ends; afterwards it is still the last of these days."""
        for number in range(days):
            if number:
                self.waits_until(self.streak.closes_at)
            self.both_check_in(self.streak.closes_at - 10 * HOUR)
        return self

    def _then(self, result: tuple[Streak, list[Event]]) -> "Story":
        before = self.streak
        self.streak, self.last_events = result
        self.events += self.last_events
        versions = range(before.version + 1, self.streak.version + 1)
        assert [event.version for event in self.last_events] == list(versions)
        assert self.streak.next_due_at == next_due(self.streak, self.policy)
        return self

    @property
    def state(self) -> State:
        return self.streak.state

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.last_events]


def timeless(events: list[Event]) -> list[Event]:
    """The events without their times of recording: only in these an early and a late sweep may differ."""
    return [replace(event, recorded_at=event.occurred_at) for event in events]
