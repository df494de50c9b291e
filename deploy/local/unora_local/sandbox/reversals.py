"""Refunds, disputes and warnings of fraud in the sandbox (BI-10), with the events that the provider sends of each."""

from __future__ import annotations

import secrets
import time
from typing import Any

from unora_local.sandbox.store import ApiError, Json, SandboxStore

CLOSINGS = {"needs_response": ("won", "lost"), "warning_needs_response": ("warning_closed",)}
"""How a dispute, or a bank's question before one, may end."""


class Reversals:
    """What happens to the money of paid intents."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    def refund(self, intent_id: str, amount: int | None = None) -> Json:
        """Gives back an amount, or all that is left. Refuses more than is left, as the provider does."""
        intent = self._paid(intent_id)
        left = intent["amount_received"] - self.refunded(intent_id)
        if left <= 0:
            raise ApiError(400, "invalid_request_error", "charge_already_refunded")
        given = left if amount is None else amount
        if not 0 < given <= left:
            raise ApiError(400, "invalid_request_error", "amount_too_large", param="amount")
        made = _object("re", "refund", intent, given, "succeeded")
        charge = {
            "id": intent["latest_charge"],
            "object": "charge",
            "payment_intent": intent_id,
            "amount": intent["amount_received"],
            "amount_refunded": self.refunded(intent_id) + given,
            "currency": intent["currency"],
        }
        return self._store.save_reversal(made, ("refund.created", made), ("charge.refunded", charge))

    def fail_refund(self, refund_id: str) -> Json:
        """The payer's bank does not take the money of a refund."""
        failed = self._find(refund_id) | {"status": "failed"}
        return self._store.save_reversal(failed, ("refund.failed", failed))

    def dispute(self, intent_id: str, amount: int | None = None, *, inquiry: bool = False) -> Json:
        """The payer's bank takes the money back, or only asks (`inquiry`)."""
        intent = self._paid(intent_id)
        status = "warning_needs_response" if inquiry else "needs_response"
        made = _object("dp", "dispute", intent, amount or intent["amount_received"], status)
        return self._store.save_reversal(made, ("charge.dispute.created", made))

    def close_dispute(self, dispute_id: str, status: str) -> Json:
        """Closes a dispute: `won`, `lost`, or `warning_closed` for an inquiry."""
        found = self._find(dispute_id)
        if status not in CLOSINGS.get(found["status"], ()):
            raise ApiError(400, "invalid_request_error", "dispute_unexpected_state")
        closed = found | {"status": status}
        return self._store.save_reversal(closed, ("charge.dispute.closed", closed))

    def warn(self, intent_id: str) -> Json:
        """A card's issuer thinks that the payment was a fraud."""
        made = _object("issfr", "radar.early_fraud_warning", self._paid(intent_id), 0, "")
        made = {name: made[name] for name in ("id", "object", "charge", "payment_intent", "created")}
        made |= {"actionable": True, "fraud_type": "unauthorized_use_of_card"}
        return self._store.save_reversal(made, ("radar.early_fraud_warning.created", made))

    def refunds(self, intent_id: str) -> Json:
        """The list of an intent's refunds, the newest first."""
        found = [
            each for each in self._store.reversals if (each["object"], each["payment_intent"]) == ("refund", intent_id)
        ]
        return {"object": "list", "data": found[::-1], "has_more": False, "url": "/v1/refunds"}

    def refunded(self, intent_id: str) -> int:
        """The sum of an intent's refunds that did not fail."""
        return sum(each["amount"] for each in self.refunds(intent_id)["data"] if each["status"] != "failed")

    def _paid(self, intent_id: str) -> Json:
        intent = self._store.find(intent_id)
        if intent["status"] != "succeeded":
            raise ApiError(400, "invalid_request_error", "payment_intent_unexpected_state")
        return intent

    def _find(self, identifier: str) -> Json:
        for each in self._store.reversals:
            if each["id"] == identifier:
                return dict(each)
        raise ApiError(404, "invalid_request_error", "resource_missing")


def _object(prefix: str, kind: str, intent: Json, amount: int, status: str) -> dict[str, Any]:
    return {
        "id": f"{prefix}_{secrets.token_hex(12)}",
        "object": kind,
        "amount": amount,
        "charge": intent["latest_charge"],
        "created": int(time.time()),
        "currency": intent["currency"],
        "payment_intent": intent["id"],
        "status": status,
    }
