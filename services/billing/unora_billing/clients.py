"""What billing asks of the owners of what is paid for."""

from __future__ import annotations

from uuid import UUID

import grpc
from google.rpc import error_details_pb2, status_pb2
from unora.reveal.v1.purchase_service_pb2 import AuthorizePurchaseRequest
from unora.reveal.v1.purchase_service_pb2_grpc import PurchaseServiceStub
from unora.streak.v1.recovery_service_pb2 import (
    AuthorizeNudgeRequest,
    AuthorizeRecoveryRequest,
)
from unora.streak.v1.recovery_service_pb2_grpc import RecoveryServiceStub
from unora_common.clients import Clients
from unora_common.grpc_errors import DETAILS

from unora_billing.domain.errors import NotAuthorized
from unora_billing.domain.payments import Payment
from unora_billing.domain.policy import Purpose

REFUSALS = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ALREADY_EXISTS}
"""What an owner says no with; everything else is a failure to ask."""


class Owners:
    """Streak for recoveries and nudges, reveal for reveals."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._recoveries = clients.stub(RecoveryServiceStub, "unora.streak.v1.RecoveryService")
        self._purchases = clients.stub(PurchaseServiceStub, "unora.reveal.v1.PurchaseService")

    async def authorize(self, payment: Payment) -> UUID:
        """Asks whether the thing may be paid for now; returns its connection. Safe to repeat: the owner knows the
        payment. Raises NotAuthorized with the owner's own words.
        """
        try:
            match payment.purpose:
                case Purpose.RECOVERY:
                    return await self._recovery(payment)
                case Purpose.NUDGE:
                    return await self._nudge(payment)
                case Purpose.REVEAL:
                    return await self._reveal(payment)
                case _:
                    raise AssertionError(f"nobody owns a {payment.purpose}")
        except grpc.aio.AioRpcError as error:
            if error.code() in REFUSALS:
                raise _refusal(error) from error
            raise

    async def _recovery(self, payment: Payment) -> UUID:
        request = AuthorizeRecoveryRequest(
            streak_id=str(payment.streak_id), payer_id=str(payment.payer_id), payment_id=str(payment.id)
        )
        answer = await self._clients.call(self._recoveries.AuthorizeRecovery, request)
        return UUID(answer.connection_id)

    async def _nudge(self, payment: Payment) -> UUID:
        request = AuthorizeNudgeRequest(
            streak_id=str(payment.streak_id), payer_id=str(payment.payer_id), payment_id=str(payment.id)
        )
        answer = await self._clients.call(self._recoveries.AuthorizeNudge, request)
        return UUID(answer.connection_id)

    async def _reveal(self, payment: Payment) -> UUID:
        request = AuthorizePurchaseRequest(
            streak_id=str(payment.streak_id),
            payer_id=str(payment.payer_id),
            reveal_number=payment.reveal_number or 0,
            payment_id=str(payment.id),
        )
        answer = await self._clients.call(self._purchases.AuthorizePurchase, request)
        return UUID(answer.connection_id)


def _refusal(error: grpc.aio.AioRpcError) -> NotAuthorized:
    info = error_details_pb2.ErrorInfo(reason="NOT_AUTHORIZED")
    for pair in error.trailing_metadata():
        key, value = tuple(pair)
        if key == DETAILS:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
    return NotAuthorized(error.code().name, str(info.reason), dict(info.metadata))
