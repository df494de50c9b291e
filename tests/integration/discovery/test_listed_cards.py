"""DI-16: a card says whether its viewer has sent an interest on it, and lists show cards as they were dealt."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

import pytest
from unora.discovery.v1.card_service_pb2 import DealtCardSource, GetDealtCardsRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.discovery.v1.discovery_service_pb2 import Batch, Card, CardContent, GetScreenRequest
from unora.matching.v1.events_pb2 import (
    INTEREST_CLOSURE_EXPIRED,
    INTEREST_CLOSURE_MATCHED,
    INTEREST_CLOSURE_VOID,
    INTEREST_CLOSURE_WIPED,
    INTEREST_CLOSURE_WITHDRAWN,
    InterestClosed,
    InterestClosure,
    InterestSent,
)
from unora.safety.v1.events_pb2 import MemberUnblocked
from unora_discovery.jobs import RetentionJobs
from unora_testing.places import PORTO
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import PARTNER, Pool, content, later, new_id
from tests.integration.discovery.test_partner_cards import connect
from tests.integration.discovery.test_retention import age, purge
from tests.support import refusal

pytestmark = pytest.mark.rule("DI-16")

LOOK_AGAIN: Final = "UPDATE discovery.kept_cards SET check_at = '2020-01-01' WHERE viewer_id = $1"
FREE_TIMER: Final = """
    UPDATE discovery.refresh_timers SET last_global_refresh_at = NULL, refresh_available_at = NULL WHERE user_id = $1"""


async def send(pool: Pool, viewer: Caller, card: Card) -> InterestSent:
    """Publishes an interest on a card of the viewer, as matching does."""
    shown = await pool.resolve(viewer, card.card_id)
    stamp = await pool.stamp()
    interest = InterestSent(
        interest_id=new_id(),
        version=1,
        sender_id=viewer.id,
        receiver_id=shown.user_id,
        server_type=shown.server_type,
        occurred_at=stamp,
        expires_at=later(stamp, timedelta(days=14)),
        card_id=card.card_id,
    )
    await pool.world.publish(interest)
    return interest


def closed(interest: InterestSent, why: InterestClosure.ValueType, version: int = 2) -> InterestClosed:
    return InterestClosed(
        interest_id=interest.interest_id,
        version=version,
        sender_id=interest.sender_id,
        receiver_id=interest.receiver_id,
        server_type=interest.server_type,
        closure=why,
        occurred_at=interest.occurred_at,
        card_id=interest.card_id,
    )


async def marked(pool: Pool, viewer: Caller) -> list[str]:
    """The cards on the viewer's screen that have an interest."""
    screen = await pool.screen(viewer)
    return [card.card_id for card in screen.batch.cards if card.interest_sent]


async def dealt(pool: Pool, viewer: Caller, *cards: str, connections: tuple[str, ...] = ()) -> dict[str, CardContent]:
    sources = [DealtCardSource(card_id=each) for each in cards]
    sources += [DealtCardSource(connection_id=each) for each in connections]
    request = GetDealtCardsRequest(viewer_id=viewer.id, sources=sources)
    answer = await pool.cards.GetDealtCards(request)
    return {each.card_id or each.connection_id: each.content for each in answer.cards}


async def replaced(pool: Pool, viewer: Caller, days: float = 100) -> Batch:
    """A batch that was replaced so many days ago by the machine's clock."""
    old = (await pool.refresh(viewer)).batch
    await pool.world.superuser.execute(FREE_TIMER, viewer.user)
    await pool.refresh(viewer)
    await pool.world.superuser.execute(FREE_TIMER, viewer.user)
    await age(pool, old.batch_id, days)
    return old


async def look_again(pool: Pool, viewer: Caller) -> None:
    """A month later: the job asks whether a list still shows the kept cards, on several replicas at once."""
    await pool.world.superuser.execute(LOOK_AGAIN, viewer.user)

    async def replica() -> None:
        retention = RetentionJobs(pool.world.apps["discovery"].runtime)
        while await retention.check_kept_cards():
            pass

    await asyncio.gather(*(replica() for _ in range(3)))


