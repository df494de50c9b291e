"""ID-10: a member's export, from the request until its archive is deleted. All times are the machine's."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.policy import Policy
from unora_identity.domain.sessions import Session, signed_in_lately

CONTEXTS: Final = ("identity", "discovery", "matching", "streak", "reveal", "billing", "safety")
"""Whose data an archive holds, in its order."""
STEPS: Final = len(CONTEXTS) + 1
"""The contexts, and the photos."""


class ExportNotFound(DomainError):
    """ID-10: there is no export of the caller, or its archive was deleted."""

    code = "NOT_FOUND"
    reason = "EXPORT_NOT_FOUND"
    sentence = "There is no export of your data. Ask for one."


class ExportState(StrEnum):
    """What has become of an export."""

    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export as its member sees it."""

    id: UUID
    user_id: UUID
    session_id: UUID
    """The session that asked for it."""
    state: ExportState
    steps_done: int
    """Of STEPS."""
    size: int
    """Bytes of the archive; 0 unless it is ready."""
    requested_at: datetime
    ready_at: datetime | None
    kept_until: datetime
    """When it is deleted."""

    @property
    def percent(self) -> int:
        """How much of it is made; 100 only when it is ready."""
        if self.state is ExportState.READY:
            return 100
        return min(self.steps_done * 100 // STEPS, 99)

    @property
    def object_key(self) -> str:
        """The key of its archive in the object store: one for all tries, so that there is never a second one."""
        return archive_key(self.user_id, self.id)

    def answers(self, now: datetime, policy: Policy) -> bool:
        """Whether it is the answer to another request: at most one is in the making, and one a day is made."""
        if self.state is ExportState.READY:
            return now < min(self.requested_at + policy.export_again, self.kept_until)
        return self.state is ExportState.MAKING

    def may_be_fetched_by(self, session: Session, now: datetime, policy: Policy) -> bool:
        """Whether a session of the member gets a link: the one that asked for it, or one that has just signed in. An
        app that someone else holds open gets none.
        """
        if self.state is not ExportState.READY:
            return False
        return session.id == self.session_id or signed_in_lately(session, now, policy)


def archive_key(user: UUID, export: UUID) -> str:
    """The key of an archive in the object store."""
    return f"exports/{user}/{export}.zip"
