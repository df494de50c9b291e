"""Crash safety: whichever service is killed at whichever instant of a saga, money that was taken ends as the purchased
item or as credits, and nothing happens twice.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import asyncpg
import grpc
import pytest
import pytest_asyncio
from unora_local import postgres_home
from unora_local.clock import Clock
from unora_local.env import Env
from unora_testing.deadlines import GENEROUS, eventually

from tests.e2e.crashes import Crashes, Point, Step
from tests.e2e.outcomes import Outcomes
from tests.e2e.saga_couples import MemberApps, SagaCouple, blocks, closes, ends, pays_for
from tests.e2e.stack import STARTED_WITHIN, Stack

BEFORE_COMMIT, IN_COMMIT = Point

SENT_AWAY = Step("billing", "billing.payments", "NEW.status = 'pending'")
PAID = Step("billing", "billing.payments", "NEW.status = 'succeeded'")
MARKED = Step("billing", "billing.outbox", "NEW.published_at IS NOT NULL", by_relay=True)
PROTECTED = Step("billing", "billing.credit_protections", "NEW.status = 'open'")
CONVERTED = Step("billing", "billing.credits")
RECOVERED = Step("streak", "streak.recovery_payments")
NUDGED = Step("streak", "streak.nudges")
BOUGHT = Step("reveal", "reveal.purchases")
BLOCKED = Step("safety", "safety.blocks")
ENDED_BY_MEMBER = Step("matching", "matching.connections", "NEW.end_reason = 'other'")
ENDED_BY_BLOCK = Step("matching", "matching.connections", "NEW.end_reason = 'block'")
CLOSED = Step("identity", "identity.users", "NEW.closed_at IS NOT NULL")
ENDED_BY_CLOSING = Step("matching", "matching.connections", "NEW.end_reason = 'closing'")
CLOSED_IN_BILLING = Step("billing", "billing.accounts", "NEW.closed")
STEPS = (
    *(SENT_AWAY, PAID, MARKED, PROTECTED, CONVERTED),
    *(RECOVERED, NUDGED, BOUGHT, BLOCKED, ENDED_BY_MEMBER, ENDED_BY_BLOCK),
    *(CLOSED, ENDED_BY_CLOSING, CLOSED_IN_BILLING),
)

DRIVEN_ON_AFTER = timedelta(seconds=61)
"""After this time a job of billing continues a payment that got stuck."""
REDELIVERED_AFTER = "3"
"""Seconds until the stream delivers an event again; the default is longer."""


class Five(NamedTuple):
    """A couple for each saga."""

    recovery: SagaCouple
    purchase: SagaCouple
    nudge: SagaCouple
    conversion: SagaCouple
    block: SagaCouple


@dataclass
class Sagas:
    """A stack with couples at the beginning of each saga."""

    apps: MemberApps
    clock: Clock
    crash: Crashes
    left: Outcomes
    fives: list[Five]

    async def pay(self, purpose: str, couple: SagaCouple) -> str:
        """Create a payment and confirm it at the provider; the breaker pays for a recovery. Return its id."""
        made = await self.apps.create(pays_for(purpose, couple), couple.b if purpose == "RECOVERY" else couple.a)
        await self.apps.confirm(made.confirmation)
        return made.payment.payment_id

    async def recover(self, couple: SagaCouple) -> str:
        """A recovery that was applied."""
        payment_id = await self.pay("RECOVERY", couple)
        await self.apply()
        return payment_id

    async def apply(self) -> None:
        """Return when the webhooks are accepted and the stack is idle."""
        await self.take_webhooks()
        await self.clock.wait_until_idle()

    async def take_webhooks(self) -> None:
        """Return when billing has accepted every webhook."""
        await eventually(self.left.no_webhook_waits, "billing took every webhook")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sagas(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sagas]:
    """One stack, whose streams soon deliver again what was not acknowledged."""
    stack = Stack(tmp_path_factory.mktemp("sagas") / "run")
    environment = os.environ | {"UNORA_REDELIVERY_SECONDS": REDELIVERED_AFTER}
    with stack.output.open("wb") as output:
        up = subprocess.Popen(  # noqa: ASYNC220 - it runs beside the tests
            stack.command("up"), stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment
        )
    try:
        await asyncio.to_thread(stack.until, lambda: stack.folder.env.exists() or up.poll() is not None, STARTED_WITHIN)
        assert stack.folder.env.exists(), stack.output.read_text()
        env = Env.read(stack.folder.env)
        holder = await asyncpg.connect(env.postgres)
        async with Clock(env, GENEROUS) as clock:
            crash = Crashes(stack, env, clock.superuser, holder)
            await crash.add_triggers(*STEPS)
            apps = MemberApps(env, clock, (stack.folder.path / "keys" / "token.pem").read_text())
            left = Outcomes(clock.superuser, stack.folder.path / "payments.json")
            couples = await apps.connect(20)
            fives = [Five(*couples[place : place + 5]) for place in range(0, 20, 5)]
            broken = [couple for five in fives for couple in (five.recovery, five.conversion)]
            await apps.break_day([*broken, fives[2].block])
            await apps.put_at_risk([five.nudge for five in fives])
            yield Sagas(apps, clock, crash, left, fives)
            await apps.close()
            await holder.close()
    finally:
        await asyncio.to_thread(stack.run, "clean")
        up.wait()
    assert not postgres_home.outside(stack.folder.path / "postgres").exists()


@pytest.mark.rule("XX-02", "BI-05", "BI-08", "BI-11", "ST-17", "ST-18", "RE-05", "MA-12")
async def test_killed_before_the_commit(sagas: Sagas) -> None:
    """The writes are lost with the service, and are made again when the event or the webhook is delivered again."""
    apps, crash, five = sagas.apps, sagas.crash, sagas.fives[0]
    protected = await sagas.recover(five.conversion)
    await crash.hold(BEFORE_COMMIT, RECOVERED, BOUGHT, NUDGED, CONVERTED, ENDED_BY_BLOCK)

    recovery = await sagas.pay("RECOVERY", five.recovery)
    purchase = await sagas.pay("REVEAL", five.purchase)
    await crash.held(BEFORE_COMMIT, RECOVERED, BOUGHT)
    await apps.end(ends(five.conversion), five.conversion.a)
    await crash.hold(BEFORE_COMMIT, PAID)
    nudge = await sagas.pay("NUDGE", five.nudge)
    await apps.block(blocks(five.block), five.block.a)
    await crash.kill_held(BEFORE_COMMIT, RECOVERED, BOUGHT, CONVERTED, PAID, ENDED_BY_BLOCK)
    await crash.kill_held(BEFORE_COMMIT, NUDGED)

    await sagas.apply()
    await sagas.left.paid_once(five.recovery, recovery)
    await sagas.left.paid_once(five.purchase, purchase)
    await sagas.left.paid_once(five.nudge, nudge)
    await sagas.left.paid_once(five.conversion, protected, "converted")
    await sagas.left.ended_once(five.conversion, by_block=False)
    await sagas.left.ended_once(five.block, by_block=True)
    await sagas.left.events_are_complete()


@pytest.mark.rule("XX-02", "BI-05", "BI-07", "ST-17", "RE-05", "MA-12")
async def test_killed_after_the_commit(sagas: Sagas) -> None:
    """Events that were committed and not published are published by the restarted service."""
    apps, crash, five = sagas.apps, sagas.crash, sagas.fives[1]
    protected = await sagas.recover(five.conversion)
    await crash.stop_relays("billing", "matching", "safety")

    recovery = await sagas.pay("RECOVERY", five.recovery)
    purchase = await sagas.pay("REVEAL", five.purchase)
    nudge = await sagas.pay("NUDGE", five.nudge)
    await apps.end(ends(five.conversion), five.conversion.a)
    await apps.block(blocks(five.block), five.block.a)
    await sagas.take_webhooks()
    await crash.kill("billing", "matching", "safety")
    assert await sagas.left.unpublished("billing", "payment_succeeded") == 3
    assert await sagas.left.unpublished("matching", "connection_ended") == 1
    assert await sagas.left.unpublished("safety", "member_blocked") == 1
    await crash.start_relays("billing", "matching", "safety")

    await sagas.apply()
    await sagas.left.paid_once(five.recovery, recovery)
    await sagas.left.paid_once(five.purchase, purchase)
    await sagas.left.paid_once(five.nudge, nudge)
    await sagas.left.paid_once(five.conversion, protected, "converted")
    await sagas.left.ended_once(five.conversion, by_block=False)
    await sagas.left.ended_once(five.block, by_block=True)
    await sagas.left.events_are_complete()


@pytest.mark.rule("BI-05", "BI-07", "BI-08", "BI-11", "ST-17", "ST-20", "RE-05", "MA-12", "XX-02")
async def test_killed_after_the_charge(sagas: Sagas) -> None:
    """The provider has the charge, and billing has not stored it; or the item was delivered, and its protection is not
    open yet, when the partner ends the connection or blocks. A repeated call, or a job, continues the payment. Events
    that were published, and not marked as published, are published again.
    """
    apps, crash, five = sagas.apps, sagas.crash, sagas.fives[2]
    await crash.hold(BEFORE_COMMIT, PROTECTED)
    converted = await sagas.pay("RECOVERY", five.conversion)
    blocked = await sagas.pay("RECOVERY", five.block)
    await eventually(lambda: sagas.left.recovered(converted, blocked), "both have their recovery")
    await crash.held(BEFORE_COMMIT, PROTECTED)
    await apps.end(ends(five.conversion), five.conversion.a)
    await apps.block(blocks(five.block), five.block.a)

    await crash.hold(BEFORE_COMMIT, SENT_AWAY, MARKED)
    asked = [
        (pays_for("RECOVERY", five.recovery), five.recovery.b),
        (pays_for("REVEAL", five.purchase), five.purchase.a),
        (pays_for("NUDGE", five.nudge), five.nudge.a),
    ]
    calls = asyncio.gather(*(apps.create(*each) for each in asked), return_exceptions=True)
    await crash.held(BEFORE_COMMIT, SENT_AWAY, count=3)
    await crash.kill_held(BEFORE_COMMIT, SENT_AWAY, MARKED, PROTECTED)
    assert [type(answer) for answer in await calls] == [grpc.aio.AioRpcError] * 3
    payments = [await sagas.left.payment_of(request.request_id) for request, _ in asked]
    assert [payment["status"] for payment in payments] == ["created"] * 3
    charges = [charge["id"] for payment in payments for charge in sagas.left.charges(payment["id"])]
    assert len(charges) == 3

    made = [await apps.create(*asked[0])]
    await sagas.clock.move(DRIVEN_ON_AFTER)
    await eventually(lambda: sagas.left.all_sent(*(payment["id"] for payment in payments)), "they are driven on")
    made += [await apps.create(*each) for each in asked[1:]]
    assert [each.payment.payment_id for each in made] == [payment["id"] for payment in payments]
    assert [each.confirmation.provider_payment_id for each in made] == charges
    for each in made:
        await apps.confirm(each.confirmation)

    await sagas.apply()
    for couple, payment in zip((five.recovery, five.purchase, five.nudge), payments, strict=True):
        await sagas.left.paid_once(couple, payment["id"])
    await sagas.left.paid_once(five.conversion, converted, "converted")
    await sagas.left.paid_once(five.block, blocked, "converted")
    await sagas.left.ended_once(five.conversion, by_block=False)
    await sagas.left.ended_once(five.block, by_block=True)
    await sagas.left.events_are_complete()


@pytest.mark.rule("XX-02", "BI-05", "BI-07", "BI-08", "BI-11", "ST-17", "ST-18", "RE-05", "MA-12")
async def test_killed_before_the_acknowledgement(sagas: Sagas) -> None:
    """The step is committed, but the stream, the provider and the members' apps get no answer: all of them repeat, and
    the repeat changes nothing. The same holds for credits for a rejected purchase: a reveal that was bought twice.
    """
    apps, crash, five = sagas.apps, sagas.crash, sagas.fives[3]
    protected = await sagas.recover(five.conversion)
    await crash.hold(IN_COMMIT, RECOVERED, BOUGHT, NUDGED, CONVERTED, ENDED_BY_MEMBER, ENDED_BY_BLOCK, BLOCKED)

    recovery = await sagas.pay("RECOVERY", five.recovery)
    purchase = await sagas.pay("REVEAL", five.purchase)
    same = [pays_for("REVEAL", five.purchase) for _ in range(2)]
    for made in [await apps.create(request, five.purchase.b) for request in same]:
        await apps.confirm(made.confirmation)
    await sagas.take_webhooks()
    await crash.held(IN_COMMIT, RECOVERED, BOUGHT)
    await crash.hold(IN_COMMIT, PAID)
    nudge = await sagas.pay("NUDGE", five.nudge)
    ending, blocking = (ends(five.conversion), five.conversion.a), (blocks(five.block), five.block.a)
    calls = asyncio.gather(apps.end(*ending), apps.block(*blocking), return_exceptions=True)
    await crash.kill_held(IN_COMMIT, RECOVERED, BOUGHT, PAID, ENDED_BY_MEMBER, BLOCKED)
    assert [type(answer) for answer in await calls] == [grpc.aio.AioRpcError] * 2
    assert (await apps.end(*ending)).connection.connection_id == five.conversion.connection_id
    assert (await apps.block(*blocking)).block.target == blocking[0].target
    await crash.held(IN_COMMIT, CONVERTED, count=2)
    await crash.kill_held(IN_COMMIT, NUDGED, CONVERTED, ENDED_BY_BLOCK)

    await sagas.apply()
    await sagas.left.paid_once(five.recovery, recovery)
    await sagas.left.paid_once(five.purchase, purchase)
    bought = {each["status"]: each["id"] for each in [await sagas.left.payment_of(each.request_id) for each in same]}
    await sagas.left.paid_once(five.purchase, bought["applied"])
    await sagas.left.paid_once(five.purchase, bought["credited"], "refused")
    await sagas.left.paid_once(five.nudge, nudge)
    await sagas.left.paid_once(five.conversion, protected, "converted")
    await sagas.left.ended_once(five.conversion, by_block=False)
    await sagas.left.ended_once(five.block, by_block=True)
    await sagas.left.events_are_complete()


@pytest.mark.rule("ID-09", "MA-09", "BI-11", "XX-02")
@pytest.mark.parametrize("point", [BEFORE_COMMIT, IN_COMMIT])
async def test_killed_while_an_account_closes(sagas: Sagas, point: Point) -> None:
    """Identity is killed as it closes the account, then matching and billing as they follow. If the first commit was
    lost, a repeat of the call closes the account.
    """
    apps, crash = sagas.apps, sagas.crash
    leaver = await apps.sign_up()
    couple = await apps.connect_with(leaver)
    made = await apps.create(pays_for("REVEAL", couple), leaver)
    request = closes()
    await crash.hold(point, CLOSED, ENDED_BY_CLOSING, CLOSED_IN_BILLING)
    call = asyncio.gather(apps.close_account(request, leaver), return_exceptions=True)
    await crash.kill_held(point, CLOSED)
    assert [type(answer) for answer in await call] == [grpc.aio.AioRpcError]
    if point is BEFORE_COMMIT:
        await apps.close_account(request, leaver)
    await crash.kill_held(point, ENDED_BY_CLOSING, CLOSED_IN_BILLING)

    await sagas.apply()
    await sagas.clock.move(DRIVEN_ON_AFTER)  # the job may have had the payment when it was killed
    payment_id = made.payment.payment_id
    await eventually(lambda: sagas.left.is_cancelled(payment_id), "a job cancelled the payment")
    await sagas.apply()
    await sagas.left.closed_once(couple, leaver, payment_id)
    await sagas.left.events_are_complete()
