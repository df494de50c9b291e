"""DI-15: what each member of a connection sees of the other: current hobbies, texts and city, and what was frozen."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from unora.common.v1.types_pb2 import AGE_BAND_30_34
from unora.discovery.v1.discovery_service_pb2 import CardHobby, ListPartnerCardsRequest, PartnerCard
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.matching.v1.events_pb2 import END_CAUSE_MEMBER, ConnectionEnded, ConnectionFormed
from unora.safety.v1.events_pb2 import MemberUnblocked
from unora_discovery.consumers.pairs import PairEvents
from unora_testing.places import PORTO
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import PARTNER, Pool, new_id
from tests.integration.identity.people import ADA, People

pytestmark = pytest.mark.rule("DI-15")


async def formed(pool: Pool, one: Caller, other: Caller) -> ConnectionFormed:
    a, b = sorted((one.id, other.id))
    return ConnectionFormed(
        connection_id=new_id(),
        version=1,
        user_a_id=a,
        user_b_id=b,
        server_type=PARTNER,
        occurred_at=await pool.stamp(),
    )


def ended(connection: ConnectionFormed) -> ConnectionEnded:
    return ConnectionEnded(
        connection_id=connection.connection_id,
        version=2,
        user_a_id=connection.user_a_id,
        user_b_id=connection.user_b_id,
        server_type=connection.server_type,
        ended_by_id=connection.user_a_id,
        occurred_at=connection.occurred_at,
        cause=END_CAUSE_MEMBER,
        acted_at=connection.occurred_at,
    )


async def connect(pool: Pool, one: Caller, other: Caller) -> ConnectionFormed:
    """Publishes a connection of the two, as matching does."""
    connection = await formed(pool, one, other)
    await pool.world.publish(connection)
    return connection


async def cards(pool: Pool, member: Caller) -> list[PartnerCard]:
    answer = await pool.discovery.ListPartnerCards(ListPartnerCardsRequest(), metadata=member.metadata)
    return list(answer.cards)


async def change(pool: Pool, member: Caller, **columns: Any) -> None:
    """Changes what the pool knows of a member, as a newer profile does."""
    for name, value in columns.items():
        await pool.world.superuser.execute(
            f"UPDATE discovery.candidates SET {name} = $2 WHERE user_id = $1", member.user, value
        )


async def test_each_sees_the_others_card_and_nothing_else(pool: Pool) -> None:
    me, partner, stranger = (
        await pool.member("chess", "singing"),
        await pool.member("chess", "yoga"),
        await pool.member(),
    )
    connection = await connect(pool, me, partner)
    (card,) = await cards(pool, me)
    assert card.connection_id == connection.connection_id
    assert list(card.card.hobbies) == [
        CardHobby(hobby_option_id="chess", name="Chess", micro_description="my chess", shared=True),
        CardHobby(hobby_option_id="yoga", name="Yoga", micro_description="my yoga", shared=False),
    ]
    assert (card.card.age_band, card.card.city, card.card.trust_level) == (AGE_BAND_30_34, "Lisbon", 2)
    (theirs,) = await cards(pool, partner)
    assert [hobby.hobby_option_id for hobby in theirs.card.hobbies] == ["chess", "singing"]
    assert partner.id not in str(card)
    assert await cards(pool, stranger) == []


async def test_hobbies_texts_and_city_are_current_but_age_band_and_trust_level_stay_as_when_it_formed(
    pool: Pool,
) -> None:
    me, partner = await pool.members(2)
    await connect(pool, me, partner)
    (before,) = await cards(pool, me)
    now = [
        {"hobby_option_id": each, "name": each.title(), "micro_description": f"new {each}"}
        for each in ("yoga", "chess")
    ]
    await change(pool, partner, age_band="35_39", trust_level=4, city="Porto", place_id=PORTO)
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET hobbies = $2, hobby_option_ids = $3 WHERE user_id = $1",
        *(partner.user, json.dumps(now), ["yoga", "chess"]),
    )
    (after,) = await cards(pool, me)
    assert (after.card.age_band, after.card.trust_level) == (before.card.age_band, before.card.trust_level)
    assert after.card.city == "Porto"
    assert [(hobby.micro_description, hobby.shared) for hobby in after.card.hobbies] == [
        ("new yoga", False),
        ("new chess", True),
    ]


async def test_all_connections_are_in_one_read_the_newest_first(pool: Pool) -> None:
    me, *partners = await pool.members(4)
    made = [(await connect(pool, me, partner)).connection_id for partner in partners]
    assert [card.connection_id for card in await cards(pool, me)] == made[::-1]


@pytest.mark.rule("DI-15", "MA-09")
async def test_the_card_is_gone_when_the_connection_ends_for_both_alike(pool: Pool) -> None:
    me, partner, other = await pool.members(3)
    connection, stays = await connect(pool, me, partner), await connect(pool, me, other)
    await pool.world.publish(ended(connection))
    assert [card.connection_id for card in await cards(pool, me)] == [stays.connection_id]
    assert await cards(pool, partner) == []


@pytest.mark.rule("DI-15", "XX-02")
async def test_events_that_come_twice_or_in_the_wrong_order_change_nothing(world: World, pool: Pool) -> None:
    me, partner, third = await pool.members(3)
    over = await formed(pool, me, partner)
    await world.publish(ended(over))
    await world.publish(over)
    assert await cards(pool, me) == await cards(pool, partner) == []
    connection = await connect(pool, me, third)
    (first,) = await cards(pool, me)
    await change(pool, third, age_band="60_plus", trust_level=5)
    consumer = PairEvents(world.apps["discovery"].runtime)
    for events in ([connection], [connection, connection, over]):
        async with world.apps["discovery"].database.transaction() as tx:
            await consumer.on_connections_formed(events, tx)
    assert await cards(pool, me) == [first]


@pytest.mark.rule("DI-15", "XX-02")
async def test_the_beginning_and_the_end_at_the_same_moment_leave_it_ended(world: World, pool: Pool) -> None:
    me, *partners = await pool.members(9)
    made = [await formed(pool, me, partner) for partner in partners]
    consumer, database = PairEvents(world.apps["discovery"].runtime), world.apps["discovery"].database

    async def begin() -> None:
        async with database.transaction() as tx:
            await consumer.on_connections_formed(made, tx)

    async def end() -> None:
        async with database.transaction() as tx:
            await consumer.on_connections_ended([ended(each) for each in made[::-1]], tx)

    await asyncio.gather(*(work() for work in (begin, end, begin, end, begin)))
    assert await cards(pool, me) == []


@pytest.mark.rule("DI-15", "MA-12", "XX-04")
@pytest.mark.parametrize("blocks", ["the viewer", "the partner"])
async def test_a_block_in_either_direction_hides_both_cards_until_it_is_lifted(pool: Pool, blocks: str) -> None:
    me, partner, other = await pool.members(3)
    connection, _ = await connect(pool, me, partner), await connect(pool, me, other)
    pair = (me, partner) if blocks == "the viewer" else (partner, me)
    block = await pool.block(*pair)
    assert connection.connection_id not in [card.connection_id for card in await cards(pool, me)]
    assert len(await cards(pool, me)) == 1
    assert await cards(pool, partner) == []
    lifted = MemberUnblocked(
        block_id=block.block_id,
        version=2,
        blocker_id=block.blocker_id,
        blocked_id=block.blocked_id,
        occurred_at=await pool.stamp(),
    )
    await pool.world.publish(lifted)
    assert len(await cards(pool, me)) == 2  # matching ends the connection, which these events leave out


@pytest.mark.rule("DI-15")
async def test_the_card_of_a_partner_who_is_not_shown_any_more_stays(world: World, pool: Pool, people: People) -> None:
    """Nothing shows that the partner is not discovery-ready."""
    ada, me = await people.ready(), await pool.member("chess", "singing")
    await world.drain()
    await connect(pool, me, ada.member)
    (before,) = await cards(pool, me)
    assert before.card.hobbies
    await world.superuser.execute(
        "UPDATE identity.photos SET deleted_at = clock.now() WHERE user_id = $1", ada.member.user
    )
    version = await world.superuser.fetchval(
        "UPDATE identity.users SET version = version + 1 WHERE id = $1 RETURNING version", ada.member.user
    )
    changed = DiscoveryProfileChanged(
        user_id=ada.member.id, version=version, discovery_ready=False, trust_level=1, occurred_at=await pool.stamp()
    )
    await world.publish(changed)
    (known,) = await pool.rows("candidates", ada.member.user)
    assert (known["discovery_ready"], known["trust_level"]) == (False, 1)
    assert await cards(pool, me) == [before]


@pytest.mark.rule("DI-15", "PR-10")
async def test_words_that_are_hidden_disappear_from_the_partners_card(world: World, pool: Pool, people: People) -> None:
    ada, me = await people.ready(), await pool.member("chess", "singing")
    await world.drain()
    await connect(pool, me, ada.member)
    (before,) = await cards(pool, me)
    assert [hobby.micro_description for hobby in before.card.hobbies] == ["the slow kind", "early, uphill, alone"]
    await people.update_profile(ada, ADA.__class__(name="Slow Quixley"), "name")
    await world.drain()
    (after,) = await cards(pool, me)
    assert [hobby.micro_description for hobby in after.card.hobbies] == ["", "early, uphill, alone"]


async def test_what_was_frozen_cannot_be_changed_even_by_sql(pool: Pool) -> None:
    me, partner = await pool.members(2)
    connection = await connect(pool, me, partner)
    with pytest.raises(Exception, match="stays as it was when the connection formed"):
        await pool.world.superuser.execute(
            "UPDATE discovery.partner_cards SET age_band = '60_plus' WHERE connection_id = $1", connection.connection_id
        )
