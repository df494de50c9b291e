"""What reveal asks of other contexts, always before a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora.billing.v1.projection_service_pb2 import ListTiersRequest, MemberTier
from unora.billing.v1.projection_service_pb2_grpc import ProjectionServiceStub as BillingStub
from unora.identity.v1.directory_service_pb2 import GetDisclosureRequest, GetRevealFactsRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.matching.v1.projection_service_pb2 import ConnectionState, ListConnectionStatesRequest
from unora.matching.v1.projection_service_pb2_grpc import ProjectionServiceStub as MatchingStub
from unora.streak.v1.projection_service_pb2 import ListStreakProgressRequest, StreakProgress
from unora.streak.v1.projection_service_pb2_grpc import ProjectionServiceStub as StreakStub
from unora_common.clients import Clients
from unora_common.messages import TIER_NAMES, from_timestamp
from unora_common.rebuild_lists import joined, listing

from unora_reveal.domain.facts import Facts, Identity
from unora_reveal.domain.reveals import OpenedIdentity, PartnerName
from unora_reveal.domain.streaks import KnownPair
from unora_reveal.messages import from_disclosed_names, from_disclosure, from_reveal_facts, to_names_request


async def find_facts(clients: Clients, user_id: UUID) -> Facts | None:
    """What a text about a member may use; None if the account was erased."""
    stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")
    request = GetRevealFactsRequest(user_id=str(user_id))
    response = await clients.find(stub.GetRevealFacts, request, absent="USER_NOT_FOUND")
    return None if response is None else from_reveal_facts(response)


async def find_identity(clients: Clients, streak_id: UUID, viewer_id: UUID, subject_id: UUID) -> Identity | None:
    """Name and photos of the subject; None if identity's own record does not allow it (RE-04)."""
    stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")
    request = GetDisclosureRequest(streak_id=str(streak_id), viewer_id=str(viewer_id), subject_id=str(subject_id))
    response = await clients.find(stub.GetDisclosure, request, absent="NOT_DISCLOSED")
    return None if response is None else from_disclosure(response)


async def list_partner_names(clients: Clients, viewer_id: UUID, opened: Sequence[OpenedIdentity]) -> list[PartnerName]:
    """Names of those whom identity's own records allow the viewer to see now (RE-04, RE-13)."""
    stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")
    response = await clients.call(stub.GetPartnerNames, to_names_request(viewer_id, opened))
    return from_disclosed_names(response, opened)


class Owners:
    """The contexts whose facts reveal projects, whole (XX-08)."""

    def __init__(self, clients: Clients) -> None:
        billing = clients.stub(BillingStub, "unora.billing.v1.ProjectionService")
        streak = clients.stub(StreakStub, "unora.streak.v1.ProjectionService")
        matching = clients.stub(MatchingStub, "unora.matching.v1.ProjectionService")
        self.list_tiers = listing(clients, billing.ListTiers, ListTiersRequest, "tiers", from_tier)
        self.list_pairs = joined(
            listing(clients, streak.ListStreakProgress, ListStreakProgressRequest, "streaks", from_streak_progress),
            listing(
                clients,
                matching.ListConnectionStates,
                ListConnectionStatesRequest,
                "connections",
                from_connection_state,
            ),
            lambda half: half.connection_id,
            KnownPair.joined,
        )


def from_tier(tier: MemberTier) -> tuple[UUID, str, int]:
    """A member, the tier, and its version, from billing."""
    return UUID(tier.user_id), TIER_NAMES[tier.tier], tier.version


def from_streak_progress(streak: StreakProgress) -> KnownPair:
    """A pair as streak knows it."""
    return KnownPair(
        connection_id=UUID(streak.connection_id),
        user_a_id=UUID(streak.user_a_id),
        user_b_id=UUID(streak.user_b_id),
        streak_id=UUID(streak.streak_id),
        completed_days=streak.most_completed_days,
    )


def from_connection_state(state: ConnectionState) -> KnownPair:
    """A pair as matching knows it."""
    return KnownPair(
        connection_id=UUID(state.connection_id),
        user_a_id=UUID(state.user_a_id),
        user_b_id=UUID(state.user_b_id),
        ended_at=from_timestamp(state.ended_at) if state.HasField("ended_at") else None,
    )
