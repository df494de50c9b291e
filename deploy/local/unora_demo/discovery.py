"""Batches of five: their cards, the timer, the locks (DI-01 to DI-09)."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Final

from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import (
    Batch,
    Card,
    GetScreenRequest,
    JoinServerRequest,
    ListServersRequest,
    RefreshBatchRequest,
    Screen,
)
from unora_local import members
from unora_local.at_once import for_all
from unora_local.client import Refused, Unexpected, refused, request_id

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

BATCH: Final = 5
FREE_HOURS: Final = 24
"""Between two refreshes of a free member (DI-04)."""
SHOWN_AGAIN: Final = timedelta(days=7)
MAX_BATCHES: Final = 12
"""A member of the couple looks through this many batches for the other."""


async def join(stage: Stage, note: Note) -> None:
    """DI-01: all join the same server."""

    async def one(member: Member) -> None:
        request = JoinServerRequest(request_id=request_id(), server_type=SERVER_TYPE_PARTNER)
        joined = await member.session.call(stage.gateway.discovery.JoinServer, request)
        expect("joined", True, joined.server.joined)

    await for_all(stage.members, one, lambda ready: note.now(f"{ready} of {len(stage.members)}"))
    servers = await stage.one.session.call(stage.gateway.discovery.ListServers, ListServersRequest())
    expect("the servers joined", [SERVER_TYPE_PARTNER], [each.server_type for each in servers.servers if each.joined])
    await stage.clock.wait_until_idle()
    note.detail = f"1 of {len(servers.servers)} servers: partner"


async def first_batch(stage: Stage, note: Note) -> None:
    """DI-02, DI-04, DI-08: the first five cards do not spend the timer, stay, and do not identify their members."""
    expect("a batch before the first", False, (await screen(stage, stage.one)).HasField("batch"))
    refreshed = await refresh(stage, stage.one)
    cards = refreshed.batch.cards
    expect("the positions", list(range(1, BATCH + 1)), [card.position for card in cards])
    expect("different cards", BATCH, len({card.card_id for card in cards}))
    expect("a timer after the first batch", False, refreshed.HasField("refresh_available_at"))
    expect("one's own card", None, card_of(refreshed.batch, stage.one))
    expect("the screen afterwards", refreshed, await screen(stage, stage.one))
    ids = {member.id for member in stage.members}
    expect("user ids on cards", set(), ids & {card.card_id for card in cards})
    shared = max(sum(hobby.shared for hobby in card.hobbies) for card in cards)
    note.detail = f"{BATCH} cards, at most {shared} hobbies shared, no photo, no name"


async def time_lock(stage: Stage, note: Note) -> None:
    """DI-03, DI-04, DI-06: the second batch spends the timer, the third is refused and changes nothing."""
    first = await refresh(stage, stage.onlooker)
    second = await refresh(stage, stage.onlooker)
    expect("a new batch", True, first.batch.batch_id != second.batch.batch_id)
    expect("five cards", BATCH, len(second.batch.cards))
    opens = second.refresh_available_at.ToDatetime(UTC)
    hours = round((opens - await stage.clock.now()).total_seconds() / 3600)
    expect("hours to the next refresh", FREE_HOURS, hours)
    error = await refused(refresh(stage, stage.onlooker), "REFRESH_LOCKED")
    expect("refresh_available_at in the refusal", True, "refresh_available_at" in error.metadata)
    expect("the screen after the refusal", second, await screen(stage, stage.onlooker))
    note.detail = f"the first is free, the second spends the timer, the third waits until {opens:%a %H:%M} UTC"


async def screen(stage: Stage, member: Member) -> Screen:
    """The Discovery screen of a member."""
    request = GetScreenRequest(server_type=SERVER_TYPE_PARTNER)
    return (await member.session.call(stage.gateway.discovery.GetScreen, request)).screen


async def refresh(stage: Stage, member: Member) -> Screen:
    """The screen with a new batch."""
    request = RefreshBatchRequest(request_id=request_id(), server_type=SERVER_TYPE_PARTNER)
    return (await member.session.call(stage.gateway.discovery.RefreshBatch, request)).screen


async def find(stage: Stage, member: Member, wanted: Member) -> Card:
    """The card of `wanted` in the active batch of `member`; while it is not there the clock moves on to the next one.

    Their hobbies rank them first for each other (DI-07), so the first batch holds it, whatever the pool.
    """
    seen = await screen(stage, member)
    for _ in range(MAX_BATCHES):
        if seen.HasField("batch") and (card := card_of(seen.batch, wanted)):
            return card
        if seen.HasField("refresh_available_at"):
            await stage.clock.move(seen.refresh_available_at.ToDatetime(UTC))
        try:
            seen = await refresh(stage, member)
        except Refused as error:
            if error.reason != "POOL_TOO_SMALL":
                raise
            await stage.clock.move(SHOWN_AGAIN)  # a member who was shown a week ago may be shown again (DI-09)
    raise Unexpected(f"{wanted.person.name} was in none of {MAX_BATCHES} batches of {member.person.name}")


def card_of(batch: Batch, member: Member) -> Card | None:
    """The card of a member."""
    return members.card_of(batch, member.hobbies)
