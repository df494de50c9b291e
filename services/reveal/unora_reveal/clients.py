"""What reveal asks of other contexts, always before a transaction."""

from __future__ import annotations

import asyncio

import grpc
from unora.identity.v1.directory_service_pb2 import (
    GetDisclosureRequest,
    GetDisclosureResponse,
    GetRevealFactsRequest,
)
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub
from unora_common.clients import Clients
from unora_common.grpc_errors import reason_of

from unora_reveal.domain.facts import Facts
from unora_reveal.domain.reveals import Look
from unora_reveal.messages import to_facts


class Directory:
    """Identity's directory."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")

    async def facts(self, look: Look) -> Facts | None:
        """What a text may draw on; None of a member who is gone."""
        request = GetRevealFactsRequest(user_id=str(look.subject))
        try:
            return to_facts(await self._clients.call(self._stub.GetRevealFacts, request))
        except grpc.aio.AioRpcError as error:
            if reason_of(error) == "USER_NOT_FOUND":
                return None
            raise

    async def disclosure(self, look: Look) -> GetDisclosureResponse | None:
        """Name and photos, for this answer only; None if identity's own record does not allow it (RE-04)."""
        request = GetDisclosureRequest(
            streak_id=str(look.streak_id), viewer_id=str(look.viewer), subject_id=str(look.subject)
        )
        try:
            return await self._clients.call(self._stub.GetDisclosure, request)
        except grpc.aio.AioRpcError as error:
            if reason_of(error) == "NOT_DISCLOSED":
                return None
            raise


class Pairs:
    """Matching's word on a connection."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stub = clients.stub(PairServiceStub, "unora.matching.v1.PairService")

    async def active(self, look: Look) -> bool:
        """Whether the connection of these two is active at this moment (RE-10)."""
        request = GetPairRequest(connection_id=str(look.connection_id))
        try:
            pair = (await self._clients.call(self._stub.GetPair, request)).pair
        except grpc.aio.AioRpcError as error:
            if reason_of(error) == "CONNECTION_NOT_FOUND":
                return False
            raise
        two = {str(look.viewer), str(look.subject)}
        return pair.status == CONNECTION_STATUS_ACTIVE and {pair.user_a_id, pair.user_b_id} == two


class Blocks:
    """Safety's word on blocks."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def between(self, look: Look) -> bool:
        """Whether one of these two blocks the other at this moment (RE-10)."""
        stub = self._clients.stub(RestrictionServiceStub, "unora.safety.v1.RestrictionService")
        request = GetBlockRequest(user_a_id=str(look.viewer), user_b_id=str(look.subject))
        return (await self._clients.call(stub.GetBlock, request)).blocked


class Bonds:
    """Whether two members are still together, which both contexts have to say."""

    def __init__(self, clients: Clients) -> None:
        self._pairs = Pairs(clients)
        self._blocks = Blocks(clients)

    async def hold(self, look: Look) -> bool:
        """RE-10: connected, and neither blocks the other. A block looks like an end, and takes as long to tell (XX-04).

        Who does not answer has not said yes: the call fails rather than that it shows or sells something.
        """
        active, blocked = await asyncio.gather(self._pairs.active(look), self._blocks.between(look))
        return active and not blocked
