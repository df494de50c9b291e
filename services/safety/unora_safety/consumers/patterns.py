"""What is counted for patterns (SA-04, SA-09): each item once, at the time at which it happened."""

from __future__ import annotations

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
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.domain.patterns import Pattern, Sighting
from unora_safety.resources import Resources
from unora_safety.store import examination_queue
from unora_safety.use_cases.sightings import add_activity, add_device_account, add_sighting


class PatternEvents:
    """Counts only; the detector judges."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @on(InterestSent)
    async def on_interest_sent(self, event: InterestSent, tx: Tx) -> None:
        """Every interest counts."""
        _see(tx, Pattern.INTEREST_FLOOD, event.sender_id, event.interest_id, event.occurred_at)
        _count(tx, event.sender_id, "interests", event.occurred_at)

    @on(ConnectionEnded)
    async def on_connection_ended(self, event: ConnectionEnded, tx: Tx) -> None:
        """Only an end by a member counts here: blocks are counted as blocks, and suspensions are not the member's."""
        if event.cause == END_CAUSE_MEMBER:
            _count(tx, event.ended_by_id, "endings", event.occurred_at)
            examination_queue.add(tx, [UUID(event.ended_by_id)])

    @on(ProtectionClosed)
    async def on_protection_closed(self, event: ProtectionClosed, tx: Tx) -> None:
        """BI-05: the partner ended the connection during the protection. One end may close several protections, so the
        connection is what counts.
        """
        if event.converted:
            _see(tx, Pattern.BAD_FAITH_ENDINGS, event.partner_id, event.connection_id, event.occurred_at)

    @on(MemberBlocked)
    async def on_member_blocked(self, event: MemberBlocked, tx: Tx) -> None:
        """Every person who blocks a member counts once."""
        _see(tx, Pattern.MANY_BLOCKS, event.blocked_id, event.blocker_id, event.occurred_at)
        _count(tx, event.blocker_id, "blocks", event.occurred_at)
        examination_queue.add(tx, [UUID(event.blocker_id)])

    @on(MemberReported)
    async def on_member_reported(self, event: MemberReported, tx: Tx) -> None:
        """Every person who reports a member counts once."""
        _see(tx, Pattern.MANY_REPORTS, event.reported_id, event.reporter_id, event.occurred_at)
        _count(tx, event.reporter_id, "reports", event.occurred_at)
        examination_queue.add(tx, [UUID(event.reporter_id)])

    @on(PaymentFailed)
    async def on_payment_failed(self, event: PaymentFailed, tx: Tx) -> None:
        """Only a payment that the provider declined counts, not one that expired or was not authorised."""
        if event.failure == PAYMENT_FAILURE_DECLINED:
            _see(tx, Pattern.PAYMENT_ABUSE, event.payer_id, event.payment_id, event.occurred_at)
            _count(tx, event.payer_id, "failed_payments", event.occurred_at)

    @on(ReversalRecorded)
    async def on_reversal_recorded(self, event: ReversalRecorded, tx: Tx) -> None:
        """BI-10: every payment that the member's bank took back counts once, whatever became of the dispute."""
        if event.kind in (REVERSAL_KIND_DISPUTE_OPENED, REVERSAL_KIND_DISPUTE_LOST):
            _see(tx, Pattern.CHARGEBACKS, event.payer_id, event.payment_id, event.occurred_at)

    @on(UnderAgeDateReplaced)
    async def on_under_age_date_replaced(self, event: UnderAgeDateReplaced, tx: Tx) -> None:
        """ID-08: once is enough; the member is what counts, however often they change the date."""
        _see(tx, Pattern.UNDER_AGE_DATE, event.user_id, event.user_id, event.occurred_at)

    @on(SessionOpened)
    async def on_session_opened(self, event: SessionOpened, tx: Tx) -> None:
        """Every account of a device counts for the other accounts of it."""
        if event.device_digest:
            limit = self.runtime.config.device_accounts
            user_id, seen_at = UUID(event.user_id), from_timestamp(event.occurred_at)
            await add_device_account(tx, event.device_digest, user_id, seen_at, limit)


def _see(tx: Tx, pattern: Pattern, user_id: str, key: str, occurred_at: Timestamp) -> None:
    add_sighting(tx, pattern, UUID(user_id), Sighting(from_timestamp(occurred_at), UUID(key)))


def _count(tx: Tx, user_id: str, kind: str, occurred_at: Timestamp) -> None:
    add_activity(tx, UUID(user_id), kind, from_timestamp(occurred_at))