@pytest.fixture
async def me(pool: Pool) -> Caller:
    me = await pool.member()
    await pool.members(16)
    return me


async def test_the_card_with_an_interest_says_so_and_no_other(pool: Pool, me: Caller) -> None:
    batch = (await pool.refresh(me)).batch
    assert await marked(pool, me) == []
    await send(pool, me, batch.cards[2])
    assert await marked(pool, me) == [batch.cards[2].card_id]
    assert not any(card.interest_sent for card in batch.cards)


@pytest.mark.rule("DI-16", "BI-08")
async def test_a_repeat_of_a_refresh_says_of_its_cards_what_it_said_at_first(pool: Pool, me: Caller) -> None:
    request = new_id()
    first = await pool.refresh(me, request=request)
    await send(pool, me, first.batch.cards[2])
    assert await pool.refresh(me, request=request) == first
    assert await marked(pool, me) == [first.batch.cards[2].card_id], "the screen says how it is now"


@pytest.mark.parametrize(
    ("why", "says"),
    [
        (INTEREST_CLOSURE_MATCHED, True),
        (INTEREST_CLOSURE_WIPED, False),
        (INTEREST_CLOSURE_WITHDRAWN, False),
        (INTEREST_CLOSURE_EXPIRED, False),
    ],
)
async def test_when_an_interest_is_over_the_card_says_what_its_sender_sees(
    pool: Pool, me: Caller, why: InterestClosure.ValueType, says: bool
) -> None:
    batch = (await pool.refresh(me)).batch
    interest = await send(pool, me, batch.cards[0])
    await pool.world.publish(closed(interest, why))
    assert await marked(pool, me) == ([batch.cards[0].card_id] if says else [])


@pytest.mark.rule("DI-16", "MA-11", "SA-08")
async def test_a_void_interest_looks_like_a_pending_one_byte_by_byte(pool: Pool, me: Caller) -> None:
    batch = (await pool.refresh(me)).batch
    interest = await send(pool, me, batch.cards[0])
    pending = await pool.screen(me)
    void = closed(interest, INTEREST_CLOSURE_VOID)
    await pool.world.publish(void)
    assert (await pool.screen(me)).SerializeToString() == pending.SerializeToString()
    await pool.world.publish(closed(interest, INTEREST_CLOSURE_EXPIRED, 3))
    assert await marked(pool, me) == []


@pytest.mark.rule("DI-16", "XX-02")
async def test_a_sending_that_comes_after_its_closing_does_not_mark_the_card(pool: Pool, me: Caller) -> None:
    batch = (await pool.refresh(me)).batch
    card = batch.cards[0]
    interest = InterestSent(
        interest_id=new_id(),
        version=1,
        sender_id=me.id,
        receiver_id=(await pool.resolve(me, card.card_id)).user_id,
        server_type=PARTNER,
        occurred_at=await pool.stamp(),
        card_id=card.card_id,
    )
    await pool.world.publish(closed(interest, INTEREST_CLOSURE_WITHDRAWN))
    await pool.world.publish(interest)
    assert await marked(pool, me) == []


async def test_an_interest_that_an_earlier_version_told_marks_no_card_and_stops_nothing(pool: Pool, me: Caller) -> None:
    batch = (await pool.refresh(me)).batch
    interest = await send(pool, me, batch.cards[0])
    earlier = InterestSent()
    earlier.CopyFrom(interest)
    earlier.interest_id, earlier.card_id = new_id(), ""
    await pool.world.publish(earlier, closed(earlier, INTEREST_CLOSURE_WITHDRAWN))
    assert await marked(pool, me) == [batch.cards[0].card_id]


