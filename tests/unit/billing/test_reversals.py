"""What refunds and disputes do to the credits of a payment (BI-10), in whatever order they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_billing.domain.payments import Payment, PaymentMethod, PaymentStatus
from unora_billing.domain.policy import CURRENCY, PaymentPurpose
from unora_billing.domain.reversals import (
    Notice,
    Reversal,
    ReversalKind,
    Totals,
    next_reversal,
    reversed_amount,
    totals,
)
from unora_common.ids import uuid7

pytestmark = pytest.mark.rule("BI-10")

NOW = datetime(2026, 5, 1, tzinfo=UTC)
PAID = 299
REFUNDED, FAILED = ReversalKind.REFUNDED, ReversalKind.REFUND_FAILED
OPENED, WON, LOST = ReversalKind.DISPUTE_OPENED, ReversalKind.DISPUTE_WON, ReversalKind.DISPUTE_LOST
NO_MONEY = [ReversalKind.INQUIRY_OPENED, ReversalKind.INQUIRY_CLOSED, ReversalKind.FRAUD_WARNED]


def a_payment(status: PaymentStatus = PaymentStatus.APPLIED) -> Payment:
    return Payment(
        id=uuid7(),
        payer_id=uuid7(),
        request_id=uuid7(),
        purpose=PaymentPurpose.RECOVERY,
        method=PaymentMethod.MONEY,
        amount=PAID,
        streak_id=uuid7(),
        reveal_number=None,
        plan=None,
        renews_subscription_id=None,
        status=status,
        failure=None,
        connection_id=None,
        provider_payment_id="pi_1",
        created_at=NOW,
        succeeded_at=NOW,
        due_at=None,
        version=3,
    )


@dataclass
class Money:
    """A payment, the rows beside it, and its member's credits, as the ledger keeps them."""

    payment: Payment = field(default_factory=a_payment)
    rows: list[Reversal] = field(default_factory=list)
    of_payment: int = 0
    """The sum of the entries that the payment and its reversals made."""
    balance: int = 0

    def tell(self, provider_id: str, kind: ReversalKind, amount: int = PAID) -> None:
        notice = Notice(provider_id, kind, amount, CURRENCY)
        made = next_reversal(uuid7(), uuid7(), self.payment, PAID, self.rows, notice, self.balance, NOW)
        if made:
            self.rows.append(made)
            self.of_payment += made.credits
            self.balance += made.credits

    def convert(self) -> None:
        if self.payment.status is PaymentStatus.APPLIED:
            left = PAID - reversed_amount(self.rows)
            self.payment = replace(self.payment, status=PaymentStatus.CREDITED)
            self.of_payment += left
            self.balance += left

    def spend(self, amount: int) -> None:
        self.balance -= min(amount, self.balance)

    @property
    def uncollected(self) -> int:
        return sum(row.uncollected for row in self.rows)

    def check(self) -> None:
        reversed_ = reversed_amount(self.rows)
        assert self.balance >= 0
        assert 0 <= reversed_ <= PAID
        assert 0 <= self.uncollected <= reversed_, "of what is no longer reversed, nothing is left to collect"
        if self.payment.status is PaymentStatus.CREDITED:
            assert self.of_payment + reversed_ == PAID + self.uncollected
        else:
            assert self.of_payment == self.uncollected == 0


def test_credits_are_taken_back_as_far_as_they_are_there_and_the_rest_is_noted() -> None:
    money = Money()
    money.convert()
    money.spend(200)
    money.tell("re_1", REFUNDED)
    (row,) = money.rows
    assert (row.reversed, row.credits, row.uncollected) == (299, -99, 200)
    assert money.balance == 0


def test_a_won_dispute_gives_back_exactly_what_was_taken() -> None:
    money = Money()
    money.convert()
    money.spend(200)
    money.tell("dp_1", OPENED)
    money.balance += 500  # credits of another payment
    money.tell("dp_1", WON)
    assert (money.balance, money.uncollected, reversed_amount(money.rows)) == (599, 0, 0)


def test_what_was_withheld_by_an_open_dispute_comes_when_it_is_won() -> None:
    money = Money()
    money.tell("dp_1", OPENED)
    money.convert()
    assert money.balance == 0
    money.tell("dp_1", WON)
    assert money.balance == PAID


