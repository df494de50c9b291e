"""The numbers of the rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from unora_discovery.domain.pool import Tier


@dataclass(frozen=True, slots=True)
class Odds:
    """The probabilities of what is drawn at random."""

    admirer_probability: float
    """The probability that a place is drawn, for each of the two places that may be drawn (DI-13)."""
    reduced_visibility: float
    """The probability that a member of reduced visibility takes part in a search (DI-10)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers that a deployment may set. The size of a batch is not among them: the product fixes it (DI-02)."""

    refresh_every: Mapping[Tier, timedelta]
    """The time from one refresh to the next, by tier (DI-04)."""
    shown_again_after: timedelta
    """The time for which a member who was shown is not shown to the same viewer again (DI-09)."""
    odds: Odds
