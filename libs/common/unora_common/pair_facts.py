"""What contexts ask about two members at the moment at which they show or sell something (RE-10)."""

from __future__ import annotations

import asyncio
from uuid import UUID

from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub

from unora_common.clients import Clients


async def are_connected(clients: Clients, connection_id: UUID, user_a_id: UUID, user_b_id: UUID) -> bool:
    """Whether the two are connected and neither blocks the other, at this moment (RE-10).

    A block looks like an end and takes as long to answer (XX-04). If matching or safety does not answer, this raises as
    `Clients.call`: without both answers nothing is disclosed, shown or sold.
    """
    active, blocked = await asyncio.gather(
        _is_active(clients, connection_id, user_a_id, user_b_id), is_blocked(clients, user_a_id, user_b_id)
    )
    return active and not blocked


async def is_blocked(clients: Clients, user_a_id: UUID, user_b_id: UUID) -> bool:
    """Whether one of the two blocks the other at this moment, as safety says. Raises as `Clients.call`."""
    stub = clients.stub(RestrictionServiceStub, "unora.safety.v1.RestrictionService")
    request = GetBlockRequest(user_a_id=str(user_a_id), user_b_id=str(user_b_id))
    return (await clients.call(stub.GetBlock, request)).blocked


async def _is_active(clients: Clients, connection_id: UUID, user_a_id: UUID, user_b_id: UUID) -> bool:
    stub = clients.stub(PairServiceStub, "unora.matching.v1.PairService")
    request = GetPairRequest(connection_id=str(connection_id))
    response = await clients.find(stub.GetPair, request, absent="CONNECTION_NOT_FOUND")
    if response is None:
        return False
    members = {response.pair.user_a_id, response.pair.user_b_id}
    return response.pair.status == CONNECTION_STATUS_ACTIVE and members == {str(user_a_id), str(user_b_id)}
