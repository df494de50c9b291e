"""What the reveal service reads from its environment, with the numbers of its rules."""

from __future__ import annotations

from unora_common.config import Config

from unora_reveal.domain.personality import ScoringPolicy


class RevealConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have the design's values as defaults; a deployment may set others.

    Which day earns which reveal is reference data, made by a migration.
    """

    personality_half_at: float = 2.0
    """With this many answers about a dimension, the confidence is one half (PE-01)."""
    personality_sure_from: float = 0.5
    """A text may use a score from this confidence on, 0 to 1 (PE-06)."""
    personality_middle: float = 0.1
    """A score at most this far from 0.5, on the scale 0 to 1, leans both ways."""

    @property
    def scoring_policy(self) -> ScoringPolicy:
        """The numbers of personality, as the domain takes them."""
        return ScoringPolicy(
            half_at=self.personality_half_at, sure_from=self.personality_sure_from, middle=self.personality_middle
        )
