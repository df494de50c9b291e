"""Private texts of members are stored only where they belong (XX-01, XX-04, PR-04, ID-05, ID-06, SA-04).

Marked words are planted wherever a member or a moderator can write, in calls that are answered and in calls that are
refused; then all streams, logs, errors, metrics, answers before Day 15 and tables are searched for them.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.type.date_pb2 import Date
from joserfc import jwt
from joserfc.jwk import ECKey
from prometheus_client import generate_latest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.device_service_pb2 import (
    NOTIFICATION_CATEGORY_STREAKS,
    PUSH_PLATFORM_FCM,
    ListDevicesRequest,
    RegisterDeviceRequest,
)
from unora.identity.v1.device_service_pb2_grpc import DeviceServiceStub
from unora.identity.v1.notification_directory_service_pb2 import GetRecipientsRequest
from unora.identity.v1.notification_directory_service_pb2_grpc import NotificationDirectoryServiceStub
from unora.identity.v1.profile_service_pb2 import GENDER_WOMAN, Hobby, ListPhotosRequest, Profile
from unora.identity.v1.verification_service_pb2 import LinkOAuthRequest, StartGovIdRequest
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora.reveal.v1.personality_service_pb2 import Answer, ListQuestionsRequest, SubmitAnswersRequest
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.safety.v1.events_pb2 import DECISION_DISMISS
from unora.safety.v1.safety_service_pb2 import Target
from unora_common.config import CONTEXTS, Config
from unora_common.service import Service
from unora_common.streams import DEAD_LETTERS, stream
from unora_identity.providers.gov_id import SIGNATURE, Webhooks
from unora_local.photos.portraits import portrait
from unora_testing.deadlines import GENEROUS
from unora_testing.places import LONDON
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.identity.objects import fetch
from tests.integration.protection.scenario import CROWD, Member, Scenario
from tests.roles import role_of
from tests.support import request_id

CARDS = {
    *(("discovery", "candidates"), ("discovery", "discovery_cards"), ("discovery", "kept_answers")),
    ("discovery", "partner_cards"),
}
"""Tables from which micro-descriptions are shown (DI-08)."""
ALLOWED: dict[str, set[tuple[str, str]]] = {
    "name": {("identity", "profiles"), ("identity", "kept_answers")},
    "bio": {("identity", "profiles"), ("identity", "kept_answers")},
    "occupation": {("identity", "profiles"), ("identity", "kept_answers")},
    "micro_description": {("identity", "hobbies"), ("identity", "kept_answers"), *CARDS},
    "gov_id_token": {("identity", "verification_signals")},
    "report_note": {("safety", "reports")},
    "appeal_text": {("safety", "appeals")},
    "decision_note": {("safety", "cases"), ("safety", "kept_answers")},
}
"""The only tables that may contain each planted text; a text that is not listed may be in no table."""


class LoudWorld(World):
    """A world with the most verbose logs."""

    def config(self, service: Service[Any, Any], peers: dict[str, str], **changes: Any) -> Config:
        return super().config(service, peers, log_level="debug", **changes)


@dataclass
class Canaries:
    """The planted texts by name, and the bytes of all refusals."""

    planted: dict[str, str] = field(default_factory=dict)
    refusals: list[bytes] = field(default_factory=list)

    def plant(self, what: str) -> str:
        """A unique word, of letters only: with digits it would be taken for a handle (PR-10)."""
        letters = "".join(chr(ord("a") + int(digit)) for digit in str(time.time_ns()))
        return self.planted.setdefault(what, f"Canary{what.replace('_', '').title()}{letters}")

    def found_in(self, haystack: bytes) -> set[str]:
        """The planted texts in these bytes, in any case or as hexadecimal digits."""
        low = haystack.lower()
        return {
            what
            for what, word in self.planted.items()
            if word.lower().encode() in low or word.encode().hex().encode() in low
        }

    async def refused(self, call: Awaitable[Any]) -> None:
        """Makes a call that must fail, and keeps all that its error says."""
        try:
            await call
        except grpc.aio.AioRpcError as error:
            trailing = b"".join(
                value if isinstance(value, bytes) else str(value).encode()
                for _, value in map(tuple, error.trailing_metadata())
            )
            self.refusals.append(f"{error.code()} {error.details()} {error.debug_error_string()}".encode() + trailing)
            return
        raise AssertionError("the call was answered, it should have been refused")


@pytest.fixture
async def logs() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
async def loud(testbed: Testbed, logs: io.StringIO) -> AsyncIterator[LoudWorld]:
    """A world of its own, with logs that the test can read."""
    world = LoudWorld(testbed, "canary")
    with contextlib.redirect_stdout(logs):  # a service keeps the standard output of the moment at which it starts
        await world.start()
    yield world
    await world.stop()
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{world.database}" WITH (FORCE)')
    await admin.close()


@pytest.mark.rule("XX-01", "XX-04", "PR-04", "PR-07", "ID-05", "ID-06", "ID-17", "SA-04", "SA-07")
async def test_planted_texts_are_found_only_where_they_belong(
    loud: LoudWorld, logs: io.StringIO, testbed: Testbed
) -> None:
    scenario, canaries = Scenario(loud), Canaries()
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    member = await _add_marked_member(scenario, canaries)
    partner = await scenario.add_member()
    shown = [await read() for read in scenario.reads(partner).values()]
    shown += list((await scenario.cards(partner)).values())
    allowed_on_cards = canaries.found_in(b"".join(each.SerializeToString() for each in shown))
    assert allowed_on_cards == {"micro_description"}

    connection = await scenario.connect(partner, member)
    streak_id = await scenario.play(connection, partner, member, 5)
    await _write_to_safety(scenario, canaries, member, partner, connection.connection_id)
    await _make_refused_calls(scenario, canaries, member)
    await _break_the_database(loud, canaries)
    await loud.drain()

    answers = await scenario.read_all(partner, streak_id)
    cards = {
        name: answers.pop(name) for name in ("screen", "interests", "partners")
    }  # as those that were checked above
    assert canaries.found_in(b"".join(cards.values())) == {"micro_description"}
    opened = await scenario.open(partner, streak_id, 1)
    assert canaries.found_in(b"".join(answers.values()) + opened.SerializeToString()) == set()
    assert canaries.found_in(b"".join(canaries.refusals)) == set()
    assert len(canaries.refusals) >= 8
    assert canaries.found_in(await _streams(loud)) == set()
    said = logs.getvalue()
    assert said.count('"event":"call"') > 100  # proves that there are logs to search
    assert canaries.found_in(said.encode()) == set()
    assert canaries.found_in(b"".join(generate_latest(app.metrics.registry) for app in loud.apps.values())) == set()
    written = _server_logs(testbed)
    assert {"nats.log", "s3.log"} <= set(written)  # Postgres may run elsewhere
    assert {name for name, log in written.items() if canaries.found_in(log)} == set()
    kept = await _tables(loud, canaries)
    assert kept == {what: ALLOWED.get(what, set()) for what in canaries.planted}
    await _photos(scenario, canaries, member)


async def _add_marked_member(scenario: Scenario, canaries: Canaries) -> Member:
    """A member with a planted text in every field that a member can write, a phone and a device."""
    member = await scenario.sign_in(device=canaries.plant("device"))
    canaries.planted["phone"] = member.phone.removeprefix("+49")
    picture = portrait(0, 0)
    comment = canaries.plant("photo").encode()
    marked = picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + picture[2:]
    for each in (marked, portrait(0, 1), portrait(0, 2)):
        await scenario.arrivals.complete(member.signed, await scenario.arrivals.upload(member.signed, each))
    await scenario.arrivals.set_hobbies(
        member.signed,
        Hobby(hobby_option_id="chess", micro_description=canaries.plant("micro_description")),
        Hobby(hobby_option_id="hiking", micro_description="uphill"),
    )
    await scenario.arrivals.update_profile(
        member.signed,
        Profile(
            name=canaries.plant("name"),
            date_of_birth=Date(year=1990, month=12, day=10),
            gender=GENDER_WOMAN,
            place_id=LONDON,
            bio=f"I am {canaries.plant('bio')} of all.",
            occupation=canaries.plant("occupation"),
            time_zone="Europe/London",
        ),
    )
    await _link_account_and_gov_id(scenario, canaries, member)
    await _register_device(scenario, canaries, member)
    await scenario.world.drain()
    await scenario.pool.join(member)
    return member


async def _register_device(scenario: Scenario, canaries: Canaries, member: Member) -> None:
    """A push token, which only the notifier gets to read, and one that is refused (ID-17)."""
    devices = scenario.world.stub(DeviceServiceStub, "identity")
    notifier = scenario.world.stub(NotificationDirectoryServiceStub, "identity", "notifier")
    asked = RegisterDeviceRequest(
        request_id=request_id(), platform=PUSH_PLATFORM_FCM, token=canaries.plant("push_token"), locale="de"
    )
    await devices.RegisterDevice(asked, metadata=member.metadata)
    listed = await devices.ListDevices(ListDevicesRequest(), metadata=member.metadata)
    assert canaries.found_in(listed.SerializeToString()) == set()
    told = await notifier.GetRecipients(
        GetRecipientsRequest(user_ids=[member.id], category=NOTIFICATION_CATEGORY_STREAKS)
    )
    assert canaries.found_in(told.SerializeToString()) == {"push_token"}
    asked = RegisterDeviceRequest(
        request_id=request_id(),
        platform=PUSH_PLATFORM_FCM,
        token=canaries.plant("refused_push_token"),
        locale=canaries.plant("refused_locale")[:35],
    )
    await canaries.refused(devices.RegisterDevice(asked, metadata=member.metadata))


async def _link_account_and_gov_id(scenario: Scenario, canaries: Canaries, member: Member) -> None:
    """Links an account of another provider, and verifies a Gov ID."""
    verification = scenario.world.stub(VerificationServiceStub, "identity")
    key = ECKey.generate_key("P-256")
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
    scenario.world.oidc_keys.write_text(json.dumps({"keys": [public]}))
    now = int(time.time())
    claims = {
        "iss": "https://played.invalid",
        "aud": "unora",
        "sub": canaries.plant("oidc_subject"),
        "nonce": member.id,
    }
    claims |= {"iat": now, "exp": now + 600, "email": canaries.plant("oidc_email")}  # type: ignore[dict-item]
    token = jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key, algorithms=["ES256"])
    canaries.planted["oidc_token"] = token
    await verification.LinkOAuth(
        LinkOAuthRequest(request_id=request_id(), provider="played", id_token=token), metadata=member.metadata
    )
    started = await verification.StartGovId(StartGovIdRequest(request_id=request_id()), metadata=member.metadata)
    body = json.dumps(
        {"reference": started.reference, "token": canaries.plant("gov_id_token"), "outcome": "verified"}
    ).encode()
    signature = Webhooks(scenario.world.gov_id_secret.read_bytes()).sign(body, datetime.now(UTC))
    await verification.ReceiveGovIdResult(HttpBody(data=body), metadata=((SIGNATURE, signature),))


async def _write_to_safety(
    scenario: Scenario, canaries: Canaries, member: Member, partner: Member, connection_id: str
) -> None:
    """A report, an appeal, a decision, and answers to all questions."""
    await scenario.safety.report(member, Target(connection_id=connection_id), note=canaries.plant("report_note"))
    await scenario.safety.appeal(partner, canaries.plant("appeal_text"))
    case = await scenario.moderators.newest_case(partner)
    await scenario.moderators.assign(case.case_id)
    await scenario.moderators.decide(case.case_id, DECISION_DISMISS, note=canaries.plant("decision_note"))
    personality = scenario.world.stub(PersonalityServiceStub, "reveal")
    questions = (await personality.ListQuestions(ListQuestionsRequest(), metadata=member.metadata)).questions
    await personality.SubmitAnswers(
        SubmitAnswersRequest(
            request_id=request_id(), answers=[Answer(question_id=each.question_id, answer=5) for each in questions]
        ),
        metadata=member.metadata,
    )


async def _make_refused_calls(scenario: Scenario, canaries: Canaries, member: Member) -> None:
    """Calls that are refused because of a text: the error must not contain it."""
    long = canaries.plant("refused_text") + "x" * 5000
    for name in ("name", "bio", "city", "place_id", "occupation", "time_zone"):
        await canaries.refused(scenario.arrivals.update_profile(member.signed, Profile(**{name: long}), name))  # type: ignore[arg-type]
    await canaries.refused(
        scenario.arrivals.set_hobbies(member.signed, Hobby(hobby_option_id="chess", micro_description=long), Hobby())
    )
    await canaries.refused(
        scenario.arrivals.set_hobbies(member.signed, Hobby(hobby_option_id=long[:40], micro_description="mine"))
    )
    await canaries.refused(scenario.arrivals.start(canaries.plant("refused_phone")[:32]))
    await canaries.refused(scenario.arrivals.refresh(canaries.plant("refused_token")))
    await canaries.refused(scenario.safety.appeal(member, long))
    await canaries.refused(scenario.safety.list_blocks(member, token=canaries.plant("refused_page")))
    verification = scenario.world.stub(VerificationServiceStub, "identity")
    forged = LinkOAuthRequest(request_id=request_id(), provider="played", id_token=canaries.plant("refused_id_token"))
    await canaries.refused(verification.LinkOAuth(forged, metadata=member.metadata))
    unknown = LinkOAuthRequest(request_id=request_id(), provider=canaries.plant("refused_provider"), id_token="x" * 40)
    await canaries.refused(verification.LinkOAuth(unknown, metadata=member.metadata))
    unsigned = HttpBody(data=json.dumps({"token": canaries.plant("refused_gov_id")}).encode())
    await canaries.refused(verification.ReceiveGovIdResult(unsigned, metadata=((SIGNATURE, "t=1,v1=00"),)))
    no_member = (("authorization", f"Bearer {canaries.plant('refused_bearer')}"),)
    await canaries.refused(scenario.arrivals.accounts.GetAccount(GetAccountRequest(), metadata=no_member))


async def _break_the_database(world: World, canaries: Canaries) -> None:
    """Postgres refuses rows with a text of a member, and writes that to its own log."""
    word = canaries.plant("refused_row")
    for context, sql in (
        ("safety_owner", "UPDATE safety.reports SET note = $1 || repeat('x', 2000)"),
        ("identity", "UPDATE identity.profiles SET bio = $1, gender = 'nobody'"),
    ):
        async with role_of(world, context) as connection:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(sql, word)


def _server_logs(testbed: Testbed) -> dict[str, bytes]:
    """The logs of Postgres, NATS and the object store."""
    return {log.name: log.read_bytes() for log in Path(testbed.folder).glob("*.log")}


async def _streams(world: World) -> bytes:
    """Every message of every stream of NATS, with its subject and its headers."""
    admin = await world.testbed.admin(world.worker)
    found = bytearray()
    try:
        manager = admin.jetstream(timeout=GENEROUS)
        for name in (*map(stream, CONTEXTS), DEAD_LETTERS):
            state = (await manager.stream_info(name)).state
            for number in range(state.first_seq or 1, (state.last_seq or 0) + 1):
                message = await manager.get_msg(name, number)
                found += f"{message.subject} {message.headers}".encode() + (message.data or b"")
    finally:
        await admin.close()
    assert len(found) > 10_000  # proves that there are messages to search
    return bytes(found)


async def _tables(world: World, canaries: Canaries) -> dict[str, set[tuple[str, str]]]:
    """The tables that contain each planted text."""
    found: dict[str, set[tuple[str, str]]] = {what: set() for what in canaries.planted}
    tables = await world.superuser.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1, 2", list(CONTEXTS)
    )
    for schema, table in tables:
        for row in await world.superuser.fetch(f'SELECT t::text AS whole FROM {schema}."{table}" t'):
            for what in canaries.found_in(row["whole"].encode()):
                found[what].add((schema, table))
    return found


async def _photos(scenario: Scenario, canaries: Canaries, member: Member) -> None:
    """PR-07, PR-09: no stored size of a photo has any of the uploaded metadata."""
    photos = (await scenario.arrivals.profiles.ListPhotos(ListPhotosRequest(), metadata=member.metadata)).photos
    for photo in photos:
        for link in (photo.url, photo.card_url, photo.thumbnail_url):
            status, data = await fetch(link)
            assert (status, canaries.found_in(data)) == (200, set())
