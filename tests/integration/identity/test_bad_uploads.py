"""PR-07: a file that is no picture is looked at twice; then its upload is forgotten, and goes on to count."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from unora.identity.v1.profile_service_pb2 import CreatePhotoUploadResponse
from unora_identity.providers.photo_store import StoreUnavailable
from unora_identity.providers.pictures import PhotoTooLarge, Picture
from unora_identity.use_cases.photo_refusals import note_refusal
from unora_local.photos.portraits import portrait
from unora_testing.world import World

from tests.integration.identity.objects import post
from tests.integration.identity.people import People, Signed
from tests.integration.identity.pictures import dot
from tests.integration.identity.stored import clean_up_all, stored
from tests.support import Refusal, as_uuid, refusal, request_id

pytestmark = pytest.mark.rule("PR-07")
BAD = b"GIF89a not taken here"


class Inspections:
    """Counts how often a picture is looked at."""

    def __init__(self, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.too_large = False
        self._inspect = people.resources.vision.inspect
        monkeypatch.setattr(people.resources.vision, "inspect", self.inspect)

    async def inspect(self, data: bytes, **flags: bool) -> Picture:
        self.count += 1
        if self.too_large:
            raise PhotoTooLarge(most_scans=32)
        return await self._inspect(data, **flags)


@pytest.fixture
def inspections(people: People, monkeypatch: pytest.MonkeyPatch) -> Inspections:
    return Inspections(people, monkeypatch)


async def posted(people: People, signed: Signed, data: bytes = BAD) -> CreatePhotoUploadResponse:
    offered = await people.offer(signed)
    assert await post(offered.url, offered.form_fields, data) in (200, 204)
    return offered


async def refused(people: People, signed: Signed, photo: str, request: str = "") -> Refusal:
    return await refusal(people.complete(signed, photo, request))


def uploaded_key(signed: Signed, photo: str) -> str:
    return f"uploads/{signed.member.id}/{photo}"


async def test_a_file_that_was_refused_twice_is_forgotten(people: People, inspections: Inspections) -> None:
    signed = await people.sign_in()
    offered = await posted(people, signed)
    photo = offered.photo_id
    for _ in range(2):
        assert await stored(people, uploaded_key(signed, photo))
        assert (await refused(people, signed, photo)).reason == "PHOTO_UNREADABLE"
    assert not await stored(people, uploaded_key(signed, photo))
    for _ in range(3):
        over = await refused(people, signed, photo)
        assert (over.code, over.reason) == ("NOT_FOUND", "PHOTO_NOT_FOUND")
    # Its form may still be valid: a good picture comes too late.
    assert await post(offered.url, offered.form_fields, portrait(0, 0)) in (200, 204)
    assert (await refused(people, signed, photo)).reason == "PHOTO_NOT_FOUND"
    assert inspections.count == 2


async def test_after_one_refusal_another_file_may_be_posted(people: People, inspections: Inspections) -> None:
    signed = await people.sign_in()
    offered = await posted(people, signed, dot())
    assert (await refused(people, signed, offered.photo_id)).reason == "PHOTO_TOO_SMALL"
    assert await post(offered.url, offered.form_fields, portrait(0, 0)) in (200, 204)
    assert (await people.complete(signed, offered.photo_id)).has_face


@pytest.mark.rule("BI-08")
async def test_a_repeat_of_a_refused_call_gets_its_refusal_and_costs_nothing(
    people: People, inspections: Inspections
) -> None:
    signed, first, second = await people.sign_in(), request_id(), request_id()
    photo = (await posted(people, signed, dot())).photo_id
    answers = [await refused(people, signed, photo, first) for _ in range(3)]
    assert answers[0].reason == "PHOTO_TOO_SMALL"
    assert answers == [answers[0]] * 3
    assert inspections.count == 1
    inspections.too_large = True
    too_large = [await refused(people, signed, photo, second) for _ in range(3)]
    assert (too_large[0].reason, too_large[0].metadata) == ("PHOTO_TOO_LARGE", {"most_scans": "32"})
    assert too_large == [too_large[0]] * 3
    assert inspections.count == 2
    # The upload is over, and both calls keep their answers.
    assert (await refused(people, signed, photo)).reason == "PHOTO_NOT_FOUND"
    assert await refused(people, signed, photo, first) == answers[0]
    assert await refused(people, signed, photo, second) == too_large[0]
    assert inspections.count == 2


async def test_two_refusals_at_once_count_as_two(people: People, inspections: Inspections) -> None:
    signed = await people.sign_in()
    photo = (await posted(people, signed)).photo_id
    done = await asyncio.gather(*(refused(people, signed, photo) for _ in range(2)))
    assert Counter(each.reason for each in done) == {"PHOTO_UNREADABLE": 2}
    assert (await refused(people, signed, photo)).reason == "PHOTO_NOT_FOUND"
    assert not await stored(people, uploaded_key(signed, photo))
    assert inspections.count == 2


@pytest.mark.rule("BI-08")
async def test_one_call_that_comes_twice_at_once_counts_as_one(people: People, inspections: Inspections) -> None:
    signed, call = await people.sign_in(), request_id()
    photo = (await posted(people, signed)).photo_id
    done = await asyncio.gather(*(refused(people, signed, photo, call) for _ in range(2)))
    assert Counter(each.reason for each in done) == {"PHOTO_UNREADABLE": 2}
    (row,) = await people.rows("photo_uploads", id=as_uuid(photo))
    assert row["refusals"].count(call) == 1
    assert (await refused(people, signed, photo)).reason == "PHOTO_UNREADABLE"
    assert (await refused(people, signed, photo)).reason == "PHOTO_NOT_FOUND"


async def test_forgotten_uploads_go_on_to_count_against_the_limit(people: People, inspections: Inspections) -> None:
    signed = await people.sign_in()
    calls = [request_id() for _ in range(12)]
    for call in calls:
        offered = await people.offer(signed, call)
        assert await post(offered.url, offered.form_fields, BAD) in (200, 204)
        for _ in range(2):
            assert (await refused(people, signed, offered.photo_id)).reason == "PHOTO_UNREADABLE"
    limited = await refusal(people.offer(signed))
    assert (limited.code, limited.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_UPLOADS")
    # Neither does a repeat of an offer that is over give another form.
    assert (await refusal(people.offer(signed, calls[0]))).reason == "REQUEST_ID_REUSED"
    assert inspections.count == 24


async def test_a_file_that_could_not_be_deleted_is_deleted_by_the_clean_up(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is also when the process dies between the refusal and the deletion."""
    signed = await people.sign_in()
    photo = (await posted(people, signed)).photo_id

    async def unavailable(key: str) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(people.resources.photo_store, "delete", unavailable)
        for _ in range(2):
            assert (await refused(people, signed, photo)).reason == "PHOTO_UNREADABLE"
    assert await stored(people, uploaded_key(signed, photo))
    assert (await refused(people, signed, photo)).reason == "PHOTO_NOT_FOUND"
    await clean_up_all(world)
    assert not await stored(people, uploaded_key(signed, photo))
    assert await people.rows("photo_uploads", id=as_uuid(photo)) == []


