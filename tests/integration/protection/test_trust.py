"""Trust by real steps, seen on others' cards; a Gov ID that locks; sessions that end elsewhere (ID-03 to ID-07)."""

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
from unora_testing.photos.portraits import landscape

from tests.integration.identity.people import ADA
from tests.integration.protection.town import Resident, Town
from tests.support import refusal, request_id


async def seen_as(town: Town, who: Resident) -> int:
    """The trust level on a newcomer's card of them; the newcomer leaves again."""
    viewer = await town.pool.member()
    card = (await town.cards(viewer))[who.id]
    await town.pool.leave(viewer)
    return card.trust_level


async def verify(town: Town, who: Resident, token: str) -> None:
    """They go through a check of their Gov ID, and the provider says that all is well."""
    service = town.world.stub(VerificationServiceStub, "identity")
    started = await service.StartGovId(StartGovIdRequest(request_id=request_id()), metadata=who.metadata)
    body = json.dumps({"reference": started.reference, "token": token, "outcome": "verified"}).encode()
    signature = Webhooks(town.world.gov_id_secret.read_bytes()).sign(body, datetime.now(UTC))
    await service.ReceiveGovIdResult(HttpBody(data=body), metadata=((SIGNATURE, signature),))
    await town.world.drain()


@pytest.mark.rule("ID-04", "ID-05", "ID-07", "DI-08")
async def test_trust_grows_step_by_step_and_others_see_the_number_alone(town: Town) -> None:
    who = await town.sign_in()
    assert (await town.account(who)).trust_level == 1
    await town.arrivals.tell(who.signed)
    await town.arrivals.choose(who.signed)
    pictures = [await town.arrivals.upload(who.signed, landscape()) for _ in range(2)]
    hills = [await town.arrivals.complete(who.signed, each) for each in pictures]
    assert (await town.account(who)).trust_level == 1
    await town.arrivals.add_photo(who.signed, 0)
    assert (await town.account(who)).trust_level == 2
    await town.pool.empty()
    await town.world.drain()
    for each in town.crowd:
        await town.pool.join(each)
    await town.pool.join(who)
    assert await seen_as(town, who) == 2

    for shot, hill in enumerate(hills, 1):
        await town.arrivals.add_photo(who.signed, shot)
        asked = DeletePhotoRequest(request_id=request_id(), photo_id=hill.photo_id)
        await town.arrivals.profiles.DeletePhoto(asked, metadata=who.metadata)
    await town.world.drain()
    assert (await town.account(who)).trust_level == 3
    assert await seen_as(town, who) == 3

    partner = await town.arrive()
    connection = await town.connect(who, partner)
    await town.play(connection, who, partner, 15)
    assert (await town.account(who)).trust_level == 4
    await town.matches.end(partner, connection.connection_id)  # what was completed stays completed
    await town.world.drain()
    await town.pool.leave(partner)
    assert (await town.account(who)).trust_level == 4
    assert await seen_as(town, who) == 4

    token = f"tok_{uuid4().hex}"
    await verify(town, who, token)
    assert (await town.account(who)).trust_level == 5
    assert await seen_as(town, who) == 5
    # The one who is verified has their name, birth and gender locked; the rest is theirs to change.
    other = Profile()
    other.CopyFrom(ADA)
    other.name, other.city = "Eva Quixley", "Leeds"
    refused = await refusal(town.arrivals.tell(who.signed, other, "name"))
    assert (refused.reason, refused.metadata) == ("FIELD_LOCKED", {"fields": "name"})
    assert (await town.arrivals.tell(who.signed, other, "city")).city == "Leeds"
    assert token.encode() not in b"".join((await town.told(who)).values())


@pytest.mark.rule("ID-03", "SA-06")
async def test_a_session_that_is_ended_elsewhere_is_out_everywhere(town: Town) -> None:
    who = await town.arrive()
    lost = await town.sign_in(who.phone)
    assert await town.told(lost)  # every context has seen its token, and remembers it
    listed = (await town.arrivals.accounts.ListSessions(ListSessionsRequest(), metadata=who.metadata)).sessions
    (other,) = [each for each in listed if not each.current]
    stranger = await town.sign_in()
    asked = RevokeSessionRequest(request_id=request_id(), session_id=other.session_id)
    refused = await refusal(town.arrivals.accounts.RevokeSession(asked, metadata=stranger.metadata))
    missing = RevokeSessionRequest(request_id=request_id(), session_id=request_id())
    assert refused == await refusal(town.arrivals.accounts.RevokeSession(missing, metadata=stranger.metadata))
    await town.arrivals.accounts.RevokeSession(asked, metadata=who.metadata)
    await town.world.drain()
    for name, read in town.reads(lost).items():
        assert (await refusal(read())).reason == "SESSION_REVOKED", name
    assert (await refusal(town.arrivals.refresh(lost.refresh_token))).reason == "SESSION_INVALID"
    assert await town.told(who)  # the other goes on
    left = (await town.arrivals.accounts.ListSessions(ListSessionsRequest(), metadata=who.metadata)).sessions
    assert [each.current for each in left] == [True]
