"""What a search is given, and what it finds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from unora_discovery.domain.pool import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCriteria:
    """What a search depends on, besides the viewer and the server."""

    hobbies: Collection[str]
    """The ids of the viewer's hobby options (DI-07)."""
    not_shown_since: datetime
    """Members on a card that the viewer had after this time (UTC) are left out (DI-09)."""
    now: datetime
    tie_seed: int
    visibility_seed: int
    visibility_below: int
    ranked_limit: int
    """How many of the best to return."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Members who may be shown, in three lists. None of the lists has a member twice."""

    ranked: tuple[Candidate, ...]
    """Those who share the most hobbies with the viewer first; equals in random order (DI-07)."""
    anyone: tuple[Candidate, ...] = ()
    """A random sample of all who may be shown, even if they share nothing; they may be ranked as well."""
    waiting: tuple[Candidate, ...] = ()
    """Those with an interest that waits for the viewer, in random order (DI-13); they may be ranked as well."""
