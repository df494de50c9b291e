"""What is counted for patterns (SA-04, SA-09): each item once, at the time at which it happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_FAILURE_DECLINED,
    REVERSAL_KIND_DISPUTE_LOST,
    REVERSAL_KIND_DISPUTE_OPENED,
)
from unora.billing.v1.events_pb2 import PaymentFailed, ProtectionClosed, ReversalRecorded
from unora.identity.v1.events_pb2 import SessionOpened, UnderAgeDateReplaced
from unora.matching.v1.events_pb2 import END_CAUSE_MEMBER, ConnectionEnded, InterestSent
from unora.safety.v1.events_pb2 import MemberBlocked, MemberReported
from unora_common.database import Tx
from unora_common.handlers import on, on_batch
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.domain.patterns import Pattern, Sighting
from unora_safety.resources import Resources
from unora_safety.use_cases.sightings import add_activity, add_device_account, add_sightings, queue
from unora_safety.use_cases.traces import keep_trace_of_session


class PatternEvents:
    """Counts only; the detector judges."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @on_batch(InterestSent)
    async def on_interests_sent(self, events: Sequence[InterestSent], tx: Tx) -> None:
        """Every interest counts."""
        seen = [_seen(each.sender_id, each.interest_id, each.occurred_at) for each in events]
        add_sightings(tx, Pattern.INTEREST_FLOOD, seen)
        add_activity(tx, "interests", _times(seen))
        queue(tx, _members(seen))

    @on_batch(ConnectionEnded)
    async def on_connections_ended(self, events: Sequence[ConnectionEnded], tx: Tx) -> None:
        """Only an end by a member counts here: blocks are counted as blocks, and suspensions are not the member's."""
        ended = [
            (UUID(each.ended_by_id), from_timestamp(each.occurred_at))
            for each in events
            if each.cause == END_CAUSE_MEMBER
        ]
        if ended:
            add_activity(tx, "endings", ended)
            queue(tx, (user_id for user_id, _ in ended))

    @on_batch(ProtectionClosed)
    async def on_protections_closed(self, events: Sequence[ProtectionClosed], tx: Tx) -> None:
        """BI-05: the partner ended the connection during the protection. One end may close several protections, so the
        connection is what counts.
        """
        seen = [_seen(each.partner_id, each.connection_id, each.occurred_at) for each in events if each.converted]
        _see(tx, Pattern.BAD_FAITH_ENDINGS, seen)

    @on_batch(MemberBlocked)
    async def on_members_blocked(self, events: Sequence[MemberBlocked], tx: Tx) -> None:
        """Every person who blocks a member counts once."""
        _see_deeds(tx, Pattern.MANY_BLOCKS, "blocks", [(e.blocked_id, e.blocker_id, e.occurred_at) for e in events])

    @on_batch(MemberReported)
    async def on_members_reported(self, events: Sequence[MemberReported], tx: Tx) -> None:
        """Every person who reports a member counts once."""
        _see_deeds(tx, Pattern.MANY_REPORTS, "reports", [(e.reported_id, e.reporter_id, e.occurred_at) for e in events])

    @on_batch(PaymentFailed)
    async def on_payments_failed(self, events: Sequence[PaymentFailed], tx: Tx) -> None:
        """Only a payment that the provider declined counts, not one that expired or was not authorised."""
        declined = [each for each in events if each.failure == PAYMENT_FAILURE_DECLINED]
        seen = [_seen(each.payer_id, each.payment_id, each.occurred_at) for each in declined]
        _see(tx, Pattern.PAYMENT_ABUSE, seen)
        if seen:
            add_activity(tx, "failed_payments", _times(seen))

    @on_batch(ReversalRecorded)
    async def on_reversals_recorded(self, events: Sequence[ReversalRecorded], tx: Tx) -> None:
        """BI-10: every payment that the member's bank took back counts once, whatever became of the dispute."""
        kinds = (REVERSAL_KIND_DISPUTE_OPENED, REVERSAL_KIND_DISPUTE_LOST)
        seen = [_seen(each.payer_id, each.payment_id, each.occurred_at) for each in events if each.kind in kinds]
        _see(tx, Pattern.CHARGEBACKS, seen)

    @on_batch(UnderAgeDateReplaced)
    async def on_under_age_dates_replaced(self, events: Sequence[UnderAgeDateReplaced], tx: Tx) -> None:
        """ID-08: once is enough; the member is what counts, however often they change the date."""
        _see(tx, Pattern.UNDER_AGE_DATE, [_seen(each.user_id, each.user_id, each.occurred_at) for each in events])

    @on(SessionOpened)
    async def on_session_opened(self, event: SessionOpened, tx: Tx) -> None:
        """Every account of a device counts for the other accounts of it. ID-09: the device may be a trace."""
        if event.device_digest:
            limit = self.runtime.config.device_accounts
            user_id, seen_at = UUID(event.user_id), from_timestamp(event.occurred_at)
            sharing = await add_device_account(tx, event.device_digest, user_id, seen_at, limit)
            queue(tx, [*sharing, *await keep_trace_of_session(tx, user_id, event.device_digest, seen_at)])


def _seen(user_id: str, key: str, occurred_at: Timestamp) -> tuple[UUID, Sighting]:
    return UUID(user_id), Sighting(from_timestamp(occurred_at), UUID(key))


def _members(seen: Sequence[tuple[UUID, Sighting]]) -> list[UUID]:
    return [user_id for user_id, _ in seen]


def _times(seen: Sequence[tuple[UUID, Sighting]]) -> list[tuple[UUID, datetime]]:
    return [(user_id, sighting.seen_at) for user_id, sighting in seen]


def _see(tx: Tx, pattern: Pattern, seen: Sequence[tuple[UUID, Sighting]]) -> None:
    if seen:
        add_sightings(tx, pattern, seen)
        queue(tx, _members(seen))


def _see_deeds(tx: Tx, pattern: Pattern, kind: str, deeds: Sequence[tuple[str, str, Timestamp]]) -> None:
    """What one member did to another is a sighting of the other, and counts for the one; both are examined."""
    seen = [_seen(target, actor, at) for target, actor, at in deeds]
    add_sightings(tx, pattern, seen)
    add_activity(tx, kind, [(sighting.key, sighting.seen_at) for _, sighting in seen])
    queue(tx, [*_members(seen), *(sighting.key for _, sighting in seen)])
