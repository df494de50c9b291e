"""The identity of a partner: identity's own record, and the connection as it is at this moment (RE-04, RE-10)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import grpc
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ACTIVE
from unora.matching.v1.pair_service_pb2 import GetPairRequest, GetPairResponse
from unora.matching.v1.pair_service_pb2_grpc import PairServiceStub
from unora_common.service import App

from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import Disclosure, NotDisclosed
from unora_identity.domain.onboarding import Member
from unora_identity.store import disclosures, members


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who wants to see whom, by which streak."""

    streak: UUID
    viewer: UUID
    subject: UUID


async def disclosed(app: App[IdentityConfig], request: Request) -> Member:
    """The member, if the viewer may see them now; else NotDisclosed, whatever the reason.

    Matching is asked after the record and the record is read once more after matching: an end that either has heard of
    closes it.
    """
    async with app.database.session() as session:
        disclosure = await disclosures.by_streak(session, request.streak)
    if disclosure is None or not disclosure.of(request.viewer, request.subject):
        raise NotDisclosed
    if not await _active(app, disclosure):
        raise NotDisclosed
    async with app.database.session() as session:
        again = await disclosures.by_streak(session, request.streak)
        subject = (await members.read(session, request.subject)).get(request.subject)
    if again is None or not again.of(request.viewer, request.subject) or subject is None:
        raise NotDisclosed
    return subject.member


async def _active(app: App[IdentityConfig], disclosure: Disclosure) -> bool:
    stub = app.clients.stub(PairServiceStub, "unora.matching.v1.PairService")
    asked = GetPairRequest(connection_id=str(disclosure.connection_id))
    try:
        pair = (await app.clients.call(stub.GetPair, asked, GetPairResponse)).pair
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return False
        raise
    two = (str(disclosure.user_a_id), str(disclosure.user_b_id))
    return pair.status == CONNECTION_STATUS_ACTIVE and (pair.user_a_id, pair.user_b_id) == two
