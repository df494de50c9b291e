"""Trust levels on the cards of others, fields locked by a Gov ID, sessions revoked elsewhere (ID-03 to ID-07)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from google.api.httpbody_pb2 import HttpBody
from unora.identity.v1.account_service_pb2 import ListSessionsRequest, RevokeSessionRequest
from unora.identity.v1.profile_service_pb2 import DeletePhotoRequest, Profile
from unora.identity.v1.verification_service_pb2 import StartGovIdRequest
from unora.identity.v1.verification_service_pb2_grpc import VerificationServiceStub
from unora_identity.providers.gov_id import SIGNATURE, Webhooks
from unora_local.photos.portraits import landscape
from unora_testing.places import LEEDS

from tests.integration.identity.people import ADA
from tests.integration.protection.scenario import Member, Scenario
from tests.support import refusal, request_id


async def shown_trust_level(scenario: Scenario, member: Member) -> int:
    """The trust level on a newcomer's card of the member; the newcomer leaves again."""
    viewer = await scenario.pool.member()
    card = (await scenario.cards(viewer))[member.id]
    await scenario.pool.leave(viewer)
    return card.trust_level


async def verify(scenario: Scenario, member: Member, token: str) -> None:
    """The member starts a check of their Gov ID, and the provider confirms it."""
    service = scenario.world.stub(VerificationServiceStub, "identity")
    started = await service.StartGovId(StartGovIdRequest(request_id=request_id()), metadata=member.metadata)
    body = json.dumps({"reference": started.reference, "token": token, "outcome": "verified"}).encode()
    signature = Webhooks(scenario.world.gov_id_secret.read_bytes()).sign(body, datetime.now(UTC))
    await service.ReceiveGovIdResult(HttpBody(data=body), metadata=((SIGNATURE, signature),))
    await scenario.world.drain()


@pytest.mark.rule("ID-04", "ID-05", "ID-07", "DI-08")
async def test_trust_grows_step_by_step_and_others_see_only_the_level(scenario: Scenario) -> None:
    member = await scenario.sign_in()
    assert (await scenario.account(member)).trust_level == 1
    await scenario.arrivals.update_profile(member.signed)
    await scenario.arrivals.set_hobbies(member.signed)
    pictures = [await scenario.arrivals.upload(member.signed, landscape(number)) for number in range(2)]
    hills = [await scenario.arrivals.complete(member.signed, each) for each in pictures]
    assert (await scenario.account(member)).trust_level == 1
    await scenario.arrivals.add_photo(member.signed, 0)
    assert (await scenario.account(member)).trust_level == 2
    await scenario.pool.empty()
    await scenario.world.drain()
    for each in scenario.crowd:
        await scenario.pool.join(each)
    await scenario.pool.join(member)
    assert await shown_trust_level(scenario, member) == 2

    for shot, hill in enumerate(hills, 1):
        await scenario.arrivals.add_photo(member.signed, shot)
        asked = DeletePhotoRequest(request_id=request_id(), photo_id=hill.photo_id)
        await scenario.arrivals.profiles.DeletePhoto(asked, metadata=member.metadata)
    await scenario.world.drain()
    assert (await scenario.account(member)).trust_level == 3
    assert await shown_trust_level(scenario, member) == 3

    partner = await scenario.add_member()
    connection = await scenario.connect(member, partner)
    await scenario.play(connection, member, partner, 15)
    assert (await scenario.account(member)).trust_level == 4
    await scenario.matches.end(partner, connection.connection_id)  # a completed streak stays completed
    await scenario.world.drain()
    await scenario.pool.leave(partner)
    assert (await scenario.account(member)).trust_level == 4
    assert await shown_trust_level(scenario, member) == 4

    token = f"tok_{uuid4().hex}"
    await verify(scenario, member, token)
    assert (await scenario.account(member)).trust_level == 5
    assert await shown_trust_level(scenario, member) == 5
    # A verified member cannot change name, birth and gender, but all other fields.
    other = Profile()
    other.CopyFrom(ADA)
    other.name, other.place_id = "Eva Quixley", LEEDS
    refused = await refusal(scenario.arrivals.update_profile(member.signed, other, "name"))
    assert (refused.reason, refused.metadata) == ("FIELD_LOCKED", {"fields": "name"})
    assert list(refused.violations) == ["profile.name"]
    assert (await scenario.arrivals.update_profile(member.signed, other, "place_id")).city == "Leeds"
    assert token.encode() not in b"".join((await scenario.read_all(member)).values())


@pytest.mark.rule("ID-03", "SA-06")
async def test_a_session_revoked_elsewhere_is_refused_by_all_contexts(scenario: Scenario) -> None:
    member = await scenario.add_member()
    lost = await scenario.sign_in(member.phone)
    assert await scenario.read_all(lost)  # every context has verified its token, and caches it
    listed = (await scenario.arrivals.accounts.ListSessions(ListSessionsRequest(), metadata=member.metadata)).sessions
    (other,) = [each for each in listed if not each.current]
    stranger = await scenario.sign_in()
    asked = RevokeSessionRequest(request_id=request_id(), session_id=other.session_id)
    refused = await refusal(scenario.arrivals.accounts.RevokeSession(asked, metadata=stranger.metadata))
    missing = RevokeSessionRequest(request_id=request_id(), session_id=request_id())
    assert refused == await refusal(scenario.arrivals.accounts.RevokeSession(missing, metadata=stranger.metadata))
    await scenario.arrivals.accounts.RevokeSession(asked, metadata=member.metadata)
    await scenario.world.drain()
    for name, read in scenario.reads(lost).items():
        assert (await refusal(read())).reason == "SESSION_REVOKED", name
    assert (await refusal(scenario.arrivals.refresh(lost.refresh_token))).reason == "SESSION_INVALID"
    assert await scenario.read_all(member)  # the other session continues
    left = (await scenario.arrivals.accounts.ListSessions(ListSessionsRequest(), metadata=member.metadata)).sessions
    assert [each.current for each in left] == [True]
