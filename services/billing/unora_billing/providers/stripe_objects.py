"""What Stripe's objects mean to billing: pure functions on what JSON or Stripe's client gives.

Nothing is believed: a field may be missing or of any type. Ids go into the database, so they are short and plain; what
is no whole number is no amount. Raises Unreadable for an object that billing cannot use.
"""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID

from unora_billing.domain.policy import CURRENCY
from unora_billing.domain.reversals import Notice, ReversalKind
from unora_billing.providers.payments import Intent, IntentStatus, ProviderEvent, Reversed

IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.-]{1,255}")
CURRENCIES: Final = re.compile(r"[A-Za-z]{3}")
MAX_BIGINT: Final = 2**63 - 1

STATUSES: Final = {"succeeded": IntentStatus.PAID, "canceled": IntentStatus.CANCELLED}
REFUNDS: Final = {
    "pending": ReversalKind.REFUNDED,
    "requires_action": ReversalKind.REFUNDED,
    "succeeded": ReversalKind.REFUNDED,
    "failed": ReversalKind.REFUND_FAILED,
    "canceled": ReversalKind.REFUND_FAILED,
}
"""A refund that is on its way counts: its money must not become credits besides."""
DISPUTES: Final = {
    "warning_needs_response": ReversalKind.INQUIRY_OPENED,
    "warning_under_review": ReversalKind.INQUIRY_OPENED,
    "warning_closed": ReversalKind.INQUIRY_CLOSED,
    "prevented": ReversalKind.INQUIRY_CLOSED,
    "needs_response": ReversalKind.DISPUTE_OPENED,
    "under_review": ReversalKind.DISPUTE_OPENED,
    "won": ReversalKind.DISPUTE_WON,
    "lost": ReversalKind.DISPUTE_LOST,
}
"""A prevented dispute was answered by a refund, which is told by itself."""

PAYMENT_EVENTS: Final = frozenset(
    {"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"}
)
REFUND_EVENTS: Final = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
DISPUTE_EVENTS: Final = frozenset(
    f"charge.dispute.{what}" for what in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
)
FRAUD_EVENTS: Final = frozenset({"radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"})


class Unreadable(Exception):
    """The object has not the form that Stripe documents."""


def event(found: Any) -> ProviderEvent:
    """A webhook's content. Kinds that billing does not use are told by `about` being None (BI-13)."""
    if not isinstance(found, dict):
        raise Unreadable
    event_id, kind = _identifier(found.get("id")), _identifier(found.get("type"))
    subject = get(found.get("data"), "object")
    return ProviderEvent(event_id, kind, _about(kind, subject))


def _about(kind: str, subject: Any) -> Intent | Reversed | None:
    if kind in PAYMENT_EVENTS:
        return intent(subject)
    if kind in REFUND_EVENTS:
        return Reversed(_intent_of(subject), refund(subject))
    if kind in DISPUTE_EVENTS:
        return Reversed(_intent_of(subject), _reversal(subject, DISPUTES))
    if kind in FRAUD_EVENTS:
        warning = Notice(_identifier(get(subject, "id")), ReversalKind.FRAUD_WARNED, 0, CURRENCY)
        return Reversed(_intent_of(subject), warning)
    if kind == "charge.refunded":  # it tells the sum of all refunds, and not which
        _identifier(get(subject, "id"))
        return Reversed(_intent_of(subject), None)
    return None


def intent(found: Any) -> Intent:
    """A payment."""
    payment_id = get(get(found, "metadata"), "payment_id")
    return Intent(
        id=_identifier(get(found, "id")),
        status=STATUSES.get(_text(get(found, "status")), IntentStatus.OPEN),
        currency=_currency(found),
        received=_amount(get(found, "amount_received")),
        payment_id=_uuid(payment_id),
        method=_text(get(found, "payment_method")),
        client_secret=_text(get(found, "client_secret")),
    )


def refund(found: Any) -> Notice:
    """A refund."""
    return _reversal(found, REFUNDS)


def get(found: Any, name: str) -> Any:
    """A field of a dictionary, or of an object of the client, which has no `get`; None if it is missing."""
    if isinstance(found, (str, bytes, list)):
        return None
    try:
        return found[name]
    except (KeyError, TypeError):
        return None


def _reversal(found: Any, kinds: dict[str, ReversalKind]) -> Notice:
    kind = kinds.get(_text(get(found, "status")))
    if kind is None:
        raise Unreadable
    return Notice(_identifier(get(found, "id")), kind, _amount(get(found, "amount")), _currency(found))


def _intent_of(found: Any) -> str:
    """The payment that an object belongs to, by its id or expanded; empty if there is none."""
    named = get(found, "payment_intent")
    named = named if isinstance(named, str) else get(named, "id")
    return _identifier(named) if named is not None else ""


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        raise Unreadable
    return value


def _amount(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= MAX_BIGINT else None


def _currency(found: Any) -> str:
    text = _text(get(found, "currency"))
    return text.upper() if CURRENCIES.fullmatch(text) else ""


def _text(value: Any) -> str:
    """Plain text of moderate length, or nothing."""
    return value if isinstance(value, str) and len(value) <= 1000 and value.isprintable() else ""


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
