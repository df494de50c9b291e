"""Calls to other contexts. The lists are read by page: `token` is that of the page before, or empty."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from unora.billing.v1.projection_service_pb2 import ListTiersRequest
from unora.billing.v1.projection_service_pb2_grpc import ProjectionServiceStub as BillingStub
from unora.identity.v1.directory_service_pb2 import GetDiscoveryProfilesRequest, ListDiscoveryProfilesRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.matching.v1.projection_service_pb2 import ListInventoriesRequest
from unora.matching.v1.projection_service_pb2_grpc import ProjectionServiceStub as MatchingStub
from unora.safety.v1.projection_service_pb2 import ListRestrictionsRequest
from unora.safety.v1.projection_service_pb2_grpc import ProjectionServiceStub as SafetyStub
from unora_common.clients import Clients

from unora_discovery.domain.pool import Inventory, Profile, Restriction, TierNotice
from unora_discovery.messages import from_inventory, from_profile, from_restriction, from_tier

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
        self._clients = clients
        self._matching = clients.stub(MatchingStub, "unora.matching.v1.ProjectionService")
        self._billing = clients.stub(BillingStub, "unora.billing.v1.ProjectionService")
        self._safety = clients.stub(SafetyStub, "unora.safety.v1.ProjectionService")

    async def list_inventories(self, token: str, size: int) -> tuple[list[Inventory], str]:
        """A page of all slots, from matching."""
        request = ListInventoriesRequest(page_token=token, page_size=size)
        answer = await self._clients.call(self._matching.ListInventories, request)
        return [from_inventory(each) for each in answer.inventories], answer.next_page_token

    async def list_tiers(self, token: str, size: int) -> tuple[list[TierNotice], str]:
        """A page of all tiers, from billing."""
        request = ListTiersRequest(page_token=token, page_size=size)
        answer = await self._clients.call(self._billing.ListTiers, request)
        return [from_tier(each) for each in answer.tiers], answer.next_page_token

    async def list_restrictions(self, token: str, size: int) -> tuple[list[Restriction], str]:
        """A page of all standings, from safety."""
        request = ListRestrictionsRequest(page_token=token, page_size=size)
        answer = await self._clients.call(self._safety.ListRestrictions, request)
        return [from_restriction(each) for each in answer.restrictions], answer.next_page_token
