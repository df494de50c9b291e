"""From an interest that only its sender sees to a connection (MA-01 to MA-06, MA-10, MA-13)."""

from __future__ import annotations

from google.protobuf.message import Message
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import Card, ListPartnerCardsRequest
from unora.matching.v1.matching_service_pb2 import (
    GetInventoryRequest,
    InterestStatus,
    Inventory,
    ListConnectionsRequest,
    ListSentInterestsRequest,
    SendInterestRequest,
    SendInterestResponse,
)
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local.client import refused, request_id

from unora_demo.discovery import find, refresh, screen
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect


async def one_way(stage: Stage, note: Note) -> None:
    """MA-10, XX-04: no answer to the receiver shows an interest."""
    card = await find(stage, stage.one, stage.other)
    await find(stage, stage.other, stage.one)
    before = await visible_answers(stage, stage.other)
    first = await send(stage, stage.one, card)
    expect("a connection", False, first.HasField("connection"))
    batch = (await screen(stage, stage.one)).batch
    for another in [each for each in batch.cards if each.card_id != card.card_id][:2]:
        expect("a connection", False, (await send(stage, stage.one, another)).HasField("connection"))
    await stage.clock.wait_until_idle()
    expect("the sender's interests", ["PENDING"] * 3, await statuses(stage, stage.one))
    expect("the sender's waiting interests", 3, (await inventory(stage, stage.one)).pending_interest_count)
    await refused(send(stage, stage.one, card), "INTEREST_EXISTS")
    for what, after in (await visible_answers(stage, stage.other)).items():
        expect(f"{what} of the other", before[what], after)
    note.detail = "3 interests sent; inventory, interests, connections, screen and dashboard of the other unchanged"


async def both_ways(stage: Stage, note: Note) -> None:
    """MA-01 to MA-03, MA-08, DI-15: mutual interest forms one connection, bound to the server; each sees a card."""
    card = await find(stage, stage.other, stage.one)
    batch = (await screen(stage, stage.other)).batch
    another = next(each for each in batch.cards if each.card_id != card.card_id)
    await send(stage, stage.other, another)
    answer = await send(stage, stage.other, card)
    expect("a connection", True, answer.HasField("connection"))
    expect("its partner", stage.one.id, answer.connection.partner_id)
    stage.connection = answer.connection
    await stage.clock.wait_until_idle()
    for member, partner in (stage.couple, stage.couple[::-1]):
        found = await member.session.call(stage.gateway.matching.ListConnections, ListConnectionsRequest())
        expect("the connections", [answer.connection.connection_id], [each.connection_id for each in found.connections])
        expect("the partner", partner.id, found.connections[0].partner_id)
        expect("the server", SERVER_TYPE_PARTNER, found.connections[0].server_type)
        cards = (await member.session.call(stage.gateway.discovery.ListPartnerCards, ListPartnerCardsRequest())).cards
        expect("the partners' cards", [answer.connection.connection_id], [each.connection_id for each in cards])
        expect("hobbies on the partner's card", True, bool(cards[0].card.hobbies))
    note.detail = f"{stage.one.person.name} and {stage.other.person.name} are connected"


async def total_wipe(stage: Stage, note: Note) -> None:
    """MA-04: the last slot is taken, so what else each had sent is wiped, and interest_wipes records it."""
    for member, waiting in zip(stage.couple, (2, 1), strict=True):
        expect("the interests", sorted(["MATCHED"] + ["WIPED"] * waiting), sorted(await statuses(stage, member)))
        slots = await inventory(stage, member)
        counts = (slots.active_connection_count, slots.connection_limit, slots.pending_interest_count)
        expect("slots taken, slots, interests that wait", (1, 1, 0), counts)
        wiped = await stage.clock.superuser.fetch(
            "SELECT wiped_count FROM matching.interest_wipes WHERE user_id = $1", member.id
        )
        expect("the records in interest_wipes", [waiting], [row["wiped_count"] for row in wiped])
    note.detail = "2 and 1 waiting interests wiped, both recorded in interest_wipes"


async def capacity_lock(stage: Stage, note: Note) -> None:
    """DI-06, MA-13: a member without a slot is locked out of Discovery; the refusal comes before others are read."""
    for member in stage.couple:
        seen = await screen(stage, member)
        expect("capacity_locked", True, seen.capacity_locked)
        expect("a batch", False, seen.HasField("batch"))
        await refused(refresh(stage, member), "CAPACITY_LOCKED")
        await refused(send(stage, member, Card(card_id=request_id())), "CAPACITY_FULL")
    note.detail = "no batch, no refresh, no further interest while the slot is taken"


async def send(stage: Stage, member: Member, card: Card) -> SendInterestResponse:
    """Send an interest on a card."""
    request = SendInterestRequest(request_id=request_id(), card_id=card.card_id)
    return await member.session.call(stage.gateway.matching.SendInterest, request)


async def inventory(stage: Stage, member: Member) -> Inventory:
    """The slots of a member."""
    return (await member.session.call(stage.gateway.matching.GetInventory, GetInventoryRequest())).inventory


async def statuses(stage: Stage, member: Member) -> list[str]:
    """The interests that a member sent, newest first, by what their sender sees of them."""
    sent = await member.session.call(stage.gateway.matching.ListSentInterests, ListSentInterestsRequest())
    return [InterestStatus.Name(each.status).removeprefix("INTEREST_STATUS_") for each in sent.interests]


async def visible_answers(stage: Stage, member: Member) -> dict[str, Message]:
    """Every answer that could show a member the interests of others, without the time of the answer."""
    call, gateway = member.session.call, stage.gateway
    dashboard = await call(gateway.streaks.GetDashboard, GetDashboardRequest())
    dashboard.ClearField("server_time")
    return {
        "the inventory": await inventory(stage, member),
        "the interests": await call(gateway.matching.ListSentInterests, ListSentInterestsRequest()),
        "the connections": await call(gateway.matching.ListConnections, ListConnectionsRequest(show_ended=True)),
        "the screen": await screen(stage, member),
        "the dashboard": dashboard,
    }
