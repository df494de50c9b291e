"""The wallet's screen is one read, and says what the lists say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.wallet_service_pb2 import GetWalletRequest, GetWalletResponse
from unora.billing.v1.wallet_service_pb2_grpc import WalletServiceStub
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS

from tests.integration.billing.conftest import Wallet

pytestmark = pytest.mark.rule("BI-03")
SHOWN = 20


async def wallet_of(wallet: Wallet) -> GetWalletResponse:
    stub = wallet.world.stub(WalletServiceStub, "billing")
    return await stub.GetWallet(GetWalletRequest(), metadata=wallet.member.metadata)


async def test_a_new_member_has_an_empty_wallet_and_is_free(wallet: Wallet) -> None:
    assert await wallet_of(wallet) == GetWalletResponse(tier=TIER_FREE)


async def test_the_wallet_shows_what_the_lists_show(wallets: Callable[[], Wallet]) -> None:
    wallet, other = wallets(), wallets()
    await other.pay()
    earned = await wallet.earn_credits()
    await wallet.subscribe("PLUS")
    shown = await wallet_of(wallet)
    billing, metadata = wallet.billing, wallet.member.metadata
    payments = (await billing.ListPayments(api.ListPaymentsRequest(), metadata=metadata)).payments
    entries = (await billing.ListCreditEntries(api.ListCreditEntriesRequest(), metadata=metadata)).entries
    assert (list(shown.payments), list(shown.entries)) == (list(payments), list(entries))
    assert (len(payments), len(entries), shown.balance, shown.tier) == (2, 1, earned, TIER_PLUS)
    assert shown.subscription == (await wallet.subscription()).subscription


async def test_its_lists_go_on_where_the_screen_ends(wallet: Wallet) -> None:
    for _ in range(SHOWN + 2):
        await wallet.create(wallet.order())
    shown = await wallet_of(wallet)
    assert len(shown.payments) == SHOWN
    request = api.ListPaymentsRequest(page_token=shown.next_payments_token)
    rest = await wallet.billing.ListPayments(request, metadata=wallet.member.metadata)
    assert len({each.payment_id for each in (*shown.payments, *rest.payments)}) == SHOWN + 2
