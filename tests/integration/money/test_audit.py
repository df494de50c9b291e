"""All that happens to money is in the audit log, each step once, and the chain holds (SA-01)."""

from __future__ import annotations

import pytest
from google.protobuf import message_factory
from unora.billing.v1 import billing_service_pb2 as api
from unora.billing.v1.events_pb2 import DESCRIPTOR
from unora_common.outbox import subject_of
from unora_testing.world import World

from tests.integration.billing.conftest import DECLINED
from tests.integration.money.home import Home
from tests.integration.safety.moderators import Moderators

TYPES = DESCRIPTOR.message_types_by_name
NAMES = {subject_of(message_factory.GetMessageClass(each)): name for name, each in TYPES.items()}
STEPS = """
    SELECT o.subject, o.aggregate_id::text FROM billing.outbox o
    WHERE o.aggregate_id = $1 OR o.aggregate_id IN (SELECT id FROM billing.payments WHERE payer_id = $1)
        OR o.aggregate_id IN (SELECT id FROM billing.credit_protections WHERE payer_id = $1)"""


@pytest.mark.rule("SA-01", "BI-02")
async def test_every_step_of_a_members_money_is_recorded(world: World, home: Home) -> None:
    purse = home.payer
    await home.miss()
    declined = await purse.create(purse.ask())
    await purse.confirm(declined.confirmation, DECLINED)
    await world.drain()
    await purse.pay()
    await home.ended(home.a)  # into credits
    await purse.subscribe("PLUS")
    assert await purse.credits() > 0
    told = [(NAMES[row["subject"]], row["aggregate_id"]) for row in await world.superuser.fetch(STEPS, home.b.user)]
    moderators = Moderators(world)
    entries = await moderators.find_entries(source_context="billing", member_id=home.b.id)
    assert sorted((each.event_name, each.aggregate_id) for each in entries) == sorted(told)
    assert (await moderators.verify("billing")).intact


@pytest.mark.rule("SA-01", "BI-02", "XX-02")
async def test_every_state_that_a_payment_was_in_is_told(world: World, home: Home) -> None:
    """Each version of a payment is one state, and each has its event, without a gap."""
    await home.miss()
    payment_id = await home.payer.pay()
    await home.ended(home.a)
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
