"""The refusals of billing."""

from __future__ import annotations

from collections.abc import Mapping

from unora_common.errors import DomainError, InvalidArgument


class BillingError(DomainError):
    """A refusal that charges nothing."""


class AccountIsClosed(BillingError):
    """ID-09: the caller's account is closed, so nothing can be bought."""

    reason = "ACCOUNT_IS_CLOSED"
    sentence = "This account is closed."


class PaymentNotFound(BillingError):
    """XX-04: there is no such payment, or it is another member's; the answer is the same."""

    code = "NOT_FOUND"
    reason = "PAYMENT_NOT_FOUND"
    sentence = "This payment does not exist."


class SubscriptionNotFound(BillingError):
    """The caller has no subscription, or it has ended."""

    code = "NOT_FOUND"
    reason = "SUBSCRIPTION_NOT_FOUND"
    sentence = "You have no plan to cancel."


class SubscriptionExists(BillingError):
    """BI-01: the caller already has this plan."""

    code = "ALREADY_EXISTS"
    reason = "SUBSCRIPTION_EXISTS"
    sentence = "You already have this plan."


class PlanLower(BillingError):
    """The caller has a higher plan, which must be cancelled first."""

    reason = "PLAN_LOWER"
    sentence = "You have a higher plan. Cancel it first."


class PaymentPending(BillingError):
    """Another payment for a subscription waits for its confirmation."""

    reason = "PAYMENT_PENDING"
    sentence = "You have begun another payment for a plan. Confirm it first."


class CreditsInsufficient(BillingError):
    """BI-03: the credits are fewer than the price; a balance is never negative."""

    reason = "CREDITS_INSUFFICIENT"
    sentence = "You do not have enough credits."


class QuoteChanged(BillingError):
    """BI-12: the purchase no longer costs what the quote said. Nothing was charged; GetQuote says what it costs now."""

    reason = "QUOTE_CHANGED"
    sentence = "The price has changed. Look at it again before you pay."


class ProviderUnavailable(BillingError):
    """The payment provider does not answer now. A repeat of the call continues where this one stopped."""

    code = "UNAVAILABLE"
    reason = "PROVIDER_UNAVAILABLE"
    sentence = "Payments are not possible at the moment. Try again in a minute."


class SignatureInvalid(InvalidArgument):
    """BI-07: the provider did not sign exactly these bytes, or signed them too long ago or in the future."""

    reason = "SIGNATURE_INVALID"
    sentence = "The signature of this event is not valid."

    def __init__(self) -> None:
        super().__init__({})


class EventUnreadable(InvalidArgument):
    """BI-07: the provider signed these bytes, and they are no event that can be read."""

    reason = "EVENT_UNREADABLE"
    sentence = "This event cannot be read."

    def __init__(self) -> None:
        super().__init__({})


class NotAuthorized(BillingError):
    """The refusal of the owner of the purchase, passed on with its status, reason, sentence and metadata."""

    def __init__(self, code: str, reason: str, sentence: str, metadata: Mapping[str, str]) -> None:
        self.code = code  # type: ignore[misc]  # the owner's, not this class's
        self.reason = reason  # type: ignore[misc]
        self.sentence = sentence  # type: ignore[misc]
        super().__init__(**metadata)
