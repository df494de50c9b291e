"""PR-10: words of hobbies that tell how to reach or name their author are refused when written, and hidden if there."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from unora.identity.v1.directory_service_pb2 import GetDiscoveryProfileRequest, GetRevealFactsRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged, TextsReviewed
from unora.identity.v1.profile_service_pb2 import (
    GetOnboardingRequest,
    Hobby,
    ListHobbiesRequest,
    Profile,
    SetHobbiesRequest,
    UpdateProfileRequest,
    UpdateProfileResponse,
)
from unora_identity.domain.contact_details import reviewed
from unora_identity.jobs.profiles import TextJobs
from unora_identity.use_cases import profiles, text_reviews
from unora_testing.deadlines import eventually
from unora_testing.world import World
from unora_text.contact import GUARD_VERSION

from tests.integration.identity.people import HOBBIES, People, Signed, mask
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("PR-10")

NAMED_BY_A_HOBBY = Profile(name="Uphill Quixley")
"""The second of HOBBIES says `uphill`."""


async def own_hobbies(people: People, signed: Signed) -> list[Hobby]:
    return list((await people.profiles.ListHobbies(ListHobbiesRequest(), metadata=signed.metadata)).hobbies)


async def rename(people: People, signed: Signed, profile: Profile) -> UpdateProfileResponse:
    asked = UpdateProfileRequest(request_id=request_id(), profile=profile, update_mask=mask("name"))
    return await people.profiles.UpdateProfile(asked, metadata=signed.metadata)


async def on_card(world: World, signed: Signed) -> list[str]:
    """The words that Discovery gets."""
    directory = world.stub(DirectoryServiceStub, "identity", "discovery")
    answer = await directory.GetDiscoveryProfile(GetDiscoveryProfileRequest(user_id=signed.member.id))
    assert answer.profile.discovery_ready
    return [hobby.micro_description for hobby in answer.profile.hobbies]


async def write_past_the_guard(world: World, signed: Signed, words: str) -> None:
    """As a version before wrote it, that had no guard."""
    await world.superuser.execute(
        "UPDATE identity.hobbies SET micro_description = $2 WHERE user_id = $1 AND position = 1",
        *(signed.member.user, words),
    )


async def test_all_such_fields_are_refused_together_and_nothing_is_stored(people: People) -> None:
    signed = await people.sign_in()
    await people.update_profile(signed)
    await people.set_hobbies(signed)
    texts = ("the slow kind", "call +49 151 2345 6789", "Quixley plays", "t.me/annak or anna@mail.example")
    wanted = [
        Hobby(hobby_option_id=option, micro_description=text)
        for option, text in zip(("chess", "hiking", "yoga", "novels"), texts, strict=True)
    ]
    asked = SetHobbiesRequest(request_id=request_id(), hobbies=wanted)
    refused = await refusal(people.profiles.SetHobbies(asked, metadata=signed.metadata))
    assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "CONTACT_DETAILS")
    assert list(refused.violations) == [f"hobbies[{at}].micro_description" for at in (1, 2, 3)]
    assert {"name", "phone", "contact"} <= set(refused.metadata["found"].split(","))
    assert not any(secret in str(refused).lower() for secret in ("quixley", "2345", "annak"))
    assert await own_hobbies(people, signed) == list(HOBBIES)


async def test_a_name_that_makes_words_a_finding_is_taken_and_the_words_are_hidden_until_rewritten(
    world: World, people: People
) -> None:
    signed = await people.ready()
    await world.drain()
    answer = await rename(people, signed, NAMED_BY_A_HOBBY)
    assert (answer.profile.name, list(answer.hidden_hobby_option_ids)) == (NAMED_BY_A_HOBBY.name, ["hiking"])
    assert [hobby.hidden for hobby in await own_hobbies(people, signed)] == [False, True]
    assert [hobby.micro_description for hobby in await own_hobbies(people, signed)][1] == HOBBIES[1].micro_description
    onboarding = await people.profiles.GetOnboarding(GetOnboardingRequest(), metadata=signed.metadata)
    assert (onboarding.discovery_ready, list(onboarding.hidden_hobby_option_ids)) == (True, ["hiking"])
    assert await on_card(world, signed) == [HOBBIES[0].micro_description, ""]
    facts = await world.stub(DirectoryServiceStub, "identity", "reveal").GetRevealFacts(
        GetRevealFactsRequest(user_id=signed.member.id)
    )
    assert [hobby.micro_description for hobby in facts.hobbies] == [HOBBIES[0].micro_description, ""]

    assert (await refusal(people.set_hobbies(signed))).reason == "CONTACT_DETAILS"
    await people.set_hobbies(signed, HOBBIES[0], Hobby(hobby_option_id="hiking", micro_description="early, alone"))
    assert [hobby.hidden for hobby in await own_hobbies(people, signed)] == [False, False]
    assert await on_card(world, signed) == [HOBBIES[0].micro_description, "early, alone"]


async def test_words_come_back_when_the_name_that_hid_them_is_corrected(world: World, people: People) -> None:
    signed = await people.ready()
    await rename(people, signed, NAMED_BY_A_HOBBY)
    assert list((await rename(people, signed, Profile(name="Ada"))).hidden_hobby_option_ids) == []
    assert await on_card(world, signed) == [hobby.micro_description for hobby in HOBBIES]


async def test_a_name_that_comes_after_the_words_hides_them(people: People) -> None:
    signed = await people.sign_in()
    await people.set_hobbies(signed)
    assert list((await rename(people, signed, NAMED_BY_A_HOBBY)).hidden_hobby_option_ids) == ["hiking"]


async def test_a_job_hides_what_is_there_already_and_readiness_stays(world: World, people: People) -> None:
    signed, innocent = await people.ready(), await people.ready()
    await world.drain()
    await write_past_the_guard(world, signed, "call +49 151 2345 6789")
    reviews = len(await world.events(TextsReviewed, innocent.member.id))
    await world.drain()
    assert [hobby.hidden for hobby in await own_hobbies(people, signed)] == [True, False]
    assert await on_card(world, signed) == ["", HOBBIES[1].micro_description]
    changed = (await world.events(DiscoveryProfileChanged, signed.member.id))[-1]
    reviewed = (await world.events(TextsReviewed, signed.member.id))[-1]
    assert (changed.discovery_ready, changed.version) == (True, reviewed.version + 1)
    assert not any(hobby.hidden for hobby in await own_hobbies(people, innocent))
    assert len(await world.events(TextsReviewed, innocent.member.id)) == reviews


async def test_a_newer_guard_judges_everything_again_once_however_many_replicas_run(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.ready()
    await world.drain()
    before = len(await world.events(TextsReviewed, signed.member.id))
    newer = GUARD_VERSION + 1
    monkeypatch.setattr(text_reviews, "GUARD_VERSION", newer)
    jobs = TextJobs(world.apps["identity"].runtime)

    async def all_of_them() -> int:
        done = 0
        while found := await jobs.review_texts():
            done += found
        return done

    done = await asyncio.gather(*(all_of_them() for _ in range(5)))
    rows = await people.rows("text_checks", guard_version=newer)
    assert sum(done) == len(rows) == len(await people.rows("text_checks"))
    await world.drain()
    assert len(await world.events(TextsReviewed, signed.member.id)) == before + 1
    assert await jobs.review_texts() == 0


async def test_a_batch_that_is_interrupted_is_judged_by_the_next_run(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.ready()
    await world.drain()
    await write_past_the_guard(world, signed, "insta @real_anna.k")
    jobs = TextJobs(world.apps["identity"].runtime)

    async def dies(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as killed:
        killed.setattr(text_reviews, "emit_member_events", dies)
        with pytest.raises(ConnectionResetError):
            await jobs.review_texts()
    assert [hobby.hidden for hobby in await own_hobbies(people, signed)] == [False, False]
    assert await jobs.review_texts() == 1
    assert [hobby.hidden for hobby in await own_hobbies(people, signed)] == [True, False]


async def test_texts_that_cannot_be_judged_hold_up_no_other(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [await people.ready() for _ in range(3)]
    await world.drain()
    for signed in several:
        await write_past_the_guard(world, signed, "insta @real_anna.k")
    bad = several[1]
    await world.superuser.execute("UPDATE identity.profiles SET name = 'Bad' WHERE user_id = $1", bad.member.user)

    def fails_for_one(hobbies: Any, profile: Any) -> Any:
        if profile.name == "Bad":
            raise RecursionError
        return reviewed(hobbies, profile)

    jobs = TextJobs(world.apps["identity"].runtime)
    with monkeypatch.context() as patch:
        patch.setattr(text_reviews, "reviewed", fails_for_one)
        await jobs.review_texts()
        await jobs.review_texts()
    assert [(await own_hobbies(people, signed))[0].hidden for signed in several] == [True, False, True]
    assert await jobs.review_texts() == 1
    assert (await own_hobbies(people, bad))[0].hidden


async def test_what_a_version_before_writes_is_judged_too(world: World, people: People) -> None:
    """It writes name, birth date and hobbies without saying which guard has judged them."""
    signed = await people.ready()
    await world.drain()
    await world.superuser.execute(
        "UPDATE identity.profiles SET name = $2 WHERE user_id = $1", signed.member.user, NAMED_BY_A_HOBBY.name
    )
    await world.drain()
    assert [hobby.hidden for hobby in await own_hobbies(people, signed)] == [False, True]
    assert await on_card(world, signed) == [HOBBIES[0].micro_description, ""]


async def test_other_calls_go_on_while_texts_are_read(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hostile texts take processor time. The guard here waits until another call was answered."""
    signed = await people.ready()
    begun, answered = threading.Event(), threading.Event()

    def slow(*_: object) -> None:
        begun.set()
        assert answered.wait(20), "no call is answered while texts are read: read them in another thread"

    monkeypatch.setattr(profiles, "require_no_contact", slow)
    async with asyncio.TaskGroup() as calls:
        calls.create_task(people.set_hobbies(signed))
        await eventually(begun.is_set, "the guard begins")
        await own_hobbies(people, signed)
        answered.set()
