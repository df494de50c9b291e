"""BI-12: what something would cost, and whether a payment still costs what its member agreed to."""

from __future__ import annotations

from dataclasses import dataclass

from unora_billing.domain.errors import BillingError, CreditsInsufficient, QuoteChanged
from unora_billing.domain.payments import Order, Payment, PaymentMethod


@dataclass(frozen=True, slots=True)
class QuoteAnswer:
    """What a member is told about a purchase."""

    price: int
    """Minor units, without a free one."""
    free_left: int
    method: PaymentMethod | None
    """What it would be paid with; None if it is not for sale."""
    refusal: BillingError | None
    """Why it is not for sale; None if it is."""

    @property
    def amount(self) -> int:
        """What would be paid, of money or credits."""
        return 0 if self.method in (None, PaymentMethod.FREE) else self.price


def quote(method: PaymentMethod, price: int, free_left: int, balance: int) -> QuoteAnswer:
    """What a purchase that its owner allows would cost: a free one goes first (BI-06)."""
    if free_left > 0:
        return QuoteAnswer(price, free_left, PaymentMethod.FREE, None)
    if method is PaymentMethod.CREDITS and balance < price:
        return not_for_sale(price, CreditsInsufficient(balance=balance, amount=price))
    return QuoteAnswer(price, 0, method, None)


def not_for_sale(price: int, refusal: BillingError) -> QuoteAnswer:
    """A purchase that would be refused."""
    return QuoteAnswer(price, 0, None, refusal)


def require_quoted(order: Order, price: int) -> None:
    """Raises QuoteChanged if the order carries a quote that is not of this price or this order."""
    if order.quote is None:
        return
    is_free = order.quote.method is PaymentMethod.FREE
    if is_free and not order.purpose.can_be_free:
        raise QuoteChanged
    amount = 0 if is_free else price
    if order.quote.amount != amount or order.quote.method not in (order.method, PaymentMethod.FREE):
        raise QuoteChanged


def require_as_quoted(payment: Payment, free_left: int) -> None:
    """Raises QuoteChanged if the payment was quoted as free and is not, or is free and was not quoted so."""
    if payment.quoted_method and (payment.quoted_method is PaymentMethod.FREE) != (free_left > 0):
        raise QuoteChanged