def test_a_payment_refunded_in_part_becomes_the_rest() -> None:
    money = Money()
    money.tell("re_1", REFUNDED, 100)
    money.convert()
    assert money.balance == 199
    money.tell("re_2", REFUNDED, 199)
    assert money.balance == 0
    assert totals(money.rows).refunded == PAID


def test_a_refund_and_a_dispute_of_the_same_money_reverse_it_once() -> None:
    money = Money()
    money.convert()
    money.spend(0)
    money.tell("re_1", REFUNDED)
    money.tell("dp_1", OPENED)
    assert reversed_amount(money.rows) == PAID
    money.tell("re_1", FAILED)  # the dispute still stands
    assert (money.balance, reversed_amount(money.rows)) == (0, PAID)
    money.tell("dp_1", WON)
    assert money.balance == PAID


def test_spent_credits_of_money_that_came_back_are_not_given_again() -> None:
    """The refund reverses nothing besides the dispute, and still stands when the dispute is won; then it fails."""
    money = Money()
    money.convert()
    money.spend(PAID)
    money.tell("dp_1", OPENED)
    money.tell("re_1", REFUNDED)
    money.tell("dp_1", WON)
    assert (money.balance, money.uncollected, reversed_amount(money.rows)) == (0, PAID, PAID)
    money.tell("re_1", FAILED)
    assert (money.balance, money.uncollected, reversed_amount(money.rows)) == (0, 0, 0)


def test_a_refund_during_a_dispute_that_is_won_is_shown_as_refunded() -> None:
    money = Money()
    money.tell("dp_1", OPENED)
    money.tell("re_1", REFUNDED, 100)
    assert totals(money.rows) == Totals(refunded=100, disputed=199)
    money.tell("dp_1", WON)
    assert totals(money.rows) == Totals(refunded=100, disputed=0)


@pytest.mark.parametrize("kind", NO_MONEY)
def test_a_warning_moves_no_credits(kind: ReversalKind) -> None:
    money = Money()
    money.convert()
    money.tell("dp_1", kind)
    assert (len(money.rows), money.balance) == (1, PAID)


@pytest.mark.parametrize("order", [(OPENED, WON), (WON, OPENED), (OPENED, LOST), (LOST, OPENED)])
def test_a_dispute_ends_as_it_was_closed_whichever_was_told_first(order: Sequence[ReversalKind]) -> None:
    money = Money()
    money.convert()
    for kind in order:
        money.tell("dp_1", kind)
        money.tell("dp_1", kind)  # and again
    assert money.balance == (PAID if WON in order else 0)
    assert len(money.rows) == 2


TELLINGS = st.tuples(
    st.sampled_from([("re_1", REFUNDED), ("re_1", FAILED), ("re_2", REFUNDED), ("re_2", FAILED)])
    | st.sampled_from([("dp_1", OPENED), ("dp_1", WON), ("dp_1", LOST), ("dp_2", OPENED), ("dp_2", LOST)])
    | st.sampled_from([("dp_2", ReversalKind.INQUIRY_OPENED), ("issfr_1", ReversalKind.FRAUD_WARNED)]),
    st.integers(0, 400),
)
STEPS = st.lists(
    TELLINGS | st.just("convert") | st.integers(1, 400),
    max_size=14,
)


@given(STEPS)
def test_credits_and_refunds_are_together_what_was_paid_after_any_history(steps: list[object]) -> None:
    """A number spends credits. What was spent already is noted as uncollected; nothing else is given twice."""
    money = Money()
    for step in steps:
        if step == "convert":
            money.convert()
        elif isinstance(step, int):
            money.spend(step)
        elif isinstance(step, tuple):
            (provider_id, kind), amount = step
            money.tell(provider_id, kind, amount)
        money.check()


@given(st.permutations([("re_1", REFUNDED, 100), ("re_2", REFUNDED, 50), ("re_2", FAILED, 50), ("dp_1", OPENED, 149),
                        ("dp_1", WON, 149), ("dp_2", LOST, 60), ("dp_2", OPENED, 60), "convert"]))  # fmt: skip
def test_any_order_of_the_same_facts_ends_with_the_same_credits(facts: list[object]) -> None:
    money = Money()
    for fact in facts:
        if isinstance(fact, tuple):
            money.tell(*fact)
        else:
            money.convert()
        money.check()
    assert (money.balance, money.uncollected, reversed_amount(money.rows)) == (139, 0, 160)
