"""ID-09, DI-16: what is left on cards once their viewer, or the member on them, is erased."""

from __future__ import annotations

import pytest
from unora.discovery.v1.discovery_service_pb2 import Batch, CardContent
from unora.identity.v1.events_pb2 import AccountErasureRequested
from unora_testing.world import Caller

from tests.integration.discovery.pool import Pool, content, new_id
from tests.integration.discovery.test_listed_cards import FREE_TIMER, dealt, replaced
from tests.integration.discovery.test_partner_cards import connect, ended, formed
from tests.integration.discovery.test_retention import purge
from tests.roles import without_triggers

pytestmark = pytest.mark.rule("ID-09", "DI-16")


@pytest.fixture
async def me(pool: Pool) -> Caller:
    me = await pool.member()
    await pool.members(16)
    return me


async def erase(pool: Pool, member: Caller) -> None:
    asked = AccountErasureRequested(user_id=member.id, version=900, erasure_id=new_id())
    asked.occurred_at.CopyFrom(await pool.stamp())
    await pool.world.publish(asked)
    await pool.world.drain()


async def keep(pool: Pool, *cards: str) -> None:
    """Purges what is old; these cards stay, since an interest on each is listed."""
    await pool.world.superuser.executemany(
        "INSERT INTO discovery.card_interests VALUES (gen_random_uuid(), $1, 1, true, NULL)",
        [(each,) for each in cards],
    )
    assert await purge(pool.world) == 1


async def rows_of_viewer(pool: Pool, viewer: Caller) -> dict[str, int]:
    counts = {}
    for table in ("kept_cards", "partner_cards"):
        counts[table] = await pool.world.superuser.fetchval(
            f"SELECT count(*) FROM discovery.{table} WHERE viewer_id = $1", viewer.user
        )
    return counts


def without_texts(shown: CardContent) -> CardContent:
    left = CardContent()
    left.CopyFrom(shown)
    left.city = ""
    for hobby in left.hobbies:
        hobby.micro_description = ""
    return left


@pytest.mark.rule("ID-09", "DI-15")
async def test_what_an_erased_member_was_shown_is_deleted(pool: Pool, me: Caller) -> None:
    for over in (False, True):
        connection = await connect(pool, me, await pool.member())
        if over:
            await pool.world.publish(ended(connection))
    old = await replaced(pool, me)
    await keep(pool, old.cards[0].card_id, old.cards[1].card_id)
    assert await rows_of_viewer(pool, me) == {"kept_cards": 2, "partner_cards": 2}
    await erase(pool, me)
    assert await rows_of_viewer(pool, me) == {"kept_cards": 0, "partner_cards": 0}


@pytest.mark.rule("ID-09", "DI-15", "XX-02")
async def test_a_late_event_of_a_connection_shows_an_erased_member_nothing_of_the_partner(
    pool: Pool, me: Caller
) -> None:
    partner = await pool.member()
    connection = await formed(pool, me, partner)
    await erase(pool, me)
    await pool.world.publish(ended(connection), connection)
    assert (await rows_of_viewer(pool, me))["partner_cards"] == 0
    assert (await rows_of_viewer(pool, partner))["partner_cards"] == 1, "the other one's goes on"


async def test_cards_of_an_erased_member_stay_wherever_they_are_shown_and_say_nothing_of_their_own_words(
    pool: Pool, me: Caller
) -> None:
    kept = (await replaced(pool, me)).cards[0]
    gone = await shown_on(pool, kept.card_id)
    await keep(pool, kept.card_id)
    connection = await connect(pool, me, gone)
    await pool.world.publish(ended(connection))
    batch = await batch_with(pool, me, gone)
    asked = (kept.card_id, batch.cards[0].card_id)
    before = await dealt(pool, me, *asked, connections=(connection.connection_id,))
    assert before[kept.card_id].hobbies[0].micro_description
    assert before[kept.card_id].city

    await erase(pool, gone)
    after = await dealt(pool, me, *asked, connections=(connection.connection_id,))
    assert after == {identifier: without_texts(shown) for identifier, shown in before.items()}
    screen = (await pool.screen(me)).batch
    as_dealt = [content(card) for card in batch.cards]
    assert [content(card) for card in screen.cards] == [without_texts(as_dealt[0]), *as_dealt[1:]]


async def test_the_card_of_an_erased_member_looks_like_one_of_a_member_whose_texts_are_hidden(
    pool: Pool, me: Caller
) -> None:
    """All members of the pool have the same profile; texts are hidden here as identity's events do it."""
    batch = (await pool.refresh(me)).batch
    assert all(content(card) == content(batch.cards[0]) for card in batch.cards)
    gone, hidden = [await shown_on(pool, card.card_id) for card in batch.cards[:2]]
    await pool.world.superuser.execute(
        """UPDATE discovery.candidates SET texts_version = 9, profile_version = 9, place_id = '', city = '', hobbies = (
            SELECT jsonb_agg(h || '{"micro_description": ""}') FROM jsonb_array_elements(hobbies) AS h)
        WHERE user_id = $1""",
        hidden.user,
    )
    async with without_triggers(pool.world.superuser) as superuser:
        await superuser.execute(
            "UPDATE discovery.discovery_cards SET city = '', place_id = '' WHERE shown_user_id = $1", hidden.user
        )
    await erase(pool, gone)
    one, other, *rest = (content(card) for card in (await pool.screen(me)).batch.cards)
    assert one == other == without_texts(content(batch.cards[0]))
    assert rest == [content(card) for card in batch.cards[2:]]


async def shown_on(pool: Pool, card: str) -> Caller:
    found = await pool.world.superuser.fetchval(
        "SELECT shown_user_id FROM discovery.discovery_cards WHERE id = $1", card
    )
    return pool.world.caller(found)


async def batch_with(pool: Pool, me: Caller, member: Caller) -> Batch:
    """A new batch of the viewer, one of whose cards is made one of this member."""
    await pool.world.superuser.execute(FREE_TIMER, me.user)
    batch = (await pool.refresh(me)).batch
    async with without_triggers(pool.world.superuser) as superuser:
        await superuser.execute(
            "UPDATE discovery.discovery_cards SET shown_user_id = $2 WHERE id = $1", batch.cards[0].card_id, member.user
        )
    return batch
