"""Texts that are planted in all that a member can write, and searched for afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.type.date_pb2 import Date
from joserfc import jwt
from joserfc.jwk import ECKey
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
from unora.identity.v1.profile_service_pb2 import GENDER_WOMAN, Hobby, Profile
from unora.identity.v1.verification_service_pb2 import LinkOAuthRequest, StartGovIdRequest
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora.reveal.v1.personality_service_pb2 import Answer, ListQuestionsRequest, SubmitAnswersRequest
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.safety.v1.events_pb2 import DECISION_DISMISS
from unora.safety.v1.safety_service_pb2 import Target
from unora_identity.providers.gov_id import SIGNATURE, Webhooks
from unora_local.photos.portraits import portrait
from unora_testing.places import LONDON

from tests.integration.protection.scenario import Member, Scenario
from tests.support import request_id


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


async def add_marked_member(scenario: Scenario, canaries: Canaries) -> Member:
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


async def write_to_safety(
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


async def make_refused_calls(scenario: Scenario, canaries: Canaries, member: Member) -> None:
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
