"""SA-06: suspensions, as safety decides them."""

from __future__ import annotations

from uuid import UUID

from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_common.database import Tx
from unora_common.handlers import on
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.use_cases.suspensions import apply_restriction


class RestrictionEvents:
    """Decisions of safety on a member."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @on(RestrictionChanged)
    async def on_restriction_changed(self, event: RestrictionChanged, tx: Tx) -> None:
        """SA-06: a member who becomes suspended loses all sessions."""
        await apply_restriction(tx, self.runtime.resources, UUID(event.user_id), event.version, event.suspended)
