"""RE-04, RE-10: name and photos, from identity's own record, as long as the connection is active."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from google.protobuf.message import Message
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.identity.v1.directory_service_pb2 import GetDisclosureRequest, GetDisclosureResponse
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.identity.v1.events_pb2 import DisclosureEnded, DiscoveryProfileChanged, IdentityDisclosed
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE, CONNECTION_STATUS_ENDED, ConnectionStatus
from unora.matching.v1.pair_service_pb2 import GetPairRequest, GetPairResponse, Pair
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest, GetBlockResponse
from unora.streak.v1.events_pb2 import StreakCompleted
from unora_common.errors import Unavailable
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.identity.objects import fetch
from tests.integration.identity.people import ADA, People, Signed, apply
from tests.roles import refused, role_of
from tests.support import as_uuid, race, refusal


@dataclass
class DisclosurePair:
    """Two members with a connection and a streak, and the answers of matching and safety."""

    world: World
    a: Signed
    b: Signed
    connection: str
    streak: str
    status: ConnectionStatus.ValueType = CONNECTION_STATUS_ACTIVE
    asked: int = 0
    blocked: bool = False
    unavailable: type[Message] | None = None

    async def completed(self, days: int = 15) -> StreakCompleted:
        event = StreakCompleted(
            streak_id=self.streak,
            version=40,
            connection_id=self.connection,
            user_a_id=self.a.member.id,
            user_b_id=self.b.member.id,
            completed_days=days,
        )
        event.occurred_at.FromDatetime(await self.world.now())
        return event

    async def ended(self) -> ConnectionEnded:
        event = ConnectionEnded(
            connection_id=self.connection, version=2, user_a_id=self.a.member.id, user_b_id=self.b.member.id
        )
        event.occurred_at.FromDatetime(await self.world.now())
        return event

    async def get_disclosure(self, viewer: Signed, subject: Signed, streak: str = "") -> GetDisclosureResponse:
        asked = GetDisclosureRequest(
            streak_id=streak or self.streak, viewer_id=viewer.member.id, subject_id=subject.member.id
        )
        return await self.world.stub(DirectoryServiceStub, "identity", "reveal").GetDisclosure(asked)

    async def refused(self, viewer: Signed, subject: Signed, streak: str = "") -> None:
        refused = await refusal(self.get_disclosure(viewer, subject, streak))
        assert (refused.code, refused.reason, refused.metadata) == ("FAILED_PRECONDITION", "NOT_DISCLOSED", {})

    async def answer(self, method: object, request: Message) -> Message:
        """The answer of matching or safety."""
        if type(request).__name__.replace("Request", "Response") == getattr(self.unavailable, "__name__", ""):
            raise Unavailable
        if isinstance(request, GetBlockRequest):
            assert {request.user_a_id, request.user_b_id} == {self.a.member.id, self.b.member.id}
            return GetBlockResponse(blocked=self.blocked)
        assert isinstance(request, GetPairRequest)
        self.asked += 1
        assert request.connection_id == self.connection
        pair = Pair(connection_id=self.connection, status=self.status)
        pair.user_a_id, pair.user_b_id = self.a.member.id, self.b.member.id
        return GetPairResponse(pair=pair)


@pytest.fixture
async def couple(world: World, people: People, monkeypatch: pytest.MonkeyPatch) -> DisclosurePair:
    a, b = sorted([await people.sign_in(), await people.sign_in()], key=lambda signed: signed.member.user)
    await people.ready(signed=a)
    couple = DisclosurePair(world, a, b, str(uuid7()), str(uuid7()))
    monkeypatch.setattr(world.apps["identity"].clients, "call", couple.answer)
    return couple


@pytest.mark.rule("RE-04", "RE-10", "PR-04", "PR-09")
async def test_fifteen_days_disclose_name_and_photos_to_the_partner_alone(world: World, couple: DisclosurePair) -> None:
    subject, viewer = couple.a, couple.b
    await couple.refused(viewer, subject)
    await apply(world, await couple.completed())
    answer = await couple.get_disclosure(viewer, subject)
    assert answer.name == ADA.name
    assert len(answer.photos) == 3
    for photo in answer.photos:
        links = {photo.url, photo.card_url, photo.thumbnail_url}
        assert [(await fetch(link))[0] for link in links] == [200] * 3
    await couple.get_disclosure(subject, viewer)

    stranger = await People(world).sign_in()
    await couple.refused(stranger, subject)
    await couple.refused(viewer, stranger)
    await couple.refused(subject, subject)
    await couple.refused(viewer, subject, str(uuid7()))
    (event,) = await world.events(IdentityDisclosed, couple.connection)
    assert (event.streak_id, event.user_a_id, event.user_b_id) == (
        couple.streak,
        couple.a.member.id,
        couple.b.member.id,
    )


@pytest.mark.rule("RE-10")
async def test_matching_is_asked_at_that_moment(world: World, couple: DisclosurePair) -> None:
    await apply(world, await couple.completed())
    # Identity has not received the event of the end yet.
    couple.status = CONNECTION_STATUS_ENDED
    await couple.refused(couple.b, couple.a)
    assert couple.asked == 1


@pytest.mark.rule("RE-10")
async def test_safety_is_asked_at_that_moment(world: World, couple: DisclosurePair) -> None:
    await apply(world, await couple.completed())
    # Neither identity nor matching has received the event of the block yet.
    couple.blocked = True
    await couple.refused(couple.b, couple.a)
    await couple.refused(couple.a, couple.b)
    couple.blocked = False
    await couple.get_disclosure(couple.b, couple.a)


@pytest.mark.rule("RE-10")
@pytest.mark.parametrize("silent", [GetPairResponse, GetBlockResponse])
async def test_nothing_is_disclosed_while_a_peer_does_not_answer(
    world: World, couple: DisclosurePair, silent: type[Message]
) -> None:
    await apply(world, await couple.completed())
    couple.unavailable = silent
    assert (await refusal(couple.get_disclosure(couple.b, couple.a))).code == "UNAVAILABLE"


@pytest.mark.rule("RE-10")
async def test_matching_itself_is_asked(world: World, people: People) -> None:
    """Matching does not know a pair that only streak has published."""
    a, b = sorted([await people.sign_in(), await people.sign_in()], key=lambda signed: signed.member.user)
    couple = DisclosurePair(world, a, b, str(uuid7()), str(uuid7()))
    await apply(world, await couple.completed())
    await couple.refused(a, b)


@pytest.mark.rule("RE-10")
async def test_an_end_closes_what_was_disclosed(world: World, couple: DisclosurePair) -> None:
    await apply(world, await couple.completed())
    await apply(world, await couple.ended())
    await couple.refused(couple.b, couple.a)
    assert couple.asked == 0
    (ended,) = await world.events(DisclosureEnded, couple.connection)
    assert ended.version == 2


@pytest.mark.rule("RE-10")
async def test_a_late_completion_does_not_open_what_ended_before(world: World, couple: DisclosurePair) -> None:
    await apply(world, await couple.ended())
    await apply(world, await couple.completed())
    await couple.refused(couple.b, couple.a)
    assert await world.events(IdentityDisclosed, couple.connection) == []
    assert await world.events(DisclosureEnded, couple.connection) == []


@pytest.mark.rule("RE-10")
@pytest.mark.parametrize("turn", range(4))
async def test_a_completion_and_an_end_at_once_leave_it_closed(world: World, couple: DisclosurePair, turn: int) -> None:
    await race(turn, [apply(world, await couple.completed()), apply(world, await couple.ended())])
    await couple.refused(couple.b, couple.a)


@pytest.mark.rule("RE-04")
async def test_no_other_day_than_the_fifteenth_opens_anything(world: World, couple: DisclosurePair) -> None:
    with pytest.raises(ValueError, match="before its last day"):
        await apply(world, await couple.completed(days=14))
    await couple.refused(couple.b, couple.a)
    async with role_of(world, "identity") as connection:
        insert = """
            INSERT INTO identity.disclosures
                (connection_id, user_a_id, user_b_id, streak_id, completed_days, disclosed_at, version)
            VALUES ($1, $2, $3, $4, $5, $6, 1)"""
        pair = (as_uuid(couple.connection), couple.a.member.user, couple.b.member.user)
        now = await world.now()
        for constraint, *arguments in (
            ("day_15", *pair, as_uuid(couple.streak), 14, now),
            ("whole", *pair, as_uuid(couple.streak), None, now),
            ("whole", *pair, None, 15, now),
            ("disclosed_or_ended", *pair, None, None, None),
            ("pair_ordered", pair[0], pair[2], pair[1], as_uuid(couple.streak), 15, now),
        ):
            assert await refused(connection, insert, *arguments) == f"ck_disclosures_{constraint}"


@pytest.mark.rule("ID-04")
async def test_a_completed_streak_raises_trust_and_discovery_learns_it(
    world: World, people: People, couple: DisclosurePair
) -> None:
    await apply(world, await couple.completed())
    account = (await people.accounts.GetAccount(GetAccountRequest(), metadata=couple.a.metadata)).account
    assert account.trust_level == 4
    *_, event = await world.events(DiscoveryProfileChanged, couple.a.member.id)
    assert (event.trust_level, event.discovery_ready) == (4, True)
    # The other member has no photos yet, so their card has not changed.
    assert await world.events(DiscoveryProfileChanged, couple.b.member.id) == []
