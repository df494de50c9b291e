"""What safety counts (SA-04, SA-09): each thing once, at the time it happened, however often and late it is told."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.billing_service_pb2 import PAYMENT_FAILURE_DECLINED
from unora.billing.v1.events_pb2 import PaymentFailed, ProtectionClosed
from unora.identity.v1.events_pb2 import SessionOpened
from unora.matching.v1.events_pb2 import END_CAUSE_MEMBER, ConnectionEnded, InterestSent
from unora.safety.v1.events_pb2 import MemberBlocked, MemberReported
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.messages import from_timestamp
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.domain import Pattern, Sighting
from unora_safety.resources import Resources
from unora_safety.store import sightings


class Patterns:
    """Counts, and leaves judging to the detector."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @on(InterestSent)
    async def interest(self, event: InterestSent, tx: Tx) -> None:
        """Interests are counted one by one."""
        _see(tx, Pattern.INTEREST_FLOOD, event.sender_id, event.interest_id, event.occurred_at)
        _act(tx, event.sender_id, "interests", event.occurred_at)

    @on(ConnectionEnded)
    async def ending(self, event: ConnectionEnded, tx: Tx) -> None:
        """Only what a member did: a block or a suspension ends a connection too, and counts as what it is."""
        if event.cause == END_CAUSE_MEMBER:
            _act(tx, event.ended_by_id, "endings", event.occurred_at)
            sightings.mark(tx, [UUID(event.ended_by_id)])

    @on(ProtectionClosed)
    async def bad_faith(self, event: ProtectionClosed, tx: Tx) -> None:
        """BI-05: the partner ended it while it was protected. One ending may end several protections."""
        if event.converted:
            _see(tx, Pattern.BAD_FAITH_ENDINGS, event.partner_id, event.connection_id, event.occurred_at)

    @on(MemberBlocked)
    async def block(self, event: MemberBlocked, tx: Tx) -> None:
        """How many people block a member: each once, however often."""
        _see(tx, Pattern.MANY_BLOCKS, event.blocked_id, event.blocker_id, event.occurred_at)
        _act(tx, event.blocker_id, "blocks", event.occurred_at)
        sightings.mark(tx, [UUID(event.blocker_id)])

    @on(MemberReported)
    async def report(self, event: MemberReported, tx: Tx) -> None:
        """How many people report a member: each once, however often."""
        _see(tx, Pattern.MANY_REPORTS, event.reported_id, event.reporter_id, event.occurred_at)
        _act(tx, event.reporter_id, "reports", event.occurred_at)
        sightings.mark(tx, [UUID(event.reporter_id)])

    @on(PaymentFailed)
    async def failed_payment(self, event: PaymentFailed, tx: Tx) -> None:
        """What the provider declined; not what was given up, nor what its owner did not allow."""
        if event.failure == PAYMENT_FAILURE_DECLINED:
            _see(tx, Pattern.PAYMENT_ABUSE, event.payer_id, event.payment_id, event.occurred_at)
            _act(tx, event.payer_id, "failed_payments", event.occurred_at)

    @on(SessionOpened)
    async def session(self, event: SessionOpened, tx: Tx) -> None:
        """Every account of a device is seen with the others of it."""
        if not event.device_digest:
            return
        user, at = UUID(event.user_id), from_timestamp(event.occurred_at)
        others = await sightings.on_device(tx, event.device_digest, user, at, self.runtime.config.device_accounts)
        if others:
            seen = [(user, other) for other in others] + [(other.key, Sighting(at, user)) for other in others]
            sightings.see(tx, Pattern.SHARED_DEVICE, seen)


def _see(tx: Tx, pattern: Pattern, user_id: str, key: str, at: Timestamp) -> None:
    sightings.see(tx, pattern, [(UUID(user_id), Sighting(from_timestamp(at), UUID(key)))])


def _act(tx: Tx, user_id: str, kind: str, at: Timestamp) -> None:
    moment: datetime = from_timestamp(at)
    sightings.act(tx, UUID(user_id), kind, moment.date())
