"""What identity asks other contexts."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

from unora.billing.v1 import data_subject_service_pb2 as billing
from unora.billing.v1 import data_subject_service_pb2_grpc as billing_calls
from unora.discovery.v1 import data_subject_service_pb2 as discovery
from unora.discovery.v1 import data_subject_service_pb2_grpc as discovery_calls
from unora.matching.v1 import data_subject_service_pb2 as matching
from unora.matching.v1 import data_subject_service_pb2_grpc as matching_calls
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.matching.v1.pair_service_pb2 import GetPairRequest
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora.reveal.v1 import data_subject_service_pb2 as reveal
from unora.reveal.v1 import data_subject_service_pb2_grpc as reveal_calls
from unora.safety.v1 import data_subject_service_pb2 as safety
from unora.safety.v1 import data_subject_service_pb2_grpc as safety_calls
from unora.safety.v1.restriction_service_pb2 import GetBlockRequest
from unora.safety.v1.restriction_service_pb2_grpc import RestrictionServiceStub
from unora.streak.v1 import data_subject_service_pb2 as streak
from unora.streak.v1 import data_subject_service_pb2_grpc as streak_calls
from unora_common.clients import Clients
from unora_common.member_export import Page

from unora_identity.domain.disclosures import Disclosure

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
