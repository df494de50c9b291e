"""Events that patterns are counted from (SA-04), each about one member."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.billing_service_pb2 import PAYMENT_FAILURE_DECLINED, PAYMENT_PURPOSE_REVEAL
from unora.billing.v1.events_pb2 import PaymentFailed, ProtectionClosed
from unora.matching.v1.events_pb2 import InterestSent
from unora.safety.v1.events_pb2 import REPORT_CATEGORY_SCAM, MemberBlocked, MemberReported
from unora_testing.world import Caller

from tests.support import request_id


def stamp(at: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(at)
    return made


def interest(member: Caller, at: datetime) -> InterestSent:
    return InterestSent(
        interest_id=request_id(),
        version=1,
        sender_id=member.id,
        receiver_id=request_id(),
        occurred_at=stamp(at),
    )


def bad_faith(member: Caller, at: datetime, *, converted: bool = True, connection: str = "") -> ProtectionClosed:
    return ProtectionClosed(
        protection_id=request_id(),
        version=2,
        payment_id=request_id(),
        payer_id=request_id(),
        partner_id=member.id,
        connection_id=connection or request_id(),
        converted=converted,
        occurred_at=stamp(at),
    )


def blocked(member: Caller, at: datetime, by: str = "") -> MemberBlocked:
    return MemberBlocked(
        block_id=request_id(),
        version=1,
        blocker_id=by or request_id(),
        blocked_id=member.id,
        occurred_at=stamp(at),
    )


def reported(member: Caller, at: datetime, by: str = "") -> MemberReported:
    return MemberReported(
        report_id=request_id(),
        version=1,
        reporter_id=by or request_id(),
        reported_id=member.id,
        category=REPORT_CATEGORY_SCAM,
        occurred_at=stamp(at),
    )


def failed(member: Caller, at: datetime, failure: Any = PAYMENT_FAILURE_DECLINED) -> PaymentFailed:
    return PaymentFailed(
        payment_id=request_id(),
        version=2,
        payer_id=member.id,
        purpose=PAYMENT_PURPOSE_REVEAL,
        failure=failure,
        occurred_at=stamp(at),
    )
