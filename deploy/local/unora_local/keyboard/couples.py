"""Couples of seed: they find each other's cards, connect, and check in on the days that the rule clock moves over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.discovery.v1.discovery_service_pb2 import Card, RefreshBatchRequest
from unora.matching.v1.matching_service_pb2 import SendInterestRequest
from unora.streak.v1.streak_service_pb2 import (
    EFFORT_SIGNAL_HIGH,
    STREAK_STATE_ACTIVE,
    STREAK_STATE_AT_RISK,
    CheckInRequest,
    GetDashboardRequest,
)

from unora_local import members
from unora_local.client import Refused, Session, request_id
from unora_local.keyboard.newcomers import Newcomer, Seeding
from unora_local.keyboard.people import Login
from unora_local.keyboard.sessions import session_of

OPEN: Final = (STREAK_STATE_ACTIVE, STREAK_STATE_AT_RISK)
POOL_TOO_SMALL: Final = "POOL_TOO_SMALL"


@dataclass
class Couple:
    """Two who have each other's card."""

    one: Newcomer
    other: Newcomer
    cards: tuple[Card, Card]
    """Of the other, and of the one."""


async def meet(pairs: Sequence[tuple[Newcomer, Newcomer]]) -> list[Couple]:
    """Deal a first batch to each; the pairs who see each other. None if fewer than five others wait in the server."""
    found = []
    for one, other in pairs:
        try:
            seen, back = await _first_card(one, other), await _first_card(other, one)
        except Refused as error:
            if error.reason != POOL_TOO_SMALL:
                raise
            continue
        if seen and back:
            found.append(Couple(one, other, (seen, back)))
    return found


async def _first_card(looks: Newcomer, wanted: Newcomer) -> Card | None:
    request = RefreshBatchRequest(request_id=request_id(), server_type=SERVER_TYPE_PARTNER)
    dealt = await looks.session.call(looks.session.gateway.discovery.RefreshBatch, request)
    return members.card_of(dealt.screen.batch, wanted.hobbies)


async def connect(run: Seeding, couple: Couple) -> None:
    """Both send an interest, and a connection with a streak begins (MA-01)."""
    for who, card in zip((couple.one, couple.other), couple.cards, strict=True):
        request = SendInterestRequest(request_id=request_id(), card_id=card.card_id)
        await who.session.call(run.gateway.matching.SendInterest, request)
    await _note(run, couple, "partner")


async def leave(run: Seeding, couple: Couple) -> None:
    """They have each other's card, and do nothing: whether they connect is up to who plays them."""
    await _note(run, couple, "meets")


async def _note(run: Seeding, couple: Couple, field: str) -> None:
    async with run.people.turn():
        known = run.people.all()
        for who, partner in ((couple.one, couple.other), (couple.other, couple.one)):
            run.people.put(replace(known[who.login.login], **{field: partner.login.login}))


async def all_check_in(run: Seeding) -> None:
    """All whose logins are known and who may be connected check in, where the day is open and they have not yet."""
    for login in run.people.all().values():
        if login.partner or login.meets:
            await _check_in_as(run, login)


async def _check_in_as(run: Seeding, login: Login) -> None:
    try:
        _, session = await session_of(run.gateway, run.env, run.people, login.login)
        await check_in(session)
    except Refused as error:
        # Somebody else has this stack for a playground: an account may be closed or suspended, a connection at its end.
        run.progress.say(f"  ! {login.login} does not check in: {error}")


async def days_of(couple: Couple) -> int:
    """How many days a couple has kept."""
    session = couple.one.session
    dashboard = await session.call(session.gateway.streaks.GetDashboard, GetDashboardRequest())
    return max((streak.completed_days for streak in dashboard.streaks), default=0)


async def check_in(session: Session) -> None:
    """A member checks in on each streak whose day is open (ST-04)."""
    streaks = session.gateway.streaks
    for streak in (await session.call(streaks.GetDashboard, GetDashboardRequest())).streaks:
        if streak.state in OPEN and not streak.checked_in:
            request = CheckInRequest(
                request_id=request_id(), streak_id=streak.streak_id, effort_signal=EFFORT_SIGNAL_HIGH
            )
            await session.call(streaks.CheckIn, request)
