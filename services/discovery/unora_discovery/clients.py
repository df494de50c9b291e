"""Calls to other contexts."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.directory_service_pb2 import GetDiscoveryProfileRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora_common.clients import Clients

from unora_discovery.domain.pool import Profile
from unora_discovery.messages import from_profile


class Directory:
    """Identity's directory of members."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")

    async def get_profile(self, user_id: UUID) -> Profile:
        """What a card may show of a member now (DI-08). An unknown member is not discovery-ready, and has version 0."""
        request = GetDiscoveryProfileRequest(user_id=str(user_id))
        response = await self._clients.call(self._stub.GetDiscoveryProfile, request)
        return from_profile(response.profile)
