"""ID-04 to ID-07: a provider checks a Gov ID; identity stores a token and an outcome, and locks fields."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from google.api.httpbody_pb2 import HttpBody
from unora.identity.v1.account_service_pb2 import CloseAccountRequest, GetAccountRequest
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged, VerificationSignalRecorded
from unora.identity.v1.profile_service_pb2 import GENDER_MAN, Profile
from unora.identity.v1.verification_service_pb2 import (
    SIGNAL_OUTCOME_PENDING,
    SIGNAL_OUTCOME_REFUSED,
    SIGNAL_OUTCOME_VERIFIED,
    SIGNAL_TYPE_BOOSTER,
    StartGovIdResponse,
)
from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common.ids import uuid7
from unora_identity.jobs.erasures import ErasureJobs
from unora_identity.providers.gov_id import Webhooks
from unora_testing.places import LEEDS
from unora_testing.world import World

from tests.integration.identity.gov_ids import Provider, body, fresh
from tests.integration.identity.people import ADA, People, Signed, apply
from tests.integration.identity.test_erasures import make_due, replica
from tests.roles import role_of
from tests.support import Refusal, refusal, request_id


@pytest.fixture
def provider(world: World, people: People) -> Provider:
    return Provider(world, people)


async def trust(people: People, signed: Signed) -> int:
    answer = await people.accounts.GetAccount(GetAccountRequest(), metadata=signed.metadata)
    return int(answer.account.trust_level)


@pytest.mark.rule("ID-08")
async def test_a_check_would_lock_the_date_of_birth_so_none_begins_for_someone_under_age(provider: Provider) -> None:
    """Such a date without a zone was stored before it was refused at once."""
    signed = await provider.people.sign_in()
    await provider.people.update_profile(signed, ADA, "name", "gender")
    await provider.world.superuser.execute(
        "UPDATE identity.profiles SET date_of_birth = clock.now()::date - 16 * 365 WHERE user_id = $1",
        signed.member.user,
    )
    assert (await refusal(provider.start(signed))).reason == "UNDER_AGE"


@pytest.mark.rule("ID-04", "ID-05")
async def test_a_verified_gov_id_is_the_highest_trust_and_discovery_learns_only_the_level(
    world: World, people: People, provider: Provider
) -> None:
    signed = await people.ready()
    assert await trust(people, signed) == 3
    started = await provider.start(signed)
    assert parse_qs(urlsplit(started.url).query) == {"reference": [started.reference]}
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_PENDING
    token = fresh()
    await provider.result(started.reference, token)
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED
    assert await trust(people, signed) == 5
    *_, event = await world.events(DiscoveryProfileChanged, signed.member.id)
    assert (event.trust_level, event.discovery_ready) == (5, True)
    (recorded,) = await world.events(VerificationSignalRecorded, signed.member.id)
    (kept,) = await people.rows("verification_signals", user_id=signed.member.user)
    assert recorded.signal_id == str(kept["id"])
    assert (kept["opaque_token"], kept["outcome"]) == (token, "verified")
    assert token not in str(await provider.signals(signed))


@pytest.mark.rule("ID-09")
async def test_what_verified_an_account_is_free_for_another_as_soon_as_its_erasure_begins(
    world: World, people: People, provider: Provider
) -> None:
    """However long its objects and the other contexts take."""
    gone, token = await provider.with_profile(), fresh()
    await provider.result((await provider.start(gone)).reference, token)
    await people.accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=gone.metadata)
    other = await provider.with_profile()
    await provider.result((await provider.start(other)).reference, token)
    assert await provider.outcome(other) == SIGNAL_OUTCOME_REFUSED, "within its thirty days it may be opened again"
    await make_due(world, gone)
    await ErasureJobs(replica(world)).begin_erasures()
    await provider.result((await provider.start(other)).reference, token)
    assert await provider.outcome(other) == SIGNAL_OUTCOME_VERIFIED


@pytest.mark.rule("ID-04")
async def test_without_photos_a_gov_id_raises_no_trust(people: People, provider: Provider) -> None:
    signed = await provider.with_profile()
    await provider.result((await provider.start(signed)).reference)
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED
    assert await trust(people, signed) == 1
    for shot in range(3):
        await people.add_photo(signed, shot)
    assert await trust(people, signed) == 5


@pytest.mark.rule("ID-07")
async def test_what_was_verified_is_locked_by_the_service_and_by_the_database(
    world: World, people: People, provider: Provider
) -> None:
    signed = await people.ready()
    await provider.result((await provider.start(signed)).reference)
    other = Profile()
    other.CopyFrom(ADA)
    other.name, other.gender, other.date_of_birth.day = "Eva Quixley", GENDER_MAN, 11
    for fields, named in (
        (("name",), "name"),
        (("*",), "name,date_of_birth,gender"),
        (("place_id", "gender"), "gender"),
    ):
        refused = await refusal(people.update_profile(signed, other, *fields))
        assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "FIELD_LOCKED")
        assert refused.metadata == {"fields": named}
    same = Profile()
    same.CopyFrom(ADA)
    same.place_id = LEEDS
    assert (await people.update_profile(signed, same)).city == "Leeds"  # all fields, and the locked ones as they are

    async with role_of(world, "identity") as connection:
        for change in (
            "name = 'Eva'",
            "date_of_birth = '1991-01-01'",
            "gender = NULL",
            "name = '', city = '', place_id = '', country = ''",
        ):
            with pytest.raises(asyncpg.CheckViolationError) as broken:
                await connection.execute(
                    f"UPDATE identity.profiles SET {change} WHERE user_id = $1", signed.member.user
                )
            assert broken.value.constraint_name == "gov_id_lock"
        await connection.execute("UPDATE identity.profiles SET bio = 'x' WHERE user_id = $1", signed.member.user)


@pytest.mark.rule("ID-07")
async def test_a_member_who_changed_the_name_meanwhile_is_not_verified(people: People, provider: Provider) -> None:
    signed = await provider.with_profile()
    started = await provider.start(signed)
    await people.update_profile(signed, Profile(name="Somebody Else"), "name")
    await provider.result(started.reference)
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_REFUSED
    await people.update_profile(signed, Profile(name="Ada Again"), "name")


@pytest.mark.rule("ID-07")
async def test_a_change_and_a_result_at_once_lock_what_was_verified(people: People, provider: Provider) -> None:
    for _ in range(4):
        signed = await provider.with_profile()
        started = await provider.start(signed)
        await asyncio.gather(
            people.update_profile(signed, Profile(name="Somebody Else"), "name"),
            provider.result(started.reference),
            return_exceptions=True,
        )
        (profile,) = await people.rows("profiles", user_id=signed.member.user)
        verified = await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED
        assert verified == (profile["name"] == ADA.name)


@pytest.mark.rule("ID-06")
async def test_only_a_fresh_signature_of_the_provider_counts(people: People, provider: Provider) -> None:
    signed = await provider.with_profile()
    started = await provider.start(signed)
    result, now = body(started.reference), datetime.now(UTC)
    good = provider.webhooks.sign(result, now)
    forged = Webhooks(b"x" * 32).sign(result, now)
    other = provider.webhooks.sign(body(started.reference), now)
    moved = good.replace(good[2:12], str(int(good[2:12]) + 1))
    signatures = ["", "t=1,v1=", forged, other, moved, good.upper(), good[:-1], good + ",v1=00", "v1=" + good[-64:]]
    signatures += [provider.webhooks.sign(result, now + off) for off in (timedelta(minutes=6), -timedelta(minutes=6))]
    for signature in signatures:
        refused = await refusal(provider.send(result, signature))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "SIGNATURE_INVALID"), signature
    assert (await refusal(provider.service.ReceiveGovIdResult(HttpBody(data=result)))).reason == "SIGNATURE_INVALID"
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_PENDING
    await provider.send(result, at=now - timedelta(minutes=4))  # clocks differ
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED


@pytest.mark.rule("ID-06")
async def test_what_could_be_a_document_is_refused_and_stored_nowhere(
    world: World, people: People, provider: Provider
) -> None:
    signed = await provider.with_profile()
    reference, canary = (await provider.start(signed)).reference, "Quixleycanary"
    picture = base64.b64encode(canary.encode() * 30).decode()
    bodies = [
        body(reference, document=canary),
        body(reference, image=picture),
        body(reference, extra=None),
        body(reference, picture),
        body(reference, f"{canary} 10 DEC 1990"),
        body(reference, "short"),
        body(reference, outcome="verified " + canary),
        body(reference, outcome="pending"),
        body(reference, document="x" * 5000),
        body(canary),
        json.dumps({"reference": reference, "outcome": "verified"}).encode(),
        b"\xff\xd8\xff" + canary.encode(),
        b"[]",
        b"",
    ]
    for each in bodies:
        refused = await refusal(provider.send(each))
        assert (refused.code, refused.reason) == ("INVALID_ARGUMENT", "RESULT_UNREADABLE"), each
        assert canary not in str(refused)
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_PENDING
    for table in ("verification_signals", "gov_id_checks", "kept_answers", "outbox"):
        found = await world.superuser.fetchval(
            f"SELECT count(*) FROM identity.{table} t WHERE t::text LIKE $1", "%uixleyc%"
        )
        assert found == 0, table


@pytest.mark.rule("ID-06")
async def test_a_result_counts_once_however_often_it_comes(world: World, people: People, provider: Provider) -> None:
    signed = await people.ready()
    result = body((await provider.start(signed)).reference)
    await asyncio.gather(*(provider.send(result) for _ in range(5)))
    for _ in range(2):
        await provider.send(result)
    assert len(await world.events(VerificationSignalRecorded, signed.member.id)) == 1
    assert len(await people.rows("verification_signals", user_id=signed.member.user)) == 1


@pytest.mark.rule("ID-06")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_results_arrive_in_any_order(people: People, provider: Provider, order: tuple[int, int]) -> None:
    signed = await provider.with_profile()
    reference = (await provider.start(signed)).reference
    results = [body(reference, outcome="refused"), body(reference)]
    for index in order:
        await provider.send(results[index])
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED


@pytest.mark.rule("ID-06")
async def test_a_refusal_of_an_older_check_does_not_decide_a_newer_one(people: People, provider: Provider) -> None:
    signed = await provider.with_profile()
    old, new = (await provider.start(signed)).reference, (await provider.start(signed)).reference
    await provider.result(old, outcome="refused")
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_PENDING
    await provider.result(new, outcome="refused")
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_REFUSED
    third = (await provider.start(signed)).reference
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_PENDING
    await provider.result(old)  # the provider has checked it again
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED
    await provider.result(third, outcome="refused")
    assert await provider.outcome(signed) == SIGNAL_OUTCOME_VERIFIED
    refused = await refusal(provider.start(signed))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "GOV_ID_VERIFIED")


@pytest.mark.rule("ID-05", "ID-06")
async def test_one_person_verifies_one_account_also_at_once(world: World, people: People, provider: Provider) -> None:
    for _ in range(3):
        two = [await provider.with_profile() for _ in range(2)]
        references = [(await provider.start(signed)).reference for signed in two]
        token = fresh()
        await asyncio.gather(*(provider.result(reference, token) for reference in references))
        outcomes = sorted([await provider.outcome(signed) for signed in two])
        assert outcomes == sorted([SIGNAL_OUTCOME_VERIFIED, SIGNAL_OUTCOME_REFUSED])
    async with role_of(world, "identity") as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(
                """UPDATE identity.verification_signals
                SET outcome = 'verified', opaque_token = $2, decided_at = clock.now()
                WHERE user_id = ANY($1)""",
                [signed.member.user for signed in two],
                token,
            )


@pytest.mark.rule("ID-06", "BI-08")
async def test_a_repeat_is_the_same_check_and_checks_per_day_are_limited(
    world: World, people: People, provider: Provider
) -> None:
    signed, call = await provider.with_profile(), request_id()
    done = await asyncio.gather(*(provider.start(signed, call) for _ in range(3)), return_exceptions=True)
    first = await provider.start(signed, call)
    assert {each.reference for each in done if isinstance(each, StartGovIdResponse)} == {first.reference}
    for _ in range(4):
        await provider.start(signed)
    refused = await refusal(provider.start(signed))
    assert (refused.code, refused.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_CHECKS")
    assert datetime.fromisoformat(refused.metadata["retry_at"]) > await world.now()
    assert (await provider.start(signed, call)).reference == first.reference


@pytest.mark.rule("ID-06", "ID-13")
async def test_a_session_that_signed_in_long_ago_begins_no_check_but_may_repeat_one(
    people: People, provider: Provider
) -> None:
    """A Gov ID can bring the account back later, so an app that somebody holds open must not add one."""
    signed, call = await provider.with_profile(), request_id()
    await people.age(signed, minutes=14)
    first = await provider.start(signed, call)
    await people.age(signed, minutes=1)
    refused = await refusal(provider.start(signed))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "SIGN_IN_TOO_OLD")
    assert len(await people.rows("gov_id_checks", user_id=signed.member.user)) == 1
    assert (await provider.start(signed, call)).reference == first.reference


@pytest.mark.rule("ID-06")
async def test_a_check_needs_a_profile_and_a_result_needs_a_check(people: People, provider: Provider) -> None:
    signed = await people.sign_in()
    refused = await refusal(provider.start(signed))
    assert (refused.code, refused.reason) == ("FAILED_PRECONDITION", "PROFILE_INCOMPLETE")
    assert list(refused.violations) == ["profile.name", "profile.date_of_birth", "profile.gender"]
    unknown: Refusal = await refusal(provider.result(str(uuid4())))
    assert (unknown.code, unknown.reason) == ("NOT_FOUND", "CHECK_NOT_FOUND")


@pytest.mark.rule("ID-05", "XX-04")
async def test_members_see_only_their_own_signals(people: People, provider: Provider) -> None:
    signed, other = await provider.with_profile(), await provider.with_profile()
    await provider.result((await provider.start(signed)).reference)
    assert await provider.signals(other) == []


@pytest.mark.rule("ID-04", "ID-05")
async def test_a_completed_streak_gives_both_members_one_booster(
    world: World, people: People, provider: Provider
) -> None:
    a, b = sorted([await people.sign_in(), await people.sign_in()], key=lambda signed: signed.member.user)
    for _ in range(2):
        done = StreakCompleted(streak_id=str(uuid7()), version=40, connection_id=str(uuid7()), completed_days=15)
        done.user_a_id, done.user_b_id = a.member.id, b.member.id
        done.occurred_at.FromDatetime(await world.now())
        await apply(world, done)
    for signed in (a, b):
        (signal,) = await provider.signals(signed)
        assert (signal.type, signal.provider) == (SIGNAL_TYPE_BOOSTER, "streak")
        assert signal.outcome == SIGNAL_OUTCOME_VERIFIED
        (event,) = await world.events(VerificationSignalRecorded, signed.member.id)
        assert UUID(event.signal_id) == UUID(signal.signal_id)
