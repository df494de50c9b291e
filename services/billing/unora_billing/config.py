"""What the billing service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from datetime import timedelta

from unora_common.plans import PlanConfig

from unora_billing.domain.policy import Plan, Policy, Purpose, Tier


class BillingConfig(PlanConfig, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""

    stripe_secret_key: str
    """The key with which the provider's API is called; a secret."""
    stripe_webhook_secret: str
    """The secret that the provider's webhooks are signed with."""
    stripe_api_base: str = "https://api.stripe.com"
    """Where the provider is; the sandbox speaks the same API elsewhere."""
    stripe_timeout: float = 8.0
    """Seconds that the provider has to answer."""
    webhook_tolerance: int = 300
    """Seconds, by the machine's clock, after which a webhook's signature is too old (BI-07)."""

    recovery_price: int = 299
    """Minor units of USD."""
    reveal_price: int = 199
    """Minor units of USD."""
    nudge_price: int = 99
    """Minor units of USD."""
    plus_monthly_price: int = 999
    """Minor units of USD."""
    pro_monthly_price: int = 1999
    """Minor units of USD."""

    free_recoveries: int = 0
    """Free recoveries a connection of a member without a subscription (BI-06)."""
    plus_recoveries: int = 1
    """The same of the plus plan."""
    pro_recoveries: int = 2
    """The same of the pro plan."""

    free_reveals: int = 3
    """Shown with the plan; what days bring is in reveal.reveal_milestones."""
    plus_reveals: int = 4
    """Shown with the plan; what days bring is in reveal.reveal_milestones."""
    pro_reveals: int = 5
    """Shown with the plan; what days bring is in reveal.reveal_milestones."""

    protection_hours: float = 24.0
    """How long the partner's ending turns a recovery's price into credits (BI-05)."""
    grace_days: float = 3.0
    """How long a subscription that fails to renew keeps its tier (BI-09)."""
    renewal_retry_hours: float = 24.0
    """How long after a declined renewal it is tried again."""
    drive_on_seconds: float = 60.0
    """How long a payment may stand unsent before it is driven on, and between tries."""
    give_up_hours: float = 24.0
    """How long a payment waits for its member to confirm."""
    job_batch: int = 100
    """How many payments, protections or subscriptions a job takes at a time."""

    @property
    def policy(self) -> Policy:
        """The numbers as the domain takes them."""
        return Policy(
            plans=tuple(self._plan(tier) for tier in Tier),
            prices={
                Purpose.RECOVERY: self.recovery_price,
                Purpose.REVEAL: self.reveal_price,
                Purpose.NUDGE: self.nudge_price,
            },
            protection=timedelta(hours=self.protection_hours),
            grace=timedelta(days=self.grace_days),
            retry_renewal=timedelta(hours=self.renewal_retry_hours),
            drive_on=timedelta(seconds=self.drive_on_seconds),
            give_up=timedelta(hours=self.give_up_hours),
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
            free_recoveries=getattr(self, f"{tier}_recoveries"),
            reveals_earned=getattr(self, f"{tier}_reveals"),
        )
