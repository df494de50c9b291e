"""The domain rules of billing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_billing.domain.errors import PlanLower, SubscriptionExists
from unora_billing.domain.payments import IllegalStep, Payment, PaymentFailure, PaymentMethod, PaymentStatus
from unora_billing.domain.policy import PaymentPurpose, Plan, Policy, Tier
from unora_billing.domain.protections import Ending, Protection, ProtectionStatus
from unora_billing.domain.subscriptions import month_after, new_subscription, require_can_buy
from unora_common.ids import uuid7

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.rule("BI-01")
@pytest.mark.parametrize(
    ("months", "date"),
    [(0, "2026-01-31"), (1, "2026-02-28"), (2, "2026-03-31"), (25, "2028-02-29"), (12, "2027-01-31")],
)
def test_months_go_by_the_calendar(months: int, date: str) -> None:
    assert month_after(NOW, months).date().isoformat() == date


@pytest.mark.rule("BI-01")
@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.integers(1, 60))  # noqa: DTZ001
def test_periods_follow_each_other_without_gap_or_drift(start: datetime, count: int) -> None:
    subscription = new_subscription(uuid7(), uuid7(), Tier.PLUS, "pm", start)
    for number in range(count):
        before, subscription = subscription, subscription.renewed()
        assert subscription.current_period_starts_at == before.current_period_ends_at
        assert subscription.current_period_ends_at == month_after(start, number + 2)
        assert subscription.current_period_ends_at > subscription.current_period_starts_at


@pytest.mark.rule("BI-01")
def test_only_a_higher_plan_can_be_bought() -> None:
    plus = new_subscription(uuid7(), uuid7(), Tier.PLUS, "pm", NOW)
    pro = new_subscription(uuid7(), uuid7(), Tier.PRO, "pm", NOW)
    require_can_buy(None, Tier.PLUS)
    require_can_buy(plus, Tier.PRO)
    with pytest.raises(SubscriptionExists):
        require_can_buy(plus, Tier.PLUS)
    with pytest.raises(PlanLower):
        require_can_buy(pro.cancelled(NOW), Tier.PLUS)


@pytest.mark.rule("BI-06")
def test_a_plan_gives_recoveries_for_nothing_and_nothing_else() -> None:
    plan = Plan(
        Tier.PRO, "Pro", 1999, connection_slots=7, refresh_hours=2, nudges=5, free_recoveries=2, reveals_earned=5
    )
    policy = Policy((plan,), {}, *[timedelta(hours=1)] * 5)
    given = {purpose: policy.free_allowance(purpose, Tier.PRO) for purpose in PaymentPurpose}
    assert given == dict.fromkeys(PaymentPurpose, 0) | {PaymentPurpose.RECOVERY: 2}


def payment(status: PaymentStatus) -> Payment:
    return Payment(
        id=uuid7(),
        payer_id=uuid7(),
        request_id=uuid7(),
        purpose=PaymentPurpose.RECOVERY,
        method=PaymentMethod.MONEY,
        amount=299,
        streak_id=uuid7(),
        reveal_number=None,
        plan=None,
        renews_subscription_id=None,
        status=status,
        failure=None,
        connection_id=None,
        provider_payment_id=None,
        created_at=NOW,
        succeeded_at=None,
        due_at=None,
        version=1,
    )


ALLOWED = {
    "succeed": {PaymentStatus.CREATED, PaymentStatus.PENDING},
    "free": {PaymentStatus.CREATED},
    "fail": {PaymentStatus.CREATED, PaymentStatus.PENDING},
    "apply": {PaymentStatus.SUCCEEDED},
    "credit": {PaymentStatus.SUCCEEDED, PaymentStatus.APPLIED, PaymentStatus.FAILED},
    "send": {PaymentStatus.CREATED},
}
STEPS: dict[str, Callable[[Payment], Payment]] = {
    "succeed": lambda p: p.succeeded(NOW),
    "free": lambda p: p.succeeded(NOW, free=True),
    "fail": lambda p: p.failed(PaymentFailure.DECLINED),
    "apply": lambda p: p.applied(),
    "credit": lambda p: p.credited(NOW),
    "send": lambda p: p.sent("pi", NOW, timedelta(hours=24)),
}


@pytest.mark.rule("BI-02")
@pytest.mark.parametrize("step", sorted(STEPS))
@pytest.mark.parametrize("status", list(PaymentStatus))
def test_a_payment_allows_only_the_legal_steps(step: str, status: PaymentStatus) -> None:
    before = payment(status)
    if status in ALLOWED[step]:
        after = STEPS[step](before)
        assert after.status is not before.status
        assert after.version == before.version + 1  # each step has an event
    else:
        with pytest.raises(IllegalStep):
            STEPS[step](before)


@pytest.mark.rule("BI-05")
@pytest.mark.parametrize(
    ("seconds", "by_partner", "status", "converts"),
    [
        (0, True, ProtectionStatus.OPEN, True),
        (86_399, True, ProtectionStatus.OPEN, True),
        (86_399, True, ProtectionStatus.EXPIRED, True),
        (86_400, True, ProtectionStatus.OPEN, False),
        (0, False, ProtectionStatus.OPEN, False),
        (0, True, ProtectionStatus.CONVERTED, False),
    ],
)
def test_the_partners_ending_in_time_converts(
    seconds: int, by_partner: bool, status: ProtectionStatus, converts: bool
) -> None:
    payer, partner = uuid7(), uuid7()
    window = (NOW, NOW + timedelta(hours=24))
    protection = Protection(uuid7(), uuid7(), payer, partner, uuid7(), status, *window, None, 1)
    ending = Ending(partner if by_partner else payer, NOW + timedelta(seconds=seconds))
    assert protection.is_converted_by(ending) is converts
