"""Calls to other contexts. The lists are read by page: `token` is that of the page before, or empty."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from unora.billing.v1.projection_service_pb2 import ListTiersRequest
from unora.billing.v1.projection_service_pb2_grpc import ProjectionServiceStub as BillingStub
from unora.identity.v1.directory_service_pb2 import GetDiscoveryProfilesRequest, ListDiscoveryProfilesRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.matching.v1.projection_service_pb2 import (
    ListConnectionStatesRequest,
    ListInterestStatesRequest,
    ListInventoriesRequest,
)
from unora.matching.v1.projection_service_pb2_grpc import ProjectionServiceStub as MatchingStub
from unora.safety.v1.projection_service_pb2 import ListBlockStatesRequest, ListRestrictionsRequest
from unora.safety.v1.projection_service_pb2_grpc import ProjectionServiceStub as SafetyStub
from unora_common.clients import Clients
from unora_common.rebuild_lists import Ask, both, listing

from unora_discovery.domain.pairs import Exclusion
from unora_discovery.domain.pool import Profile
from unora_discovery.messages.members import from_inventory, from_profile, from_restriction, from_tier
from unora_discovery.messages.pairs import (
    from_block_state,
    from_card_interest,
    from_connection_state,
    from_interest_state,
    from_partners,
)

ASKED_AT_ONCE: Final = 500
"""Members in one request."""


class Directory:
    """Identity's directory of members."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")

    async def get_profiles(self, user_ids: Collection[UUID]) -> list[Profile]:
        """What cards may show of these members now (DI-08). Unknown ones are not ready, and have version 0. Raises
        RuntimeError if identity leaves out members.
        """
        waiting, found = sorted(user_ids), list[Profile]()
        while waiting:
            request = GetDiscoveryProfilesRequest(user_ids=map(str, waiting[:ASKED_AT_ONCE]))
            answer = (await self._clients.call(self._stub.GetDiscoveryProfiles, request)).profiles
            if not answer:
                raise RuntimeError(f"identity answered about none of {len(waiting)} members")
            found += map(from_profile, answer)
            waiting = waiting[len(answer) :]
        return found

    async def list_profiles(self, token: str, size: int) -> tuple[list[Profile], str]:
        """A page of all members' profiles, and the token of the next page, which is empty at the end."""
        request = ListDiscoveryProfilesRequest(page_token=token, page_size=size)
        answer = await self._clients.call(self._stub.ListDiscoveryProfiles, request)
        return [from_profile(each) for each in answer.profiles], answer.next_page_token


class Owners:
    """The contexts that own the rest of what the pool says of members."""

    def __init__(self, clients: Clients) -> None:
        matching = clients.stub(MatchingStub, "unora.matching.v1.ProjectionService")
        billing = clients.stub(BillingStub, "unora.billing.v1.ProjectionService")
        safety = clients.stub(SafetyStub, "unora.safety.v1.ProjectionService")
        self.list_tiers = listing(clients, billing.ListTiers, ListTiersRequest, "tiers", from_tier)
        self.list_restrictions = listing(
            clients, safety.ListRestrictions, ListRestrictionsRequest, "restrictions", from_restriction
        )
        self.list_blocks = listing(clients, safety.ListBlockStates, ListBlockStatesRequest, "blocks", from_block_state)
        self.list_inventories = listing(
            clients, matching.ListInventories, ListInventoriesRequest, "inventories", from_inventory
        )
        self.list_waiting = listing(
            clients,
            matching.ListInterestStates,
            ListInterestStatesRequest,
            "interests",
            lambda state: from_interest_state(state)[1],
        )
        self.list_card_interests = listing(
            clients, matching.ListInterestStates, ListInterestStatesRequest, "interests", from_card_interest
        )
        self.list_partners = listing(
            clients, matching.ListConnectionStates, ListConnectionStatesRequest, "connections", from_partners
        )
        self.list_exclusions: Ask[Sequence[Exclusion]] = both(
            listing(
                clients,
                matching.ListInterestStates,
                ListInterestStatesRequest,
                "interests",
                lambda state: [from_interest_state(state)[0]],
            ),
            listing(
                clients,
                matching.ListConnectionStates,
                ListConnectionStatesRequest,
                "connections",
                from_connection_state,
            ),
            lambda exclusions: exclusions[0].source_id,
        )
