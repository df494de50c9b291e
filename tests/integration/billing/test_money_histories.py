"""Histories that a seed draws: refunds and disputes whose webhooks come shuffled, twice and at once (BI-10)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import pytest
from unora_testing.invariants import INVARIANTS
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet
from tests.support import request_id

PRICE, NUDGE = 299, 99
ABOUT_MONEY: Final = frozenset(
    {
        "balance-is-the-ledger",
        "never-below-zero",
        "credited-in-full-once",
        "spent-in-full-once",
        "conversions-are-credits",
        "reversed-is-what-was-told",
        "reversals-have-their-entries",
        "mismatches-end-as-decided",
        "no-plan-on-disputed-money",
        "tier-of-the-plan",
        "versions-without-gaps",
    }
)


@dataclass
class History:
    """One member's money, step by step."""

    wallet: Wallet
    chance: random.Random
    paid: list[str] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.wallet.world

    async def step(self) -> None:
        """One thing happens. The webhooks of a reversal wait, or come in any order, each twice."""
        steps = (self.pay, self.reject, self.end, self.spend, self.refund, self.refund, self.dispute, self.close)
        do: Callable[[], Awaitable[None]] = self.chance.choice((*steps, self.fail_refund))
        await do()
        if self.chance.random() < 0.4:
            waiting = self.world.payments.store.undelivered * 2
            self.chance.shuffle(waiting)
            await asyncio.gather(*(self.world.payments.send(event) for event in waiting))
        if self.chance.random() < 0.4:
            await self.world.drain()

    async def pay(self) -> None:
        self.paid.append(await (self.wallet.recover() if self.chance.random() < 0.5 else self.wallet.pay()))

    async def reject(self) -> None:
        await self.world.publish(self.wallet.rejected_event(self.any_payment(), await self.world.now()))

    async def end(self) -> None:
        await self.world.publish(self.wallet.ended_event(self.wallet.partner, await self.world.now()))
        self.wallet.connection_id = request_id()  # of the next recovery

    async def spend(self) -> None:
        if await self.wallet.credits() >= NUDGE:
            await self.wallet.create(self.wallet.order("NUDGE", method="CREDITS"))

    async def refund(self) -> None:
        charge = await self.wallet.charge_of(self.any_payment())
        if left := PRICE - self.world.payments.reversals.refunded(charge):
            self.world.payments.reversals.refund(charge, self.chance.randint(1, left))

    async def fail_refund(self) -> None:
        charge = await self.wallet.charge_of(self.any_payment())
        if made := self.world.payments.reversals.refunds(charge)["data"]:
            self.world.payments.reversals.fail_refund(self.chance.choice(made)["id"])

    async def dispute(self) -> None:
        charge = await self.wallet.charge_of(self.any_payment())
        self.world.payments.reversals.dispute(charge, self.chance.randint(1, PRICE))

    async def close(self) -> None:
        charges = [await self.wallet.charge_of(each) for each in self.paid]
        mine = [each for each in self.world.payments.store.reversals if each["payment_intent"] in charges]
        if still_open := [each for each in mine if each.get("status") == "needs_response"]:
            ends = self.chance.choice(("won", "lost"))
            self.world.payments.reversals.close_dispute(self.chance.choice(still_open)["id"], ends)

    def any_payment(self) -> str:
        return self.chance.choice(self.paid)


@pytest.mark.rule("BI-02", "BI-03", "BI-05", "BI-10", "BI-11")
@pytest.mark.parametrize("seed", range(3))
async def test_after_any_history_nothing_is_paid_twice(world: World, wallets: Callable[[], Wallet], seed: int) -> None:
    history = History(wallets(), random.Random(seed))
    history.paid += [await history.wallet.recover(), await history.wallet.pay()]
    for _ in range(14):
        await history.step()
    await world.drain()
    held = {each.name: each for each in INVARIANTS if each.name in ABOUT_MONEY}
    assert held.keys() == ABOUT_MONEY
    for invariant in held.values():
        rows = [dict(row) for row in await world.superuser.fetch(invariant.sql)]
        assert rows == [], invariant.says
