"""PR-02: photos are deleted, replaced and put in order, and a discovery-ready member keeps what Discovery needs."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora.identity.v1.profile_service_pb2 import (
    CreatePhotoUploadRequest,
    DeletePhotoRequest,
    ListPhotosRequest,
    Photo,
    ReorderPhotosRequest,
)
from unora_identity.providers.photo_store import ObjectMissing
from unora_local.photos.portraits import landscape, portrait
from unora_testing.deadlines import within
from unora_testing.world import World

from tests.integration.identity.objects import fetch, post
from tests.integration.identity.people import People, Signed, picture
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("PR-02")


async def photos_of(people: People, signed: Signed) -> list[Photo]:
    return list((await people.profiles.ListPhotos(ListPhotosRequest(), metadata=signed.metadata)).photos)


async def ids_of(people: People, signed: Signed) -> list[str]:
    return [photo.photo_id for photo in await photos_of(people, signed)]


async def delete(people: People, signed: Signed, photo: str, request: str = "") -> None:
    asked = DeletePhotoRequest(request_id=request or request_id(), photo_id=photo)
    await people.profiles.DeletePhoto(asked, metadata=signed.metadata)


async def set_order(people: People, signed: Signed, *order: str) -> list[Photo]:
    asked = ReorderPhotosRequest(request_id=request_id(), photo_ids=order)
    return list((await people.profiles.ReorderPhotos(asked, metadata=signed.metadata)).photos)


async def offer_replacement(people: People, signed: Signed, old: str, picture: bytes) -> str:
    """Uploads a picture that is to replace a photo; returns the id that it will have."""
    asked = CreatePhotoUploadRequest(request_id=request_id(), content_type="image/jpeg", replaces_photo_id=old)
    offered = await people.profiles.CreatePhotoUpload(asked, metadata=signed.metadata)
    assert await post(offered.url, offered.form_fields, picture) in (200, 204)
    return offered.photo_id


async def trust(people: People, signed: Signed) -> int:
    answer = await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)
    return int(answer.account.trust_level)


async def test_a_ready_member_keeps_three_photos(people: People) -> None:
    signed = await people.ready()
    photos = await ids_of(people, signed)
    refused = await refusal(delete(people, signed, photos[0]))
    assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "TOO_FEW_PHOTOS", {"least": "3"})
    fourth = await people.add_photo(signed, 3)
    await delete(people, signed, photos[1])
    assert await ids_of(people, signed) == [photos[0], photos[2], fourth.photo_id]
    assert [photo.position for photo in await photos_of(people, signed)] == [1, 2, 3]


async def test_concurrent_deletions_leave_three_photos(people: People) -> None:
    signed = await people.ready()
    for number in (3, 4):
        await people.add_photo(signed, number)
    photos = await ids_of(people, signed)
    done = await asyncio.gather(*(delete(people, signed, photo) for photo in photos), return_exceptions=True)
    assert sum(each is None for each in done) == 2
    assert [photo.position for photo in await photos_of(people, signed)] == [1, 2, 3]


async def test_the_last_photo_with_a_face_is_replaced_only_by_another_with_a_face(people: People) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    await people.set_hobbies(signed)
    face = await people.add_photo(signed)
    for number in range(3):
        await people.complete(signed, await people.upload(signed, landscape(number)))
    refused = await refusal(delete(people, signed, face.photo_id))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "FACE_PHOTO_NEEDED")
    view = await offer_replacement(people, signed, face.photo_id, landscape(3))
    assert (await refusal(people.complete(signed, view))).reason == "FACE_PHOTO_NEEDED"
    other = await people.complete(signed, await offer_replacement(people, signed, face.photo_id, portrait(0, 2)))
    assert (other.position, other.has_face) == (1, True)


async def test_a_photo_is_replaced_in_one_step_also_when_there_is_no_room(world: World, people: People) -> None:
    signed = await people.ready()
    before = await ids_of(people, signed)
    new = await people.complete(signed, await offer_replacement(people, signed, before[1], picture(3)))
    assert await ids_of(people, signed) == [before[0], new.photo_id, before[2]]
    assert new.position == 2
    for number in (1, 4, 5):
        await people.add_photo(signed, number)
    full = await ids_of(people, signed)
    last = await people.complete(signed, await offer_replacement(people, signed, full[5], picture(6)))
    assert await ids_of(people, signed) == [*full[:5], last.photo_id]


async def test_two_replacements_of_one_photo_store_one(people: People) -> None:
    signed = await people.ready()
    old = (await ids_of(people, signed))[0]
    new = [await offer_replacement(people, signed, old, picture(number)) for number in (3, 4)]
    done = await asyncio.gather(*(people.complete(signed, photo) for photo in new), return_exceptions=True)
    assert sum(isinstance(each, Photo) for each in done) == 1
    assert len(await ids_of(people, signed)) == 3
    lost = new[[isinstance(each, Photo) for each in done].index(False)]
    assert (await refusal(people.complete(signed, lost))).reason == "PHOTO_NOT_FOUND"


@pytest.mark.rule("PR-07")
async def test_a_completion_that_ends_after_the_photo_was_deleted_stores_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, deleted = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> None:
        began.set()
        await within(deleted.wait())

    signed = await people.sign_in()
    upload = await people.upload(signed, picture(0))
    with monkeypatch.context() as patched:
        patched.setattr("unora_identity.use_cases.photo_uploads.put_sizes", slow)
        late = asyncio.ensure_future(people.complete(signed, upload))
        await within(began.wait())
    await people.delete(signed, (await people.complete(signed, upload)).photo_id)
    deleted.set()
    refused = await refusal(late)
    assert (refused.code, refused.reason) == ("NOT_FOUND", "PHOTO_NOT_FOUND")


@pytest.mark.rule("PR-04", "PR-07")
async def test_a_deleted_photo_is_deleted_from_the_store_too(world: World, people: People) -> None:
    signed = await people.sign_in()
    photo, call = await people.add_photo(signed), request_id()
    (shown,) = await photos_of(people, signed)
    (row,) = await people.rows("photos", id=UUID(photo.photo_id))
    for _ in range(2):
        await delete(people, signed, photo.photo_id, call)
    await world.drain()
    assert (await fetch(shown.url))[0] == 404
    with pytest.raises(ObjectMissing):
        await people.resources.photo_store.get(row["object_key"], most_bytes=10**8)
    (offer,) = await people.rows("photo_uploads", user_id=signed.member.user)  # its form can still be posted
    assert str(offer["id"]) == photo.photo_id
    assert (await refusal(people.complete(signed, photo.photo_id))).reason == "PHOTO_NOT_FOUND"
    assert (await refusal(delete(people, signed, photo.photo_id))).reason == "PHOTO_NOT_FOUND"


@pytest.mark.rule("PR-07")
async def test_a_clean_up_that_has_taken_the_offer_does_not_lose_the_object(world: World, people: People) -> None:
    """The photo is deleted after the clean-up saw it in use, and before it deletes the offer."""
    signed = await people.sign_in()
    photo = await people.add_photo(signed)
    jobs = next(job for job in world.apps["identity"].jobs if job._method.__name__ == "remove_orphans")
    take = "UPDATE identity.photo_uploads SET removing_at = clock_timestamp() WHERE id = $1"
    await world.superuser.execute(take, UUID(photo.photo_id))
    await delete(people, signed, photo.photo_id)
    (row,) = await people.rows("photos", id=UUID(photo.photo_id))
    while await jobs.step():
        pass
    with pytest.raises(ObjectMissing):
        await people.resources.photo_store.get(row["object_key"], most_bytes=10**8)


@pytest.mark.rule("ID-04")
async def test_the_member_sets_the_order_and_the_first_three_photos_are_judged(world: World, people: People) -> None:
    signed = await people.ready()
    view = await people.complete(signed, await people.upload(signed, landscape()))
    photos = await ids_of(people, signed)
    assert await trust(people, signed) == 3
    order = [view.photo_id, *photos[:3]]
    shown = await set_order(people, signed, *order)
    assert [(photo.photo_id, photo.position) for photo in shown] == list(zip(order, (1, 2, 3, 4), strict=True))
    assert await ids_of(people, signed) == order
    assert await trust(people, signed) == 2
    *_, event = await world.events(DiscoveryProfileChanged, signed.member.id)
    assert event.trust_level == 2
    await set_order(people, signed, *photos)
    assert await trust(people, signed) == 3


async def test_an_order_names_each_photo_once(people: People) -> None:
    signed, other = await people.ready(), await people.sign_in()
    foreign = await people.add_photo(other)
    a, b, c = await ids_of(people, signed)
    for order in ((a, b), (a, b, b), (a, b, c, foreign.photo_id), (a, b, foreign.photo_id), (a, b, c, request_id())):
        refused = await refusal(set_order(people, signed, *order))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PHOTO_ORDER_INVALID")
    done = await asyncio.gather(*(set_order(people, signed, *order) for order in ((a, b, c), (c, b, a), (b, c, a))))
    assert await ids_of(people, signed) in [[photo.photo_id for photo in shown] for shown in done]


@pytest.mark.rule("XX-04")
async def test_another_members_photo_is_refused_as_not_found(people: People) -> None:
    signed, other = await people.ready(), await people.sign_in()
    (theirs, *_) = await ids_of(people, signed)
    for photo in (theirs, request_id()):
        for call in (delete(people, other, photo), offer_replacement(people, other, photo, b"")):
            refused = await refusal(call)
            assert (refused.code, refused.reason, refused.metadata) == ("NOT_FOUND", "PHOTO_NOT_FOUND", {})
    assert theirs in await ids_of(people, signed)
