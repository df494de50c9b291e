"""Bytes that the provider signed: read, or refused by name (BI-07, BI-10, BI-13)."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from unora_billing.domain.errors import EventUnreadable, ProviderUnavailable, SignatureInvalid
from unora_billing.domain.reversals import ReversalKind
from unora_billing.providers.payments import Intent, ProviderEvent, Reversed
from unora_billing.providers.stripe import StripeProvider
from unora_billing.providers.stripe_objects import DISPUTE_EVENTS, FRAUD_EVENTS, PAYMENT_EVENTS, REFUND_EVENTS
from unora_local.sandbox.server import sign

from tests.measures import provider_calls

SECRET, TOLERANCE = "whsec_unit", 300
USED = sorted(PAYMENT_EVENTS | REFUND_EVENTS | DISPUTE_EVENTS | FRAUD_EVENTS | {"charge.refunded"})
INTENT = {"id": "pi_1", "status": "succeeded", "amount": 299, "amount_received": 299, "currency": "usd"}
REFUND = {"id": "re_1", "status": "succeeded", "amount": 100, "currency": "usd", "payment_intent": "pi_1"}

NO_INTENTS: tuple[object, ...] = (None, [], "pi_1", 7, {})


@pytest.fixture(scope="module")
def provider() -> StripeProvider:
    return StripeProvider(
        key="sk_unit",
        webhook_secret=SECRET,
        api_base="http://127.0.0.1:9",
        timeout=1.0,
        tolerance=TOLERANCE,
        calls=provider_calls("stripe"),
    )


def read(provider: StripeProvider, body: bytes, at: int | None = None) -> ProviderEvent:
    return provider.read(body, sign(body, SECRET, at))


def event(kind: str, subject: object) -> bytes:
    return json.dumps({"id": "evt_1", "type": kind, "data": {"object": subject}}).encode()


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"id":"evt_1","type":"x","data":[{"a":'])
def test_deep_json_is_refused_by_name(provider: StripeProvider, opening: bytes) -> None:
    with pytest.raises(EventUnreadable):
        read(provider, opening * 10_000)
    closing = b"]" if opening == b"[" else b"}"
    with pytest.raises(EventUnreadable):
        read(provider, opening * 10_000 + b"1" + closing * 10_000)


@pytest.mark.rule("BI-07")
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"1", b'"evt_1"', b"[]", b"{}", b"NaN", b"{,}", b"\xef\xbb\xbf{}", b'{"id":NaN}'),
        b'{"id":"evt_1"}',
        b'{"id":1,"type":"a.b","data":{}}',
        b'{"id":"evt_1","type":["payment_intent.succeeded"],"data":{}}',
        b'{"id":"evt_\\u0000","type":"a.b"}',
        b'{"id":"evt_\\ud800","type":"a.b"}',
        b'{"id":"","type":"a.b"}',
        json.dumps({"id": "e" * 256, "type": "a.b"}).encode(),
        *(event("payment_intent.succeeded", INTENT | wrong) for wrong in ({"id": "p\0i"}, {"id": None})),
        *(event("payment_intent.succeeded", subject) for subject in NO_INTENTS),
        *(event("refund.created", REFUND | wrong) for wrong in ({"id": 7}, {"status": "lost"}, {"status": None})),
        event("charge.dispute.closed", REFUND | {"status": "succeeded"}),
        event("charge.refunded", {"payment_intent": "pi_1"}),
    ],
)
def test_signed_bytes_that_are_no_event_are_refused_by_name(provider: StripeProvider, body: bytes) -> None:
    with pytest.raises(EventUnreadable):
        read(provider, body)


@pytest.mark.rule("BI-07")
def test_a_signature_of_the_future_is_refused(provider: StripeProvider) -> None:
    body = event("payment_intent.succeeded", INTENT)
    now = int(time.time())
    for ahead in (TOLERANCE + 60, 86_400, 10**12):
        with pytest.raises(SignatureInvalid):
            read(provider, body, now + ahead)
    assert read(provider, body, now + TOLERANCE - 60).id == "evt_1"  # clocks differ a little
    with pytest.raises(SignatureInvalid):
        provider.read(body, sign(body, SECRET, now + 86_400).replace("t=", "t=1,t="))
    assert provider.read(body, sign(body, SECRET, now).replace(",", "=x,", 1)).id == "evt_1"


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize("amount", [298.0, 299.0, 299.5, True, "299", None, [299], -299, 2**63, 10**40])
def test_what_is_no_whole_number_is_no_amount(provider: StripeProvider, amount: object) -> None:
    told = read(provider, event("payment_intent.succeeded", INTENT | {"amount_received": amount})).about
    assert isinstance(told, Intent)
    assert told.received is None
    refunded = read(provider, event("refund.created", REFUND | {"amount": amount})).about
    assert isinstance(refunded, Reversed)
    assert refunded.notice is not None
    assert refunded.notice.amount is None


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize("currency", ["", "us", "dollars", 1, None, ["usd"], "u$d", "ußd"])
def test_what_is_no_currency_is_none(provider: StripeProvider, currency: object) -> None:
    told = read(provider, event("payment_intent.succeeded", INTENT | {"currency": currency})).about
    assert isinstance(told, Intent)
    assert told.currency == ""


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize(
    ("kind", "status", "means"),
    [
        ("refund.created", "pending", ReversalKind.REFUNDED),
        ("refund.updated", "succeeded", ReversalKind.REFUNDED),
        ("charge.refund.updated", "canceled", ReversalKind.REFUND_FAILED),
        ("refund.failed", "failed", ReversalKind.REFUND_FAILED),
        ("charge.dispute.created", "warning_needs_response", ReversalKind.INQUIRY_OPENED),
        ("charge.dispute.closed", "warning_closed", ReversalKind.INQUIRY_CLOSED),
        ("charge.dispute.created", "needs_response", ReversalKind.DISPUTE_OPENED),
        ("charge.dispute.updated", "under_review", ReversalKind.DISPUTE_OPENED),
        ("charge.dispute.closed", "won", ReversalKind.DISPUTE_WON),
        ("charge.dispute.closed", "lost", ReversalKind.DISPUTE_LOST),
    ],
)
def test_each_state_of_the_provider_has_its_kind(
    provider: StripeProvider, kind: str, status: str, means: ReversalKind
) -> None:
    for intent in ("pi_1", {"id": "pi_1"}):  # by its id, or expanded
        told = read(provider, event(kind, REFUND | {"status": status, "payment_intent": intent})).about
        assert isinstance(told, Reversed)
        assert told.intent_id == "pi_1"
        assert told.notice is not None
        assert (told.notice.kind, told.notice.amount) == (means, 100)


@pytest.mark.rule("BI-13")
@pytest.mark.parametrize("kind", ["customer.created", "payment_intent.created", "charge.succeeded", "a.b"])
def test_a_kind_that_billing_does_not_use_has_an_id_and_nothing_else(provider: StripeProvider, kind: str) -> None:
    for subject in ({}, None, REFUND, "x"):
        assert read(provider, event(kind, subject)) == ProviderEvent("evt_1", kind, None)


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize("code", ["resource_missing", "lock_timeout", None])
async def test_only_a_charge_that_the_provider_does_not_know_is_unknown(
    provider: StripeProvider, monkeypatch: pytest.MonkeyPatch, code: str | None
) -> None:
    """Any other refusal says nothing about the charge, so its event is told again and not noted as unknown."""

    async def refuses(_: str) -> None:
        raise stripe.InvalidRequestError("refused", None, code=code)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(provider, "retrieve", refuses)
    if code == "resource_missing":
        assert await provider.find("pi_1") is None
    else:
        with pytest.raises(ProviderUnavailable):
            await provider.find("pi_1")


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["pi_1", "usd", "won", "failed"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("id", "status", "amount", "amount_received", "currency", "payment_intent", "metadata", "payment_method")
SUBJECTS = st.fixed_dictionaries(
    {}, optional={name: ANYTHING | st.sampled_from([INTENT, REFUND, "pi_1", "succeeded", 299]) for name in FIELDS}
)


@pytest.mark.rule("BI-07", "BI-10", "BI-13")
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": ANYTHING | st.just("evt_1"),
            "type": st.sampled_from(USED) | ANYTHING,
            "data": st.fixed_dictionaries({"object": SUBJECTS | ANYTHING}) | ANYTHING,
        },
    )
    | ANYTHING
)
def test_any_signed_json_is_an_event_or_refused_by_name(provider: StripeProvider, found: object) -> None:
    body = json.dumps(found).encode()
    try:
        told = read(provider, body)
    except (EventUnreadable, SignatureInvalid):
        return
    for text in (told.id, told.kind):
        text.encode()
        assert "\0" not in text


@pytest.mark.rule("BI-07")
@given(st.binary(max_size=200))
def test_any_signed_bytes_are_an_event_or_refused_by_name(provider: StripeProvider, body: bytes) -> None:
    with suppress(EventUnreadable, SignatureInvalid):
        read(provider, body)
