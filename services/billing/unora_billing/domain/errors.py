"""Why billing refuses."""

from __future__ import annotations

from collections.abc import Mapping

from unora_common.errors import DomainError, InvalidArgument


class BillingError(DomainError):
    """A refusal that charges nothing."""


class PaymentNotFound(BillingError):
    """XX-04: the same answer for another's payment."""

    code = "NOT_FOUND"
    reason = "PAYMENT_NOT_FOUND"


class SubscriptionNotFound(BillingError):
    """There is none that goes on."""

    code = "NOT_FOUND"
    reason = "SUBSCRIPTION_NOT_FOUND"


class SubscriptionExists(BillingError):
    """BI-01: the caller has this plan."""

    code = "ALREADY_EXISTS"
    reason = "SUBSCRIPTION_EXISTS"


class PlanLower(BillingError):
    """The caller has a higher plan, which must be cancelled first."""

    reason = "PLAN_LOWER"


class PaymentPending(BillingError):
    """Another payment for a subscription waits to be confirmed."""

    reason = "PAYMENT_PENDING"


class CreditsInsufficient(BillingError):
    """BI-03: a balance is never negative."""

    reason = "CREDITS_INSUFFICIENT"


class ProviderUnavailable(BillingError):
    """The provider does not answer now; a repeat goes on where this ended."""

    code = "UNAVAILABLE"
    reason = "PROVIDER_UNAVAILABLE"


class SignatureInvalid(InvalidArgument):
    """BI-07: not signed by the provider over these very bytes, or too long ago."""

    reason = "SIGNATURE_INVALID"

    def __init__(self) -> None:
        super().__init__({})


class NotAuthorized(BillingError):
    """What the owner of the thing refused with: its own status, reason and metadata."""

    def __init__(self, code: str, reason: str, metadata: Mapping[str, str]) -> None:
        self.code = code  # type: ignore[misc]  # the owner's, not this class's
        self.reason = reason  # type: ignore[misc]
        super().__init__(**metadata)
