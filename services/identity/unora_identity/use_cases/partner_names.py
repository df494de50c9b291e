"""RE-13: the names of many partners at once, each under the conditions of a disclosure (RE-04, RE-10)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Session
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import Disclosure
from unora_identity.domain.onboarding import Member
from unora_identity.resources import Resources
from unora_identity.store import disclosures, members
from unora_identity.use_cases.disclosure import DisclosureRequest, is_in_force


async def list_disclosed_members(
    runtime: Runtime[IdentityConfig, Resources], requests: Sequence[DisclosureRequest]
) -> dict[UUID, Member]:
    """By streak, those of the members whom the viewer may see now.

    As for one member, matching and safety are asked after the records were read, and the records are read once more
    after they answered. Raises if one of the two does not answer.
    """
    async with runtime.database.session() as session:
        allowing = await _list_allowing(session, requests)
    asked = [request for request in requests if request.streak in allowing]
    answers = await asyncio.gather(*(is_in_force(runtime.clients, allowing[request.streak]) for request in asked))
    connected = [request for request, answer in zip(asked, answers, strict=True) if answer]
    if not connected:
        return {}
    async with runtime.database.session() as session:
        again = await _list_allowing(session, connected)
        accounts = await members.list_by_id(session, [request.subject for request in connected])
    return {
        request.streak: accounts[request.subject].member
        for request in connected
        if request.streak in again and request.subject in accounts
    }


async def _list_allowing(session: Session, requests: Sequence[DisclosureRequest]) -> dict[UUID, Disclosure]:
    found = await disclosures.list_by_streak(session, [request.streak for request in requests])
    return {
        request.streak: found[request.streak]
        for request in requests
        if request.streak in found and found[request.streak].allows(request.viewer, request.subject)
    }
