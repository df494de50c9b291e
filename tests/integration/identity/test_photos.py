"""PR-02, PR-03, PR-04, PR-07: how pictures become photos, through the service and a real object store."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import grpc
import pytest
from unora.identity.v1.events_pb2 import PhotoAdded
from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CreatePhotoUploadRequest,
    ListPhotosRequest,
    Photo,
)
from unora_common.ids import uuid7
from unora_identity.providers.photo_store import ObjectMissing
from unora_identity.use_cases.photo_objects import upload_key
from unora_local.photos.portraits import landscape, portrait
from unora_testing.deadlines import eventually, within
from unora_testing.photos import hostile
from unora_testing.world import World

from tests.integration.identity.objects import fetch, post
from tests.integration.identity.people import People, Signed, picture
from tests.integration.identity.pictures import again
from tests.roles import role_of
from tests.support import as_uuid, read_refusal, refusal, request_id


async def photos_of(people: People, signed: Signed) -> list[Photo]:
    return list((await people.profiles.ListPhotos(ListPhotosRequest(), metadata=signed.metadata)).photos)


@pytest.mark.rule("PR-02", "PR-03", "PR-07")
async def test_an_upload_becomes_a_photo_that_is_judged_and_cleaned(world: World, people: People) -> None:
    signed, original = await people.sign_in(), portrait(3, 2)
    assert b"Exif" in original
    kept = await people.complete(signed, await people.upload(signed, original))
    assert (kept.position, kept.has_face, kept.quality_passed, kept.url) == (1, True, True, "")
    # Its metadata say that it is rotated.
    assert (kept.width, kept.height) == (600, 750)
    (shown,) = await photos_of(people, signed)
    status, data = await fetch(shown.url)
    assert (status, data[:3]) == (200, b"\xff\xd8\xff")
    assert b"Exif" not in data
    # The uploaded file is deleted, with its metadata.
    with pytest.raises(ObjectMissing):
        await people.resources.photo_store.get(upload_key(signed.member.user, as_uuid(kept.photo_id)), most_bytes=10**8)
    (event,) = await world.events(PhotoAdded, signed.member.id)
    assert (event.photo_id, event.has_face, event.quality_passed) == (kept.photo_id, True, True)


@pytest.mark.rule("PR-02", "PR-03")
async def test_a_photo_without_a_face_is_stored_as_such(people: People) -> None:
    signed = await people.sign_in()
    kept = await people.complete(signed, await people.upload(signed, landscape()))
    assert (kept.has_face, kept.quality_passed) == (False, False)


@pytest.mark.rule("PR-04", "XX-04")
async def test_a_photo_belongs_to_its_owner_alone(people: People) -> None:
    signed, other = await people.sign_in(), await people.sign_in()
    pending = await people.upload(signed, portrait(0, 0))
    kept = await people.add_photo(signed)
    for photo in (pending, kept.photo_id, str(uuid7())):
        refused = await refusal(people.complete(other, photo))
        assert (refused.code, refused.reason) == ("NOT_FOUND", "PHOTO_NOT_FOUND")
    assert await photos_of(people, other) == []
    (shown,) = await photos_of(people, signed)
    assert (await fetch(shown.url.partition("?")[0]))[0] == 403


@pytest.mark.rule("PR-07")
@pytest.mark.parametrize("data", [b"GIF89a not taken here", b"\xff\xd8\xff cut", portrait(0, 0)[:2000]])
async def test_a_file_that_is_no_picture_is_refused(people: People, data: bytes) -> None:
    signed = await people.sign_in()
    photo = await people.upload(signed, data)
    refused = await refusal(people.complete(signed, photo))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PHOTO_UNREADABLE")
    assert list(refused.violations) == ["photo_id"]
    assert await photos_of(people, signed) == []


@pytest.mark.rule("PR-07")
async def test_an_upload_is_not_completed_before_the_file_is_there(people: People) -> None:
    signed = await people.sign_in()
    offered = await people.offer(signed)
    assert offered.max_bytes == 10 * 2**20
    lives = offered.expires_at.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(minutes=9) < lives <= timedelta(minutes=10, seconds=5)
    assert (await refusal(people.complete(signed, offered.photo_id))).reason == "PHOTO_NOT_UPLOADED"
    # The same call, once the bytes are there.
    assert await post(offered.url, offered.form_fields, portrait(0, 0)) in (200, 204)
    assert (await people.complete(signed, offered.photo_id)).position == 1


@pytest.mark.rule("BI-08", "PR-07")
async def test_a_repeat_of_the_offer_gets_the_same_photo(people: People) -> None:
    signed, call = await people.sign_in(), request_id()
    first, again = await people.offer(signed, call), await people.offer(signed, call)
    assert first.photo_id == again.photo_id
    other = CreatePhotoUploadRequest(request_id=call, content_type="image/png")
    refused = await refusal(people.profiles.CreatePhotoUpload(other, metadata=signed.metadata))
    assert refused.reason == "REQUEST_ID_REUSED"


@pytest.mark.rule("BI-08", "PR-02")
async def test_two_completions_of_one_upload_store_one_photo(world: World, people: People) -> None:
    signed = await people.sign_in()
    photo, call = await people.upload(signed, portrait(0, 0)), request_id()
    # Two at a time: more of one member are refused (XX-07).
    done = await asyncio.gather(*(people.complete(signed, photo, each) for each in (call, "")))
    done += await asyncio.gather(*(people.complete(signed, photo, each) for each in (call, "")))
    assert len({answer.SerializeToString() for answer in done}) == 1
    assert await people.complete(signed, photo, call) == done[0]
    assert len(await photos_of(people, signed)) == 1
    assert len(await world.events(PhotoAdded, signed.member.id)) == 1


@pytest.mark.rule("PR-02")
async def test_a_seventh_photo_is_refused_also_at_once(world: World, people: People) -> None:
    signed = await people.sign_in()
    uploads = [await people.upload(signed, picture(number)) for number in range(8)]

    async def complete(photo: str) -> str:
        request = CompletePhotoUploadRequest(request_id=request_id(), photo_id=photo)
        try:
            await people.profiles.CompletePhotoUpload(request, metadata=signed.metadata)
        except grpc.aio.AioRpcError as error:
            return read_refusal(error).reason
        return "OK"

    # Two at a time: more of one member are refused (XX-07).
    done = [await complete(photo) for photo in uploads[:5]]
    done += await asyncio.gather(*map(complete, uploads[5:7]))
    assert Counter([*done, await complete(uploads[7])]) == {"OK": 6, "TOO_MANY_PHOTOS": 2}
    assert [photo.position for photo in await photos_of(people, signed)] == [1, 2, 3, 4, 5, 6]
    refused = await refusal(people.offer(signed))
    assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "TOO_MANY_PHOTOS", {"most": "6"})

    async with role_of(world, "identity") as connection:
        copy = """
            INSERT INTO identity.photos
            SELECT gen_random_uuid(), user_id, $2, gen_random_uuid()::text, has_face, quality_passed, sharpness,
                   brightness, width, height, created_at
            FROM identity.photos WHERE user_id = $1 LIMIT 1"""
        for position, kind in ((7, asyncpg.CheckViolationError), (6, asyncpg.UniqueViolationError)):
            with pytest.raises(kind):
                await connection.execute(copy, signed.member.user, position)


@pytest.mark.rule("PR-07")
async def test_uncompleted_uploads_are_limited_also_at_once(world: World, people: People) -> None:
    signed = await people.sign_in()
    done = await asyncio.gather(*(people.offer(signed) for _ in range(16)), return_exceptions=True)
    refused = [read_refusal(error) for error in done if isinstance(error, grpc.aio.AioRpcError)]
    assert [(each.code, each.reason) for each in refused] == [("RESOURCE_EXHAUSTED", "TOO_MANY_UPLOADS")] * 4
    assert len(await people.rows("photo_uploads", user_id=signed.member.user)) == 12
    # The form of the first is valid for ten minutes; an hour later its offer is deleted.
    assert refused[0].metadata["most"] == "12"
    wait = datetime.fromisoformat(refused[0].metadata["retry_at"]) - datetime.now(UTC)
    assert timedelta(minutes=69) < wait <= timedelta(minutes=70)

    # An existing upload can be completed, and an upload that became a photo no longer counts.
    call, first = request_id(), next(each for each in done if not isinstance(each, BaseException))
    assert await post(first.url, first.form_fields, portrait(0, 0)) in (200, 204)
    assert (await refusal(people.offer(signed, call))).reason == "TOO_MANY_UPLOADS"
    await people.complete(signed, first.photo_id)
    twelfth = await people.offer(signed, call)
    assert (await people.offer(signed, call)).photo_id == twelfth.photo_id
    assert (await refusal(people.offer(signed))).reason == "TOO_MANY_UPLOADS"
    # Another member has a limit of their own.
    assert (await people.offer(await people.sign_in())).photo_id


@pytest.mark.rule("PR-07", "XX-07")
async def test_few_pictures_are_in_memory_at_once_also_when_calls_are_given_up(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, get = [await people.sign_in() for _ in range(3)], people.resources.photo_store.get
    uploads = [(signed, await people.upload(signed, picture(0))) for signed in members]
    inside, most, full, go_on = 0, 0, asyncio.Event(), asyncio.Event()

    async def slow(key: str, *, most_bytes: int) -> bytes:
        nonlocal inside, most
        inside, most = inside + 1, max(most, inside + 1)
        if inside == 2:
            full.set()
        await go_on.wait()
        data = await get(key, most_bytes=most_bytes)
        inside -= 1
        return data

    def begin(upload: tuple[Signed, str], timeout: float | None = None) -> Any:
        request = CompletePhotoUploadRequest(request_id=request_id(), photo_id=upload[1])
        return people.profiles.CompletePhotoUpload(request, metadata=upload[0].metadata, timeout=timeout)

    monkeypatch.setattr(people.resources.photo_store, "get", slow)
    calls = [begin(upload) for upload in uploads[:2]]
    await within(full.wait())
    for call in calls:
        call.cancel()
    # No call waits for the first two any more, but they are still being read.
    assert (await refusal(begin(uploads[2], timeout=0.5))).code == "DEADLINE_EXCEEDED"
    assert (inside, most) == (2, 2)
    go_on.set()
    kept = await asyncio.gather(*(people.complete(*upload) for upload in uploads))
    assert [photo.position for photo in kept] == [1, 1, 1]
    assert (inside, most) == (0, 2)


@pytest.mark.rule("XX-07")
async def test_a_member_with_two_pictures_in_work_is_refused_at_once_and_others_go_on(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed, other, get = await people.sign_in(), await people.sign_in(), people.resources.photo_store.get
    uploads = [await people.upload(signed, picture(number)) for number in range(3)]
    others = await people.upload(other, picture(0))
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(key: str, *, most_bytes: int) -> bytes:
        if str(signed.member.user) in key:
            began.set()
            await go_on.wait()
        return await get(key, most_bytes=most_bytes)

    monkeypatch.setattr(people.resources.photo_store, "get", slow)
    first = asyncio.create_task(people.complete(signed, uploads[0]))
    await within(began.wait())
    second = asyncio.create_task(people.complete(signed, uploads[1]))
    await eventually(lambda: people.resources.photo_work.waiting == 1, "the second picture waits")
    refused = await refusal(people.complete(signed, uploads[2]))
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "PHOTO_WORK_BUSY")
    assert refused.metadata == {"retry_after": "8"}
    assert (await people.complete(other, others)).has_face
    go_on.set()
    assert (await first).has_face
    assert (await second).has_face
    assert (await people.complete(signed, uploads[2])).has_face


@pytest.mark.rule("PR-08", "XX-07")
async def test_hostile_pictures_are_refused_while_others_uploads_go_on(people: People) -> None:
    attacker, other = await people.sign_in(), await people.sign_in()
    for name in ("a JPEG of 400 repeated scans", "a JPEG of 2.6 million segments"):
        data = hostile.refused()[name][: people.resources.most_bytes]
        never_seen = again(picture(len(name) % 3), scale=0.99)
        bad, good = await people.upload(attacker, data), await people.upload(other, never_seen)
        refused, kept = await asyncio.gather(refusal(people.complete(attacker, bad)), people.complete(other, good))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PHOTO_TOO_LARGE")
        assert set(refused.metadata) < {"most_scans", "most_segments"}
        assert kept.has_face


@pytest.mark.rule("PR-04")
async def test_links_are_valid_for_minutes(people: People) -> None:
    signed = await people.sign_in()
    await people.add_photo(signed)
    (shown,) = await photos_of(people, signed)
    assert "X-Amz-Expires=300" in shown.url
