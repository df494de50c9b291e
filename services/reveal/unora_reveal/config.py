"""What the reveal service reads from its environment, the numbers of its rules among it."""

from __future__ import annotations

from unora_common.config import Config

from unora_reveal.domain.personality import Reading


class RevealConfig(Config, frozen=True, kw_only=True):
    """Numbers of the rules have their defaults in the design; a deployment may set others.

    Which day brings which reveal is reference data, made by a migration.
    """

    personality_half_at: float = 2.0
    """So many answers about a thing make half of what could be known of it (PE-01)."""
    personality_sure_from: float = 0.5
    """From this confidence on, 0 to 1, a text may rest on a score (PE-06)."""
    personality_middle: float = 0.1
    """Scores, 0 to 1, at most so far from the middle are both one way and the other."""

    @property
    def reading(self) -> Reading:
        """The numbers as the domain takes them."""
        return Reading(
            half_at=self.personality_half_at, sure_from=self.personality_sure_from, middle=self.personality_middle
        )