async def test_the_screen_has_the_rule_clocks_time(world: World, pool: Pool, me: Caller) -> None:
    await pool.refresh(me)
    before = await world.now()
    request = GetScreenRequest(server_type=PARTNER)
    answer = await pool.discovery.GetScreen(request, metadata=me.metadata)
    told = answer.server_time.ToDatetime(before.tzinfo)
    assert before <= told <= await world.now()
    await world.move_clock(timedelta(days=3))
    answer = await pool.discovery.GetScreen(request, metadata=me.metadata)
    assert answer.server_time.ToDatetime(before.tzinfo) - told >= timedelta(days=3)


@pytest.mark.rule("DI-16", "XX-04")
async def test_dealt_cards_are_told_as_they_were_and_only_those_of_the_viewer(pool: Pool, me: Caller) -> None:
    other = await pool.member()
    batch, theirs = (await pool.refresh(me)).batch, (await pool.refresh(other)).batch
    shown = await pool.shown(me, batch)
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET city = 'Porto', place_id = $2, age_band = '60_plus', trust_level = 5,"
        " profile_version = 9 WHERE user_id = ANY ($1::uuid[])",
        *(shown, PORTO),
    )
    asked = [card.card_id for card in (*batch.cards, *theirs.cards)]
    assert await dealt(pool, me, *asked, new_id()) == {card.card_id: content(card) for card in batch.cards}


@pytest.mark.rule("DI-16", "PR-10")
async def test_dealt_cards_lose_words_that_were_hidden_since_also_kept_ones(pool: Pool, me: Caller) -> None:
    batch = await replaced(pool, me)
    card = batch.cards[0]
    await pool.world.superuser.execute(
        "INSERT INTO discovery.card_interests VALUES (gen_random_uuid(), $1, 1, true, NULL)", card.card_id
    )
    words = [hobby.micro_description for hobby in card.hobbies]
    for kept in (False, True):
        if kept:
            assert await purge(pool.world) == 1
        told = (await dealt(pool, me, card.card_id))[card.card_id]
        assert [hobby.micro_description for hobby in told.hobbies] == words
    await pool.world.superuser.execute(
        """UPDATE discovery.candidates SET texts_version = 7, profile_version = 7,
            hobbies = jsonb_set(hobbies, '{0,micro_description}', '""')
        WHERE user_id = (SELECT shown_user_id FROM discovery.kept_cards WHERE id = $1)""",
        card.card_id,
    )
    told = (await dealt(pool, me, card.card_id))[card.card_id]
    assert [hobby.micro_description for hobby in told.hobbies] == ["", *words[1:]]


async def test_a_card_with_an_interest_outlives_its_batch_as_long_as_the_interest_is_listed(
    pool: Pool, me: Caller
) -> None:
    first = (await pool.refresh(me)).batch
    card, *others = first.cards
    interest = await send(pool, me, card)
    await pool.world.superuser.execute(FREE_TIMER, me.user)
    await pool.refresh(me)
    await age(pool, first.batch_id, 100)
    assert await purge(pool.world) == 1
    told = {card.card_id: content(card)}
    assert await dealt(pool, me, *(each.card_id for each in first.cards)) == told
    await look_again(pool, me)
    assert await dealt(pool, me, card.card_id) == told
    assert (await refusal(pool.resolve(me, card.card_id, old=True))).reason == "CARD_NOT_FOUND"

    await pool.world.publish(closed(interest, INTEREST_CLOSURE_WITHDRAWN))
    retention = RetentionJobs(pool.world.apps["discovery"].runtime)
    await retention.forget_interests()
    await look_again(pool, me)
    assert await dealt(pool, me, card.card_id) == told, "matching still lists it"
    await pool.world.superuser.execute(
        "UPDATE discovery.card_interests SET over_at = clock_timestamp() - interval '401 days' WHERE interest_id = $1",
        interest.interest_id,
    )
    while await retention.forget_interests():
        pass
    await look_again(pool, me)
    assert await dealt(pool, me, card.card_id) == {}
    assert others


