"""What a card shows and hides, and which callers may resolve it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from unora.common.v1.types_pb2 import AGE_BAND_35_39, AGE_BAND_40_49
from unora.discovery.v1.card_service_pb2 import ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.discovery.v1.discovery_service_pb2 import CardHobby
from unora.identity.v1.profile_service_pb2 import Hobby
from unora_discovery.jobs import RetentionJobs
from unora_testing.places import PORTO
from unora_testing.world import Caller, World

from tests.integration.discovery.pool import FRIEND, PARTNER, Pool, new_id
from tests.integration.identity.people import ADA, People
from tests.support import Refusal, refusal

FORTY = datetime(2030, 12, 10, tzinfo=UTC)
"""ADA's birthday; earlier tests may have moved the clock past it."""


@pytest.mark.rule("DI-08", "DI-03")
async def test_a_card_of_a_real_member_shows_hobbies_and_neither_name_nor_photo_and_stays_as_it_was(
    world: World, pool: Pool, people: People
) -> None:
    ada = await people.ready()
    await pool.join(ada.member)
    await pool.members(5, "poetry", "running")
    me = await pool.member("chess", "singing")

    screen = await pool.refresh(me)
    card = screen.batch.cards[0]
    assert (await pool.resolve(me, card.card_id)).user_id == ada.member.id
    assert list(card.hobbies) == [
        CardHobby(hobby_option_id="chess", name="Chess", micro_description="the slow kind", shared=True),
        CardHobby(hobby_option_id="hiking", name="Hiking", micro_description="early, uphill, alone", shared=False),
    ]
    band = AGE_BAND_35_39 if await world.now() < FORTY else AGE_BAND_40_49
    assert (card.age_band, card.city, card.trust_level) == (band, "London", 3)

    photos = await people.rows("photos", user_id=ada.member.user)
    secrets = [ada.member.id, ada.member.user.hex, *ADA.name.split(), "1990", ADA.bio]
    secrets += [str(photo["id"]) for photo in photos] + [photo["object_key"] for photo in photos]
    answer = str(screen) + screen.SerializeToString().decode("latin-1")
    assert [secret for secret in secrets if secret in answer] == []

    await people.set_hobbies(
        ada,
        Hobby(hobby_option_id="novels", micro_description="long ones"),
        Hobby(hobby_option_id="yoga", micro_description="badly"),
    )
    await world.drain()
    (known,) = await pool.rows("candidates", ada.member.user)
    assert known["hobby_option_ids"] == ["novels", "yoga"]
    assert await pool.screen(me) == screen


@pytest.mark.rule("DI-08")
async def test_ids_of_cards_are_random_and_never_used_again(pool: Pool) -> None:
    await pool.members(10)
    ids = []
    for member in await pool.members(3):
        ids += [UUID(card.card_id) for card in (await pool.refresh(member)).batch.cards]
    assert len(set(ids)) == 15
    assert {card.version for card in ids} == {4}


async def _not_found(pool: Pool, viewer: Caller, card_id: str) -> Refusal:
    return await refusal(pool.resolve(viewer, card_id))


@pytest.mark.rule("DI-03", "XX-04")
async def test_only_cards_of_the_viewers_active_batch_are_resolved_and_all_other_ids_get_one_answer(pool: Pool) -> None:
    me, other = await pool.members(2)
    await pool.members(12)
    old = (await pool.refresh(me)).batch.cards[0].card_id
    active = (await pool.refresh(me)).batch.cards[0].card_id
    theirs = (await pool.refresh(other)).batch.cards[0].card_id
    resolved = await pool.resolve(me, active)
    assert resolved.server_type == PARTNER
    found = [await _not_found(pool, me, card) for card in (old, theirs, new_id())]
    assert found[0] == found[1] == found[2]
    assert (found[0].code, found[0].reason, found[0].metadata) == ("NOT_FOUND", "CARD_NOT_FOUND", {})


@pytest.mark.rule("SA-02", "XX-04")
async def test_for_a_block_or_report_a_stored_old_card_of_the_viewer_is_enough(pool: Pool) -> None:
    me, other = await pool.members(2)
    await pool.members(12)
    first = (await pool.refresh(me)).batch
    shown = await pool.shown(me, first)
    active = (await pool.refresh(me)).batch.cards[0].card_id
    assert [(await pool.resolve(me, card.card_id, old=True)).user_id for card in first.cards] == shown
    assert await pool.resolve(me, active, old=True) == await pool.resolve(me, active)
    card = first.cards[0].card_id
    found = [await refusal(pool.resolve(viewer, each, old=True)) for viewer, each in ((other, card), (me, new_id()))]
    await pool.world.superuser.execute(
        "UPDATE discovery.discovery_batches SET created_at = '2020-01-01', deleted_at = '2020-01-02' WHERE id = $1",
        first.batch_id,
    )
    await RetentionJobs(pool.world.apps["discovery"].runtime).purge_batches()
    found.append(await refusal(pool.resolve(me, card, old=True)))
    assert found[0] == found[1] == found[2]
    assert (found[0].code, found[0].reason, found[0].metadata) == ("NOT_FOUND", "CARD_NOT_FOUND", {})


