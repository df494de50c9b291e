"""PR-07, ID-02: what nobody needs any more is removed, by the machine's clock, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from unora.identity.v1.profile_service_pb2 import ListPhotosRequest
from unora_identity import uploading
from unora_identity.domain.photos import PhotoNotFound
from unora_identity.jobs import CleanUp
from unora_identity.providers.photos import ObjectMissing
from unora_identity.tokens import machine_now
from unora_local.inprocess import World
from unora_local.people.photos import portrait

from tests.integration.identity.objects import fetch, post
from tests.integration.identity.people import People
from tests.support import as_uuid, refusal


def clean_up(world: World, later: timedelta) -> CleanUp:
    """The clean-up of a machine whose clock is ahead."""
    jobs = CleanUp(world.apps["identity"])
    jobs.resources = replace(jobs.resources, machine_now=lambda: machine_now() + later)
    return jobs


async def stored(people: People, key: str) -> bool:
    try:
        await people.resources.photos.get(key, most_bytes=10**8)
    except ObjectMissing:
        return False
    return True


@pytest.mark.rule("PR-07")
async def test_what_a_crash_left_is_removed_and_photos_stay(world: World, people: People) -> None:
    who = await people.sign_in()
    kept = await people.add_photo(who)
    crashed = as_uuid(await people.upload(who, portrait(0, 1)))
    # The process dies between the object store and the commit.
    left = await uploading.receive(world.apps["identity"].database, people.resources, who.member.user, crashed)
    assert left is not None
    orphans = [uploading.upload_key(who.member.user, crashed), left.photo.object_key]
    assert [await stored(people, key) for key in orphans] == [True, True]

    await world.move_clock(timedelta(days=3))  # the rule clock removes nothing
    assert [await stored(people, key) for key in orphans] == [True, True]
    jobs = clean_up(world, timedelta(hours=25))
    while await jobs.remove_orphans():
        pass
    assert [await stored(people, key) for key in orphans] == [False, False]
    assert (await refusal(people.complete(who, str(crashed)))).reason == "PHOTO_NOT_FOUND"
    (shown,) = (await people.profiles.ListPhotos(ListPhotosRequest(), metadata=who.metadata)).photos
    assert shown.photo_id == kept.photo_id
    assert (await fetch(shown.url))[0] == 200
    assert await people.rows("photo_uploads", user_id=who.member.user) == []


@pytest.mark.rule("PR-07")
async def test_an_offer_under_removal_cannot_be_completed(world: World, people: People) -> None:
    who = await people.sign_in()
    offered = await people.offer(who)
    assert await post(offered.url, offered.form_fields, portrait(0, 0)) in (200, 204)
    photo = as_uuid(offered.photo_id)
    received = await uploading.receive(world.apps["identity"].database, people.resources, who.member.user, photo)
    await world.superuser.execute(
        "UPDATE identity.photo_uploads SET removing_at = clock_timestamp() WHERE id = $1", photo
    )
    with pytest.raises(PhotoNotFound):
        async with world.apps["identity"].database.transaction(who.member.user) as tx:
            await uploading.keep(tx, people.resources, photo, received)


@pytest.mark.rule("ID-02", "ID-03")
async def test_old_codes_and_dead_tokens_are_forgotten(world: World, people: People) -> None:
    number = people.number()
    who = await people.sign_in(number)
    challenge = UUID((await people.start(number)).challenge_id)

    async def purge(later: timedelta) -> tuple[int, int]:
        jobs = clean_up(world, later)
        while await jobs.purge_sign_ins():
            pass
        sessions = await people.rows("sessions", user_id=who.member.user)
        tokens = await people.rows("refresh_tokens", session_id=sessions[0]["id"])
        return len(await people.rows("phone_challenges", id=challenge)), len(tokens)

    assert await purge(timedelta(hours=23)) == (1, 1)
    assert await purge(timedelta(hours=25)) == (0, 1)
    assert await purge(timedelta(days=31)) == (0, 0)
    assert (await refusal(people.refresh(who.tokens.refresh_token))).reason == "SESSION_INVALID"
