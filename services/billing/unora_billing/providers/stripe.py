"""The payment provider Stripe, through its own client."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import msgspec
from unora_common.provider_calls import ProviderCalls

from unora_billing.domain.errors import EventUnreadable, ProviderUnavailable, SignatureInvalid
from unora_billing.domain.policy import CURRENCY
from unora_billing.domain.reversals import Notice
from unora_billing.providers import stripe_objects
from unora_billing.providers.payments import Charge, ChargeRefused, Intent, ProviderEvent, RefundRefused
from unora_billing.providers.stripe_library import stripe
from unora_billing.providers.stripe_objects import Unreadable

MOST_REFUNDS = 100
"""The most that Stripe lists at once; a payment of ours has few."""


class StripeProvider:
    """One client per process, with its own connections."""

    def __init__(
        self, *, key: str, webhook_secret: str, api_base: str, timeout: float, tolerance: int, calls: ProviderCalls
    ) -> None:
        self._http = _Http(timeout, calls)
        self._client = stripe.StripeClient(
            key, base_addresses={"api": api_base}, http_client=self._http, max_network_retries=1
        )
        self._secret = webhook_secret
        self._tolerance = tolerance

    async def customer(self, user_id: UUID) -> str:
        """Created once, with the member's id, which is all that the provider learns about the member here."""
        made = await self._answer(
            lambda: self._client.v1.customers.create_async(
                {"metadata": {"user_id": str(user_id)}}, {"idempotency_key": f"customer-{user_id}"}
            )
        )
        return str(made.id)

    async def charge(self, charge: Charge) -> Intent:
        """BI-08: the payment's id is the idempotency key."""
        parameters: dict[str, Any] = {
            "amount": charge.amount,
            "currency": CURRENCY.lower(),
            "metadata": {"payment_id": str(charge.payment_id)},
        }
        if charge.customer:
            parameters["customer"] = charge.customer
        if charge.method:
            parameters |= {"payment_method": charge.method, "off_session": True, "confirm": True}
            # Without this, Stripe refuses it: a redirect needs a page to return to, and no member is present.
            parameters["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}
        elif charge.customer:
            parameters["setup_future_usage"] = "off_session"
        options: Any = {"idempotency_key": str(charge.payment_id)}
        try:
            made = await self._answer(lambda: self._client.v1.payment_intents.create_async(parameters, options))  # type: ignore[arg-type]
        except stripe.CardError as declined:
            return _intent(_declined(declined))
        except stripe.InvalidRequestError as refused:
            raise ChargeRefused(refused.code or "") from refused
        return _intent(made)

    async def retrieve(self, intent_id: str) -> Intent:
        """The payment as it is now."""
        return _intent(await self._answer(lambda: self._client.v1.payment_intents.retrieve_async(intent_id)))

    async def find(self, intent_id: str) -> Intent | None:
        """The payment as it is now, or None. Any other refusal says nothing about the payment."""
        try:
            return await self.retrieve(intent_id)
        except stripe.InvalidRequestError as refused:
            if refused.code == "resource_missing":
                return None
            raise ProviderUnavailable from refused

    async def refund(self, intent_id: str, amount: int | None, key: str) -> None:
        """Stripe refuses what would be more than it took: then all of it is on its way back already."""
        parameters: Any = {"payment_intent": intent_id} | ({} if amount is None else {"amount": amount})
        try:
            await self._answer(lambda: self._client.v1.refunds.create_async(parameters, {"idempotency_key": key}))
        except (stripe.CardError, stripe.InvalidRequestError) as refused:
            if refused.code != "charge_already_refunded":
                raise RefundRefused(refused.code or "") from refused

    async def refunds(self, intent_id: str) -> list[Notice]:
        """All refunds of a payment."""
        asked: Any = {"payment_intent": intent_id, "limit": MOST_REFUNDS}
        listed = await self._answer(lambda: self._client.v1.refunds.list_async(asked))
        try:
            return [stripe_objects.refund(each) for each in listed.data]
        except Unreadable as error:
            raise ProviderUnavailable from error

    async def cancel(self, intent_id: str) -> Intent:
        """If Stripe refuses, because it is too late to cancel the payment, returns the payment as it is now."""
        try:
            return _intent(await self._answer(lambda: self._client.v1.payment_intents.cancel_async(intent_id)))
        except stripe.InvalidRequestError:
            return await self.retrieve(intent_id)

    def read(self, body: bytes, signature: str) -> ProviderEvent:
        """BI-07: the signature covers the raw bytes, so it is checked before anything is parsed."""
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._secret, self._tolerance)
        except (stripe.SignatureVerificationError, ValueError, TypeError):
            raise SignatureInvalid from None
        if _signed_at(signature) > time.time() + self._tolerance:
            # Stripe's library accepts any time in the future. It reads the machine's clock too.
            raise SignatureInvalid
        try:
            return stripe_objects.event(msgspec.json.decode(body))
        except (msgspec.MsgspecError, RecursionError, UnicodeError, Unreadable):
            raise EventUnreadable from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def _answer(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Errors of the card or of the request are raised as they are; all others as ProviderUnavailable."""
        try:
            return await call()
        except (stripe.CardError, stripe.InvalidRequestError):
            raise
        except stripe.StripeError as error:
            raise ProviderUnavailable from error


class _Http(stripe.HTTPXClient):
    """The HTTP client of Stripe's library, which measures each request, repeats among them."""

    def __init__(self, timeout: float, calls: ProviderCalls) -> None:
        super().__init__(timeout=timeout)
        self._calls = calls

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request: the body of its answer, its status, its headers."""
        with self._calls.call(method.upper(), url) as call:
            answer = await super().request_async(method, url, headers, post_data)
            call.answered(answer[1])
            return answer


def _declined(error: stripe.CardError) -> Any:
    """The payment that a declined renewal left at the provider."""
    body: Any = error.json_body
    return body["error"]["payment_intent"]


def _signed_at(signature: str) -> int:
    """The first time of a header that was verified, which is the one that the signature covers."""
    parts = (part.split("=", 2) for part in signature.split(","))
    return next(int(part[1]) for part in parts if part[0] == "t")


def _intent(found: Any) -> Intent:
    """A payment as the provider answered. Raises ProviderUnavailable if the answer is no payment."""
    try:
        return stripe_objects.intent(found)
    except Unreadable as error:
        raise ProviderUnavailable from error
