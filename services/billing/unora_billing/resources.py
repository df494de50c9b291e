"""What the parts of billing share: the payment provider."""

from __future__ import annotations

from dataclasses import dataclass

from unora_common.metrics import Metrics
from unora_common.provider_calls import ProviderCalls
from unora_sdk.environment import ConfigError

from unora_billing.config import BillingConfig
from unora_billing.providers.payments import Provider
from unora_billing.providers.stripe import StripeProvider


@dataclass(frozen=True)
class Resources:
    """One set per process."""

    provider: Provider

    async def close(self) -> None:
        """Closes the connections."""
        await self.provider.close()


def make_resources(config: BillingConfig, metrics: Metrics) -> Resources:
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
            calls=ProviderCalls("stripe", metrics),
        )
    )
