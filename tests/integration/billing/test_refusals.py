"""Requests that are always refused."""

from __future__ import annotations

import pytest
from unora.billing.v1 import billing_service_pb2 as api

from tests.integration.billing.conftest import Wallet
from tests.support import refusal, request_id


@pytest.mark.rule("RE-04", "BI-02")
@pytest.mark.parametrize(
    ("purpose", "number"), [("REVEAL", 5), ("REVEAL", 0), ("REVEAL", -1), ("RECOVERY", 1), ("NUDGE", 4)]
)
async def test_a_reveal_from_1_to_4_is_for_sale_and_goes_with_nothing_else(
    wallet: Wallet, purpose: str, number: int
) -> None:
    found = await refusal(wallet.create(wallet.order(purpose, reveal_number=number)))
    assert found.code == "INVALID_ARGUMENT"
    assert set(found.violations) <= {"reveal_number", ""}, "a rule between fields has an empty path"
    assert found.violations


@pytest.mark.rule("BI-04")
@pytest.mark.parametrize("method", ["PAYMENT_METHOD_CREDITS", "PAYMENT_METHOD_FREE"])
async def test_credits_cannot_pay_for_a_subscription(wallet: Wallet, method: str) -> None:
    await wallet.earn_credits(4)  # more than a month of plus
    request = api.SubscribeRequest(request_id=request_id(), tier="TIER_PLUS", method=method)  # type: ignore[arg-type]
    found = await refusal(wallet.billing.Subscribe(request, metadata=wallet.member.metadata))
    assert (found.code, list(found.violations)) == ("INVALID_ARGUMENT", ["method"])
    assert await wallet.credits() == 4 * 299


@pytest.mark.rule("BI-06")
async def test_a_free_recovery_cannot_be_asked_for(wallet: Wallet) -> None:
    found = await refusal(wallet.create(wallet.order(method="FREE")))
    assert (found.code, list(found.violations)) == ("INVALID_ARGUMENT", ["method"])


@pytest.mark.rule("XX-04")
async def test_the_owners_refusal_reaches_the_caller_and_the_payment_failed(wallet: Wallet) -> None:
    """The real owners are asked about a streak that does not exist."""
    for asked in (
        wallet.order(streak_id=request_id()),
        wallet.order("NUDGE", streak_id=request_id()),
        wallet.order("REVEAL", streak_id=request_id(), reveal_number=3),
    ):
        found = await refusal(wallet.create(asked))
        assert (found.code, found.reason) == ("NOT_FOUND", "STREAK_NOT_FOUND")
        again = await wallet.create(asked)  # a repeat returns the failed payment
        assert again.payment.status == api.PAYMENT_STATUS_FAILED
        assert again.payment.failure == api.PAYMENT_FAILURE_NOT_AUTHORIZED
        assert not again.HasField("confirmation")
