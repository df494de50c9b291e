"""What identity asks other contexts."""

from __future__ import annotations

import asyncio

from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub
from unora_common.clients import Clients

from unora_identity.domain.disclosures import Disclosure


async def are_connected_and_not_blocked(clients: Clients, disclosure: Disclosure) -> bool:
    """RE-10: whether the two members of a disclosure are connected at this moment, and neither blocks the other.

    Raises if matching or safety does not answer: without both answers nothing is disclosed.
    """
    connected, blocked = await asyncio.gather(_connected(clients, disclosure), _blocked(clients, disclosure))
    return connected and not blocked


async def _connected(clients: Clients, disclosure: Disclosure) -> bool:
    stub = clients.stub(PairServiceStub, "unora.matching.v1.PairService")
    request = GetPairRequest(connection_id=str(disclosure.connection_id))
    response = await clients.find(stub.GetPair, request, absent="CONNECTION_NOT_FOUND")
    if response is None:
        return False
    pair, members = response.pair, (str(disclosure.user_a_id), str(disclosure.user_b_id))
    return pair.status == CONNECTION_STATUS_ACTIVE and (pair.user_a_id, pair.user_b_id) == members


async def _blocked(clients: Clients, disclosure: Disclosure) -> bool:
    stub = clients.stub(RestrictionServiceStub, "unora.safety.v1.RestrictionService")
    request = GetBlockRequest(user_a_id=str(disclosure.user_a_id), user_b_id=str(disclosure.user_b_id))
    return (await clients.call(stub.GetBlock, request)).blocked
