"""The refusals of billing."""

from __future__ import annotations

from collections.abc import Mapping

from unora_common.errors import DomainError, InvalidArgument


class BillingError(DomainError):
    """A refusal that charges nothing."""


class AccountIsClosed(BillingError):
    """ID-09: the caller's account is closed, so nothing can be bought."""

    reason = "ACCOUNT_IS_CLOSED"


class PaymentNotFound(BillingError):
    """XX-04: there is no such payment, or it is another member's; the answer is the same."""

    code = "NOT_FOUND"
    reason = "PAYMENT_NOT_FOUND"


class SubscriptionNotFound(BillingError):
    """The caller has no subscription, or it has ended."""

    code = "NOT_FOUND"
    reason = "SUBSCRIPTION_NOT_FOUND"


class SubscriptionExists(BillingError):
    """BI-01: the caller already has this plan."""

    code = "ALREADY_EXISTS"
    reason = "SUBSCRIPTION_EXISTS"


class PlanLower(BillingError):
    """The caller has a higher plan, which must be cancelled first."""

    reason = "PLAN_LOWER"


class PaymentPending(BillingError):
    """Another payment for a subscription waits for its confirmation."""

    reason = "PAYMENT_PENDING"


class CreditsInsufficient(BillingError):
    """BI-03: the credits are fewer than the price; a balance is never negative."""

    reason = "CREDITS_INSUFFICIENT"


class ProviderUnavailable(BillingError):
    """The payment provider does not answer now. A repeat of the call continues where this one stopped."""

    code = "UNAVAILABLE"
    reason = "PROVIDER_UNAVAILABLE"


class SignatureInvalid(InvalidArgument):
    """BI-07: the provider did not sign exactly these bytes, or signed them too long ago or in the future."""

    reason = "SIGNATURE_INVALID"

    def __init__(self) -> None:
        super().__init__({})


class EventUnreadable(InvalidArgument):
    """BI-07: the provider signed these bytes, and they are no event that can be read."""

    reason = "EVENT_UNREADABLE"

    def __init__(self) -> None:
        super().__init__({})


class NotAuthorized(BillingError):
    """The refusal of the owner of the purchase, passed on with its status, reason and metadata."""

    def __init__(self, code: str, reason: str, metadata: Mapping[str, str]) -> None:
        self.code = code  # type: ignore[misc]  # the owner's, not this class's
        self.reason = reason  # type: ignore[misc]
        super().__init__(**metadata)
