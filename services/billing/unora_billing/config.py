"""What the billing service reads from its environment, including the numbers of its rules."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_billing.domain.policy import PaymentPurpose, Plan, Policy, Tier


class BillingConfig(PlanConfig, frozen=True, kw_only=True):
    """The defaults are the numbers of the design; a deployment may set others."""

    stripe_secret_key: str
    """The key for the provider's API; a secret."""
    stripe_webhook_secret: str
    """The secret with which the provider signs its webhooks."""
    stripe_api_base: str = "https://api.stripe.com"
    """The address of the provider's API; the sandbox has the same API at another address."""
    stripe_timeout: float = 8.0
    """Seconds that billing waits for the provider's answer."""
    webhook_tolerance: int = 300
    """Seconds, by the machine's clock, after which the signature of a webhook is too old (BI-07)."""

    reveal_price: int = 199
    """Price of a reveal, in minor units of USD."""
    nudge_price: int = 99
    """Price of a nudge, in minor units of USD."""
    plus_monthly_price: int = 999
    """Price of a month of the plus plan, in minor units of USD."""
    pro_monthly_price: int = 1999
    """Price of a month of the pro plan, in minor units of USD."""

    free_reveals: int = 3
    """Reveals that the plan shows as earned; the days are in reveal.reveal_milestones."""
    plus_reveals: int = 4
    """Reveals that the plan shows as earned; the days are in reveal.reveal_milestones."""
    pro_reveals: int = 5
    """Reveals that the plan shows as earned; the days are in reveal.reveal_milestones."""

    protection_hours: float = 24.0
    """Hours in which the partner's ending turns the price of a recovery into credits (BI-05)."""
    grace_days: float = 3.0
    """Days for which a subscription that cannot be renewed keeps its tier (BI-09)."""
    renewal_retry_hours: float = 24.0
    """Hours after a declined renewal until it is tried again."""
    drive_on_seconds: float = 60.0
    """Seconds that a payment may stay unsent before a job advances it, and between two such attempts."""
    give_up_hours: float = 24.0
    """Hours that a payment waits for its member's confirmation."""
    job_batch: int = 100
    """The most payments, protections or subscriptions that one run of a job takes."""
    payments_at_once: int = 8
    """The most payments that the job of one process advances at once, each with its calls to the provider."""
    provider_event_days: int = 90
    """Days for which an event of the provider is stored, by the machine's clock; the provider repeats one for 30."""

    @property
    def policy(self) -> Policy:
        """The numbers of the rules, in domain types."""
        return Policy(
            plans=tuple(self._plan(tier) for tier in Tier),
            prices={
                PaymentPurpose.RECOVERY: self.recovery_price,
                PaymentPurpose.REVEAL: self.reveal_price,
                PaymentPurpose.NUDGE: self.nudge_price,
            },
            protection_period=timedelta(hours=self.protection_hours),
            grace_period=timedelta(days=self.grace_days),
            renewal_retry_interval=timedelta(hours=self.renewal_retry_hours),
            advance_interval=timedelta(seconds=self.drive_on_seconds),
            confirmation_timeout=timedelta(hours=self.give_up_hours),
        )

    def _plan(self, tier: Tier) -> Plan:
        amounts = {Tier.FREE: 0, Tier.PLUS: self.plus_monthly_price, Tier.PRO: self.pro_monthly_price}
        return Plan(
            tier=tier,
            name=tier.capitalize(),
            monthly_amount=amounts[tier],
            connection_slots=self.slots[tier],
            refresh_hours=self.refresh_hours[tier],
            nudges=self.nudges[tier],
            free_recoveries=self.recoveries[tier],
            reveals_earned=getattr(self, f"{tier}_reveals"),
        )
