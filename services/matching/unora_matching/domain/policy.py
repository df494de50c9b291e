"""The numbers of matching's rules, as its use cases take them."""

from dataclasses import dataclass, field
from datetime import timedelta

from unora_matching.domain.inventory import Slots


@dataclass(frozen=True, slots=True)
class Policy:
    """Defaults are the design's; a deployment may set others."""

    slots: Slots = field(default_factory=Slots)
    lifetime: timedelta = timedelta(days=14)
    """How long an interest waits (MA-11)."""
