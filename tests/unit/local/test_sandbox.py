"""What the payment provider's stand-in remembers."""

from __future__ import annotations

from pathlib import Path

import pytest
import stripe
from unora_local.sandbox.book import Book, Refused
from unora_local.sandbox.server import sign


def intent(book: Book) -> str:
    return str(book.make_intent({"amount": "299", "currency": "usd", "metadata": {"payment_id": "x"}})["id"])


@pytest.mark.rule("BI-07")
def test_a_restart_forgets_neither_a_charge_nor_an_event_nor_an_answer(tmp_path: Path) -> None:
    first = Book(tmp_path / "book.json")
    identifier = intent(first)
    first.confirm(identifier, "pm_card_visa")
    first.keep_answer("key", "print", 200, {"id": identifier})
    second = Book(tmp_path / "book.json")
    assert second.find(identifier)["status"] == "succeeded"
    assert second.waiting == first.waiting
    assert second.answer("key", "print") == {"fingerprint": "print", "status": 200, "body": {"id": identifier}}
    second.taken(second.waiting[0]["id"])
    assert Book(tmp_path / "book.json").waiting == []


@pytest.mark.rule("BI-08")
def test_an_idempotency_key_is_good_for_one_request(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.json")
    book.keep_answer("key", "print", 200, {})
    with pytest.raises(Refused):
        book.answer("key", "another")


def test_what_is_charged_without_the_member_leads_them_nowhere(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.json")
    asked = {"amount": "999", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
    with pytest.raises(Refused):
        book.make_intent(asked)
    assert not book.intents
    made = book.make_intent(asked | {"automatic_payment_methods[allow_redirects]": "never"})
    assert made["status"] == "succeeded"


def test_what_is_paid_or_cancelled_stays_so(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.json")
    paid, cancelled = intent(book), intent(book)
    book.confirm(paid, "pm_card_visa")
    book.cancel(cancelled)
    for identifier in (paid, cancelled):
        with pytest.raises(Refused):
            book.cancel(identifier)
        with pytest.raises(Refused):
            book.confirm(identifier, "pm_card_visa")


@pytest.mark.rule("BI-07")
def test_its_signature_is_the_one_that_the_providers_own_client_verifies() -> None:
    body = b'{"id": "evt"}'
    assert stripe.WebhookSignature.verify_header(body.decode(), sign(body, "secret"), "secret", 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(body.decode(), sign(body, "other"), "secret", 300)
