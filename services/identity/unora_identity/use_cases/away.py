"""ID-09, ID-13, ID-16: what paused, closed and hidden accounts have in common for Discovery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.card import card_changed
from unora_identity.domain.events import DiscoveryProfileChanged, EventHeader
from unora_identity.domain.policy import Policy
from unora_identity.store import members


async def card_turned(
    tx: Tx, headers: Iterator[EventHeader], user: UUID, policy: Policy, *, away: bool
) -> list[DiscoveryProfileChanged]:
    """The event by which Discovery shows a member no longer (`away`), or shows them again; none if the member could not
    be shown before or after. The caller holds the member's lock.
    """
    account = await members.find(tx, user)
    assert account is not None
    before, after = replace(account.member, away=not away), replace(account.member, away=away)
    return card_changed(headers, before, after, tx.now, policy)
