"""What the sandbox knows, in a file, so that a restart forgets neither a charge nor a webhook that was not taken."""

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


class Refused(Exception):
    """An error as the API gives it: an HTTP status and a body."""

    def __init__(self, status: int, kind: str, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": code, **more}}


class Book:
    """Payment intents, customers, answers by idempotency key, and the events that billing has still to take."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._put_off = False
        empty: Json = {"intents": {}, "customers": {}, "answers": {}, "waiting": []}
        self._kept: Json = json.loads(file.read_bytes()) if file.exists() and file.stat().st_size else empty

    @contextmanager
    def one_write(self) -> Iterator[None]:
        """What is changed inside is written at the end, together: a crash keeps all of it or nothing."""
        self._put_off = True
        try:
            yield
        finally:
            self._put_off = False
            self._keep()

    @property
    def waiting(self) -> list[Json]:
        """Events that were not taken, the oldest first."""
        return list(self._kept["waiting"])

    @property
    def intents(self) -> list[Json]:
        """All payment intents, the oldest first."""
        return list(self._kept["intents"].values())

    def taken(self, event_id: str) -> None:
        """Billing took the event."""
        self._kept["waiting"] = [event for event in self._kept["waiting"] if event["id"] != event_id]
        self._keep()

    def answer(self, key: str, fingerprint: str) -> Json | None:
        """The first answer to an idempotency key; refuses one that comes with another request."""
        found: Json | None = self._kept["answers"].get(key)
        if found and found["fingerprint"] != fingerprint:
            raise Refused(400, "idempotency_error", "idempotency_key_in_use")
        return found

    def keep_answer(self, key: str, fingerprint: str, status: int, body: Json) -> None:
        """For repeats."""
        self._kept["answers"][key] = {"fingerprint": fingerprint, "status": status, "body": body}
        self._keep()

    def forget_answers(self) -> None:
        """As the provider does, which knows a repeat by its key for a day."""
        self._kept["answers"] = {}
        self._keep()

    def make_customer(self, metadata: Json) -> Json:
        """A customer."""
        customer = {"id": _id("cus"), "object": "customer", "created": int(time.time()), "metadata": metadata}
        self._kept["customers"][customer["id"]] = customer
        self._keep()
        return customer

    def make_intent(self, asked: Json) -> Json:
        """A payment intent; with `confirm` it is charged at once."""
        amount = _amount(asked.get("amount"))
        customer = asked.get("customer")
        if asked.get("currency") != "usd":
            raise Refused(400, "invalid_request_error", "parameter_invalid", param="currency")
        if asked.get("confirm") == "true" and asked.get("automatic_payment_methods[allow_redirects]") != "never":
            # Dashboards offer methods that lead elsewhere to be confirmed, and nobody is there to be led.
            raise Refused(400, "invalid_request_error", "parameter_missing", param="return_url")
        if customer and customer not in self._kept["customers"]:
            raise Refused(400, "invalid_request_error", "resource_missing", param="customer")
        identifier = _id("pi")
        self._kept["intents"][identifier] = {
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
        self._keep()
        if asked.get("confirm") == "true":
            return self.confirm(identifier, str(asked.get("payment_method")), off_session=True)
        return self.find(identifier)

    def find(self, identifier: str) -> Json:
        """A payment intent as it stands."""
        try:
            found: Json = self._kept["intents"][identifier]
        except KeyError:
            raise Refused(404, "invalid_request_error", "resource_missing", param="intent") from None
        return dict(found)

    def confirm(self, identifier: str, method: str, *, off_session: bool = False) -> Json:
        """What the member's app does, or a renewal without the member. Pays or declines, and says so by an event."""
        intent = self.find(identifier)
        if intent["status"] not in OPEN:
            raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=intent)
        declined = method == "pm_card_chargeDeclined" or (off_session and method == "pm_card_chargeCustomerFail")
        if not declined and method not in ("pm_card_visa", "pm_card_chargeCustomerFail"):
            raise Refused(400, "invalid_request_error", "resource_missing", param="payment_method")
        if declined:
            refusal = {"code": "card_declined", "type": "card_error"}
            self._change(intent, "payment_intent.payment_failed", last_payment_error=refusal)
            raise Refused(402, "card_error", "card_declined", payment_intent=self.find(identifier))
        paid = {"status": "succeeded", "amount_received": intent["amount"], "payment_method": method}
        return self._change(intent, "payment_intent.succeeded", **paid)

    def cancel(self, identifier: str) -> Json:
        """Cancels a payment intent that was not paid."""
        intent = self.find(identifier)
        if intent["status"] not in OPEN:
            raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state", payment_intent=intent)
        return self._change(intent, "payment_intent.canceled", status="canceled")

    def _change(self, intent: Json, kind: str, **moved: Any) -> Json:
        """One write for the charge and its event: a crash loses both or neither."""
        after = intent | moved
        self._kept["intents"][intent["id"]] = after
        event = {
            "id": _id("evt"),
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": dict(after)},
        }
        self._kept["waiting"].append(event)
        self._keep()
        return dict(after)

    def _keep(self) -> None:
        if not self._put_off:
            write_private(self._file, json.dumps(self._kept).encode())


def _amount(text: Any) -> int:
    if not str(text).isdigit() or int(text) < 50:
        raise Refused(400, "invalid_request_error", "amount_too_small", param="amount")
    return int(text)


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"
