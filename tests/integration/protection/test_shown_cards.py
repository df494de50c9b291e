"""DI-15, DI-16: a match has a card, and lists show cards as they were dealt, over all services and their own events."""

from __future__ import annotations

import pytest
from unora.discovery.v1.discovery_service_pb2 import CardContent, ListPartnerCardsRequest
from unora.identity.v1.profile_service_pb2 import Hobby, Profile
from unora.matching.v1.matching_service_pb2 import (
    INTEREST_STATUS_MATCHED,
    INTEREST_STATUS_PENDING,
    Interest,
    ListSentInterestsRequest,
)
from unora_testing.places import PORTO
from unora_testing.world import World

from tests.integration.discovery.pool import content
from tests.integration.protection.scenario import CROWD, Member, Scenario

pytestmark = pytest.mark.rule("DI-16")


@pytest.fixture
async def scenario(world: World) -> Scenario:
    scenario = Scenario(world)
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    return scenario


async def sent(scenario: Scenario, member: Member) -> list[tuple[Interest, CardContent]]:
    """The interests that a member sent, each with what its card showed."""
    answer = await scenario.matches.matching.ListSentInterests(ListSentInterestsRequest(), metadata=member.metadata)
    assert [card.card_id for card in answer.cards] == [interest.card_id for interest in answer.interests]
    return [(interest, card.content) for interest, card in zip(answer.interests, answer.cards, strict=True)]


async def partner_cards(scenario: Scenario, member: Member) -> dict[str, CardContent]:
    answer = await scenario.pool.discovery.ListPartnerCards(ListPartnerCardsRequest(), metadata=member.metadata)
    return {card.connection_id: card.card for card in answer.cards}


async def rewrite(scenario: Scenario, member: Member) -> None:
    """Another city and other hobbies: what the card would show now."""
    await scenario.arrivals.update_profile(member.signed, Profile(place_id=PORTO), "place_id")
    await scenario.arrivals.set_hobbies(
        member.signed,
        Hobby(hobby_option_id="novels", micro_description="long ones"),
        Hobby(hobby_option_id="yoga", micro_description="badly"),
    )
    await scenario.world.drain()


@pytest.mark.rule("DI-15", "DI-16")
async def test_a_match_has_a_current_card_and_the_interest_its_card_as_dealt_and_its_connection(
    scenario: Scenario,
) -> None:
    woman, man = await scenario.add_pair()
    dealt = (await scenario.cards(woman))[man.id]
    assert not dealt.interest_sent
    await scenario.send_interest(woman, man)
    assert (await scenario.cards(woman))[man.id].interest_sent
    ((pending, card),) = await sent(scenario, woman)
    assert (pending.status, pending.connection_id, card) == (INTEREST_STATUS_PENDING, "", content(dealt))

    made = await scenario.send_interest(man, woman)
    await rewrite(scenario, man)
    ((matched, card),) = await sent(scenario, woman)
    assert (matched.status, matched.connection_id) == (INTEREST_STATUS_MATCHED, made.connection.connection_id)
    assert card == content(dealt), "never current"
    assert made.interest.connection_id == made.connection.connection_id

    ((connection, card),) = (await partner_cards(scenario, woman)).items()
    assert connection == made.connection.connection_id
    assert [hobby.hobby_option_id for hobby in card.hobbies] == ["novels", "yoga"]
    assert (card.city, card.age_band, card.trust_level) == ("Porto", dealt.age_band, dealt.trust_level)
    await scenario.matches.end(man, connection)
    await scenario.world.drain()
    assert await partner_cards(scenario, woman) == {}


async def test_blocks_show_what_was_blocked_as_it_was_shown_by_card_and_by_connection(scenario: Scenario) -> None:
    woman, man = await scenario.add_pair()
    dealt = (await scenario.cards(woman))[man.id]
    connection = await scenario.connect(woman, man)
    formed = (await partner_cards(scenario, woman))[connection.connection_id]
    await rewrite(scenario, man)
    await scenario.safety.block(woman, scenario.by_connection(connection))
    await scenario.safety.block(woman, scenario.by_card(dealt))
    blocks = await scenario.safety.list_blocks(woman)
    assert [card.content for card in blocks.cards] == [content(dealt), formed]
    assert [(card.card_id, card.connection_id) for card in blocks.cards] == [
        (block.target.card_id, block.target.connection_id) for block in blocks.blocks
    ]
    await scenario.world.drain()
    assert await scenario.safety.list_blocks(woman) == blocks
    assert await partner_cards(scenario, woman) == await partner_cards(scenario, man) == {}
    assert man.id not in str(blocks)


@pytest.mark.rule("DI-16", "PR-10")
async def test_words_that_are_hidden_are_on_no_list(scenario: Scenario) -> None:
    woman, man = await scenario.add_pair()
    await scenario.send_interest(woman, man)
    await scenario.safety.block(woman, scenario.by_card((await scenario.cards(woman))[man.id]))
    await scenario.arrivals.update_profile(man.signed, Profile(name="Slow Quixley"), "name")
    await scenario.world.drain()
    ((_, wished),) = await sent(scenario, woman)
    (blocked,) = (await scenario.safety.list_blocks(woman)).cards
    for card in (wished, blocked.content):
        assert [hobby.micro_description for hobby in card.hobbies] == ["", "early, uphill, alone"]
