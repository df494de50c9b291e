"""ID-10: a member asks for all that is kept about them, and gets one archive."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest
from unora.identity.v1.export_service_pb2 import EXPORT_STATE_MAKING, EXPORT_STATE_READY
from unora_identity.domain.exports import CONTEXTS
from unora_testing.world import Caller, World

from tests.integration.identity.archives import Exporters, read
from tests.integration.identity.objects import fetch
from tests.integration.identity.people import ADA, People
from tests.support import refusal, request_id

pytestmark = pytest.mark.rule("ID-10")


@pytest.fixture
def exporters(world: World) -> Exporters:
    return Exporters(world)


async def test_the_archive_holds_the_account_the_profile_and_the_photos_in_full_size(
    world: World, people: People, exporters: Exporters
) -> None:
    number = people.number()
    signed = await people.ready(signed=await people.sign_in(number, "a device"))
    await world.drain()
    asked = (await exporters.ask(signed)).export
    assert (asked.state, asked.percent, asked.size) == (EXPORT_STATE_MAKING, 0, 0)
    waiting = await exporters.get(signed)
    assert (waiting.export, waiting.link, waiting.sign_in_needed) == (asked, "", False)
    await world.drain()

    got = await exporters.get(signed)
    export = got.export
    assert (export.export_id, export.state, export.percent) == (asked.export_id, EXPORT_STATE_READY, 100)
    kept = export.kept_until.ToDatetime(UTC) - export.ready_at.ToDatetime(UTC)
    assert kept == timedelta(days=7)
    assert timedelta() < got.link_expires_at.ToDatetime(UTC) - datetime.now(UTC) <= timedelta(minutes=5)
    status, data = await fetch(got.link)
    assert (status, len(data)) == (200, export.size)
    archive = ZipFile(io.BytesIO(data))
    assert archive.testzip() is None

    own = read(archive, "identity")
    (account,) = own["account"]
    assert (account["user_id"], account["phone_number"]) == (signed.member.id, number)
    assert datetime.fromisoformat(account["created_at"]).utcoffset() == timedelta()
    (profile,) = own["profile"]
    assert (profile["name"], profile["bio"], profile["date_of_birth"]) == (ADA.name, ADA.bio, "1990-12-10")
    assert [hobby["micro_description"] for hobby in own["hobbies"]] == ["the slow kind", "early, uphill, alone"]
    assert len(own["sessions"]) == 1
    assert sorted(photo["position"] for photo in own["photos"]) == [1, 2, 3]
    full = {row["id"]: row["object_key"] for row in await people.rows("photos", user_id=signed.member.user)}
    assert {photo["file"] for photo in own["photos"]} == {f"photos/{photo}.jpg" for photo in full}
    for photo, key in full.items():
        stored = await people.resources.photo_store.get(key, most_bytes=10**8)
        assert archive.read(f"photos/{photo}.jpg") == stored
    manifest = json.loads(archive.read("export.json"))
    assert manifest["format"] == 1
    assert set(manifest["files"]) == set(archive.namelist()) - {"export.json"}
    assert set(archive.namelist()) >= {f"{context}.json" for context in CONTEXTS}


async def test_only_a_session_that_has_just_signed_in_can_ask(people: People, exporters: Exporters) -> None:
    number = people.number()
    signed = await people.sign_in(number)
    await people.age(signed, 15)
    assert (await refusal(exporters.ask(signed))).reason == "SIGN_IN_TOO_OLD"
    assert (await refusal(exporters.get(signed))).reason == "EXPORT_NOT_FOUND"
    assert (await exporters.ask(await people.sign_in(number))).export.state == EXPORT_STATE_MAKING


async def test_a_link_goes_only_to_the_session_that_asked_or_to_one_that_has_just_signed_in(
    world: World, people: People, exporters: Exporters
) -> None:
    number = people.number()
    other, asking = await people.sign_in(number), await people.sign_in(number)
    await exporters.ask(asking)
    await world.drain()
    await people.age(asking, 60)  # both
    assert (await exporters.get(asking)).link
    got = await exporters.get(other)
    assert (got.export.state, got.link, got.sign_in_needed) == (EXPORT_STATE_READY, "", True)
    assert not got.HasField("link_expires_at")
    fresh = await people.sign_in(number)
    assert (await exporters.get(fresh)).link


async def test_nobody_gets_the_export_of_another(world: World, people: People, exporters: Exporters) -> None:
    signed, stranger = await people.sign_in(), await people.sign_in()
    await exporters.ask(signed)
    await world.drain()
    assert (await refusal(exporters.get(stranger))).reason == "EXPORT_NOT_FOUND"
    address = (await exporters.get(signed)).link.split("?")[0]
    assert (await fetch(address))[0] == 403


@pytest.mark.rule("SA-06")
async def test_a_suspended_member_exports_and_the_archive_does_not_tell_of_it(
    world: World, people: People, exporters: Exporters
) -> None:
    signed = await people.ready()
    await world.superuser.execute(
        "UPDATE identity.users SET suspended_at = clock.now() WHERE id = $1", signed.member.user
    )
    (session,) = await people.rows("sessions", user_id=signed.member.user)
    token = people.resources.access_tokens.sign(
        user_id=signed.member.user, session_id=session["id"], roles=[], suspended=True
    )
    suspended = Caller(signed.member.user, token.text)
    await exporters.ask(suspended)
    await world.drain()
    archive = await exporters.archive(suspended)
    for name in archive.namelist():
        assert b"suspend" not in archive.read(name).lower(), name


async def test_many_requests_at_once_make_one_export(world: World, people: People, exporters: Exporters) -> None:
    signed = await people.sign_in()
    asked = await asyncio.gather(*(exporters.ask(signed) for _ in range(20)))
    assert len({answer.export.export_id for answer in asked}) == 1
    await world.drain()
    again = (await exporters.ask(signed)).export
    assert (again.export_id, again.state) == (asked[0].export.export_id, EXPORT_STATE_READY)
    await world.superuser.execute("UPDATE identity.exports SET requested_at = requested_at - interval '25 hours'")
    assert (await exporters.ask(signed)).export.export_id != again.export_id


async def test_a_repeat_gets_the_first_answer(world: World, people: People, exporters: Exporters) -> None:
    signed, request = await people.sign_in(), request_id()
    first = await exporters.ask(signed, request)
    await world.drain()
    await people.age(signed, 60)
    assert await exporters.ask(signed, request) == first
