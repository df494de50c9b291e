"""Calls to other contexts."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.directory_service_pb2 import GetTimeZonesRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora_common.clients import Clients

from unora_streak.domain.time_zones import pair_zone


class Directory:
    """Identity's directory."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")

    async def get_pair_zone(self, a: UUID, b: UUID) -> str:
        """The zone of a pair's days: that of the two members if both have the same zone, else UTC (ST-03)."""
        request = GetTimeZonesRequest(user_ids=[str(a), str(b)])
        response = await self._clients.call(self._stub.GetTimeZones, request)
        return pair_zone(response.time_zones.get(str(a)), response.time_zones.get(str(b)))
