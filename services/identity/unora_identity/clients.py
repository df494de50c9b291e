"""What identity asks other contexts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from unora.billing.v1 import data_subject_service_pb2 as billing
from unora.billing.v1 import data_subject_service_pb2_grpc as billing_calls
from unora.billing.v1.projection_service_pb2 import ListTiersRequest, MemberTier
from unora.billing.v1.projection_service_pb2_grpc import ProjectionServiceStub as BillingStub
from unora.discovery.v1 import data_subject_service_pb2 as discovery
from unora.discovery.v1 import data_subject_service_pb2_grpc as discovery_calls
from unora.discovery.v1.projection_service_pb2 import ListRefreshTimersRequest, MemberRefreshTimer
from unora.discovery.v1.projection_service_pb2_grpc import ProjectionServiceStub as DiscoveryStub
from unora.matching.v1 import data_subject_service_pb2 as matching
from unora.matching.v1 import data_subject_service_pb2_grpc as matching_calls
from unora.matching.v1.projection_service_pb2 import (
    ConnectionState,
    ListConnectionStatesRequest,
    ListInventoriesRequest,
    MemberInventory,
)
from unora.matching.v1.projection_service_pb2_grpc import ProjectionServiceStub as MatchingStub
from unora.reveal.v1 import data_subject_service_pb2 as reveal
from unora.reveal.v1 import data_subject_service_pb2_grpc as reveal_calls
from unora.safety.v1 import data_subject_service_pb2 as safety
from unora.safety.v1 import data_subject_service_pb2_grpc as safety_calls
from unora.safety.v1.projection_service_pb2 import ListRestrictionsRequest, MemberRestriction
from unora.safety.v1.projection_service_pb2_grpc import ProjectionServiceStub as SafetyStub
from unora.streak.v1 import data_subject_service_pb2 as streak
from unora.streak.v1 import data_subject_service_pb2_grpc as streak_calls
from unora.streak.v1.projection_service_pb2 import (
    CompletedStreak,
    ListCompletedStreaksRequest,
    ListMemberCompletionsRequest,
)
from unora.streak.v1.projection_service_pb2_grpc import ProjectionServiceStub as StreakStub
from unora_common.clients import Clients
from unora_common.member_export import Page
from unora_common.messages import TIER_NAMES, from_timestamp
from unora_common.rebuild_lists import joined, listing

from unora_identity.domain.disclosures import KnownPair
from unora_identity.messages.accounts import time_or_none

EXPORTS: Final[dict[str, tuple[type[Any], type[Any]]]] = {
    "billing": (billing_calls.DataSubjectServiceStub, billing.ExportMemberRequest),
    "discovery": (discovery_calls.DataSubjectServiceStub, discovery.ExportMemberRequest),
    "matching": (matching_calls.DataSubjectServiceStub, matching.ExportMemberRequest),
    "reveal": (reveal_calls.DataSubjectServiceStub, reveal.ExportMemberRequest),
    "safety": (safety_calls.DataSubjectServiceStub, safety.ExportMemberRequest),
    "streak": (streak_calls.DataSubjectServiceStub, streak.ExportMemberRequest),
}
"""DataSubjectService of each context, which has the same shape in all of them: its stub, and the request."""


async def export_member(clients: Clients, context: str, user: UUID, token: str) -> Page:
    """ID-10: a page of what a context keeps about a member. Raises if it does not answer."""
    stub_type, request_type = EXPORTS[context]
    stub = clients.stub(stub_type, f"unora.{context}.v1.DataSubjectService")
    response = await clients.call(stub.ExportMember, request_type(user_id=str(user), page_token=token))
    return Page(response.sections, response.next_page_token)


class Owners:
    """The contexts whose facts identity projects, whole (XX-08)."""

    def __init__(self, clients: Clients) -> None:
        billing = clients.stub(BillingStub, "unora.billing.v1.ProjectionService")
        discovery = clients.stub(DiscoveryStub, "unora.discovery.v1.ProjectionService")
        matching = clients.stub(MatchingStub, "unora.matching.v1.ProjectionService")
        safety = clients.stub(SafetyStub, "unora.safety.v1.ProjectionService")
        streak = clients.stub(StreakStub, "unora.streak.v1.ProjectionService")
        self.list_tiers = listing(clients, billing.ListTiers, ListTiersRequest, "tiers", from_tier)
        self.list_inventories = listing(
            clients, matching.ListInventories, ListInventoriesRequest, "inventories", from_inventory
        )
        self.list_refreshes = listing(
            clients, discovery.ListRefreshTimers, ListRefreshTimersRequest, "timers", from_refresh_timer
        )
        self.list_standings = listing(
            clients, safety.ListRestrictions, ListRestrictionsRequest, "restrictions", from_restriction
        )
        self.list_completions = listing(
            clients,
            streak.ListMemberCompletions,
            ListMemberCompletionsRequest,
            "members",
            lambda member: UUID(member.user_id),
        )
        self.list_pairs = joined(
            listing(
                clients, streak.ListCompletedStreaks, ListCompletedStreaksRequest, "streaks", from_completed_streak
            ),
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


def from_tier(tier: MemberTier) -> tuple[UUID, int, str]:
    """A member, the version, and the tier, from billing."""
    return UUID(tier.user_id), tier.version, TIER_NAMES[tier.tier]


def from_inventory(inventory: MemberInventory) -> tuple[UUID, int, int, int]:
    """A member, the version, and the slots taken and in all, from matching."""
    return (
        UUID(inventory.user_id),
        inventory.version,
        inventory.active_connection_count,
        inventory.connection_limit,
    )


def from_refresh_timer(timer: MemberRefreshTimer) -> tuple[UUID, int, datetime | None, datetime | None]:
    """A member, the version, and the times of the timer (UTC), from discovery."""
    last_at = time_or_none(timer.HasField("last_global_refresh_at"), timer.last_global_refresh_at)
    available_at = time_or_none(timer.HasField("refresh_available_at"), timer.refresh_available_at)
    return UUID(timer.user_id), timer.version, last_at, available_at


def from_restriction(restriction: MemberRestriction) -> tuple[UUID, int, bool]:
    """A member, the version, and whether they are suspended, from safety."""
    return UUID(restriction.user_id), restriction.version, restriction.suspended


def from_completed_streak(streak: CompletedStreak) -> KnownPair:
    """A pair as streak knows it."""
    return KnownPair(
        connection_id=UUID(streak.connection_id),
        user_a_id=UUID(streak.user_a_id),
        user_b_id=UUID(streak.user_b_id),
        streak_id=UUID(streak.streak_id),
        completed_at=from_timestamp(streak.completed_at),
    )


def from_connection_state(state: ConnectionState) -> KnownPair:
    """A pair as matching knows it."""
    return KnownPair(
        connection_id=UUID(state.connection_id),
        user_a_id=UUID(state.user_a_id),
        user_b_id=UUID(state.user_b_id),
        ended_at=time_or_none(state.HasField("ended_at"), state.ended_at),
    )
