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

    framer_base_url: str = ""
    """The address of an OpenAI-compatible API, such as https://models.example/v1, whose model frames reveals (RE-07);
    empty: templates do it.
    """
    framer_model: str = ""
    """The name of the model there."""
    framer_key: str = "none"
    """The key of the API; a secret. Servers of one's own often need none."""
    framer_timeout: float = 3.0
    """Seconds for one try of the model; there are two."""
    framer_at_once: int = 8
    """Tries at once in one process; beyond them, templates frame at once."""

    @property
    def scoring_policy(self) -> ScoringPolicy:
        """The numbers of personality, as the domain takes them."""
        return ScoringPolicy(
            half_at=self.personality_half_at, sure_from=self.personality_sure_from, middle=self.personality_middle
        )
