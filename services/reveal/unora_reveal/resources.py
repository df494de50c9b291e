"""What the parts of reveal share: the framer of revealed texts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from unora_common.metrics import Metrics
from unora_common.provider_calls import ProviderCalls
from unora_sdk.environment import ConfigError

from unora_reveal.config import RevealConfig
from unora_reveal.metrics import DRAFTS
from unora_reveal.providers.framer import Framer, TemplateFramer


@dataclass(frozen=True)
class Resources:
    """Made once in each process."""

    framer: Framer = field(default_factory=TemplateFramer)
    close_framer: Callable[[], Awaitable[None]] | None = None

    async def close(self) -> None:
        """Closes the connections to the model, if there is one."""
        if self.close_framer is not None:
            await self.close_framer()


def make_resources(config: RevealConfig, metrics: Metrics) -> Resources:
    """Makes the framer, without using the network. Raises ConfigError if a model is named only in part."""
    if not config.framer_base_url:
        return Resources()
    if not config.framer_model:
        raise ConfigError("UNORA_FRAMER_BASE_URL is set: UNORA_FRAMER_MODEL must name the model")
    from unora_reveal.providers.model import ModelFramer  # its library takes 50 MB, and templates do not need it

    drafts = metrics.of(DRAFTS)
    framer = ModelFramer(
        base_url=config.framer_base_url,
        key=config.framer_key,
        model=config.framer_model,
        timeout=config.framer_timeout,
        at_once=config.framer_at_once,
        count=lambda outcome: drafts.labels(outcome).inc(),
        calls=ProviderCalls("framer", metrics),
    )
    return Resources(framer, framer.close)
