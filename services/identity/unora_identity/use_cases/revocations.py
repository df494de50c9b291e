"""SA-06: the list of recently revoked sessions that every process fetches."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from unora_common.database import Session
from unora_common.pages import BEFORE_FIRST
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.policy import Policy
from unora_identity.resources import Resources
from unora_identity.store import revocations

PAGE_SIZE: Final = 50_000
"""Sessions on one page: about two megabytes of the four that a message may have."""


async def list_recent(session: Session, policy: Policy, after: UUID = BEFORE_FIRST) -> tuple[list[UUID], UUID | None]:
    """One page of the recently revoked sessions, by id, and the id after which the next page begins, if any."""
    found = await revocations.list_recent(session, policy.revocation_published_for, after, PAGE_SIZE + 1)
    page = found[:PAGE_SIZE]
    return page, page[-1] if len(found) > PAGE_SIZE else None


async def list_all_recent(runtime: Runtime[IdentityConfig, Resources]) -> frozenset[UUID]:
    """The whole list, for identity's own process."""
    sessions: set[UUID] = set()
    after: UUID | None = BEFORE_FIRST
    while after is not None:
        async with runtime.database.session() as session:
            page, after = await list_recent(session, runtime.resources.policy, after)
        sessions.update(page)
    return frozenset(sessions)
