"""Changing a member: under the lock of their row, with Discovery told of what others may be shown (DI-08, PR-06)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora_common.database import Tx
from unora_common.errors import Unauthenticated

from unora_identity.domain.card import Card, card
from unora_identity.domain.onboarding import Member, stay_ready
from unora_identity.domain.policy import Policy
from unora_identity.store import members
from unora_identity.store.members import Locked


@dataclass(slots=True)
class Change:
    """A member under change: `before` is what is kept, `after` what they become."""

    tx: Tx
    policy: Policy
    locked: Locked
    before: Member
    after: Member

    def to(self, after: Member) -> None:
        """What the member becomes; refused if it takes a discovery-ready member below a minimum (PR-02)."""
        stay_ready(self.before, after, self.tx.now, self.policy)
        self.after = after


@asynccontextmanager
async def update_member(tx: Tx, user: UUID, policy: Policy) -> AsyncIterator[Change]:
    """Locks and reads a member; when the block ends, tells what changed of their card, and keeps the version."""
    locked = (await members.lock(tx, user)).get(user)
    if locked is None:
        raise Unauthenticated  # a token whose member is not there is none
    before = (await members.read(tx, user))[user].member
    change = Change(tx, policy, locked, before, before)
    version = locked.version
    yield change
    tell_card(tx, locked, before, change.after, policy)
    if locked.version != version:
        await members.save_versions(tx, [locked])


def tell_card(tx: Tx, locked: Locked, before: Member, after: Member, policy: Policy) -> None:
    """Tells Discovery, if what it may show of the member is not what it was."""
    old, new = card(before, tx.now, policy), card(after, tx.now, policy)
    if old != new:
        _tell(tx, locked, new)


def tell_age_band(tx: Tx, locked: Locked, member: Member, policy: Policy) -> None:
    """Tells Discovery that the member has grown into another age band, if it shows them."""
    now = card(member, tx.now, policy)
    if now.ready:
        _tell(tx, locked, now)


def _tell(tx: Tx, locked: Locked, now: Card) -> None:
    locked.tell(tx, DiscoveryProfileChanged, discovery_ready=now.ready, trust_level=now.trust_level)
