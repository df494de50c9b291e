"""Filters, admirers, timers, leaving, taking back: discovery and matching together (DI-05 to DI-14, MA-11)."""

from __future__ import annotations

from datetime import UTC, timedelta
from random import Random

import pytest
from google.type.date_pb2 import Date
from unora.discovery.v1.events_pb2 import RefreshTimerChanged
from unora.identity.v1.profile_service_pb2 import GENDER_MAN, GENDER_WOMAN, Gender, Profile
from unora.matching.v1.matching_service_pb2 import (
    INTEREST_STATUS_EXPIRED,
    INTEREST_STATUS_MATCHED,
    INTEREST_STATUS_PENDING,
    INTEREST_STATUS_WITHDRAWN,
)
from unora_discovery.use_cases import batches

from tests.integration.discovery.pool import FRIEND, PARTNER
from tests.integration.identity.people import ADA
from tests.integration.protection.town import Town
from tests.support import refusal


class Always(Random):
    """Every place that may be drawn is."""

    def random(self) -> float:
        return 0.0


def profile(*, gender: Gender.ValueType = GENDER_WOMAN, year: int = 1990) -> Profile:
    told = Profile()
    told.CopyFrom(ADA)
    told.gender = gender
    told.date_of_birth.CopyFrom(Date(year=year, month=5, day=17))
    return told


@pytest.mark.rule("DI-05", "DI-12")
async def test_filters_hold_both_ways_and_only_at_the_next_refresh(town: Town) -> None:
    """Of two whom their filters keep apart neither sees the other, whichever of them set the filter."""
    woman, stranger = await town.couple()
    man = await town.arrive(profile=profile(gender=GENDER_MAN))
    await town.pool.leave(stranger)
    cards = await town.cards(woman)
    assert man.id in cards
    await town.pool.update_filters(man, genders=[GENDER_MAN])  # the man wants to meet men, in this server
    assert await town.cards(woman) == cards  # what is shown stays
    newcomer = await town.arrive()
    assert man.id not in await town.cards(newcomer)
    assert (await refusal(town.pool.refresh(man))).reason == "POOL_TOO_SMALL"
    await town.pool.update_filters(man, genders=[GENDER_WOMAN])
    seen = await town.cards(man)
    assert len(seen) == 5
    # What they became is what counts: a profile that changes passes, or passes no longer.
    await town.pool.leave(newcomer)
    older = await town.arrive(profile=profile(year=1950))
    await town.pool.update_filters(older, min_age=60)
    assert (await refusal(town.pool.refresh(older))).reason == "POOL_TOO_SMALL"
    await town.pool.update_filters(older, min_age=18)
    assert len(await town.cards(older)) == 5


@pytest.mark.rule("DI-13", "MA-10", "MA-01")
async def test_an_admirer_comes_among_the_cards_and_it_becomes_a_match(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, admirer = await town.couple()
    await town.wish(admirer, me)
    await town.pool.members(
        30, "chess", "hiking"
    )  # as alike as the admirer, so that rank alone would hardly bring them
    before = await town.told(me)
    monkeypatch.setattr(batches, "RANDOM", Always(3))
    cards = await town.cards(me)
    assert admirer.id in cards
    after = await town.told(me)
    assert {name for name in before if before[name] != after[name]} == {"screen"}
    shapes = {tuple(field.name for field, _ in card.ListFields()) for card in cards.values()}
    assert len(shapes) == 1
    made = await town.matches.send(me, cards[admirer.id].card_id)
    assert made.connection.partner_id == admirer.id
    await town.world.drain()
    (matched,) = await town.matches.sent(admirer)
    assert matched.status == INTEREST_STATUS_MATCHED


@pytest.mark.rule("DI-14", "DI-04", "DI-06")
async def test_a_tier_that_is_paid_for_moves_the_timer_at_once(town: Town) -> None:
    who, _ = await town.couple()
    await town.pool.members(20)
    await town.pool.refresh(who)  # a first batch is free of the timer
    assert not (await town.pool.screen(who)).HasField("refresh_available_at")
    await town.pool.refresh(who)
    spent = await town.world.now()
    locked = (await town.pool.screen(who)).refresh_available_at.ToDatetime(UTC)
    assert timedelta(hours=23) < locked - spent <= timedelta(hours=24)
    await town.pool.join(who, FRIEND)
    await town.pool.members(6, servers=[FRIEND])
    await town.pool.refresh(who, FRIEND)
    for server in (PARTNER, FRIEND):
        assert (await refusal(town.pool.refresh(who, server))).reason == "REFRESH_LOCKED"
    await town.subscribe(who, "PLUS")
    moved = (await town.pool.screen(who, FRIEND)).refresh_available_at.ToDatetime(UTC)
    assert locked - moved == timedelta(hours=12)
    (told,) = await town.world.events(RefreshTimerChanged, who.id)
    assert told.refresh_available_at.ToDatetime(UTC) == moved
    account = await town.account(who)
    assert account.refresh_available_at.ToDatetime(UTC) == moved
    assert account.connection_limit == 2
    await town.world.move_clock(moved)
    await town.pool.refresh(who)


@pytest.mark.rule("DI-01", "DI-09", "MA-01")
async def test_who_leaves_a_server_is_shown_there_no_more_and_an_interest_of_before_still_matches(town: Town) -> None:
    one, other = await town.couple()
    theirs, mine = await town.cards(other), await town.cards(one)
    await town.matches.send(one, mine[other.id].card_id)
    await town.world.drain()
    await town.pool.leave(one)
    assert (await refusal(town.pool.screen(one))).reason == "NOT_A_MEMBER"
    assert (await refusal(town.matches.send(one, mine[town.crowd[0].id].card_id))).reason == "CARD_NOT_FOUND"
    newcomer = await town.arrive()
    assert one.id not in await town.cards(newcomer)
    # The card that the other has stays, and so does what was wished.
    answer = await town.matches.send(other, theirs[one.id].card_id)
    assert answer.connection.partner_id == one.id


@pytest.mark.rule("MA-11", "DI-13", "DI-09")
async def test_what_is_taken_back_or_expires_matches_nobody(town: Town) -> None:
    one, other = await town.couple()
    theirs, mine = await town.cards(other), await town.cards(one)
    sent = (await town.matches.send(one, mine[other.id].card_id)).interest
    await town.world.drain()
    await town.matches.withdraw(one, sent.interest_id)
    await town.world.drain()
    waiting = (await town.matches.send(other, theirs[one.id].card_id)).interest
    assert waiting.status == INTEREST_STATUS_PENDING
    await town.world.drain()
    await town.world.move_clock(timedelta(days=14))
    answer = await town.matches.send(one, mine[other.id].card_id)
    assert not answer.HasField("connection")
    await town.world.drain()
    assert [each.status for each in await town.matches.sent(other)] == [INTEREST_STATUS_EXPIRED]
    assert [each.status for each in await town.matches.sent(one)] == [
        INTEREST_STATUS_PENDING,
        INTEREST_STATUS_WITHDRAWN,
    ]
    again = await town.matches.send(other, theirs[one.id].card_id)
    assert again.connection.partner_id == one.id
