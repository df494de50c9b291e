"""What streak does when matching tells of a connection, and billing of a payment or a tier."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora.billing.v1.billing_service_pb2 import PAYMENT_PURPOSE_NUDGE, PAYMENT_PURPOSE_RECOVERY
from unora.billing.v1.events_pb2 import PaymentFailed, PaymentSucceeded, TierChanged
from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora_common.database import Tx
from unora_common.errors import RetryLater
from unora_common.handlers import on
from unora_common.ids import uuid7
from unora_common.messages import SERVER_NAMES, TIER_NAMES, from_timestamp
from unora_common.runtime import Runtime

from unora_streak.clients import Directory
from unora_streak.config import StreakConfig
from unora_streak.domain import Event, Streak, begin, terminate
from unora_streak.store import nudges, streaks
from unora_streak.use_cases.paying import apply_nudge, apply_recovery, drop_recovery
from unora_streak.use_cases.settling import settle_all


class Connections:
    """A streak lives with its connection."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy
        self.directory = Directory(runtime.clients)

    async def _zone(self, event: ConnectionFormed) -> str:
        return await self.directory.zone_of_pair(UUID(event.user_a_id), UUID(event.user_b_id))

    def _begun(self, event: ConnectionFormed | ConnectionEnded, zone: str, now: datetime) -> tuple[Streak, list[Event]]:
        return begin(
            streak_id=uuid7(),
            connection_id=UUID(event.connection_id),
            pair=(UUID(event.user_a_id), UUID(event.user_b_id)),
            zone=zone,
            formed_at=from_timestamp(event.occurred_at),
            now=now,
            policy=self.policy,
        )

    @on(ConnectionFormed, prepare=_zone)
    async def start(self, event: ConnectionFormed, tx: Tx, zone: str) -> None:
        """ST-01. Does nothing for a connection whose ending came first."""
        streak, events = self._begun(event, zone, await tx.read_clock())
        await streaks.insert(tx, streak, SERVER_NAMES[event.server_type], events, self.policy)

    @on(ConnectionEnded)
    async def end(self, event: ConnectionEnded, tx: Tx) -> None:
        """ST-12. If the ending comes first, the streak begins and ends here, and the late beginning finds it."""
        found = await streaks.lock_of_connection(tx, UUID(event.connection_id))
        if found is None:
            now = await tx.read_clock()
            streak, begun = self._begun(event, "UTC", now)
            streak, ended = terminate(streak, from_timestamp(event.occurred_at), now, self.policy)
            if not await streaks.insert(tx, streak, SERVER_NAMES[event.server_type], [*begun, *ended], self.policy):
                raise RetryLater  # the beginning came in this very moment
            await streaks.leave_dashboard(tx, streak.id, now)
            return
        ended_at = min(from_timestamp(event.occurred_at), tx.now)
        (before,) = await settle_all(tx, [found.streak], self.policy, until=ended_at)
        after, events = terminate(before, ended_at, tx.now, self.policy)
        await streaks.save(tx, before, after, events, self.policy)
        await streaks.leave_dashboard(tx, before.id, ended_at)


class Payments:
    """What is paid for is given, or given up; what is paid for reveals and plans is not ours."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        self.policy = runtime.config.policy

    @on(PaymentSucceeded)
    async def give(self, event: PaymentSucceeded, tx: Tx) -> None:
        """ST-08, ST-13, ST-17: each payment is answered by one event with its id."""
        paid_at = from_timestamp(event.occurred_at)
        if event.purpose == PAYMENT_PURPOSE_RECOVERY:
            await apply_recovery(tx, *_ids(event), paid_at, self.policy)
        elif event.purpose == PAYMENT_PURPOSE_NUDGE:
            await apply_nudge(tx, *_ids(event), self.policy)

    @on(PaymentFailed)
    async def give_up(self, event: PaymentFailed, tx: Tx) -> None:
        """ST-20. For a nudge nothing was held."""
        if event.purpose == PAYMENT_PURPOSE_RECOVERY:
            failed_at = from_timestamp(event.occurred_at)
            await drop_recovery(tx, UUID(event.streak_id), UUID(event.payment_id), failed_at, self.policy)


class Tiers:
    """Tiers, for the number of nudges (ST-13)."""

    def __init__(self, runtime: Runtime[StreakConfig, None]) -> None:
        pass

    @on(TierChanged)
    async def follow(self, event: TierChanged, tx: Tx) -> None:
        """Messages may come out of order: only a newer one counts."""
        await nudges.follow_tier(tx, UUID(event.user_id), TIER_NAMES[event.tier], event.version)


def _ids(event: PaymentSucceeded) -> tuple[UUID, UUID, UUID]:
    return UUID(event.streak_id), UUID(event.payer_id), UUID(event.payment_id)
