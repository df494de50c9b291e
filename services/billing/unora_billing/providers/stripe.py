"""The payment provider Stripe, through its own client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import msgspec
import stripe

from unora_billing.domain.errors import ProviderUnavailable, SignatureInvalid
from unora_billing.domain.policy import CURRENCY
from unora_billing.providers.payments import Charge, ChargeRefused, Intent, IntentStatus, ProviderEvent

STATUSES: Final = {"succeeded": IntentStatus.PAID, "canceled": IntentStatus.CANCELLED}
PAYMENT_EVENTS: Final = frozenset(
    {"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"}
)
"""Kinds of events that billing acts on."""


class StripeProvider:
    """One client per process, with its own connections."""

    def __init__(self, *, key: str, webhook_secret: str, api_base: str, timeout: float, tolerance: int) -> None:
        self._http = stripe.HTTPXClient(timeout=timeout)
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
            event = msgspec.json.decode(body)
            kind = str(event["type"])
            subject = event["data"]["object"] if kind in PAYMENT_EVENTS else None
            return ProviderEvent(str(event["id"]), kind, _intent(subject) if subject else None)
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError):
            raise SignatureInvalid from None

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


def _declined(error: stripe.CardError) -> Any:
    """The payment that a declined renewal left at the provider."""
    body: Any = error.json_body
    return body["error"]["payment_intent"]


def _intent(found: Any) -> Intent:
    try:
        payment_id = UUID(_get(_get(found, "metadata"), "payment_id"))
    except (ValueError, TypeError, AttributeError):
        payment_id = None
    return Intent(
        id=str(found["id"]),
        status=STATUSES.get(found["status"], IntentStatus.OPEN),
        amount=int(found["amount"]),
        currency=str(found["currency"]).upper(),
        received=int(found["amount_received"] or 0),
        payment_id=payment_id,
        method=str(_get(found, "payment_method") or ""),
        client_secret=str(_get(found, "client_secret") or ""),
    )


def _get(found: Any, name: str) -> Any:
    """A field of a dictionary, or of an object of the client, which has no `get`."""
    try:
        return found[name]
    except (KeyError, TypeError):
        return None
