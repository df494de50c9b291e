"""Reveals on the way, and on Day 15 (RE-01 to RE-11, PR-04, ST-11, ID-04)."""

from __future__ import annotations

import asyncio

from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.matching.v1.matching_service_pb2 import Connection, ListConnectionsRequest
from unora.reveal.v1.reveal_service_pb2 import (
    ListRevealsRequest,
    OpenRevealRequest,
    OpenRevealResponse,
    RevealStatus,
)
from unora_local import objects
from unora_local.client import Unexpected, refused, request_id
from unora_local.members import SHOTS

from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

IDENTITY = 5
SIZES = 3
TRUSTED_BY_A_STREAK = 4


async def earned(stage: Stage, note: Note, number: int) -> None:
    """RE-01 to RE-03, RE-09: earned by days, opened by each alone, the same at each opening."""
    await stage.clock.wait_until_idle()
    expected = ["UNLOCKED"] * (number - 1) + ["EARNED"] + ["LOCKED"] * (5 - number)
    for member in stage.couple:
        expect("the reveals", expected, await statuses(stage, member))
    titles = []
    for member, partner in (stage.couple, stage.couple[::-1]):
        expect("the reveal before it is opened", "EARNED", (await statuses(stage, member))[number - 1])
        framed = (await open_(stage, member, number)).reveal.framed
        again = (await open_(stage, member, number)).reveal.framed
        expect("the reveal at its second opening", framed, again)
        if not (framed.title and framed.text) or partner.person.name in f"{framed.title} {framed.text}":
            raise Unexpected("a framed text without the name was expected")
        await refused(open_(stage, member, number + 1), "REVEAL_LOCKED")
        titles.append(framed.title)
    note.detail = " / ".join(f"“{title}”" for title in titles)


async def refused_on_day_14(stage: Stage, note: Note) -> None:
    """RE-04: no identity before Day 15, and what was earned and opened in an earlier cycle stays (RE-08)."""
    await stage.clock.wait_until_idle()
    for member in stage.couple:
        expect("the reveals", ["UNLOCKED"] * 2 + ["LOCKED"] * 3, await statuses(stage, member))
        await refused(open_(stage, member, IDENTITY), "REVEAL_LOCKED")
        expect("chat", False, (await connection(stage, member)).HasField("chat_unlocked_at"))
    note.detail = "the identity is refused to both; reveals 1 and 2 stay open"


async def identity(stage: Stage, note: Note) -> None:
    """RE-04, PR-04: on Day 15 each gets the name and the photos of the other."""
    sizes = []
    for member, partner in (stage.couple, stage.couple[::-1]):
        expected = ["UNLOCKED", "UNLOCKED", "LOCKED", "LOCKED", "EARNED"]
        expect("the reveals", expected, await statuses(stage, member))
        content = (await open_(stage, member, IDENTITY)).identity
        expect("the name", partner.person.name, content.name)
        expect("the photos", SHOTS, len(content.photos))
        links = [link for photo in content.photos for link in (photo.url, photo.card_url, photo.thumbnail_url)]
        expect("a link for each size of each photo (PR-09)", SIZES * SHOTS, len(set(links)))
        pictures = await asyncio.gather(*map(objects.fetch, links))
        expect("JPEGs behind the links", SIZES * SHOTS, sum(map(objects.is_jpeg, pictures)))
        expect("positions and cameras in the photos (PR-07)", 0, sum(b"Exif\0\0" in picture for picture in pictures))
        sizes += [len(picture) for picture in pictures]
    names = " and ".join(member.person.name for member in stage.couple)
    fetched = f"{sum(sizes) // 1024} kB fetched by their links"
    note.detail = f"{names} see name and {SHOTS} photos of each other, each in {SIZES} sizes; {fetched}"


async def chat(stage: Stage, note: Note) -> None:
    """ST-11, ID-04: the connection has the time since which they may chat, and the trust level of both rises."""
    since = set()
    for member in stage.couple:
        found = await connection(stage, member)
        expect("chat", True, found.HasField("chat_unlocked_at"))
        since.add(found.chat_unlocked_at.ToJsonString())
        account = (await member.session.call(stage.gateway.accounts.GetAccount, GetAccountRequest())).account
        expect("the trust level", TRUSTED_BY_A_STREAK, account.trust_level)
    expect("moments since when they may chat", 1, len(since))
    note.detail = f"since {since.pop()}; trust level {TRUSTED_BY_A_STREAK} for both"


async def statuses(stage: Stage, member: Member) -> list[str]:
    """The five reveals of a member, by their state."""
    request = ListRevealsRequest(streak_id=stage.streak.streak_id)
    reveals = (await member.session.call(stage.gateway.reveals.ListReveals, request)).reveals
    expect("the numbers of the reveals", [1, 2, 3, 4, 5], [reveal.reveal_number for reveal in reveals])
    return [RevealStatus.Name(reveal.status).removeprefix("REVEAL_STATUS_") for reveal in reveals]


async def open_(stage: Stage, member: Member, number: int) -> OpenRevealResponse:
    """Open a reveal."""
    request = OpenRevealRequest(request_id=request_id(), streak_id=stage.streak.streak_id, reveal_number=number)
    return await member.session.call(stage.gateway.reveals.OpenReveal, request)


async def connection(stage: Stage, member: Member) -> Connection:
    """The one connection of a member."""
    found = await member.session.call(stage.gateway.matching.ListConnections, ListConnectionsRequest())
    expect("connections", 1, len(found.connections))
    return found.connections[0]
