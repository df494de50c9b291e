"""What the parts of billing share: the payment provider, and counters."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter
from unora_sdk.environment import ConfigError

from unora_billing.config import BillingConfig
from unora_billing.providers.payments import Provider
from unora_billing.providers.stripe import StripeProvider


class Counters:
    """What billing counts beside the metrics of every service."""

    def __init__(self) -> None:
        self.provider_events = Counter(
            "unora_provider_events",
            "New events of the payment provider, by what they changed",
            ["outcome"],
            registry=None,
        )
        self.mismatches = Counter(
            "unora_payment_mismatches", "Times that the provider's amounts were not those of a payment", registry=None
        )

    def register(self, registry: CollectorRegistry) -> None:
        """Adds them to the metrics of the process."""
        for counter in (self.provider_events, self.mismatches):
            registry.register(counter)


@dataclass(frozen=True)
class Resources:
    """One set per process."""

    provider: Provider
    counters: Counters

    async def close(self) -> None:
        """Closes the connections."""
        await self.provider.close()


def make_resources(config: BillingConfig) -> Resources:
    """Makes the resources without using the network. Raises ConfigError if a secret of the provider is empty."""
    for name in ("stripe_secret_key", "stripe_webhook_secret"):
        if not getattr(config, name):
            raise ConfigError(f"UNORA_{name.upper()} is empty: without it, a payment could be forged")
    return Resources(
        StripeProvider(
            key=config.stripe_secret_key,
            webhook_secret=config.stripe_webhook_secret,
            api_base=config.stripe_api_base,
            timeout=config.stripe_timeout,
            tolerance=config.webhook_tolerance,
        ),
        Counters(),
    )
