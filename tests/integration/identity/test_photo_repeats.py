"""PR-08: the same picture of one member counts once, and a photo has a least size."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import grpc
import pytest
from unora.identity.v1.account_service_pb2 import Account, GetAccountRequest
from unora.identity.v1.profile_service_pb2 import (
    CompletePhotoUploadRequest,
    CreatePhotoUploadRequest,
    ListPhotosRequest,
)
from unora_common.ids import uuid7
from unora_identity.domain.photos import PhotoRepeated
from unora_identity.use_cases.photo_uploads import add_received_photo, receive_upload
from unora_local.photos.portraits import portrait
from unora_testing.world import World

from tests.integration.identity.objects import post
from tests.integration.identity.people import People, Signed, picture
from tests.integration.identity.pictures import again, dot
from tests.support import race, read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("PR-08")


async def account(people: People, signed: Signed) -> Account:
    return (await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)).account


async def ids_of(people: People, signed: Signed) -> list[str]:
    answer = await people.profiles.ListPhotos(ListPhotosRequest(), metadata=signed.metadata)
    return [photo.photo_id for photo in answer.photos]


async def replacement(people: People, signed: Signed, old: str, data: bytes) -> str:
    """Uploads a picture that is to replace a photo; returns the id that it will have."""
    asked = CreatePhotoUploadRequest(request_id=request_id(), content_type="image/jpeg", replaces_photo_id=old)
    offered = await people.profiles.CreatePhotoUpload(asked, metadata=signed.metadata)
    assert await post(offered.url, offered.form_fields, data) in (200, 204)
    return offered.photo_id


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(portrait(0, 0), id="the same bytes"),
        pytest.param(again(portrait(0, 0), scale=2.3), id="larger"),
        pytest.param(again(portrait(0, 0), scale=0.4), id="smaller"),
        pytest.param(again(portrait(0, 0), suffix=".png"), id="PNG"),
        pytest.param(again(portrait(0, 0), suffix=".webp"), id="WebP"),
    ],
)
async def test_a_picture_that_a_photo_shows_already_is_refused(people: People, data: bytes) -> None:
    signed = await people.sign_in()
    first = await people.complete(signed, await people.upload(signed, portrait(0, 0)))
    await people.add_photo(signed, 1)
    refused = await refusal(people.complete(signed, await people.upload(signed, data)))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "PHOTO_REPEATED")
    assert refused.metadata == {"photo_id": first.photo_id}
    assert len(await ids_of(people, signed)) == 2


async def test_another_member_may_have_the_same_picture(people: People) -> None:
    for _ in range(2):
        assert (await people.add_photo(await people.sign_in())).position == 1


async def test_a_photo_may_be_replaced_by_its_own_picture_but_not_by_that_of_another(people: People) -> None:
    signed = await people.sign_in()
    first, second = await people.add_photo(signed, 0), await people.add_photo(signed, 1)
    refused = await refusal(people.complete(signed, await replacement(people, signed, first.photo_id, picture(1))))
    assert (refused.reason, refused.metadata) == ("PHOTO_REPEATED", {"photo_id": second.photo_id})
    same = await people.complete(signed, await replacement(people, signed, first.photo_id, again(picture(0), scale=2)))
    assert await ids_of(people, signed) == [same.photo_id, second.photo_id]


async def test_a_picture_can_come_back_when_its_photo_was_deleted(people: People) -> None:
    signed = await people.sign_in()
    first = await people.add_photo(signed)
    await people.delete(signed, first.photo_id)
    assert (await people.add_photo(signed)).position == 1


@pytest.mark.parametrize("turn", range(4))
async def test_of_two_uploads_of_one_picture_at_once_one_becomes_a_photo(people: People, turn: int) -> None:
    signed = await people.sign_in()
    uploads = [await people.upload(signed, each) for each in (portrait(0, 0), again(portrait(0, 0), scale=1.5))]

    async def complete(photo: str) -> str:
        asked = CompletePhotoUploadRequest(request_id=request_id(), photo_id=photo)
        try:
            await people.profiles.CompletePhotoUpload(asked, metadata=signed.metadata)
        except grpc.aio.AioRpcError as error:
            return read_refusal(error).reason
        return "OK"

    done = await race(turn, [complete(photo) for photo in uploads])
    assert Counter(done) == {"OK": 1, "PHOTO_REPEATED": 1}
    assert len(await ids_of(people, signed)) == 1


@pytest.mark.parametrize("turn", range(6))
async def test_the_lock_of_the_member_decides_which_of_two_replicas_adds_the_picture(
    world: World, people: People, turn: int
) -> None:
    """Both have inspected their file before either adds its photo."""
    signed, app = await people.sign_in(), world.apps["identity"]
    user = signed.member.user
    uploads = [UUID(await people.upload(signed, each)) for each in (picture(0), again(picture(0), scale=1.5))]
    received = [await receive_upload(app.runtime, user, upload, uuid7()) for upload in uploads]

    async def add(number: int) -> str:
        try:
            async with app.database.transaction(user) as tx:
                await add_received_photo(tx, people.resources, uploads[number], received[number])
        except PhotoRepeated as error:
            return error.metadata["photo_id"]
        return "OK"

    done = await race(turn, [add(0), add(1)])
    (kept,) = await ids_of(people, signed)
    assert sorted(done) == sorted(["OK", kept])


@pytest.mark.rule("BI-08")
async def test_a_repeated_call_gets_its_answer_and_is_no_repeated_picture(people: People) -> None:
    signed, call = await people.sign_in(), request_id()
    upload = await people.upload(signed, portrait(0, 0))
    first = await people.complete(signed, upload, call)
    assert await people.complete(signed, upload, call) == first
    repeated, call = await people.upload(signed, portrait(0, 0)), request_id()
    for _ in range(2):
        assert (await refusal(people.complete(signed, repeated, call))).reason == "PHOTO_REPEATED"


async def test_a_small_picture_is_refused(people: People) -> None:
    signed = await people.sign_in()
    for side in (1, 199):
        refused = await refusal(people.complete(signed, await people.upload(signed, dot(side))))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "PHOTO_TOO_SMALL")
        assert (refused.metadata, list(refused.violations)) == ({"least_side": "200"}, ["photo_id"])
    assert (await people.complete(signed, await people.upload(signed, dot(200)))).width == 200


@pytest.mark.rule("PR-06")
async def test_a_portrait_and_two_dots_make_nobody_ready(people: People) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    await people.set_hobbies(signed)
    await people.add_photo(signed)
    for _ in range(2):
        assert (await refusal(people.complete(signed, await people.upload(signed, dot())))).reason == "PHOTO_TOO_SMALL"
    assert not (await account(people, signed)).discovery_ready


@pytest.mark.rule("ID-04")
async def test_one_portrait_three_times_is_one_photo_and_trusted_as_one(people: People) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    await people.set_hobbies(signed)
    await people.add_photo(signed)
    for scale in (1.0, 1.2):
        repeated = await people.upload(signed, again(picture(0), scale=scale))
        assert (await refusal(people.complete(signed, repeated))).reason == "PHOTO_REPEATED"
    shown = await account(people, signed)
    assert (shown.trust_level, shown.discovery_ready) == (1, False)


async def test_repeats_that_were_there_before_stay(world: World, people: People) -> None:
    """Their fingerprints come by the job; the rule is for what is uploaded after it."""
    signed = await people.ready()
    await world.superuser.execute(
        "UPDATE identity.photos SET fingerprint = 42 WHERE user_id = $1 AND position > 1", signed.member.user
    )
    shown = await account(people, signed)
    assert (shown.trust_level, shown.discovery_ready) == (3, True)
    await people.add_photo(signed, 3)
    assert len(await ids_of(people, signed)) == 4
    # A photo whose fingerprint is not known yet is like no other.
    await world.superuser.execute(
        "UPDATE identity.photos SET fingerprint = NULL WHERE user_id = $1", signed.member.user
    )
    await people.add_photo(signed, 3)
    assert len(await ids_of(people, signed)) == 5
