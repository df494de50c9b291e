"""Tiers: one rises, one falls while it is over capacity, two are in one couple (BI-01, MA-07, RE-03, RE-05)."""

from __future__ import annotations

from datetime import UTC

from unora.billing.v1.billing_service_pb2 import (
    PAYMENT_PURPOSE_REVEAL,
    SUBSCRIPTION_STATUS_CANCELLED,
    CancelSubscriptionRequest,
    GetSubscriptionRequest,
)
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS, TIER_PRO
from unora.discovery.v1.discovery_service_pb2 import Card
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.matching.v1.matching_service_pb2 import END_REASON_NO_TIME, EndConnectionRequest, ListConnectionsRequest
from unora_local.client import refused, request_id

from unora_demo import couples, payments
from unora_demo.discovery import screen
from unora_demo.matching import inventory, send
from unora_demo.people import Member
from unora_demo.reveals import statuses
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect


async def rises(stage: Stage, note: Note) -> None:
    """BI-01, MA-06: plus has room for two connections; cancelled at once, it lasts as long as it is paid."""
    busy, *partners = stage.trio
    await payments.subscribe(stage, busy, TIER_PLUS)
    expect("tier and slots", (TIER_PLUS, 2), await _tier(stage, busy))
    for partner in partners:
        await couples.connect(stage.with_couple(busy, partner))
    request = CancelSubscriptionRequest(request_id=request_id())
    cancelled = (await busy.session.call(stage.gateway.billing.CancelSubscription, request)).subscription
    expect("the state of the subscription", SUBSCRIPTION_STATUS_CANCELLED, cancelled.status)
    await stage.clock.wait_until_idle()
    expect("tier and slots", (TIER_PLUS, 2), await _tier(stage, busy))
    ends = cancelled.current_period_ends_at.ToDatetime(UTC)
    note.detail = f"{busy.person.name} has two connections on plus, which is paid until {ends:%d %b}"


async def falls(stage: Stage, note: Note) -> None:
    """MA-07: the month is over: both connections stay, none can be formed, the limit falls with the one that ends."""
    busy, *_ = stage.trio
    current = (await busy.session.call(stage.gateway.billing.GetSubscription, GetSubscriptionRequest())).subscription
    if current.HasField("current_period_ends_at"):  # it may have ended while other couples kept their days
        await stage.clock.move(current.current_period_ends_at.ToDatetime(UTC))
    expect("tier and slots", (TIER_FREE, 2), await _tier(stage, busy))
    expect("capacity_locked", True, (await screen(stage, busy)).capacity_locked)
    await refused(send(stage, busy, Card(card_id=request_id())), "CAPACITY_FULL")
    found = await busy.session.call(stage.gateway.matching.ListConnections, ListConnectionsRequest())
    expect("connections", 2, len(found.connections))
    ending = EndConnectionRequest(
        request_id=request_id(), connection_id=found.connections[0].connection_id, reason=END_REASON_NO_TIME
    )
    await busy.session.call(stage.gateway.matching.EndConnection, ending)
    await stage.clock.wait_until_idle()
    slots = await inventory(stage, busy)
    expect("slots taken, and slots", (1, 1), (slots.active_connection_count, slots.connection_limit))
    await refused(send(stage, busy, Card(card_id=request_id())), "CAPACITY_FULL")
    note.detail = "plus ran out: both connections stayed, the limit fell to one with the first that ended"


async def two_tiers(stage: Stage, note: Note) -> None:
    """RE-03, RE-05: on the same day a pro has earned more; a purchase changes nothing for the other member."""
    scene = stage.scene("F")
    pro, free = scene.couple
    days = scene.streak.completed_days
    await stage.clock.wait_until_idle()
    expect("the pro's reveals", ["EARNED", "LOCKED", "LOCKED", "LOCKED", "LOCKED"], await statuses(scene, pro))
    expect("the other's reveals", ["EARNED", "LOCKED", "LOCKED", "LOCKED", "LOCKED"], await statuses(scene, free))
    await refused(payments.begin(scene, pro, PAYMENT_PURPOSE_REVEAL, reveal_number=4), "REVEAL_NOT_FOR_SALE")
    await refused(payments.begin(scene, free, PAYMENT_PURPOSE_REVEAL, reveal_number=2), "REVEAL_NOT_FOR_SALE")
    await refused(payments.begin(scene, free, PAYMENT_PURPOSE_REVEAL, reveal_number=4), "LOWER_REVEAL_FIRST")
    _, became = await payments.pay(scene, free, PAYMENT_PURPOSE_REVEAL, reveal_number=3)
    expect("the payment", "APPLIED", became)
    expect("the buyer's reveals", ["EARNED", "LOCKED", "PURCHASED", "LOCKED", "LOCKED"], await statuses(scene, free))
    expect("the pro's reveals", ["EARNED", "LOCKED", "LOCKED", "LOCKED", "LOCKED"], await statuses(scene, pro))
    note.detail = f"after {days} days the free member buys reveal 3; the pro's five are as they were"


async def ahead(stage: Stage, note: Note) -> None:
    """RE-02, RE-03: a day later the pro earns the next; the free member, on the same day, does not."""
    scene = stage.scene("F")
    pro, free = scene.couple
    await stage.clock.wait_until_idle()
    expect("the pro's reveals", ["EARNED", "EARNED", "LOCKED", "LOCKED", "LOCKED"], await statuses(scene, pro))
    expect("the other's reveals", ["EARNED", "LOCKED", "UNLOCKED", "LOCKED", "LOCKED"], await statuses(scene, free))
    note.detail = f"after {scene.streak.completed_days} days the pro has earned reveal 2, the other has not"


async def pro(stage: Stage, note: Note) -> None:
    """BI-01: one of a couple becomes a pro before they meet."""
    member, _ = stage.scene("F").couple
    await payments.subscribe(stage, member, TIER_PRO)
    expect("tier and slots", (TIER_PRO, 4), await _tier(stage, member))
    note.detail = f"{member.person.name} subscribes to pro: four slots"


async def _tier(stage: Stage, member: Member) -> tuple[int, int]:
    """Tier and slots, where matching decides and where identity's home screen shows them."""
    slots = await inventory(stage, member)
    account = (await member.session.call(stage.gateway.accounts.GetAccount, GetAccountRequest())).account
    expect("the tier on the home screen", slots.tier, account.tier)
    expect("the slots on the home screen", slots.connection_limit, account.connection_limit)
    return slots.tier, slots.connection_limit
