"""Filters, admirers, timers, leaving, withdrawing: discovery and matching together (DI-05 to DI-14, MA-11)."""

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
from tests.integration.protection.dealing import require_not_dealt
from tests.integration.protection.scenario import Scenario
from tests.support import refusal


class Always(Random):
    """A random that draws every place that may be drawn."""

    def random(self) -> float:
        return 0.0


def profile(*, gender: Gender.ValueType = GENDER_WOMAN, year: int = 1990) -> Profile:
    changed = Profile()
    changed.CopyFrom(ADA)
    changed.gender = gender
    changed.date_of_birth.CopyFrom(Date(year=year, month=5, day=17))
    return changed


@pytest.mark.rule("DI-05", "DI-12")
async def test_filters_apply_in_both_directions_and_from_the_next_refresh(scenario: Scenario) -> None:
    """Two members whom a filter keeps apart do not see each other, whichever of them set the filter."""
    woman, stranger = await scenario.add_pair()
    man = await scenario.add_member(profile=profile(gender=GENDER_MAN))
    await scenario.pool.leave(stranger)
    cards = await scenario.cards(woman)
    assert man.id in cards
    await scenario.pool.update_filters(man, genders=[GENDER_MAN])  # the man wants to meet men, in this server
    assert await scenario.cards(woman) == cards  # shown cards stay
    newcomer = await require_not_dealt(scenario, man)
    assert (await refusal(scenario.pool.refresh(man))).reason == "POOL_TOO_SMALL"
    await scenario.pool.update_filters(man, genders=[GENDER_WOMAN])
    seen = await scenario.cards(man)
    assert len(seen) == 5
    # Filters use the current profiles: a changed profile may pass, or no longer pass.
    await scenario.pool.leave(newcomer)
    older = await scenario.add_member(profile=profile(year=1950))
    await scenario.pool.update_filters(older, min_age=60)
    assert (await refusal(scenario.pool.refresh(older))).reason == "POOL_TOO_SMALL"
    await scenario.pool.update_filters(older, min_age=18)
    assert len(await scenario.cards(older)) == 5


@pytest.mark.rule("DI-13", "MA-10", "MA-01")
async def test_an_admirer_is_shown_on_a_card_and_can_be_matched(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, admirer = await scenario.add_pair()
    await scenario.send_interest(admirer, me)
    await scenario.pool.members(
        30, "chess", "hiking"
    )  # as similar as the admirer, so that rank alone would hardly show the admirer
    before = await scenario.read_all(me)
    monkeypatch.setattr(batches, "RANDOM", Always(3))
    cards = await scenario.cards(me)
    assert admirer.id in cards
    after = await scenario.read_all(me)
    assert {name for name in before if before[name] != after[name]} == {"screen"}
    shapes = {tuple(field.name for field, _ in card.ListFields()) for card in cards.values()}
    assert len(shapes) == 1
    made = await scenario.matches.send(me, cards[admirer.id].card_id)
    assert made.connection.partner_id == admirer.id
    await scenario.world.drain()
    (matched,) = await scenario.matches.sent(admirer)
    assert matched.status == INTEREST_STATUS_MATCHED


@pytest.mark.rule("DI-14", "DI-04", "DI-06")
async def test_a_tier_that_is_paid_for_moves_the_timer_at_once(scenario: Scenario) -> None:
    member, _ = await scenario.add_pair()
    await scenario.pool.members(20)
    await scenario.pool.refresh(member)  # the first batch does not start the timer
    assert not (await scenario.pool.screen(member)).HasField("refresh_available_at")
    await scenario.pool.refresh(member)
    spent = await scenario.world.now()
    locked = (await scenario.pool.screen(member)).refresh_available_at.ToDatetime(UTC)
    assert timedelta(hours=23) < locked - spent <= timedelta(hours=24)
    await scenario.pool.join(member, FRIEND)
    await scenario.pool.members(6, servers=[FRIEND])
    await scenario.pool.refresh(member, FRIEND)
    for server in (PARTNER, FRIEND):
        assert (await refusal(scenario.pool.refresh(member, server))).reason == "REFRESH_LOCKED"
    await scenario.subscribe(member, "PLUS")
    moved = (await scenario.pool.screen(member, FRIEND)).refresh_available_at.ToDatetime(UTC)
    assert locked - moved == timedelta(hours=12)
    (event,) = await scenario.world.events(RefreshTimerChanged, member.id)
    assert event.refresh_available_at.ToDatetime(UTC) == moved
    account = await scenario.account(member)
    assert account.refresh_available_at.ToDatetime(UTC) == moved
    assert account.connection_limit == 2
    await scenario.world.move_clock(moved)
    await scenario.pool.refresh(member)


@pytest.mark.rule("DI-01", "DI-09", "MA-01")
async def test_a_member_who_left_a_server_is_not_shown_there_and_an_earlier_interest_still_matches(
    scenario: Scenario,
) -> None:
    one, other = await scenario.add_pair()
    theirs, mine = await scenario.cards(other), await scenario.cards(one)
    await scenario.matches.send(one, mine[other.id].card_id)
    await scenario.world.drain()
    await scenario.pool.leave(one)
    assert (await refusal(scenario.pool.screen(one))).reason == "NOT_A_MEMBER"
    assert (await refusal(scenario.matches.send(one, mine[scenario.crowd[0].id].card_id))).reason == "CARD_NOT_FOUND"
    await require_not_dealt(scenario, one, beside=[other])
    # The card of the other stays, and so does the interest.
    answer = await scenario.matches.send(other, theirs[one.id].card_id)
    assert answer.connection.partner_id == one.id


@pytest.mark.rule("MA-11", "DI-13", "DI-09")
async def test_a_withdrawn_or_expired_interest_never_matches(scenario: Scenario) -> None:
    one, other = await scenario.add_pair()
    theirs, mine = await scenario.cards(other), await scenario.cards(one)
    sent = (await scenario.matches.send(one, mine[other.id].card_id)).interest
    await scenario.world.drain()
    await scenario.matches.withdraw(one, sent.interest_id)
    await scenario.world.drain()
    waiting = (await scenario.matches.send(other, theirs[one.id].card_id)).interest
    assert waiting.status == INTEREST_STATUS_PENDING
    await scenario.world.drain()
    await scenario.world.move_clock(timedelta(days=14))
    answer = await scenario.matches.send(one, mine[other.id].card_id)
    assert not answer.HasField("connection")
    await scenario.world.drain()
    assert [each.status for each in await scenario.matches.sent(other)] == [INTEREST_STATUS_EXPIRED]
    assert [each.status for each in await scenario.matches.sent(one)] == [
        INTEREST_STATUS_PENDING,
        INTEREST_STATUS_WITHDRAWN,
    ]
    again = await scenario.matches.send(other, theirs[one.id].card_id)
    assert again.connection.partner_id == one.id
