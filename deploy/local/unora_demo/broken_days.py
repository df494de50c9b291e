"""Broken days: nudges, recoveries, credits for late payments, a reset (ST-08 to ST-20, BI-05, BI-11)."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Final

from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_METHOD_CREDITS,
    PAYMENT_PURPOSE_NUDGE,
    PAYMENT_PURPOSE_REVEAL,
    SubscribeRequest,
)
from unora.common.v1.types_pb2 import TIER_PLUS
from unora.matching.v1.matching_service_pb2 import END_REASON_NOT_A_FIT, EndConnectionRequest
from unora.streak.v1.streak_service_pb2 import ListNudgesRequest, SendNudgeRequest
from unora_local.client import refused, request_id

from unora_demo import couples, days, payments
from unora_demo.days import state
from unora_demo.matching import inventory
from unora_demo.payments import NUDGE, RECOVERY, REVEAL
from unora_demo.people import Member
from unora_demo.provider import BAD_CARD
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

BREAKING: Final = "BCDE"
KEEPING: Final = "FHI"
LAST_MINUTES: Final = timedelta(minutes=4)
"""Time before a window ends; a hold lasts more than twice as long (ST-20)."""


async def half_a_day(stage: Stage, note: Note) -> None:
    """Four couples see only one of their two in the morning; the others keep the day."""
    await couples.dawn(stage, BREAKING + KEEPING)
    for letter in BREAKING:
        scene = stage.scene(letter)
        scene.streak = (await days.check_in(scene, scene.one)).streak
    for letter in KEEPING:
        await _both(stage.scene(letter))
    note.detail = f"in {len(BREAKING)} couples one has checked in, and the other has not"


async def nudges(stage: Stage, note: Note) -> None:
    """ST-13: a free member nudges once in an evening at risk, buys one more, and is refused a third."""
    scene = stage.scene("B")
    await stage.clock.move(days.ends(scene.streak) - days.EVENING)
    await couples.see(scene)
    expect("the state in the evening", "AT_RISK", state(scene.streak))
    await refused(nudge(scene, scene.other), "NOT_CHECKED_IN")
    await refused(payments.begin(scene, scene.one, PAYMENT_PURPOSE_NUDGE), "NUDGES_LEFT")
    await nudge(scene, scene.one)
    await refused(nudge(scene, scene.one), "NUDGE_LIMIT_REACHED")
    payment, became = await payments.pay(scene, scene.one, PAYMENT_PURPOSE_NUDGE)
    expect("price and state of the bought nudge", (NUDGE, "APPLIED"), (payment.amount, became))
    await refused(nudge(scene, scene.one), "NUDGE_LIMIT_REACHED")
    for member in scene.couple:
        request = ListNudgesRequest(streak_id=scene.streak.streak_id)
        seen = await member.session.call(stage.gateway.streaks.ListNudges, request)
        expect("the nudges", [scene.one.id] * 2, [each.sender_id for each in seen.nudges])
    note.detail = f"one of the tier, one for {NUDGE} cents, and no third"


async def windows(stage: Stage, note: Note) -> None:
    """ST-06, ST-08: the day ends; the member who missed it is the breaker, and only the breaker can recover."""
    await stage.clock.move(days.ends(stage.scene("B").streak))
    for letter in BREAKING:
        scene = stage.scene(letter)
        await couples.see(scene)
        expect(f"the state of {letter}", "PAYMENT_WINDOW", state(scene.streak))
        expect(f"the breaker of {letter}", scene.other.id, scene.streak.breaker_id)
        await refused(payments.begin(scene, scene.one), "NOT_THE_BREAKER")
    note.detail = f"{len(BREAKING)} payment windows; those who kept the day are refused a recovery"


async def recovered(stage: Stage, note: Note) -> None:
    """ST-08: the breaker pays; the count goes on, and the missed day is played again."""
    scene = stage.scene("B")
    before = scene.streak.completed_days
    bad = await payments.begin(scene, scene.other)
    await refused(payments.begin(scene, scene.other), "RECOVERY_HELD")
    expect("a bad card", "card_declined", await stage.provider.confirm(bad.confirmation, BAD_CARD))
    expect("the payment", "FAILED", await payments.outcome(scene, scene.other, bad.payment))
    await _recover(scene)
    seen = (state(scene.streak), scene.streak.completed_days, scene.streak.current_day)
    expect("state, count and day", ("ACTIVE", before, before + 1), seen)
    await _both(scene)
    expect("the count", before + 1, scene.streak.completed_days)
    note.detail = f"declined once, paid then: {before} days stay, day {before + 1} is played again and kept"


async def left_within_a_day(stage: Stage, note: Note) -> None:
    """BI-05: the partner ends the connection within the protection: the money becomes credits, once."""
    scene = stage.scene("C")
    await _recover(scene)
    expect("credits before", 0, await payments.balance(scene, scene.other))
    await end(scene, scene.one)
    expect("the ledger", [RECOVERY], await payments.ledger(scene, scene.other))
    expect("the partner's ledger", [], await payments.ledger(scene, scene.one))
    await refused(end(scene, scene.one), "CONNECTION_ENDED")
    await stage.clock.wait_until_idle()
    expect("credits", RECOVERY, await payments.balance(scene, scene.other))
    note.detail = f"{scene.one.person.name} leaves: {RECOVERY} credits for {scene.other.person.name}"


async def left_later(stage: Stage, note: Note) -> None:
    """BI-05: after 24 hours the payment is consumed."""
    scene = stage.scene("D")
    await end(scene, scene.one)
    expect("credits", 0, await payments.balance(scene, scene.other))
    note.detail = "the same more than 24 hours after a recovery: no credits"


async def another_recovery(stage: Stage, note: Note) -> None:
    """ST-08: one more recovers, and stays for now; those who keep their days keep this one too."""
    scene = stage.scene("D")
    await _recover(scene)
    await _both(scene)
    for letter in KEEPING:
        await couples.see(stage.scene(letter))
        await _both(stage.scene(letter))
    note.detail = f"{scene.other.person.name} recovers, and the other couples keep their fourth day"


async def too_late(stage: Stage, note: Note) -> None:
    """ST-17, ST-20, BI-11: held past the deadline, but not for long: a payment that succeeds later becomes credits."""
    scene = stage.scene("E")
    await stage.clock.move(scene.streak.window_ends_at.ToDatetime(UTC) - LAST_MINUTES)
    begun = await payments.begin(scene, scene.other)
    await stage.clock.move(2 * LAST_MINUTES)
    await couples.see(scene)
    expect("the state while it is held", "PAYMENT_WINDOW", state(scene.streak))
    await couples.dawn(stage, "BF")
    await couples.see(scene)
    expect("the state after the hold", "RESET", state(scene.streak))
    expect("the card", "succeeded", await stage.provider.confirm(begun.confirmation))
    expect("the payment", "CREDITED", await payments.outcome(scene, scene.other, begun.payment))
    expect("the ledger", [RECOVERY], await payments.ledger(scene, scene.other))
    await couples.see(scene)
    expect("the state", "RESET", state(scene.streak))
    note.detail = f"{RECOVERY} credits; the streak stays reset, the connection stays"


async def spends(stage: Stage, note: Note) -> None:
    """BI-03, BI-04: credits buy a reveal, never a subscription, and never more than there are."""
    scene = stage.scene("E")
    payer = scene.other
    bought = await payments.begin(scene, payer, PAYMENT_PURPOSE_REVEAL, PAYMENT_METHOD_CREDITS, reveal_number=3)
    expect("something to confirm", "", bought.confirmation.client_secret)
    expect("the payment", "APPLIED", await payments.outcome(scene, payer, bought.payment))
    left = RECOVERY - REVEAL
    expect("credits", left, await payments.balance(scene, payer))
    again = payments.begin(scene, payer, PAYMENT_PURPOSE_REVEAL, PAYMENT_METHOD_CREDITS, reveal_number=4)
    error = await refused(again, "CREDITS_INSUFFICIENT")
    expect("the balance in the refusal", str(left), error.metadata["balance"])
    plan = SubscribeRequest(request_id=request_id(), tier=TIER_PLUS, method=PAYMENT_METHOD_CREDITS)
    await refused(payer.session.call(stage.gateway.billing.Subscribe, plan), "INVALID_ARGUMENT")
    expect("credits", left, await payments.balance(scene, payer))
    note.detail = f"reveal 3 for {REVEAL} credits, {left} left; refused for another, and for a subscription"


async def both_miss(stage: Stage, note: Note) -> None:
    """ST-07, ST-09: both miss a day, of which they were told in the evening (ST-23): the count is back at zero, and the
    connection stays.
    """
    scene = stage.scene("B")
    lost = scene.streak.completed_days
    await couples.see(scene)
    await stage.clock.move(days.ends(scene.streak) - days.EVENING)
    await stage.clock.move(days.ends(scene.streak))
    await couples.see(scene)
    expect("state and count", ("RESET", 0), (state(scene.streak), scene.streak.completed_days))
    for member in scene.couple:
        expect("slots taken", 1, (await inventory(stage, member)).active_connection_count)
    note.detail = f"{lost} days are lost; {scene.one.person.name} and {scene.other.person.name} stay connected"


async def nudge(scene: Stage, member: Member) -> None:
    """Nudge the other."""
    request = SendNudgeRequest(request_id=request_id(), streak_id=scene.streak.streak_id)
    await member.session.call(scene.gateway.streaks.SendNudge, request)


async def end(scene: Stage, member: Member) -> None:
    """End the connection, and wait until the stack is idle."""
    request = EndConnectionRequest(
        request_id=request_id(), connection_id=scene.connection.connection_id, reason=END_REASON_NOT_A_FIT
    )
    await member.session.call(scene.gateway.matching.EndConnection, request)
    await scene.clock.wait_until_idle()


async def _recover(scene: Stage) -> None:
    begun = await payments.begin(scene, scene.other)
    expect("the price", RECOVERY, begun.payment.amount)
    expect("the card", "succeeded", await scene.provider.confirm(begun.confirmation))
    expect("the payment", "APPLIED", await payments.outcome(scene, scene.other, begun.payment))
    await couples.see(scene)


async def _both(scene: Stage) -> None:
    await days.check_in(scene, scene.one)
    scene.streak = (await days.check_in(scene, scene.other)).streak
