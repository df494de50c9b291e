"""PR-02, PR-06, DI-08: changes a member under the lock of their row. A change of the card is published."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import Unauthenticated

from unora_identity.domain.card import card_changed
from unora_identity.domain.events import EventHeader, MemberEvent, event_headers
from unora_identity.domain.onboarding import Member, require_still_ready
from unora_identity.domain.policy import Policy
from unora_identity.store import members
from unora_identity.use_cases.member_events import emit_member_events


@dataclass(slots=True)
class MemberUpdate:
    """A locked member: `before` is what is stored, `after` what the use case makes of it."""

    tx: Tx
    policy: Policy
    headers: Iterator[EventHeader]
    """For the events of the update, in their order."""
    before: Member
    after: Member
    events: list[MemberEvent] = field(default_factory=list)
    """The events of the update besides the change of the card."""

    def change_to(self, after: Member) -> None:
        """Sets what the member becomes. Refuses a change that takes a ready member below a minimum (PR-02)."""
        require_still_ready(self.before, after, self.tx.now, self.policy)
        self.after = after


@asynccontextmanager
async def update_member(tx: Tx, user: UUID, policy: Policy) -> AsyncIterator[MemberUpdate]:
    """Locks and reads a member. When the block ends, emits its events, and one for the card if it changed.

    Raises Unauthenticated if there is no such member: the token is of a member who no longer exists.
    """
    locked = await members.lock(tx, user)
    account = await members.find(tx, user) if locked else None
    if locked is None or account is None:
        raise Unauthenticated
    headers = event_headers(locked, tx.now)
    update = MemberUpdate(tx, policy, headers, account.member, account.member)
    yield update
    changes = card_changed(headers, update.before, update.after, tx.now, policy)
    await emit_member_events(tx, [*update.events, *changes])