async def test_a_refusal_counts_also_when_the_caller_has_hung_up(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a client could have a bad file looked at without end."""
    signed = await people.sign_in()
    photo = (await posted(people, signed)).photo_id
    noting, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: object) -> None:
        noting.set()
        await go_on.wait()
        await note_refusal(*arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr("unora_identity.use_cases.photo_uploads.note_refusal", slow)
    call = asyncio.create_task(people.complete(signed, photo))
    await noting.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    go_on.set()
    monkeypatch.undo()
    assert (await refused(people, signed, photo)).reason == "PHOTO_UNREADABLE"
    assert (await refused(people, signed, photo)).reason == "PHOTO_NOT_FOUND"


async def test_what_the_store_or_the_client_lacks_is_no_bad_file(
    people: People, inspections: Inspections, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    offered = await people.offer(signed)
    for _ in range(3):
        assert (await refused(people, signed, offered.photo_id)).reason == "PHOTO_NOT_UPLOADED"
    assert await post(offered.url, offered.form_fields, portrait(0, 0)) in (200, 204)

    async def unavailable(key: str, *, most_bytes: int) -> bytes:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(people.resources.photo_store, "get", unavailable)
        for _ in range(3):
            assert (await refused(people, signed, offered.photo_id)).reason == "PHOTO_STORE_UNAVAILABLE"
    assert (await people.complete(signed, offered.photo_id)).position == 1
