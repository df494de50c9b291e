"""Members with the role `admin`."""

from __future__ import annotations

from enum import Enum
from typing import Final
from uuid import UUID

from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.events import RoleGranted, event_headers
from unora_identity.resources import Resources
from unora_identity.store import accounts, members
from unora_identity.use_cases.member_events import emit_member_events

ADMIN: Final = "admin"


class Grant(Enum):
    """The result of granting a role."""

    GRANTED = "granted"
    HAD_IT = "had it"
    NO_MEMBER = "no member"


async def grant_admin(runtime: Runtime[IdentityConfig, Resources], user: UUID) -> Grant:
    """Makes a member an admin, from their next access token on."""
    async with runtime.database.transaction() as tx:
        locked = await members.lock(tx, user)
        if locked is None:
            return Grant.NO_MEMBER
        if not await accounts.grant(tx, user, ADMIN):
            return Grant.HAD_IT
        await emit_member_events(tx, [RoleGranted(**next(event_headers(locked, tx.now)), role=ADMIN)])
        return Grant.GRANTED
