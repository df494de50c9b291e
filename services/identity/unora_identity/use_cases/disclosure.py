"""RE-04, RE-10: who a partner is. Identity's own record decides, with the connection and the blocks at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from unora_common.clients import Clients
from unora_common.database import Database, Tx
from unora_common.pair_facts import are_connected
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.disclosures import DISCLOSURE_DAY, Disclosure, NotDisclosed
from unora_identity.domain.events import DisclosureEnded, IdentityDisclosed
from unora_identity.domain.onboarding import Member
from unora_identity.messages.events import to_message
from unora_identity.resources import Resources
from unora_identity.store import disclosures, members


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRequest:
    """`viewer` wants to see `subject`, because of a completed streak."""

    streak: UUID
    viewer: UUID
    subject: UUID


async def get_disclosed_member(runtime: Runtime[IdentityConfig, Resources], request: DisclosureRequest) -> Member:
    """The member, if the viewer may see them now. Raises NotDisclosed for every reason against it.

    Matching and safety are asked after the record was read, and the record is read once more after they answered. So
    an end or a block that one of the three contexts knows is enough to refuse.
    """
    disclosure = await _find_allowing(runtime.database, request)
    if disclosure is None or not await is_in_force(runtime.clients, disclosure):
        raise NotDisclosed
    async with runtime.database.session() as session:
        again = await disclosures.find_by_streak(session, request.streak)
        account = await members.find(session, request.subject)
    if again is None or not again.allows(request.viewer, request.subject) or account is None:
        raise NotDisclosed
    return account.member


async def is_in_force(clients: Clients, disclosure: Disclosure) -> bool:
    """RE-10: whether its two members are connected at this moment, and neither blocks the other. Raises if matching or
    safety does not answer.
    """
    return await are_connected(clients, disclosure.connection_id, disclosure.user_a_id, disclosure.user_b_id)


async def disclose(tx: Tx, disclosure: Disclosure) -> None:
    """RE-04: the two members may see each other, unless the end of their connection arrived first.

    Raises ValueError if the streak was completed before its last day. Reads the clock.
    """
    if disclosure.completed_days != DISCLOSURE_DAY:
        raise ValueError("a streak was called complete before its last day")
    now = await tx.read_clock()
    if await disclosures.add(tx, disclosure, now):
        event = IdentityDisclosed(
            connection_id=disclosure.connection_id,
            version=1,
            streak_id=disclosure.streak_id,
            user_a_id=disclosure.user_a_id,
            user_b_id=disclosure.user_b_id,
            occurred_at=now,
        )
        tx.emit(to_message(event))


async def end_disclosure(tx: Tx, connection: UUID, user_a: UUID, user_b: UUID) -> None:
    """RE-10: the two members may no longer see each other. If they never could, a tombstone keeps out a completion that
    arrives late.
    """
    now = await tx.read_clock()
    version = await disclosures.end(tx, connection, user_a, user_b, now)
    if version:
        tx.emit(to_message(DisclosureEnded(connection_id=connection, version=version, occurred_at=now)))


async def _find_allowing(database: Database, request: DisclosureRequest) -> Disclosure | None:
    async with database.session() as session:
        disclosure = await disclosures.find_by_streak(session, request.streak)
    if disclosure is None or not disclosure.allows(request.viewer, request.subject):
        return None
    return disclosure
