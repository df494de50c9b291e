"""BillingService and WebhookService: proto to use cases and back."""

from __future__ import annotations

from google.api.httpbody_pb2 import HttpBody
from unora.billing.v1.billing_service_pb2 import (
    CancelSubscriptionRequest,
    CancelSubscriptionResponse,
    CreatePaymentRequest,
    CreatePaymentResponse,
    GetCreditsRequest,
    GetCreditsResponse,
    GetPaymentRequest,
    GetPaymentResponse,
    GetSubscriptionRequest,
    GetSubscriptionResponse,
    ListCreditEntriesRequest,
    ListCreditEntriesResponse,
    ListPaymentsRequest,
    ListPaymentsResponse,
    ListPlansRequest,
    ListPlansResponse,
    SubscribeRequest,
    SubscribeResponse,
)
from unora.billing.v1.webhook_service_pb2 import ReceiveProviderEventResponse
from unora_common.call import Call
from unora_common.errors import Unavailable
from unora_common.service import App

from unora_billing.config import BillingConfig


class Billing:
    """Money and credits, for members."""

    service = "unora.billing.v1.BillingService"

    def __init__(self, app: App[BillingConfig]) -> None:
        self.app = app

    async def ListPlans(self, request: ListPlansRequest, call: Call) -> ListPlansResponse:
        """Not open yet."""
        raise Unavailable

    async def GetSubscription(self, request: GetSubscriptionRequest, call: Call) -> GetSubscriptionResponse:
        """Not open yet."""
        raise Unavailable

    async def Subscribe(self, request: SubscribeRequest, call: Call) -> SubscribeResponse:
        """Not open yet."""
        raise Unavailable

    async def CancelSubscription(self, request: CancelSubscriptionRequest, call: Call) -> CancelSubscriptionResponse:
        """Not open yet."""
        raise Unavailable

    async def CreatePayment(self, request: CreatePaymentRequest, call: Call) -> CreatePaymentResponse:
        """Not open yet."""
        raise Unavailable

    async def GetPayment(self, request: GetPaymentRequest, call: Call) -> GetPaymentResponse:
        """Not open yet."""
        raise Unavailable

    async def ListPayments(self, request: ListPaymentsRequest, call: Call) -> ListPaymentsResponse:
        """Not open yet."""
        raise Unavailable

    async def GetCredits(self, request: GetCreditsRequest, call: Call) -> GetCreditsResponse:
        """Not open yet."""
        raise Unavailable

    async def ListCreditEntries(self, request: ListCreditEntriesRequest, call: Call) -> ListCreditEntriesResponse:
        """Not open yet."""
        raise Unavailable


class Webhooks:
    """The provider's events."""

    service = "unora.billing.v1.WebhookService"

    def __init__(self, app: App[BillingConfig]) -> None:
        self.app = app

    async def ReceiveProviderEvent(self, request: HttpBody, call: Call) -> ReceiveProviderEventResponse:
        """Not open yet."""
        raise Unavailable
