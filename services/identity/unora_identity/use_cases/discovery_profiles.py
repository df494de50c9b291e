"""DI-08: what cards may show of members, many at once. Each profile is made as for one member."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from unora.identity.v1.directory_service_pb2 import DiscoveryProfile
from unora_common.database import Session

from unora_identity.domain.accounts import Account
from unora_identity.domain.card import make_card
from unora_identity.domain.onboarding import missing_parts
from unora_identity.domain.policy import Policy
from unora_identity.messages.directory import to_discovery_profile
from unora_identity.store import members

CHUNK: Final = 50
"""Members read by one statement. Other calls of the process go on between two chunks: one takes it some 5 ms."""
MOST_BYTES: Final = 1_000_000
"""Bytes of one answer: a quarter of what a message may have. The largest profile has 45,000."""


async def get_profiles(session: Session, users: Sequence[UUID], policy: Policy) -> list[DiscoveryProfile]:
    """The profiles of the first of these members, as many as fit in one message. Of an unknown member only the id."""
    answer = _Answer(policy)
    for start in range(0, len(users), CHUNK):
        chunk = users[start : start + CHUNK]
        accounts = await members.list_by_id(session, chunk)
        for user in chunk:
            if not answer.add(user, accounts.get(user)):
                return answer.profiles
    return answer.profiles


async def list_profiles(
    session: Session, after: UUID, size: int, policy: Policy
) -> tuple[list[DiscoveryProfile], UUID | None]:
    """A page of all profiles by id, from the one after `after` on, and the id after which the next page begins,
    if any.
    """
    answer = _Answer(policy)
    while len(answer.profiles) < size:
        wanted = min(CHUNK, size - len(answer.profiles))
        accounts = await members.list_after(session, after, wanted)
        for account in accounts:
            if not answer.add(account.id, account):
                return answer.profiles, after
            after = account.id
        if len(accounts) < wanted:
            return answer.profiles, None
    return answer.profiles, after


class _Answer:
    """The profiles of one answer, which may not become too large."""

    def __init__(self, policy: Policy) -> None:
        self.profiles: list[DiscoveryProfile] = []
        self._policy = policy
        self._bytes = 0

    def add(self, user: UUID, account: Account | None) -> bool:
        """Adds a profile. Returns False, and does not add it, if the answer would be too large with it."""
        profile = _profile(user, account, self._policy)
        self._bytes += profile.ByteSize()
        if self.profiles and self._bytes > MOST_BYTES:
            return False
        self.profiles.append(profile)
        return True


def _profile(user: UUID, account: Account | None, policy: Policy) -> DiscoveryProfile:
    if account is None:
        return DiscoveryProfile(user_id=str(user))
    card = make_card(account.member, account.now, policy)
    profile = to_discovery_profile(user, account.version, card, account.hobby_names)
    profile.paused = account.paused_at is not None
    if account.texts_version is not None:
        profile.texts_version = account.texts_version
    if not card.ready:
        profile.missing.extend(missing_parts(account.member, account.now, policy))
    return profile
