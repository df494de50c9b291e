"""Every step of money is in the audit log once, and the chain is intact (SA-01)."""

from __future__ import annotations

import pytest
from google.protobuf import message_factory
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import DESCRIPTOR
from unora_sdk.names import subject_of
from unora_testing.world import World

from tests.integration.billing.conftest import DECLINED
from tests.integration.money.paying_couple import PayingCouple
from tests.integration.safety.moderators import Moderators

TYPES = DESCRIPTOR.message_types_by_name
NAMES = {subject_of(message_factory.GetMessageClass(each)): name for name, each in TYPES.items()}
STEPS = """
    SELECT o.subject, o.aggregate_id::text FROM billing.outbox o
    WHERE o.aggregate_id = $1 OR o.aggregate_id IN (SELECT id FROM billing.payments WHERE payer_id = $1)
        OR o.aggregate_id IN (SELECT id FROM billing.credit_protections WHERE payer_id = $1)"""


@pytest.mark.rule("SA-01", "BI-02")
async def test_every_step_of_a_members_money_is_recorded(world: World, couple: PayingCouple) -> None:
    wallet = couple.payer
    await couple.miss()
    declined = await wallet.create(wallet.order())
    await wallet.confirm(declined.confirmation, DECLINED)
    await world.drain()
    await wallet.pay()
    await couple.end_connection(couple.a)  # the price becomes credits
    await wallet.subscribe("PLUS")
    assert await wallet.credits() > 0
    emitted = [
        (NAMES[row["subject"]], row["aggregate_id"]) for row in await world.superuser.fetch(STEPS, couple.b.user)
    ]
    moderators = Moderators(world)
    entries = await moderators.find_entries(source_context="billing", member_id=couple.b.id)
    assert sorted((each.event_name, each.aggregate_id) for each in entries) == sorted(emitted)
    assert (await moderators.verify("billing")).intact


@pytest.mark.rule("SA-01", "BI-02", "XX-02")
async def test_every_state_of_a_payment_has_its_event(world: World, couple: PayingCouple) -> None:
    """Each version of a payment is one state with one event, without a gap."""
    await couple.miss()
    payment_id = await couple.payer.pay()
    await couple.end_connection(couple.a)
    rows = await world.superuser.fetch(
        "SELECT subject, aggregate_version FROM billing.outbox WHERE aggregate_id = $1 ORDER BY seq", payment_id
    )
    assert [(row["subject"].rpartition(".")[2], row["aggregate_version"]) for row in rows] == [
        ("payment_created", 1),
        ("payment_sent", 2),
        ("payment_succeeded", 3),
        ("payment_applied", 4),
        ("payment_credited", 5),
    ]
    assert api.PaymentStatus.keys()[1:] == [
        f"PAYMENT_STATUS_{each}" for each in ("CREATED", "PENDING", "SUCCEEDED", "APPLIED", "CREDITED", "FAILED")
    ]
