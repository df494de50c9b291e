"""Asks the owners of purchases (streak and reveal) whether a payment may be made."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import grpc
from unora.identity.v1.projection_service_pb2 import AccountState, ListAccountStatesRequest
from unora.identity.v1.projection_service_pb2_grpc import ProjectionServiceStub as IdentityStub
from unora.matching.v1.projection_service_pb2 import ConnectionEnding, ListConnectionEndingsRequest
from unora.matching.v1.projection_service_pb2_grpc import ProjectionServiceStub as MatchingStub
from unora.reveal.v1.purchase_service_pb2 import (
    AuthorizePurchaseRequest,
    CheckPurchaseRequest,
    CheckPurchaseResponse,
)
from unora.reveal.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from unora.safety.v1.projection_service_pb2 import ListRestrictionsRequest, MemberRestriction
from unora.safety.v1.projection_service_pb2_grpc import ProjectionServiceStub as SafetyStub
from unora.streak.v1.recovery_service_pb2 import (
    AuthorizeNudgeRequest,
    AuthorizeRecoveryRequest,
    CheckNudgeRequest,
    CheckNudgeResponse,
    CheckRecoveryRequest,
    CheckRecoveryResponse,
)
from unora.streak.v1.recovery_service_pb2_grpc import RecoveryServiceStub
from unora_common.clients import Clients
from unora_common.grpc_errors import read_details
from unora_common.messages import from_timestamp
from unora_common.rebuild_lists import listing

from unora_billing.domain.errors import NotAuthorized
from unora_billing.domain.payments import Order, Payment
from unora_billing.domain.policy import PaymentPurpose

REFUSALS: Final = frozenset(
    {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS}
)
"""The statuses with which an owner refuses a payment. With any other error, it is not known whether it would."""


class Authorizers:
    """The owners of purchases: streak for recoveries and nudges, reveal for reveals."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._recoveries = clients.stub(RecoveryServiceStub, "unora.streak.v1.RecoveryService")
        self._purchases = clients.stub(PurchaseServiceStub, "unora.reveal.v1.PurchaseService")

    async def check(self, payer_id: UUID, order: Order) -> UUID:
        """Asks the owner what it would say to a payment now; returns the connection of the purchase. Nothing is held
        (BI-12). Raises NotAuthorized with the owner's refusal.
        """
        ids = {"streak_id": str(order.streak_id), "payer_id": str(payer_id)}
        answer: CheckRecoveryResponse | CheckNudgeResponse | CheckPurchaseResponse
        try:
            match order.purpose:
                case PaymentPurpose.RECOVERY:
                    answer = await self._clients.call(self._recoveries.CheckRecovery, CheckRecoveryRequest(**ids))
                case PaymentPurpose.NUDGE:
                    answer = await self._clients.call(self._recoveries.CheckNudge, CheckNudgeRequest(**ids))
                case PaymentPurpose.REVEAL:
                    asked = CheckPurchaseRequest(**ids, reveal_number=order.reveal_number or 0)
                    answer = await self._clients.call(self._purchases.CheckPurchase, asked)
                case _:
                    raise AssertionError(f"a {order.purpose} has no owner")
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSALS:
                raise _refusal(error) from error
            raise
        return UUID(answer.connection_id)

    async def authorize(self, payment: Payment) -> UUID:
        """Asks the owner whether the payment may be made now; returns the connection of the purchase. It is safe to
        repeat, since the owner recognises the payment's id. Raises NotAuthorized with the owner's refusal.
        """
        try:
            match payment.purpose:
                case PaymentPurpose.RECOVERY:
                    return await self._authorize_recovery(payment)
                case PaymentPurpose.NUDGE:
                    return await self._authorize_nudge(payment)
                case PaymentPurpose.REVEAL:
                    return await self._authorize_reveal(payment)
                case _:
                    raise AssertionError(f"a {payment.purpose} has no owner")
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSALS:
                raise _refusal(error) from error
            raise

    async def _authorize_recovery(self, payment: Payment) -> UUID:
        request = AuthorizeRecoveryRequest(
            streak_id=str(payment.streak_id), payer_id=str(payment.payer_id), payment_id=str(payment.id)
        )
        response = await self._clients.call(self._recoveries.AuthorizeRecovery, request)
        return UUID(response.connection_id)

    async def _authorize_nudge(self, payment: Payment) -> UUID:
        request = AuthorizeNudgeRequest(
            streak_id=str(payment.streak_id), payer_id=str(payment.payer_id), payment_id=str(payment.id)
        )
        response = await self._clients.call(self._recoveries.AuthorizeNudge, request)
        return UUID(response.connection_id)

    async def _authorize_reveal(self, payment: Payment) -> UUID:
        request = AuthorizePurchaseRequest(
            streak_id=str(payment.streak_id),
            payer_id=str(payment.payer_id),
            reveal_number=payment.reveal_number or 0,
            payment_id=str(payment.id),
        )
        response = await self._clients.call(self._purchases.AuthorizePurchase, request)
        return UUID(response.connection_id)


def _refusal(error: grpc.aio.AioRpcError) -> NotAuthorized:
    info, _, said = read_details(error)
    reason, sentence = str(info.reason) or "NOT_AUTHORIZED", str(said.message) or "This cannot be bought now."
    return NotAuthorized(error.code().name, reason, sentence, dict(info.metadata))


class KnownEnding(NamedTuple):
    """The end of a connection, as matching stores it. Times are UTC."""

    connection_id: UUID
    ended_by_id: UUID
    ended_at: datetime
    acted_at: datetime | None
    """None if matching did not store it yet."""


class KnownAccount(NamedTuple):
    """A member's account, as identity stores it."""

    user_id: UUID
    version: int
    closed_at: datetime | None
    """Since when it is closed or hidden (UTC)."""
    hidden: bool


class Owners:
    """The contexts whose facts billing projects, whole (XX-08)."""

    def __init__(self, clients: Clients) -> None:
        matching = clients.stub(MatchingStub, "unora.matching.v1.ProjectionService")
        safety = clients.stub(SafetyStub, "unora.safety.v1.ProjectionService")
        identity = clients.stub(IdentityStub, "unora.identity.v1.ProjectionService")
        self.list_accounts = listing(
            clients, identity.ListAccountStates, ListAccountStatesRequest, "accounts", from_account_state
        )
        self.list_endings = listing(
            clients, matching.ListConnectionEndings, ListConnectionEndingsRequest, "endings", from_ending
        )
        self.list_standings = listing(
            clients, safety.ListRestrictions, ListRestrictionsRequest, "restrictions", from_restriction
        )


def from_account_state(state: AccountState) -> KnownAccount:
    """A member's account, from identity."""
    since = [from_timestamp(getattr(state, name)) for name in ("closed_at", "hidden_at") if state.HasField(name)]
    return KnownAccount(
        UUID(state.user_id), state.version, since[0] if since else None, hidden=state.HasField("hidden_at")
    )


def from_ending(ending: ConnectionEnding) -> KnownEnding:
    """The end of a connection, from matching."""
    return KnownEnding(
        UUID(ending.connection_id),
        UUID(ending.ended_by_id),
        from_timestamp(ending.ended_at),
        from_timestamp(ending.acted_at) if ending.HasField("acted_at") else None,
    )


def from_restriction(restriction: MemberRestriction) -> tuple[UUID, int, bool]:
    """A member, the version of the standing, and whether they are suspended, from safety."""
    return UUID(restriction.user_id), restriction.version, restriction.suspended