@pytest.mark.rule("XX-03", "SA-02")
async def test_safety_may_resolve_a_card_as_matching_may(world: World, pool: Pool) -> None:
    me = await pool.member()
    await pool.members(6)
    card = (await pool.refresh(me)).batch.cards[0].card_id
    request = ResolveCardRequest(card_id=card, viewer_id=me.id, allow_replaced=True)
    answer = await world.stub(CardServiceStub, "discovery", caller="safety").ResolveCard(request)
    assert answer == await pool.resolve(me, card)


@pytest.mark.rule("DI-03")
async def test_a_resolved_card_has_the_server_of_its_batch(pool: Pool) -> None:
    me = await pool.member()
    await pool.members(12)
    await pool.refresh(me, PARTNER)
    card = (await pool.refresh(me, FRIEND)).batch.cards[0]
    assert (await pool.resolve(me, card.card_id)).server_type == FRIEND


@pytest.mark.rule("XX-03", "DI-08")
@pytest.mark.parametrize("caller", ["gateway", "streak", "identity", "stranger"])
async def test_only_matching_and_safety_may_resolve_a_card(world: World, pool: Pool, caller: str) -> None:
    me = await pool.member()
    await pool.members(6)
    card = (await pool.refresh(me)).batch.cards[0]
    stub = world.stub(CardServiceStub, "discovery", caller=caller)
    request = ResolveCardRequest(card_id=card.card_id, viewer_id=me.id)
    assert (await refusal(stub.ResolveCard(request, metadata=me.metadata))).code == "PERMISSION_DENIED"


@pytest.mark.rule("XX-03")
async def test_malformed_ids_are_refused_by_their_field(pool: Pool) -> None:
    refused = await refusal(pool.cards.ResolveCard(ResolveCardRequest(card_id="x", viewer_id="")))
    assert refused.code == "INVALID_ARGUMENT"
    assert set(refused.violations) == {"card_id", "viewer_id"}


@pytest.mark.rule("PR-11", "DI-03")
async def test_a_card_shows_no_city_until_it_is_a_place_also_one_that_was_dealt_before(
    world: World, pool: Pool
) -> None:
    """The version before dealt cards with a written city, and stored it in the pool."""
    await pool.empty()
    me = await pool.member()
    others = [await pool.member(city="call 0151 2345678") for _ in range(5)]
    first = await pool.refresh(me)
    assert [card.city for card in first.batch.cards] == [""] * 5
    await world.superuser.execute("ALTER TABLE discovery.discovery_cards DISABLE TRIGGER USER")
    await world.superuser.execute(
        "UPDATE discovery.discovery_cards SET city = 'call 0151 2345678' WHERE shown_user_id = ANY ($1)",
        [other.user for other in others],
    )
    await world.superuser.execute("ALTER TABLE discovery.discovery_cards ENABLE TRIGGER USER")
    assert await pool.screen(me) == first

    # One of them has a place now: the card shows its city, the others still none.
    await world.superuser.execute(
        "UPDATE discovery.candidates SET city = 'Porto', place_id = $2 WHERE user_id = $1", others[0].user, PORTO
    )
    screen = await pool.screen(me)
    at = (await pool.shown(me, screen.batch)).index(others[0].id)
    assert [card.city for card in screen.batch.cards] == ["Porto" if at == place else "" for place in range(5)]


@pytest.mark.rule("PR-11", "DI-03")
async def test_a_card_keeps_the_city_of_the_place_that_it_was_dealt_with(world: World, pool: Pool) -> None:
    await pool.empty()
    me, *others = [await pool.member() for _ in range(6)]
    dealt = await pool.refresh(me)
    await world.superuser.execute(
        "UPDATE discovery.candidates SET city = 'Porto', place_id = $2 WHERE user_id = ANY ($1)",
        *([other.user for other in others], PORTO),
    )
    assert await pool.screen(me) == dealt
    assert {card.city for card in dealt.batch.cards} == {"Lisbon"}
