"""What the billing service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from unora_common.config import Config


class BillingConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others."""
