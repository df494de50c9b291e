"""PR-07, ID-02: only data that are no longer needed are removed, by the machine's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from unora.identity.v1.profile_service_pb2 import DeletePhotoRequest, ListPhotosRequest
from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_identity.domain.photos import PhotoNotFound
from unora_identity.store import code_budgets, devices, sessions
from unora_identity.use_cases import photo_uploads
from unora_identity.use_cases.photo_objects import upload_key
from unora_local.photos.portraits import portrait
from unora_testing.world import World

from tests.integration.identity.objects import fetch, post
from tests.integration.identity.people import People, Signed
from tests.integration.identity.stored import clean_up, clean_up_all, stored
from tests.support import as_uuid, refusal, request_id


@pytest.mark.rule("PR-07")
async def test_files_that_a_crash_left_are_removed_and_photos_stay(world: World, people: People) -> None:
    signed = await people.sign_in()
    kept = await people.add_photo(signed)
    crashed = as_uuid(await people.upload(signed, portrait(0, 1)))
    # The process dies between the object store and the commit.
    left = await photo_uploads.receive_upload(world.apps["identity"].runtime, signed.member.user, crashed, uuid7())
    assert left is not None
    orphans = [upload_key(signed.member.user, crashed), *left.photo.keys]
    assert [await stored(people, key) for key in orphans] == [True] * 4

    await world.move_clock(timedelta(days=3))  # the rule clock removes nothing
    assert [await stored(people, key) for key in orphans] == [True] * 4
    await clean_up_all(world)
    assert [await stored(people, key) for key in orphans] == [False] * 4
    assert (await refusal(people.complete(signed, str(crashed)))).reason == "PHOTO_NOT_FOUND"
    (shown,) = (await people.profiles.ListPhotos(ListPhotosRequest(), metadata=signed.metadata)).photos
    assert shown.photo_id == kept.photo_id
    assert (await fetch(shown.url))[0] == 200
    assert await people.rows("photo_uploads", user_id=signed.member.user) == []


@pytest.mark.rule("PR-04", "PR-07")
async def test_a_form_that_is_posted_again_after_its_photo_was_deleted_leaves_nothing(
    world: World, people: People
) -> None:
    """The file has the metadata of its camera, so it must be deleted."""
    signed = await people.sign_in()
    offered, picture = await people.offer(signed), portrait(0, 0)
    assert await post(offered.url, offered.form_fields, picture) in (200, 204)
    await people.complete(signed, offered.photo_id)
    gone = DeletePhotoRequest(request_id=request_id(), photo_id=offered.photo_id)
    await people.profiles.DeletePhoto(gone, metadata=signed.metadata)
    await world.drain()
    assert await post(offered.url, offered.form_fields, picture) in (200, 204)
    posted = upload_key(signed.member.user, as_uuid(offered.photo_id))
    assert await stored(people, posted)
    await clean_up_all(world)
    assert not await stored(people, posted)
    assert await people.rows("photo_uploads", user_id=signed.member.user) == []


@pytest.mark.rule("PR-07")
async def test_an_offer_under_removal_cannot_be_completed(world: World, people: People) -> None:
    signed = await people.sign_in()
    offered = await people.offer(signed)
    assert await post(offered.url, offered.form_fields, portrait(0, 0)) in (200, 204)
    photo = as_uuid(offered.photo_id)
    received = await photo_uploads.receive_upload(world.apps["identity"].runtime, signed.member.user, photo, uuid7())
    await world.superuser.execute(
        "UPDATE identity.photo_uploads SET removing_at = clock_timestamp() WHERE id = $1", photo
    )
    with pytest.raises(PhotoNotFound):
        async with world.apps["identity"].database.transaction(signed.member.user) as tx:
            await photo_uploads.add_received_photo(tx, people.resources, photo, received)


@pytest.mark.rule("PR-07")
async def test_an_offer_whose_objects_cannot_be_deleted_holds_up_no_other(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = await people.sign_in()
    stuck, other = [as_uuid(await people.upload(signed, portrait(0, each))) for each in (0, 1)]
    store = type(people.resources.photo_store)
    delete = store.delete

    async def fail_for_one(self: Any, key: str) -> None:
        if key == upload_key(signed.member.user, stuck):
            raise RuntimeError("it cannot be deleted")
        await delete(self, key)

    with monkeypatch.context() as broken:
        broken.setattr(store, "delete", fail_for_one)
        await clean_up_all(world)
        assert not await stored(people, upload_key(signed.member.user, other))
        assert [row["id"] for row in await people.rows("photo_uploads", user_id=signed.member.user)] == [stuck]
    # It is taken again five minutes later, by the clock of Postgres.
    await world.superuser.execute("UPDATE identity.photo_uploads SET removing_at = removing_at - interval '6 minutes'")
    await clean_up_all(world)
    assert not await stored(people, upload_key(signed.member.user, stuck))
    assert await people.rows("photo_uploads", user_id=signed.member.user) == []


@pytest.mark.rule("ID-02", "ID-03")
async def test_a_table_that_cannot_be_purged_holds_up_no_other(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = people.number()
    challenge = UUID((await people.start(number)).challenge_id)

    async def fail(*_: object) -> int:
        raise RuntimeError("it cannot be")

    monkeypatch.setattr(code_budgets, "purge", fail)
    await purge(world, timedelta(hours=25))
    assert await people.rows("phone_challenges", id=challenge) == []


@pytest.mark.rule("ID-11")
async def test_the_job_deletes_totals_of_codes_that_no_budget_counts(world: World, people: People) -> None:
    await people.start(people.number())
    minutes = "SELECT minute FROM identity.code_totals WHERE calling_code = 0 ORDER BY minute DESC"
    newest: datetime = await world.superuser.fetchval(minutes)
    ahead = newest - datetime.now(UTC)  # the minutes are those of the rule clock
    kept = "SELECT count(*) FROM identity.code_totals WHERE minute = $1"
    deleted_before: list[datetime] = []
    really = code_budgets.purge

    async def note(tx: Tx, before: datetime, limit: int) -> int:
        deleted_before.append(before)
        return await really(tx, before, limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_budgets, "purge", note)
        await purge(world, ahead + timedelta(hours=2, minutes=2))
    assert timedelta(0) < deleted_before[0] - newest < timedelta(minutes=3)
    assert await world.superuser.fetchval(kept, newest) == 0


async def purge(world: World, later: timedelta) -> None:
    jobs = clean_up(world, later)
    while await jobs.purge_sign_ins():
        pass


async def count_kept(people: People, signed: Signed) -> tuple[int, int]:
    """The number of stored sessions of a member, and of their refresh tokens."""
    found = await people.rows("sessions", user_id=signed.member.user)
    tokens = [await people.rows("refresh_tokens", session_id=session["id"]) for session in found]
    return len(found), sum(map(len, tokens))


@pytest.mark.rule("ID-02", "ID-03")
async def test_old_codes_and_expired_sessions_are_deleted(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    challenge = UUID((await people.start(number)).challenge_id)

    await purge(world, timedelta(hours=23))
    assert len(await people.rows("phone_challenges", id=challenge)) == 1
    await purge(world, timedelta(hours=25))
    assert await people.rows("phone_challenges", id=challenge) == []
    # The token expires after 30 days, and its session is stored for one more week.
    await purge(world, timedelta(days=36, hours=23))
    assert await count_kept(people, signed) == (1, 1)
    await purge(world, timedelta(days=37, hours=1))
    assert await count_kept(people, signed) == (0, 0)
    assert (await refusal(people.refresh(signed.tokens.refresh_token))).reason == "SESSION_INVALID"
    assert not (await people.sign_in(number)).created


@pytest.mark.rule("ID-03")
async def test_a_session_is_kept_as_long_as_one_of_its_tokens(world: World, people: People) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    tokens = (await people.refresh(signed.tokens.refresh_token)).tokens
    (session,) = await people.rows("sessions", user_id=signed.member.user)
    await world.superuser.execute(
        """UPDATE identity.refresh_tokens SET expires_at = expires_at - interval '20 days'
        WHERE session_id = $1 AND used_at IS NOT NULL""",
        session["id"],
    )
    await purge(world, timedelta(days=20))
    assert await count_kept(people, signed) == (1, 1)
    assert (await people.refresh(tokens.refresh_token)).tokens.refresh_token
    # A code that was not purged does not keep its session.
    await world.superuser.execute(
        "UPDATE identity.phone_challenges SET created_at = created_at + interval '60 days' WHERE session_id = $1",
        session["id"],
    )
    await purge(world, timedelta(days=38))
    assert await count_kept(people, signed) == (0, 0)
    assert await people.rows("phone_challenges", session_id=session["id"]) == []


@pytest.mark.rule("ID-03")
async def test_replicas_that_share_the_tokens_of_a_session_leave_none_behind(world: World, people: People) -> None:
    signed = await people.sign_in()
    await people.refresh(signed.tokens.refresh_token)
    await world.superuser.execute(
        """UPDATE identity.refresh_tokens SET expires_at = '2000-01-01'
        WHERE session_id = (SELECT id FROM identity.sessions WHERE user_id = $1)""",
        signed.member.user,
    )
    database, then = world.apps["identity"].database, datetime(2001, 1, 1, tzinfo=UTC)

    async def other_replica() -> int:
        async with database.transaction() as tx:
            return await sessions.purge(tx, then, then, 1)

    async with database.transaction() as tx:
        assert await sessions.purge(tx, then, then, 1) == 1
        other = asyncio.create_task(other_replica())
        while not await world.superuser.fetchval(
            """SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE datname = current_database() AND usename = 'unora_identity' AND wait_event_type = 'Lock')"""
        ):
            assert not other.done()
    assert await other == 1
    assert await count_kept(people, signed) == (0, 0)


@pytest.mark.rule("ID-02")
async def test_a_device_stays_known_long_after_its_session_was_deleted_and_is_forgotten_then(
    world: World, people: People
) -> None:
    number, device = people.number(), f"device-{request_id()}"
    signed = await people.sign_in(number, device)
    phone = [people.resources.hasher.phone(number)]
    digest = people.resources.hasher.device(device)

    async def is_known() -> bool:
        async with world.apps["identity"].database.transaction() as tx:
            return await devices.is_known(tx, phone, digest)

    await purge(world, timedelta(days=38))
    assert await count_kept(people, signed) == (0, 0)
    (past,) = await people.rows("past_devices", user_id=signed.member.user)
    assert past["device_digest"] == digest
    assert await is_known()
    for _ in range(5):
        await people.start(number)
    assert not (await people.sign_in(number, device)).created
    await purge(world, timedelta(days=76))
    assert len(await people.rows("past_devices", user_id=signed.member.user)) == 1
    await purge(world, timedelta(days=76 + 399))
    assert await is_known()
    await purge(world, timedelta(days=76 + 401))
    assert not await is_known()


@pytest.mark.rule("ID-02", "ID-12")
@pytest.mark.parametrize(("thrown_out", "known"), [(0, True), (1, False)])
async def test_the_latest_of_sessions_that_are_deleted_together_says_whether_the_device_stays_known(
    world: World, people: People, thrown_out: int, known: bool
) -> None:
    number, device = people.number(), f"device-{request_id()}"
    for _ in range(2):
        signed = await people.sign_in(number, device)
    found = sorted(await people.rows("sessions", user_id=signed.member.user), key=lambda row: row["started_at"])
    await world.superuser.execute(
        "UPDATE identity.sessions SET revoked_at = started_at, revocation = 'other_session' WHERE id = $1",
        found[thrown_out]["id"],
    )
    digest = people.resources.hasher.device(device)
    for days in (0, 38):
        await purge(world, timedelta(days=days))
        async with world.apps["identity"].database.transaction() as tx:
            assert await devices.is_known_to(tx, signed.member.user, digest) == known
    assert await count_kept(people, signed) == (0, 0)


@pytest.mark.rule("ID-02", "ID-11")
async def test_what_codes_and_wrong_codes_spent_is_deleted_when_it_no_longer_counts(
    world: World, people: People
) -> None:
    number = people.number()
    challenge = UUID((await people.start(number)).challenge_id)
    wrong = f"{(int(people.codes(number)[0]) + 1) % 10**6:06d}"
    assert (await refusal(people.verify(str(challenge), wrong))).reason == "CODE_WRONG"
    await world.move_clock(timedelta(days=3))  # the rule clock removes nothing
    await purge(world, timedelta(hours=23))
    assert len(await people.rows("code_spending", challenge_id=challenge)) == 1
    await purge(world, timedelta(hours=24, minutes=30))
    assert await people.rows("code_spending", challenge_id=challenge) == []
    assert len(await people.rows("wrong_codes", challenge_id=challenge)) == 1, "it outlives its challenge"
    await purge(world, timedelta(hours=26))
    assert await people.rows("wrong_codes", challenge_id=challenge) == []
