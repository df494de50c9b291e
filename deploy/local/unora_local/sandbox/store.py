"""The sandbox's data, in a file, so that a restart loses no charge and no undelivered webhook."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from unora_local.keys import write_private

Json = dict[str, Any]

OPEN: Final = ("requires_payment_method", "requires_confirmation", "requires_action")


class ApiError(Exception):
    """An error of the API: an HTTP status and a body."""

    def __init__(self, status: int, kind: str, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": code, **more}}


class SandboxStore:
    """Payment intents, customers, responses by idempotency key, and events that billing has not accepted yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._in_batch = False
        empty: Json = {"intents": {}, "customers": {}, "answers": {}, "waiting": [], "reversals": {}}
        kept: Json = json.loads(file.read_bytes()) if file.exists() and file.stat().st_size else {}
        self._data: Json = empty | kept

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Changes made inside are written together at the end: a crash keeps all of them or none."""
        self._in_batch = True
        try:
            yield
        finally:
            self._in_batch = False
            self._save()

    @property
    def undelivered(self) -> list[Json]:
        """Events that billing has not accepted yet, the oldest first."""
        return list(self._data["waiting"])

    @property
    def intents(self) -> list[Json]:
        """All payment intents, the oldest first."""
        return list(self._data["intents"].values())

    def mark_delivered(self, event_id: str) -> None:
        """Billing accepted the event."""
        self._data["waiting"] = [event for event in self._data["waiting"] if event["id"] != event_id]
        self._save()

    def answer(self, key: str, fingerprint: str) -> Json | None:
        """The first answer to an idempotency key; refuses one that comes with another request."""
        found: Json | None = self._data["answers"].get(key)
        if found and found["fingerprint"] != fingerprint:
            raise ApiError(400, "idempotency_error", "idempotency_key_in_use")
        return found

    def store_answer(self, key: str, fingerprint: str, status: int, body: Json) -> None:
        """Store the response for a repeated request."""
        self._data["answers"][key] = {"fingerprint": fingerprint, "status": status, "body": body}
        self._save()

    def forget_answers(self) -> None:
        """Forget all idempotency keys, as the provider does after a day."""
        self._data["answers"] = {}
        self._save()

    def create_customer(self, metadata: Json) -> Json:
        """Create a customer."""
        customer = {"id": _id("cus"), "object": "customer", "created": int(time.time()), "metadata": metadata}
        self._data["customers"][customer["id"]] = customer
        self._save()
        return customer

    def create_intent(self, asked: Json) -> Json:
        """Create a payment intent; with `confirm` it is charged at once."""
        amount = _amount(asked.get("amount"))
        customer = asked.get("customer")
        if asked.get("currency") != "usd":
            raise ApiError(400, "invalid_request_error", "parameter_invalid", param="currency")
        if asked.get("confirm") == "true" and asked.get("automatic_payment_methods[allow_redirects]") != "never":
            # The provider refuses this too: a payment method that redirects needs a page to return to.
            raise ApiError(400, "invalid_request_error", "parameter_missing", param="return_url")
        if customer and customer not in self._data["customers"]:
            raise ApiError(400, "invalid_request_error", "resource_missing", param="customer")
        identifier = _id("pi")
        self._data["intents"][identifier] = {
            "id": identifier,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": "usd",
            "client_secret": f"{identifier}_secret_{secrets.token_hex(12)}",
            "created": int(time.time()),
            "customer": customer,
            "livemode": False,
            "metadata": asked.get("metadata", {}),
            "payment_method": None,
            "setup_future_usage": asked.get("setup_future_usage"),
            "status": "requires_payment_method",
        }
        self._save()
        if asked.get("confirm") == "true":
            return self.confirm(identifier, str(asked.get("payment_method")), off_session=True)
        return self.find(identifier)

    def find(self, identifier: str) -> Json:
        """A payment intent as it stands."""
        try:
            found: Json = self._data["intents"][identifier]
        except KeyError:
            raise ApiError(404, "invalid_request_error", "resource_missing", param="intent") from None
        return dict(found)

    def confirm(self, identifier: str, method: str, *, off_session: bool = False) -> Json:
        """Charge, as the member's app does or a renewal without the member; an event says paid or declined."""
        intent = self.find(identifier)
        if intent["status"] not in OPEN:
            raise ApiError(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=intent)
        declined = method == "pm_card_chargeDeclined" or (off_session and method == "pm_card_chargeCustomerFail")
        if not declined and method not in ("pm_card_visa", "pm_card_chargeCustomerFail"):
            raise ApiError(400, "invalid_request_error", "resource_missing", param="payment_method")
        if declined:
            refusal = {"code": "card_declined", "type": "card_error"}
            self._change(intent, "payment_intent.payment_failed", last_payment_error=refusal)
            raise ApiError(402, "card_error", "card_declined", payment_intent=self.find(identifier))
        return self.take(identifier, intent["amount"], method)

    def take(self, identifier: str, amount: int, method: str = "pm_card_visa") -> Json:
        """Takes an amount, which may differ from that of the intent: so a mistake at the provider looks."""
        paid = {"status": "succeeded", "amount_received": amount, "payment_method": method, "latest_charge": _id("ch")}
        return self._change(self.find(identifier), "payment_intent.succeeded", **paid)

    def cancel(self, identifier: str) -> Json:
        """Cancels a payment intent that was not paid."""
        intent = self.find(identifier)
        if intent["status"] not in OPEN:
            raise ApiError(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=intent)
        return self._change(intent, "payment_intent.canceled", status="canceled")

    def _change(self, intent: Json, kind: str, **moved: Any) -> Json:
        """One write for the charge and its event: a crash loses both or neither."""
        after = intent | moved
        self._data["intents"][intent["id"]] = after
        self.tell(kind, after)
        self._save()
        return dict(after)

    @property
    def reversals(self) -> list[Json]:
        """All refunds, disputes and warnings of fraud, the oldest first."""
        return list(self._data["reversals"].values())

    def save_reversal(self, reversal: Json, *events: tuple[str, Json]) -> Json:
        """Stores a refund, a dispute or a warning, and tells it: one write."""
        self._data["reversals"][reversal["id"]] = reversal
        for kind, subject in events:
            self.tell(kind, subject)
        self._save()
        return dict(reversal)

    def tell(self, kind: str, subject: Json) -> None:
        """Adds an event that billing has not accepted yet; the caller writes it."""
        event = {
            "id": _id("evt"),
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": dict(subject)},
        }
        self._data["waiting"].append(event)

    def _save(self) -> None:
        if not self._in_batch:
            write_private(self._file, json.dumps(self._data).encode())


def _amount(text: Any) -> int:
    if not str(text).isdigit() or int(text) < 50:
        raise ApiError(400, "invalid_request_error", "amount_too_small", param="amount")
    return int(text)


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"
