"""What the servicers and jobs of billing share: the payment provider."""

from __future__ import annotations

from dataclasses import dataclass

from unora_common.config import ConfigError

from unora_billing.config import BillingConfig
from unora_billing.providers.payments import Provider
from unora_billing.providers.stripe import StripeProvider


@dataclass(frozen=True)
class Resources:
    """One of each per process."""

    provider: Provider

    async def close(self) -> None:
        """Lets go of connections."""
        await self.provider.close()


def make_resources(config: BillingConfig) -> Resources:
    """Opens nothing that needs the network."""
    for name in ("stripe_secret_key", "stripe_webhook_secret"):
        if not getattr(config, name):
            raise ConfigError(f"UNORA_{name.upper()} is empty: without it anybody could say that something was paid")
    return Resources(
        StripeProvider(
            key=config.stripe_secret_key,
            webhook_secret=config.stripe_webhook_secret,
            api_base=config.stripe_api_base,
            timeout=config.stripe_timeout,
            tolerance=config.webhook_tolerance,
        )
    )
