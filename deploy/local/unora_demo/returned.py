"""Money that goes back: a refund, and a dispute that is won (BI-10)."""

from __future__ import annotations

from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_PURPOSE_RECOVERY,
    PAYMENT_STATUS_APPLIED,
    PAYMENT_STATUS_CREDITED,
    ListPaymentsRequest,
    Payment,
    PaymentStatus,
)

from unora_demo import payments
from unora_demo.payments import RECOVERY, REVEAL
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

PART = 100


async def refunded(stage: Stage, note: Note) -> None:
    """BI-02, BI-10: support refunds a part of a recovery: the payment stays what it is, and the payer sees the part."""
    scene = stage.scene("B")
    before = await _recovery(scene, scene.other, PAYMENT_STATUS_APPLIED)
    await stage.provider.refund(before.payment_id, PART)
    await payments.until(
        scene,
        f"{PART} are refunded",
        lambda: _is_reversed(scene, scene.other, PAYMENT_STATUS_APPLIED, refunded=PART),
    )
    note.detail = f"{PART} of {RECOVERY} cents go back, and the recovery stays"


async def disputed(stage: Stage, note: Note) -> None:
    """BI-10: the bank takes the price back: the credits that are left go, and come back when the dispute is won."""
    scene = stage.scene("E")
    payer, left = scene.other, RECOVERY - REVEAL
    payment = await _recovery(scene, payer, PAYMENT_STATUS_CREDITED)
    dispute = await stage.provider.dispute(payment.payment_id)
    ledger = [RECOVERY, -REVEAL, -left]
    await payments.until(scene, "credits are taken back", lambda: _has_ledger(scene, payer, ledger))
    expect("credits", 0, await payments.balance(scene, payer))
    await stage.provider.close_dispute(dispute, "won")
    await payments.until(scene, "credits are given back", lambda: _has_ledger(scene, payer, [*ledger, left]))
    expect("credits", left, await payments.balance(scene, payer))
    note.detail = f"the last {left} credits go and come back; the {REVEAL} that were spent are only noted"


async def _recovery(stage: Stage, payer: Member, status: PaymentStatus.ValueType) -> Payment:
    listed = await payer.session.call(stage.gateway.billing.ListPayments, ListPaymentsRequest())
    (found,) = (each for each in listed.payments if (each.purpose, each.status) == (PAYMENT_PURPOSE_RECOVERY, status))
    return found


async def _is_reversed(stage: Stage, payer: Member, status: PaymentStatus.ValueType, *, refunded: int) -> bool:
    return (await _recovery(stage, payer, status)).refunded_amount == refunded


async def _has_ledger(stage: Stage, payer: Member, oldest_first: list[int]) -> bool:
    return await payments.ledger(stage, payer) == oldest_first[::-1]
