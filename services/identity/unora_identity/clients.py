"""What identity asks of other contexts."""

from __future__ import annotations

import asyncio

import grpc
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub
from unora_common.clients import Clients
from unora_common.grpc_errors import reason_of

from unora_identity.domain.disclosures import Disclosure


async def together(clients: Clients, disclosure: Disclosure) -> bool:
    """Whether the two of a disclosure are connected and neither blocks the other, at this moment (RE-10).

    Who does not answer has not said yes: the call fails rather than that it shows somebody.
    """
    active, blocked = await asyncio.gather(_active(clients, disclosure), _blocked(clients, disclosure))
    return active and not blocked


async def _active(clients: Clients, disclosure: Disclosure) -> bool:
    stub = clients.stub(PairServiceStub, "unora.matching.v1.PairService")
    request = GetPairRequest(connection_id=str(disclosure.connection_id))
    try:
        pair = (await clients.call(stub.GetPair, request)).pair
    except grpc.aio.AioRpcError as error:
        if reason_of(error) == "CONNECTION_NOT_FOUND":
            return False
        raise
    two = (str(disclosure.user_a_id), str(disclosure.user_b_id))
    return pair.status == CONNECTION_STATUS_ACTIVE and (pair.user_a_id, pair.user_b_id) == two


async def _blocked(clients: Clients, disclosure: Disclosure) -> bool:
    stub = clients.stub(RestrictionServiceStub, "unora.safety.v1.RestrictionService")
    request = GetBlockRequest(user_a_id=str(disclosure.user_a_id), user_b_id=str(disclosure.user_b_id))
    return (await clients.call(stub.GetBlock, request)).blocked
