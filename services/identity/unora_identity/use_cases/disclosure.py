"""The identity of a partner: identity's own record, the connection and the blocks of this moment (RE-04, RE-10)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from unora_common.runtime import Runtime

from unora_identity.clients import together
from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import NotDisclosed
from unora_identity.domain.onboarding import Member
from unora_identity.resources import Resources
from unora_identity.store import disclosures, members


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who wants to see whom, by which streak."""

    streak: UUID
    viewer: UUID
    subject: UUID


async def disclosed(runtime: Runtime[IdentityConfig, Resources], request: Request) -> Member:
    """The member, if the viewer may see them now; else NotDisclosed, whatever the reason.

    Matching and safety are asked after the record, and the record is read once more after them: an end or a block that
    any of them has heard of closes it.
    """
    async with runtime.database.session() as session:
        disclosure = await disclosures.by_streak(session, request.streak)
    if disclosure is None or not disclosure.of(request.viewer, request.subject):
        raise NotDisclosed
    if not await together(runtime.clients, disclosure):
        raise NotDisclosed
    async with runtime.database.session() as session:
        again = await disclosures.by_streak(session, request.streak)
        subject = (await members.read(session, request.subject)).get(request.subject)
    if again is None or not again.of(request.viewer, request.subject) or subject is None:
        raise NotDisclosed
    return subject.member
