"""Reveal 5, the identity: on Day 15 and while the connection lasts, fetched each time and never stored."""

from __future__ import annotations

import asyncio

import pytest
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.reveal.v1.events_pb2 import RevealUnlocked
from unora.reveal.v1.reveal_service_pb2 import REVEAL_STATUS_UNLOCKED
from unora.streak.v1.events_pb2 import StreakStarted
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import (
    NAME,
    RevealPair,
    insert_connection,
    insert_member,
    insert_photo,
    make_reveal_pair,
)
from tests.support import Pair, as_uuid, disconnect, refusal


@pytest.fixture
async def pair(world: World) -> RevealPair:
    """They are on their last day: 14 days are completed."""
    made = await make_reveal_pair(world)
    await made.apply(made.day_completed(14))
    return made


async def complete(pair: RevealPair) -> None:
    """Publishes the event of the last day to all contexts."""
    await pair.world.publish(pair.streak_completed())


@pytest.mark.rule("RE-04")
@pytest.mark.parametrize("tier", ["free", "plus", "pro"])
async def test_no_tier_opens_the_identity_before_day_15(pair: RevealPair, tier: str) -> None:
    await pair.set_tier(pair.a, tier)
    await pair.apply(pair.day_completed(14))
    refused = await refusal(pair.open(pair.a, 5))
    assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "REVEAL_LOCKED", {})


@pytest.mark.rule("RE-04", "RE-12")
async def test_on_day_15_both_members_get_name_and_photos(world: World, pair: RevealPair) -> None:
    await complete(pair)
    for viewer, seen in ((pair.a, pair.b), (pair.b, pair.a)):
        answer = await pair.open(viewer, 5)
        assert answer.reveal.status == REVEAL_STATUS_UNLOCKED
        assert not answer.reveal.HasField("framed")
        assert answer.identity.name == NAME
        photos = await world.superuser.fetch(
            "SELECT id FROM identity.photos WHERE user_id = $1 ORDER BY position", seen.user
        )
        assert [photo.photo_id for photo in answer.identity.photos] == [str(row["id"]) for row in photos]
        for photo in answer.identity.photos:
            assert photo.HasField("url_expires_at")
            assert all((photo.url, photo.card_url, photo.thumbnail_url))
        linked = (await pair.stored_reveal(viewer, 5))["photo_ids"]
        assert set(linked) == {row["id"] for row in photos}


@pytest.mark.rule("RE-04", "XX-01")
async def test_the_identity_is_stored_nowhere(world: World, pair: RevealPair) -> None:
    await complete(pair)
    answer = await pair.open(pair.a, 5)
    links = [link for photo in answer.identity.photos for link in (photo.url, photo.card_url, photo.thumbnail_url)]
    tables = await world.superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'reveal'")
    for table in (row["tablename"] for row in tables):
        rows = await world.superuser.fetch(f'SELECT t::text AS row FROM reveal."{table}" t')
        dump = "\n".join(row["row"] for row in rows)
        for secret in (NAME, NAME.encode().hex(), *links):
            assert secret not in dump
    assert not any(each.HasField("framed") for each in await pair.list_reveals(pair.a))


@pytest.mark.rule("RE-04", "RE-09", "RE-12")
async def test_the_identity_is_fetched_each_time_and_shown_photos_are_linked(world: World, pair: RevealPair) -> None:
    await complete(pair)
    first = await pair.open(pair.a, 5)
    await world.superuser.execute("UPDATE identity.profiles SET name = 'Mina' WHERE user_id = $1", pair.b.user)
    gone = as_uuid(first.identity.photos[2].photo_id)
    await world.superuser.execute("UPDATE identity.photos SET deleted_at = clock.now() WHERE id = $1", gone)
    new = await insert_photo(world, pair.b, 3)
    again = await pair.open(pair.a, 5)
    assert again.identity.name == "Mina"
    assert again.identity.photos[2].photo_id == str(new)
    assert again.reveal == first.reveal
    linked = (await pair.stored_reveal(pair.a, 5))["photo_ids"]
    assert len(linked) == 4
    assert {gone, new} < set(linked)


@pytest.mark.rule("RE-04", "XX-02")
async def test_twenty_openings_at_the_same_time_unlock_once(world: World, pair: RevealPair) -> None:
    await complete(pair)
    answers = await asyncio.gather(*(pair.open(pair.a, 5) for _ in range(20)))
    assert {answer.identity.name for answer in answers} == {NAME}
    assert len({answer.reveal.SerializeToString() for answer in answers}) == 1
    assert len(await world.events(RevealUnlocked, (await pair.stored_reveal(pair.a, 5))["id"])) == 1


@pytest.mark.rule("RE-03")
async def test_an_opening_does_not_open_the_reveal_of_the_partner(pair: RevealPair) -> None:
    await complete(pair)
    await pair.open(pair.a, 5)
    assert await pair.statuses(pair.b) == ["EARNED", "EARNED", "LOCKED", "LOCKED", "EARNED"]


@pytest.mark.rule("RE-04")
async def test_identity_discloses_nothing_without_its_own_record(pair: RevealPair) -> None:
    """Reveal knows of Day 15 and identity does not yet: the member is asked to try again."""
    await pair.apply(pair.streak_completed())
    refused = await refusal(pair.open(pair.a, 5))
    assert (refused.code, refused.reason) == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
    assert (await pair.stored_reveal(pair.a, 5))["reveal_status"] == "earned"
    await complete(pair)
    assert (await pair.open(pair.a, 5)).identity.name == NAME


@pytest.mark.rule("RE-10")
async def test_the_end_closes_the_identity_at_once(pair: RevealPair) -> None:
    await complete(pair)
    await pair.open(pair.a, 5)
    await pair.end_in_matching()
    for viewer in (pair.a, pair.b):
        refused = await refusal(pair.open(viewer, 5))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "CONNECTION_ENDED")
    assert (await pair.stored_reveal(pair.b, 5))["photo_ids"] is None


@pytest.mark.rule("RE-04", "RE-10")
async def test_a_completion_that_arrives_after_the_end_earns_nothing(world: World) -> None:
    """Through the streams, with the events that all contexts consume."""
    a, b = sorted([await insert_member(world), await insert_member(world)], key=lambda each: each.user)
    connection = Pair(str(uuid7()), a, b, SERVER_TYPE_PARTNER)
    await insert_connection(world, as_uuid(connection.connection_id), a, b)
    formed = ConnectionFormed(connection_id=connection.connection_id, version=1, user_a_id=a.id, user_b_id=b.id)
    formed.server_type = connection.server_type
    formed.occurred_at.FromDatetime(await world.now())
    await world.publish(formed)
    started = next(each for each in await world.events(StreakStarted) if each.connection_id == connection.connection_id)
    pair = RevealPair(world, a, b, as_uuid(connection.connection_id), as_uuid(started.streak_id))
    await pair.end_in_matching()
    await disconnect(world, connection, by=a)
    await complete(pair)
    assert await pair.statuses(a) == await pair.statuses(b) == ["LOCKED"] * 5
    assert (await refusal(pair.open(a, 5))).reason == "REVEAL_LOCKED"
