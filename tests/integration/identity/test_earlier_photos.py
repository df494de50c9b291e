"""PR-08, PR-09: photos that were there before get their sizes and fingerprints by a job, and nobody loses anything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.profile_service_pb2 import ListPhotosRequest, Photo
from unora_common.errors import Unavailable
from unora_common.ids import uuid7
from unora_identity.jobs.profiles import PhotoJobs
from unora_identity.providers.photo_store import StoreUnavailable
from unora_identity.resources import Resources
from unora_identity.use_cases import photo_sizes
from unora_identity.use_cases.photo_objects import put_sizes
from unora_identity.use_cases.photo_sizes import MAX_ATTEMPTS
from unora_local.photos.portraits import portrait
from unora_testing.world import World

from tests.integration.identity.objects import fetch
from tests.integration.identity.people import People, Signed
from tests.integration.identity.pictures import again, dot, read
from tests.integration.identity.stored import clean_up_all, stored
from tests.support import refusal

pytestmark = pytest.mark.rule("PR-08", "PR-09")


class Earlier:
    """Members with photos as the version before stored them, and the job."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people
        self.jobs = PhotoJobs(world.apps["identity"].runtime)

    async def add(self, signed: Signed, data: bytes | None, **facts: Any) -> UUID:
        """Inserts a photo as the version before did, with its object if there is one."""
        photo, position = uuid7(), 1 + len(await self.shown(signed))
        key = f"photos/{signed.member.id}/{photo}/{uuid7()}"
        if data is not None:
            await self.people.resources.photo_store.put(key, data, content_type="image/jpeg")
        await self.world.superuser.execute(
            """INSERT INTO identity.photos (id, user_id, position, object_key, has_face, quality_passed, sharpness,
                   brightness, width, height, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, 9, 0.5, 800, 800, clock.now())""",
            *(photo, signed.member.user, position, key, facts.get("has_face", True), facts.get("quality", True)),
        )
        return photo

    async def shown(self, signed: Signed) -> Sequence[Photo]:
        answer = await self.people.profiles.ListPhotos(ListPhotosRequest(), metadata=signed.metadata)
        return answer.photos

    async def row(self, photo: UUID) -> dict[str, Any]:
        (row,) = await self.people.rows("photos", id=photo)
        return row

    async def size_all(self) -> None:
        while await self.jobs.size_photos():
            pass

    async def end_claim(self) -> None:
        """As if five minutes had passed."""
        await self.world.superuser.execute("UPDATE identity.photo_sizing SET claimed_until = clock_timestamp()")


@pytest.fixture
async def earlier(world: World, people: People) -> Earlier:
    earlier = Earlier(world, people)
    await earlier.end_claim()
    await earlier.size_all()
    return earlier


async def sides(photo: Photo) -> list[tuple[int, ...]]:
    pictures = [await fetch(link) for link in (photo.url, photo.card_url, photo.thumbnail_url)]
    assert [status for status, _ in pictures] == [200, 200, 200]
    return [read(data).shape[1::-1] for _, data in pictures]


async def test_a_photo_shows_its_one_size_until_the_job_has_made_the_others(earlier: Earlier) -> None:
    signed = await earlier.people.sign_in()
    await earlier.add(signed, again(portrait(0, 0), scale=2))
    (photo,) = await earlier.shown(signed)
    assert await sides(photo) == [(1200, 1500)] * 3
    await earlier.size_all()
    (photo,) = await earlier.shown(signed)
    assert await sides(photo) == [(1200, 1500), (512, 640), (128, 160)]


async def test_the_fingerprint_is_known_after_the_job(earlier: Earlier) -> None:
    signed, people = await earlier.people.sign_in(), earlier.people
    photo = await earlier.add(signed, again(portrait(0, 0)))
    await earlier.size_all()
    refused = await refusal(people.complete(signed, await people.upload(signed, portrait(0, 0))))
    assert (refused.reason, refused.metadata) == ("PHOTO_REPEATED", {"photo_id": str(photo)})


@pytest.mark.rule("PR-06", "ID-04")
async def test_nobody_loses_photos_readiness_or_trust(earlier: Earlier) -> None:
    """One portrait twice and a dot, which are refused now."""
    people = earlier.people
    signed = await people.ready()
    await earlier.world.superuser.execute("DELETE FROM identity.photos WHERE user_id = $1", signed.member.user)
    photos = [await earlier.add(signed, data) for data in (portrait(0, 0), portrait(0, 0), dot())]
    before = [await earlier.row(photo) for photo in photos]
    await earlier.size_all()
    added = ("card_key", "thumbnail_key", "fingerprint")
    for was, photo in zip(before, photos, strict=True):
        row = await earlier.row(photo)
        assert all(row[name] is not None for name in added)
        assert {**row, **dict.fromkeys(added)} == was
    shown = (await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)).account
    assert (shown.discovery_ready, shown.trust_level) == (True, 3)
    assert [await sides(photo) for photo in await earlier.shown(signed)][2] == [(1, 1)] * 3


