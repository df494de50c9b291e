"""What members keep to themselves is found nowhere but where it belongs (XX-01, XX-04, PR-04, ID-05, ID-06, SA-04).

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
import nats
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.type.date_pb2 import Date
from joserfc import jwt
from joserfc.jwk import ECKey
from prometheus_client import generate_latest
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.profile_service_pb2 import GENDER_WOMAN, Hobby, ListPhotosRequest, Profile
from unora.identity.v1.verification_service_pb2 import LinkOAuthRequest, StartGovIdRequest
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora.reveal.v1.personality_service_pb2 import Answer, ListQuestionsRequest, SubmitAnswersRequest
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.safety.v1.events_pb2 import DECISION_DISMISS
from unora.safety.v1.safety_service_pb2 import Target
from unora_common.config import Config
from unora_common.service import Service
from unora_common.streams import DEAD_LETTERS, stream
from unora_identity.providers.gov_id import SIGNATURE, Webhooks
from unora_local.contexts import CONTEXTS
from unora_local.inprocess import World
from unora_local.people.photos import portrait
from unora_local.testbed import Testbed

from tests.integration.identity.objects import fetch
from tests.integration.protection.town import CROWD, Resident, Town
from tests.roles import role_of
from tests.support import request_id

CARDS = {("discovery", "candidates"), ("discovery", "discovery_cards"), ("discovery", "kept_answers")}
"""Where micro-descriptions are kept to be shown (DI-08)."""
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
"""The only tables that hold each planted text; of what is not named here none does."""


class LoudWorld(World):
    """A world that logs all it can."""

    def config(self, service: Service[Any, Any], peers: dict[str, str], **changes: Any) -> Config:
        return super().config(service, peers, log_level="debug", **changes)


@dataclass
class Canaries:
    """What was planted, by what it is, and what was heard of refusals."""

    planted: dict[str, str] = field(default_factory=dict)
    refusals: list[bytes] = field(default_factory=list)

    def plant(self, what: str) -> str:
        """A word that stands nowhere else."""
        return self.planted.setdefault(what, f"Canary{what.replace('_', '').title()}{time.time_ns():x}")

    def found_in(self, haystack: bytes) -> set[str]:
        """What is there, as it was written, in whatever case, or as hexadecimal digits."""
        low = haystack.lower()
        return {
            what
            for what, word in self.planted.items()
            if word.lower().encode() in low or word.encode().hex().encode() in low
        }

    async def refused(self, call: Awaitable[Any]) -> None:
        """A call that must fail, and all that its error says."""
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
    """A world of its own, whose services write their logs where the test can read them."""
    world = LoudWorld(testbed, "canary")
    with contextlib.redirect_stdout(logs):  # a service takes what is the standard output when it is made
        await world.start()
    yield world
    await world.stop()
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{world.database}" WITH (FORCE)')
    await admin.close()


@pytest.mark.rule("XX-01", "XX-04", "PR-04", "PR-07", "ID-05", "ID-06", "SA-04", "SA-07")
async def test_what_is_planted_is_found_where_it_belongs_and_nowhere_else(
    loud: LoudWorld, logs: io.StringIO, testbed: Testbed
) -> None:
    town, birds = Town(loud), Canaries()
    town.crowd = [await town.arrive() for _ in range(CROWD)]
    who = await _arrive(town, birds)
    partner = await town.arrive()
    shown = [await read() for read in town.reads(partner).values()]
    shown += list((await town.cards(partner)).values())
    allowed_on_cards = birds.found_in(b"".join(each.SerializeToString() for each in shown))
    assert allowed_on_cards == {"micro_description"}

    connection = await town.connect(partner, who)
    streak_id = await town.play(connection, partner, who, 5)
    await _say(town, birds, who, partner, connection.connection_id)
    await _refuse(town, birds, who)
    await _break_the_database(loud, birds)
    await loud.settle()

    answers = await town.told(partner, streak_id)
    del answers["screen"], answers["interests"]  # where cards stand, which were looked at above
    opened = await town.open(partner, streak_id, 1)
    assert birds.found_in(b"".join(answers.values()) + opened.SerializeToString()) == set()
    assert birds.found_in(b"".join(birds.refusals)) == set()
    assert len(birds.refusals) >= 8
    assert birds.found_in(await _streams(loud)) == set()
    said = logs.getvalue()
    assert said.count('"event":"call"') > 100  # the control: that the logs are there to be searched
    assert birds.found_in(said.encode()) == set()
    assert birds.found_in(b"".join(generate_latest(app.metrics.registry) for app in loud.apps.values())) == set()
    written = _server_logs(testbed)
    assert {"nats.log", "s3.log"} <= set(written)  # Postgres may be another's
    assert {name for name, log in written.items() if birds.found_in(log)} == set()
    kept = await _tables(loud, birds)
    assert kept == {what: ALLOWED.get(what, set()) for what in birds.planted}
    await _photos(town, birds, who)


async def _arrive(town: Town, birds: Canaries) -> Resident:
    """A member who says all that can be said, with a phone and a device that nobody may learn."""
    who = await town.sign_in(device=birds.plant("device"))
    birds.planted["phone"] = who.phone.removeprefix("+49")
    picture = portrait(0, 0)
    comment = birds.plant("photo").encode()
    marked = picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + picture[2:]
    for shot in range(3):
        await town.arrivals.complete(
            who.signed, await town.arrivals.upload(who.signed, marked if shot == 0 else picture)
        )
    await town.arrivals.choose(
        who.signed,
        Hobby(hobby_option_id="chess", micro_description=birds.plant("micro_description")),
        Hobby(hobby_option_id="hiking", micro_description="uphill"),
    )
    await town.arrivals.tell(
        who.signed,
        Profile(
            name=birds.plant("name"),
            date_of_birth=Date(year=1990, month=12, day=10),
            gender=GENDER_WOMAN,
            city="London",
            bio=f"I am {birds.plant('bio')} of all.",
            occupation=birds.plant("occupation"),
            time_zone="Europe/London",
        ),
    )
    await _prove(town, birds, who)
    await town.world.settle()
    await town.pool.join(who)
    return who


async def _prove(town: Town, birds: Canaries, who: Resident) -> None:
    """An account elsewhere, and a Gov ID."""
    verification = town.world.stub(VerificationServiceStub, "identity")
    key = ECKey.generate_key("P-256")
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
    town.world.oidc_keys.write_text(json.dumps({"keys": [public]}))
    now = int(time.time())
    claims = {"iss": "https://played.invalid", "aud": "unora", "sub": birds.plant("oidc_subject"), "nonce": who.id}
    claims |= {"iat": now, "exp": now + 600, "email": birds.plant("oidc_email")}  # type: ignore[dict-item]
    token = jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, claims, key, algorithms=["ES256"])
    birds.planted["oidc_token"] = token
    await verification.LinkOAuth(
        LinkOAuthRequest(request_id=request_id(), provider="played", id_token=token), metadata=who.metadata
    )
    started = await verification.StartGovId(StartGovIdRequest(request_id=request_id()), metadata=who.metadata)
    body = json.dumps(
        {"reference": started.reference, "token": birds.plant("gov_id_token"), "outcome": "verified"}
    ).encode()
    signature = Webhooks(town.world.gov_id_secret.read_bytes()).sign(body, datetime.now(UTC))
    await verification.ReceiveGovIdResult(HttpBody(data=body), metadata=((SIGNATURE, signature),))


async def _say(town: Town, birds: Canaries, who: Resident, partner: Resident, connection_id: str) -> None:
    """What is said to safety, and what is answered in questions."""
    await town.meetings.report(who, Target(connection_id=connection_id), note=birds.plant("report_note"))
    await town.meetings.appeal(partner, birds.plant("appeal_text"))
    case = await town.office.case_of(partner)
    await town.office.assign(case.case_id)
    await town.office.decide(case.case_id, DECISION_DISMISS, note=birds.plant("decision_note"))
    personality = town.world.stub(PersonalityServiceStub, "reveal")
    questions = (await personality.ListQuestions(ListQuestionsRequest(), metadata=who.metadata)).questions
    await personality.SubmitAnswers(
        SubmitAnswersRequest(
            request_id=request_id(), answers=[Answer(question_id=each.question_id, answer=5) for each in questions]
        ),
        metadata=who.metadata,
    )


async def _refuse(town: Town, birds: Canaries, who: Resident) -> None:
    """Calls that are refused for what they hold: the error must not repeat it."""
    long = birds.plant("refused_text") + "x" * 5000
    for name in ("name", "bio", "city", "occupation", "time_zone"):
        await birds.refused(town.arrivals.tell(who.signed, Profile(**{name: long}), name))  # type: ignore[arg-type]
    await birds.refused(
        town.arrivals.choose(who.signed, Hobby(hobby_option_id="chess", micro_description=long), Hobby())
    )
    await birds.refused(town.arrivals.choose(who.signed, Hobby(hobby_option_id=long[:40], micro_description="mine")))
    await birds.refused(town.arrivals.start(birds.plant("refused_phone")[:32]))
    await birds.refused(town.arrivals.refresh(birds.plant("refused_token")))
    await birds.refused(town.meetings.appeal(who, long))
    await birds.refused(town.meetings.page(who, token=birds.plant("refused_page")))
    verification = town.world.stub(VerificationServiceStub, "identity")
    forged = LinkOAuthRequest(request_id=request_id(), provider="played", id_token=birds.plant("refused_id_token"))
    await birds.refused(verification.LinkOAuth(forged, metadata=who.metadata))
    unknown = LinkOAuthRequest(request_id=request_id(), provider=birds.plant("refused_provider"), id_token="x" * 40)
    await birds.refused(verification.LinkOAuth(unknown, metadata=who.metadata))
    unsigned = HttpBody(data=json.dumps({"token": birds.plant("refused_gov_id")}).encode())
    await birds.refused(verification.ReceiveGovIdResult(unsigned, metadata=((SIGNATURE, "t=1,v1=00"),)))
    no_member = (("authorization", f"Bearer {birds.plant('refused_bearer')}"),)
    await birds.refused(town.arrivals.accounts.GetAccount(GetAccountRequest(), metadata=no_member))


async def _break_the_database(world: World, birds: Canaries) -> None:
    """Postgres refuses rows that hold what a member wrote, and tells so in its own log."""
    word = birds.plant("refused_row")
    for context, sql in (
        ("safety", "UPDATE safety.reports SET note = $1 || repeat('x', 2000)"),
        ("identity", "UPDATE identity.profiles SET bio = $1, gender = 'nobody'"),
    ):
        async with role_of(world, context) as connection:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(sql, word)


def _server_logs(testbed: Testbed) -> dict[str, bytes]:
    """What Postgres, NATS and the object store have written."""
    return {log.name: log.read_bytes() for log in Path(testbed.folder).glob("*.log")}


async def _streams(world: World) -> bytes:
    """All that NATS holds: every message of every stream, with its subject and its headers."""
    admin = await nats.connect(world.testbed.nats("admin", world.worker))
    found = bytearray()
    try:
        manager = admin.jetstream()
        for name in (*map(stream, CONTEXTS), DEAD_LETTERS):
            state = (await manager.stream_info(name)).state
            for number in range(state.first_seq or 1, (state.last_seq or 0) + 1):
                message = await manager.get_msg(name, number)
                found += f"{message.subject} {message.headers}".encode() + (message.data or b"")
    finally:
        await admin.close()
    assert len(found) > 10_000  # the control
    return bytes(found)


async def _tables(world: World, birds: Canaries) -> dict[str, set[tuple[str, str]]]:
    """In which tables each planted text stands."""
    found: dict[str, set[tuple[str, str]]] = {what: set() for what in birds.planted}
    tables = await world.superuser.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY ($1) ORDER BY 1, 2", list(CONTEXTS)
    )
    for schema, table in tables:
        for row in await world.superuser.fetch(f'SELECT t::text AS whole FROM {schema}."{table}" t'):
            for what in birds.found_in(row["whole"].encode()):
                found[what].add((schema, table))
    return found


async def _photos(town: Town, birds: Canaries, who: Resident) -> None:
    """PR-07: of what came with a photo nothing is in the object that is kept."""
    photos = (await town.arrivals.profiles.ListPhotos(ListPhotosRequest(), metadata=who.metadata)).photos
    for photo in photos:
        status, data = await fetch(photo.url)
        assert (status, birds.found_in(data)) == (200, set())
