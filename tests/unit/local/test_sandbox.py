"""The records of the payment provider's stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest
import stripe
from unora_local.sandbox.server import sign
from unora_local.sandbox.store import ApiError, SandboxStore


def intent(store: SandboxStore) -> str:
    return str(store.create_intent({"amount": "299", "currency": "usd", "metadata": {"payment_id": "x"}})["id"])


@pytest.mark.rule("BI-07")
def test_charges_events_and_answers_survive_a_restart(tmp_path: Path) -> None:
    first = SandboxStore(tmp_path / "store.json")
    identifier = intent(first)
    first.confirm(identifier, "pm_card_visa")
    first.store_answer("key", "print", 200, {"id": identifier})
    second = SandboxStore(tmp_path / "store.json")
    assert second.find(identifier)["status"] == "succeeded"
    assert second.undelivered == first.undelivered
    assert second.answer("key", "print") == {"fingerprint": "print", "status": 200, "body": {"id": identifier}}
    second.mark_delivered(second.undelivered[0]["id"])
    assert SandboxStore(tmp_path / "store.json").undelivered == []


@pytest.mark.rule("BI-08")
def test_an_idempotency_key_belongs_to_one_request(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "store.json")
    store.store_answer("key", "print", 200, {})
    with pytest.raises(ApiError):
        store.answer("key", "another")


def test_a_charge_without_the_member_must_not_allow_redirects(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "store.json")
    asked = {"amount": "999", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    with pytest.raises(ApiError):
        store.create_intent(asked)
    assert not store.intents
    made = store.create_intent(asked | {"automatic_payment_methods[allow_redirects]": "never"})
    assert made["status"] == "succeeded"


def test_a_paid_or_cancelled_intent_never_changes(tmp_path: Path) -> None:
    store = SandboxStore(tmp_path / "store.json")
    paid, cancelled = intent(store), intent(store)
    store.confirm(paid, "pm_card_visa")
    store.cancel(cancelled)
    for identifier in (paid, cancelled):
        with pytest.raises(ApiError):
            store.cancel(identifier)
        with pytest.raises(ApiError):
            store.confirm(identifier, "pm_card_visa")


@pytest.mark.rule("BI-07")
def test_the_providers_own_client_verifies_the_signature() -> None:
    body = b'{"id": "evt"}'
    assert stripe.WebhookSignature.verify_header(body.decode(), sign(body, "secret"), "secret", 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), sign(body, "other"), "secret", 300)