async def test_a_photo_that_cannot_be_read_keeps_its_one_size_and_holds_nobody_up(earlier: Earlier) -> None:
    signed = await earlier.people.sign_in()
    missing = await earlier.add(signed, None)
    broken = await earlier.add(signed, b"no picture")
    good = await earlier.add(signed, again(portrait(0, 0)))
    await earlier.size_all()
    for photo in (missing, broken):
        row = await earlier.row(photo)
        assert (row["card_key"], row["thumbnail_key"]) == (row["object_key"],) * 2
        assert row["fingerprint"] is None
    assert (await earlier.row(good))["fingerprint"] is not None
    assert await earlier.jobs.size_photos() == 0


async def test_a_photo_that_ends_its_process_is_given_up_after_a_few_tries(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await earlier.people.sign_in()
    deadly = await earlier.add(signed, again(portrait(0, 0)))
    tries = 0

    async def lost(data: bytes, **flags: bool) -> None:
        nonlocal tries
        tries += 1
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(earlier.people.resources.vision, "inspect", lost)
        for _ in range(MAX_ATTEMPTS):
            with pytest.raises(Unavailable):
                await earlier.jobs.size_photos()
            assert await earlier.jobs.size_photos() == 0  # nobody takes it before the claim has expired
            await earlier.end_claim()
        await earlier.size_all()
    assert tries == MAX_ATTEMPTS
    row = await earlier.row(deadly)
    assert row["thumbnail_key"] == row["object_key"]


async def test_an_unavailable_store_costs_no_photo_its_sizes(earlier: Earlier, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = await earlier.people.sign_in()
    photo = await earlier.add(signed, again(portrait(0, 0)))

    async def unavailable(key: str, *, most_bytes: int) -> bytes:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(earlier.people.resources.photo_store, "get", unavailable)
        for _ in range(MAX_ATTEMPTS + 2):
            with pytest.raises(StoreUnavailable):
                await earlier.jobs.size_photos()
    await earlier.size_all()
    assert (await earlier.row(photo))["fingerprint"] is not None


async def test_many_replicas_size_one_photo_at_a_time_and_each_once(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await earlier.people.sign_in()
    photos = [await earlier.add(signed, again(portrait(0, shot))) for shot in range(3)]
    inspect, inside, most, count = earlier.people.resources.vision.inspect, 0, 0, 0

    async def counted(data: bytes, **flags: bool) -> object:
        nonlocal inside, most, count
        inside, count = inside + 1, count + 1
        most = max(most, inside)
        try:
            return await inspect(data, **flags)
        finally:
            inside -= 1

    monkeypatch.setattr(earlier.people.resources.vision, "inspect", counted)
    while sum(await asyncio.gather(*(earlier.jobs.size_photos() for _ in range(4)))):
        pass
    assert (most, count) == (1, 3)
    assert all([(await earlier.row(photo))["fingerprint"] is not None for photo in photos])


@pytest.mark.rule("PR-07")
async def test_a_crash_at_any_moment_leaves_no_object_behind(earlier: Earlier, monkeypatch: pytest.MonkeyPatch) -> None:
    people, keys = earlier.people, list[str]()
    signed = await people.sign_in()
    photo = await earlier.add(signed, again(portrait(0, 0)))

    class Crash(BaseException):
        """The end of the process."""

    async def put_and_crash(resources: Resources, pictures: Mapping[str, bytes]) -> None:
        keys.extend(pictures)
        await put_sizes(resources, pictures)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(photo_sizes, "put_sizes", put_and_crash)
        with pytest.raises(Crash):
            await earlier.jobs.size_photos()
    assert [await stored(people, key) for key in keys] == [True, True]
    assert (await earlier.row(photo))["thumbnail_key"] is None
    await earlier.end_claim()
    await earlier.size_all()
    await clean_up_all(earlier.world)
    assert [await stored(people, key) for key in keys] == [False, False]
    (shown,) = await earlier.shown(signed)
    assert await sides(shown) == [(600, 750), (512, 640), (128, 160)]
    assert await people.rows("photo_uploads", user_id=signed.member.user) == []


@pytest.mark.rule("PR-04", "PR-07")
async def test_a_photo_that_is_deleted_meanwhile_leaves_nothing(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, keys = earlier.people, list[str]()
    signed = await people.sign_in()
    photo = await earlier.add(signed, again(portrait(0, 0)))

    async def put_and_delete(resources: Resources, pictures: Mapping[str, bytes]) -> None:
        keys.extend(pictures)
        await put_sizes(resources, pictures)
        await people.delete(signed, str(photo))

    with monkeypatch.context() as patched:
        patched.setattr(photo_sizes, "put_sizes", put_and_delete)
        assert await earlier.jobs.size_photos() == 1
    keys.append((await earlier.row(photo))["object_key"])
    await clean_up_all(earlier.world)
    assert [await stored(people, key) for key in keys] == [False, False, False]
    assert await people.rows("photo_uploads", user_id=signed.member.user) == []


async def test_photos_that_were_passed_are_not_looked_at_again_and_new_ones_are_found(earlier: Earlier) -> None:
    """The version before may go on adding photos while this one runs."""
    old = UUID(int=(946_684_800_000 << 80) + 7)  # an id of the year 2000
    signed = await earlier.people.sign_in()
    new = await earlier.add(signed, again(portrait(0, 0)))
    await earlier.size_all()
    passed = await earlier.world.superuser.fetchval("SELECT passed_photo_id FROM identity.photo_sizing")
    assert old < passed < new
    later = await earlier.add(signed, again(portrait(0, 1)))
    await earlier.size_all()
    assert (await earlier.row(later))["fingerprint"] is not None
