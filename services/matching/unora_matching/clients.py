"""Calls to other contexts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from unora.billing.v1.projection_service_pb2 import ListTiersRequest, MemberTier
from unora.billing.v1.projection_service_pb2_grpc import ProjectionServiceStub as BillingStub
from unora.discovery.v1.card_service_pb2 import DealtCardSource, GetDealtCardsRequest, ResolveCardRequest
from unora.discovery.v1.card_service_pb2_grpc import CardServiceStub
from unora.discovery.v1.discovery_service_pb2 import DealtCard
from unora.identity.v1.projection_service_pb2 import AccountState, ListAccountStatesRequest
from unora.identity.v1.projection_service_pb2_grpc import ProjectionServiceStub as IdentityStub
from unora.safety.v1.projection_service_pb2 import (
    BlockState,
    ListBlockStatesRequest,
    ListRestrictionsRequest,
    MemberRestriction,
)
from unora.safety.v1.projection_service_pb2_grpc import ProjectionServiceStub as SafetyStub
from unora.streak.v1.projection_service_pb2 import CompletedStreak, ListCompletedStreaksRequest
from unora.streak.v1.projection_service_pb2_grpc import ProjectionServiceStub as StreakStub
from unora_common.clients import Clients
from unora_common.messages import SERVER_NAMES, TIER_NAMES, from_timestamp
from unora_common.rebuild_lists import listing

from unora_matching.domain.errors import CardNotFound
from unora_matching.domain.interests import ResolvedCard
from unora_matching.domain.notices import AccountNotice, BlockNotice, Restriction
from unora_matching.domain.policy import Tier


class Cards:
    """Discovery's opaque cards."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(CardServiceStub, "unora.discovery.v1.CardService")

    async def resolve(self, card_id: UUID, viewer: UUID) -> ResolvedCard:
        """The member behind a card of the viewer's active batch. Raises CardNotFound for any other card."""
        request = ResolveCardRequest(card_id=str(card_id), viewer_id=str(viewer))
        response = await self._clients.find(self._stub.ResolveCard, request, absent="CARD_NOT_FOUND")
        if response is None:
            raise CardNotFound
        receiver_id = UUID(response.user_id)
        if receiver_id == viewer:
            raise CardNotFound  # a member is never on a card of their own batch (DI-09)
        return ResolvedCard(card_id, receiver_id, SERVER_NAMES[response.server_type])

    async def list_dealt(self, card_ids: Sequence[UUID], viewer: UUID) -> list[DealtCard]:
        """What cards of the viewer showed when they were dealt (DI-16): each that is stored, once, in this order."""
        if not card_ids:
            return []
        sources = [DealtCardSource(card_id=str(each)) for each in card_ids]
        request = GetDealtCardsRequest(viewer_id=str(viewer), sources=sources)
        response = await self._clients.call(self._stub.GetDealtCards, request)
        found = {card.card_id: card for card in response.cards}
        return [found[card] for card in dict.fromkeys(map(str, card_ids)) if card in found]


class Owners:
    """The contexts whose facts matching projects, whole (XX-08)."""

    def __init__(self, clients: Clients) -> None:
        billing = clients.stub(BillingStub, "unora.billing.v1.ProjectionService")
        safety = clients.stub(SafetyStub, "unora.safety.v1.ProjectionService")
        streak = clients.stub(StreakStub, "unora.streak.v1.ProjectionService")
        identity = clients.stub(IdentityStub, "unora.identity.v1.ProjectionService")
        self.list_accounts = listing(
            clients, identity.ListAccountStates, ListAccountStatesRequest, "accounts", from_account_state
        )
        self.list_tiers = listing(clients, billing.ListTiers, ListTiersRequest, "tiers", from_tier)
        self.list_restrictions = listing(
            clients, safety.ListRestrictions, ListRestrictionsRequest, "restrictions", from_member_restriction
        )
        self.list_blocks = listing(clients, safety.ListBlockStates, ListBlockStatesRequest, "blocks", from_block_state)
        self.list_completed = listing(
            clients, streak.ListCompletedStreaks, ListCompletedStreaksRequest, "streaks", from_completed_streak
        )


def from_tier(tier: MemberTier) -> tuple[UUID, Tier, int]:
    """A member, the tier, and its version, from billing."""
    return UUID(tier.user_id), Tier(TIER_NAMES[tier.tier]), tier.version


def from_account_state(state: AccountState) -> AccountNotice:
    """Whether a member is away, from identity."""
    since = [from_timestamp(getattr(state, name)) for name in ("closed_at", "hidden_at") if state.HasField(name)]
    paused_at = from_timestamp(state.paused_at) if state.HasField("paused_at") else None
    return AccountNotice(
        user_id=UUID(state.user_id),
        paused=paused_at is not None,
        closed=bool(since),
        version=state.version,
        changed_at=since[0] if since else paused_at,
    )


def from_member_restriction(restriction: MemberRestriction) -> Restriction:
    """A member's standing, from safety."""
    return Restriction(
        user_id=UUID(restriction.user_id),
        restricted=restriction.restricted,
        suspended=restriction.suspended,
        version=restriction.version,
        changed_at=from_timestamp(restriction.changed_at),
    )


def from_block_state(state: BlockState) -> BlockNotice:
    """What safety told last of one member's blocks of another."""
    return BlockNotice(
        blocker_id=UUID(state.blocker_id),
        blocked_id=UUID(state.blocked_id),
        block_id=UUID(state.block_id),
        version=state.version,
        blocked=state.in_force,
        changed_at=from_timestamp(state.changed_at),
    )


def from_completed_streak(streak: CompletedStreak) -> tuple[UUID, datetime]:
    """The connection of a completed streak, and when that was (UTC)."""
    return UUID(streak.connection_id), from_timestamp(streak.completed_at)
