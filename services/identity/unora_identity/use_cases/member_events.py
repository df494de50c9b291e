"""Emitting the events of members, whose rows carry the version of their latest event."""

from __future__ import annotations

from collections.abc import Sequence

from unora_common.database import Tx

from unora_identity.domain.events import MemberEvent, TextsReviewed
from unora_identity.messages.events import to_message
from unora_identity.store import members


async def emit_member_events(tx: Tx, events: Sequence[MemberEvent]) -> None:
    """Emits events of members that are locked, and stores each member's new version."""
    if not events:
        return
    texts = {event.user_id: event.version for event in events if isinstance(event, TextsReviewed)}
    await members.save_versions(tx, {event.user_id: event.version for event in events}, texts)
    tx.emit(*map(to_message, events))