@pytest.mark.rule("DI-16", "SA-02")
async def test_cards_of_a_blocked_member_outlive_their_batch_until_the_block_is_lifted(pool: Pool, me: Caller) -> None:
    batch = await replaced(pool, me, 1)
    card = batch.cards[3]
    shown = await pool.world.superuser.fetchval(
        "SELECT shown_user_id FROM discovery.discovery_cards WHERE id = $1", card.card_id
    )
    block = await pool.block(me, Caller(shown, ""))
    await age(pool, batch.batch_id, 100)
    assert await purge(pool.world) == 1
    await look_again(pool, me)
    assert await dealt(pool, me, *(each.card_id for each in batch.cards)) == {card.card_id: content(card)}
    lifted = MemberUnblocked(
        block_id=block.block_id,
        version=2,
        blocker_id=block.blocker_id,
        blocked_id=block.blocked_id,
        occurred_at=await pool.stamp(),
    )
    await pool.world.publish(lifted)
    await look_again(pool, me)
    assert await dealt(pool, me, card.card_id) == {}


async def test_several_purges_at_once_keep_each_card_once(pool: Pool, me: Caller) -> None:
    batch = await replaced(pool, me)
    for card in batch.cards[:2]:
        await pool.world.superuser.execute(
            "INSERT INTO discovery.card_interests VALUES (gen_random_uuid(), $1, 1, true, NULL)", card.card_id
        )
    assert sum(await asyncio.gather(*(purge(pool.world) for _ in range(4)))) == 1
    await look_again(pool, me)
    assert await dealt(pool, me, *(each.card_id for each in batch.cards)) == {
        card.card_id: content(card) for card in batch.cards[:2]
    }


@pytest.mark.rule("DI-16", "SA-02")
async def test_on_its_last_day_a_card_can_no_longer_be_blocked_so_that_no_block_loses_its_card(
    pool: Pool, me: Caller
) -> None:
    batch = await replaced(pool, me, 88.9)
    card = batch.cards[0].card_id
    assert (await pool.resolve(me, card, old=True)).server_type == PARTNER
    await age(pool, batch.batch_id, 89.1)
    assert (await refusal(pool.resolve(me, card, old=True))).reason == "CARD_NOT_FOUND"
    assert await purge(pool.world) == 0
    assert await dealt(pool, me, card)


@pytest.mark.rule("DI-16", "DI-15")
async def test_a_connection_is_told_as_the_partner_was_when_it_formed_also_when_it_has_ended(
    pool: Pool, me: Caller
) -> None:
    partner, stranger = await pool.member("chess", "yoga"), await pool.member()
    connection = await connect(pool, me, partner)
    told = await dealt(pool, me, connections=(connection.connection_id,))
    assert [hobby.hobby_option_id for hobby in told[connection.connection_id].hobbies] == ["chess", "yoga"]
    assert [hobby.shared for hobby in told[connection.connection_id].hobbies] == [True, False]
    await pool.world.superuser.execute(
        "UPDATE discovery.candidates SET city = 'Porto', place_id = $2, trust_level = 5, profile_version = 9,"
        " hobbies = '[]', hobby_option_ids = '{}', discovery_ready = false WHERE user_id = $1",
        *(partner.user, PORTO),
    )
    assert await dealt(pool, me, connections=(connection.connection_id,)) == told
    assert await dealt(pool, stranger, connections=(connection.connection_id,)) == {}


@pytest.mark.rule("XX-03", "DI-16")
@pytest.mark.parametrize("caller", ["gateway", "chat", "streak", "identity", "stranger"])
async def test_only_matching_and_safety_may_ask_for_dealt_cards(world: World, me: Caller, caller: str) -> None:
    stub = world.stub(CardServiceStub, "discovery", caller=caller)
    asked = stub.GetDealtCards(GetDealtCardsRequest(viewer_id=me.id), metadata=me.metadata)
    assert (await refusal(asked)).code == "PERMISSION_DENIED"
