"""ID-09: what was under way when the erasure of an account began leaves nothing, and tells nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from unora_identity.jobs.erasures import ErasureJobs
from unora_identity.providers.photo_store import StoreUnavailable
from unora_identity.use_cases import photo_sizes
from unora_identity.use_cases.photo_objects import put_sizes
from unora_local.photos.portraits import portrait
from unora_testing.deadlines import eventually
from unora_testing.world import World

from tests.integration.identity.gov_ids import Provider, fresh
from tests.integration.identity.people import ADA, People, Signed
from tests.integration.identity.pictures import again
from tests.integration.identity.stored import clean_up_all
from tests.integration.identity.test_earlier_photos import Earlier
from tests.integration.identity.test_erasures import account_of, close, erasure_of, make_due, objects, replica
from tests.support import read_refusal, refusal, request_id

pytestmark = pytest.mark.rule("ID-09")


@dataclass
class Leaving:
    """A closed account with a photo that the job is about to make the sizes of, and its erasure."""

    earlier: Earlier
    erasing: ErasureJobs
    signed: Signed

    async def begin(self) -> None:
        """The erasure begins, and deletes all objects that the rows name."""
        await make_due(self.earlier.world, self.signed)
        assert await self.erasing.begin_erasures() == 1
        assert await self.erasing.erase_objects() >= 1
        assert "objects" in (await erasure_of(self.earlier.world, self.signed))["receipts"]

    async def left(self) -> tuple[list[str], int]:
        """Its objects in the store, and how many records say that some may be there."""
        records = await self.earlier.people.rows("photo_uploads", user_id=self.signed.member.user)
        return list(await objects(self.earlier.world, self.signed)), len(records)

    async def is_erased(self) -> bool:
        """Whether all is over, once the jobs have done what they can."""
        await self.earlier.world.drain()
        done = (await erasure_of(self.earlier.world, self.signed))["erased_at"] is not None
        return done and await account_of(self.earlier.world, self.signed) is None


@pytest.fixture
async def leaving(world: World, people: People) -> Leaving:
    earlier = Earlier(world, people)
    await earlier.end_claim()
    await earlier.size_all()
    signed = await people.sign_in()
    await earlier.add(signed, again(portrait(0, 0)))
    await close(people, signed)
    return Leaving(earlier, ErasureJobs(replica(world)), signed)


@pytest.mark.rule("PR-07", "PR-09")
@pytest.mark.parametrize("moment", ["before the sizes are recorded", "before they are stored", "after that"])
async def test_a_photo_that_is_being_sized_leaves_no_object(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    vision, told = leaving.earlier.people.resources.vision, list[str]()
    inspect = vision.inspect

    async def inspected(data: bytes, **flags: bool) -> Any:
        picture = await inspect(data, **flags)
        if moment == "before the sizes are recorded":
            await leaving.begin()
        return picture

    async def put(resources: Any, pictures: Mapping[str, bytes]) -> None:
        if moment == "before they are stored":
            await leaving.begin()
        await put_sizes(resources, pictures)
        told.extend(pictures)
        if moment == "after that":
            await leaving.begin()

    monkeypatch.setattr(vision, "inspect", inspected)
    monkeypatch.setattr(photo_sizes, "put_sizes", put)
    assert await leaving.earlier.jobs.size_photos() == 1
    assert bool(told) == (moment != "before the sizes are recorded"), "nothing new is stored of who is being erased"
    assert await leaving.left() == ([], 0)
    assert await leaving.is_erased()
    assert await leaving.left() == ([], 0)


@pytest.mark.rule("PR-07", "PR-09")
@pytest.mark.parametrize("dies", [True, False], ids=["the process dies", "the store fails"])
async def test_its_record_stays_until_its_objects_are_deleted_and_the_erasure_waits_for_it(
    leaving: Leaving, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    class Killed(BaseException):
        """The process is gone."""

    async def put(resources: Any, pictures: Mapping[str, bytes]) -> None:
        await leaving.begin()
        await put_sizes(resources, pictures)
        if dies:
            raise Killed
        monkeypatch.setattr(resources.photo_store, "delete", fails)

    async def fails(key: str) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(photo_sizes, "put_sizes", put)
        with pytest.raises(Killed if dies else StoreUnavailable):
            await leaving.earlier.jobs.size_photos()
    monkeypatch.undo()
    await leaving.earlier.end_claim()
    kept, records = await leaving.left()
    assert (len(kept), records) == (2, 1)
    assert not await leaving.is_erased(), "its record says that there are objects"
    await clean_up_all(leaving.earlier.world)
    assert await leaving.left() == ([], 0)
    assert await leaving.is_erased()


@pytest.mark.rule("PR-09")
async def test_sizes_that_are_being_stored_as_the_erasure_begins_are_kept_or_deleted_and_never_lost(
    leaving: Leaving,
) -> None:
    """Whoever is first: no moment leaves an object that no row names."""
    sizing = asyncio.ensure_future(leaving.earlier.jobs.size_photos())
    await make_due(leaving.earlier.world, leaving.signed)
    await eventually(leaving.erasing.begin_erasures, "the erasure has begun")
    await leaving.erasing.erase_objects()
    await sizing
    assert await leaving.is_erased()
    assert await leaving.left() == ([], 0)


@pytest.mark.rule("ID-06", "XX-04")
async def test_the_result_of_a_check_of_who_is_being_erased_is_that_of_an_unknown_check(
    world: World, people: People
) -> None:
    """From the first moment of the erasure to the last, and for each outcome."""
    provider, jobs = Provider(world, people), ErasureJobs(replica(world))
    signed = await provider.with_profile()
    reference = (await provider.start(signed)).reference
    await close(people, signed)
    await make_due(world, signed)
    await jobs.begin_erasures()
    assert await people.rows("gov_id_checks", user_id=signed.member.user), "its rows are there still"
    seen = []
    for _ in range(2):
        told = [(each, outcome) for outcome in ("verified", "refused") for each in (reference, request_id())]
        seen += [await refusal(provider.result(each, fresh(), outcome)) for each, outcome in told]
        await world.drain()
    assert await people.rows("gov_id_checks", user_id=signed.member.user) == []
    assert (seen[0].code, seen[0].reason, seen[0].metadata) == ("NOT_FOUND", "CHECK_NOT_FOUND", {})
    assert seen == [seen[0]] * 8


@pytest.mark.rule("ID-06")
async def test_a_result_that_comes_as_the_erasure_begins_is_applied_or_unknown(world: World, people: People) -> None:
    provider, jobs = Provider(world, people), ErasureJobs(replica(world))
    for _ in range(4):
        signed = await people.sign_in()
        await people.update_profile(signed, ADA)
        reference = (await provider.start(signed)).reference
        await close(people, signed)
        await make_due(world, signed)
        told, _ = await asyncio.gather(provider.result(reference), jobs.begin_erasures(), return_exceptions=True)
        if told is not None:
            assert read_refusal(told).reason == "CHECK_NOT_FOUND"  # type: ignore[arg-type]
    await world.drain()
