"""PR-04, PR-09: a photo is kept in three sizes, each with a link of its own, and the links end with the photo."""

from __future__ import annotations

from uuid import UUID

import pytest
from unora.identity.v1.profile_service_pb2 import CreatePhotoUploadRequest, ListPhotosRequest, Photo
from unora_identity.providers.photo_store import StoreUnavailable
from unora_local.photos.portraits import portrait
from unora_testing.world import World

from tests.integration.identity.objects import fetch, post
from tests.integration.identity.people import People, Signed, picture
from tests.integration.identity.pictures import again, read
from tests.integration.identity.stored import clean_up_all, stored
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("PR-09")
KEYS = ("object_key", "card_key", "thumbnail_key")


async def shown(people: People, signed: Signed) -> list[Photo]:
    return list((await people.profiles.ListPhotos(ListPhotosRequest(), metadata=signed.metadata)).photos)


def links(photo: Photo) -> tuple[str, str, str]:
    return photo.url, photo.card_url, photo.thumbnail_url


async def statuses(photo: Photo) -> list[int]:
    return [(await fetch(link))[0] for link in links(photo)]


async def keys_of(people: People, photo: str) -> list[str]:
    (row,) = await people.rows("photos", id=UUID(photo))
    return [row[column] for column in KEYS]


async def replacement(people: People, signed: Signed, old: str, data: bytes) -> str:
    asked = CreatePhotoUploadRequest(request_id=request_id(), content_type="image/jpeg", replaces_photo_id=old)
    offered = await people.profiles.CreatePhotoUpload(asked, metadata=signed.metadata)
    assert await post(offered.url, offered.form_fields, data) in (200, 204)
    return offered.photo_id


@pytest.mark.rule("PR-04", "PR-07")
async def test_a_photo_is_kept_in_three_sizes_without_metadata(people: People) -> None:
    signed, large = await people.sign_in(), again(portrait(0, 0), scale=3)
    kept = await people.complete(signed, await people.upload(signed, large))
    assert (kept.width, kept.height) == (1280, 1600)
    assert links(kept) == ("", "", "")
    (photo,) = await shown(people, signed)
    assert len(set(links(photo))) == 3
    sides = []
    for link in links(photo):
        assert "X-Amz-Expires=300" in link
        status, data = await fetch(link)
        assert (status, data[:3]) == (200, b"\xff\xd8\xff")
        assert b"Exif" not in data
        height, width = read(data).shape[:2]
        sides.append((width, height))
        assert (await fetch(link.partition("?")[0]))[0] == 403
    assert sides == [(1280, 1600), (512, 640), (128, 160)]


async def test_no_size_is_larger_than_the_picture(people: People) -> None:
    signed, small = await people.sign_in(), again(portrait(0, 0), scale=0.5)
    await people.complete(signed, await people.upload(signed, small))
    (photo,) = await shown(people, signed)
    sides = [read((await fetch(link))[1]).shape[1::-1] for link in links(photo)]
    assert sides == [(300, 375), (300, 375), (128, 160)]


@pytest.mark.parametrize("kind", ["image/heic", "image/heif"])
async def test_phones_may_upload_heic(people: People, kind: str) -> None:
    signed = await people.sign_in()
    asked = CreatePhotoUploadRequest(request_id=request_id(), content_type=kind)
    assert (await people.profiles.CreatePhotoUpload(asked, metadata=signed.metadata)).form_fields[
        "Content-Type"
    ] == kind
    other = CreatePhotoUploadRequest(request_id=request_id(), content_type="image/gif")
    refused = await refusal(people.profiles.CreatePhotoUpload(other, metadata=signed.metadata))
    assert (refused.code, list(refused.violations)) == ("INVALID_ARGUMENT", ["content_type"])


@pytest.mark.rule("PR-04")
async def test_all_links_of_a_deleted_photo_stop_working_at_once(people: People) -> None:
    signed, call = await people.sign_in(), request_id()
    kept = await people.add_photo(signed)
    other = await people.add_photo(signed, 1)
    photo, stays = await shown(people, signed)
    assert await statuses(photo) == [200, 200, 200]
    for _ in range(2):
        await people.delete(signed, kept.photo_id, call)
        assert await statuses(photo) == [404, 404, 404]
    (row,) = await people.rows("photos", id=UUID(kept.photo_id))
    assert row["fingerprint"] is None  # nothing of the picture stays
    assert (stays.photo_id, await statuses(stays)) == (other.photo_id, [200, 200, 200])


@pytest.mark.rule("PR-02", "PR-04")
async def test_all_links_of_a_replaced_photo_stop_working_at_once(people: People) -> None:
    signed = await people.sign_in()
    old = await people.add_photo(signed)
    (photo,) = await shown(people, signed)
    new = await people.complete(signed, await replacement(people, signed, old.photo_id, picture(1)))
    assert await statuses(photo) == [404, 404, 404]
    (photo,) = await shown(people, signed)
    assert (photo.photo_id, await statuses(photo)) == (new.photo_id, [200, 200, 200])


@pytest.mark.rule("PR-04", "PR-07")
@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
async def test_a_crash_after_the_commit_leaves_the_objects_to_the_clean_up(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    signed = await people.sign_in()
    old = await people.add_photo(signed)
    (photo,) = await shown(people, signed)
    new = await replacement(people, signed, old.photo_id, picture(1)) if replaced else ""

    async def unavailable(key: str) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(people.resources.photo_store, "delete", unavailable)
        if replaced:
            await people.complete(signed, new)
        else:
            await people.delete(signed, old.photo_id)
    assert await statuses(photo) == [200, 200, 200]
    await world.drain()
    assert await statuses(photo) == [404, 404, 404]


@pytest.mark.rule("PR-07")
async def test_the_clean_up_of_an_upload_leaves_all_sizes_of_its_photo(world: World, people: People) -> None:
    signed = await people.sign_in()
    await people.add_photo(signed)
    (photo,) = await shown(people, signed)
    await clean_up_all(world)
    assert await people.rows("photo_uploads", user_id=signed.member.user) == []
    assert await statuses(photo) == [200, 200, 200]


@pytest.mark.rule("PR-07")
async def test_what_the_version_before_has_stored_or_deleted_is_cleaned_up_too(world: World, people: People) -> None:
    """It leaves a photo's object to its offer, and deletes a photo by its full size alone."""
    signed = await people.sign_in()
    kept, gone = await people.add_photo(signed), await people.add_photo(signed, 1)
    keys, gone_keys = await keys_of(people, kept.photo_id), await keys_of(people, gone.photo_id)
    sql = world.superuser
    await sql.execute(
        "UPDATE identity.photo_uploads SET object_keys = object_keys || $2::text WHERE id = $1",
        UUID(kept.photo_id),
        keys[0],
    )
    await sql.execute(
        """WITH gone AS (
               UPDATE identity.photos SET deleted_at = clock.now() WHERE id = $1 RETURNING user_id, object_key)
           INSERT INTO identity.photo_uploads (id, user_id, request_id, content_type, object_keys, expires_at)
           SELECT $2, user_id, $2, 'image/jpeg', ARRAY[object_key], '2000-01-01' FROM gone""",
        *(UUID(gone.photo_id), UUID(request_id())),
    )
    await clean_up_all(world)
    assert [await stored(people, key) for key in keys] == [True] * 3
    assert [await stored(people, key) for key in gone_keys] == [False] * 3
