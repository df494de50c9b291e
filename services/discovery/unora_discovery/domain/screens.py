"""DI-06: the Discovery screen of one server."""

from dataclasses import dataclass
from datetime import datetime

from unora_discovery.domain.cards import Batch
from unora_discovery.domain.refresh import Viewer, next_refresh_at
from unora_discovery.domain.servers import ServerType


@dataclass(frozen=True, slots=True)
class Screen:
    """A server as one member sees it at `now` (UTC)."""

    server_type: ServerType
    viewer: Viewer
    batch: Batch | None
    """The active batch (DI-03)."""
    now: datetime

    @property
    def visible_batch(self) -> Batch | None:
        """The active batch, unless the capacity lock hides it."""
        return None if self.viewer.at_capacity else self.batch

    @property
    def refresh_available_at(self) -> datetime | None:
        """When the time lock ends (UTC); None if there is none."""
        return next_refresh_at(self.viewer, self.now)
