"""Members pause, resume, close their account and come back (ID-09, ID-13, ID-16)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from unora_common.database import Tx
from unora_common.errors import RetryLater

from unora_matching.domain.connections import EndReason, formed_until
from unora_matching.domain.interests import Outcome, decide
from unora_matching.domain.inventory import Inventory
from unora_matching.domain.notices import AccountNotice
from unora_matching.domain.policy import Policy
from unora_matching.messages import to_message
from unora_matching.store import connections, interest_closings, interests, inventories
from unora_matching.use_cases.end_connections import end_connections
from unora_matching.use_cases.interests import connect


async def change_account(tx: Tx, notice: AccountNotice, policy: Policy) -> None:
    """ID-09: closing ends connections, and voids the interests of and to the member, which still look pending. ID-16: a
    pause closes nothing; when the member comes back, interests that are mutual become connections.

    If a closing arrives after a newer event, it still has its effect on what is older than both. Raises RetryLater if
    the members who have to be locked were others by the time of the lock.
    """
    member = notice.user_id
    others = await _list_concerned(tx, notice, policy)
    members = await inventories.lock_or_create(tx, sorted({member, *others}), policy.slots)
    before = members[member]
    changed = before.change_account(notice)
    if changed is not None:
        await inventories.save_away(tx, changed)
        members[member] = changed
    if notice.closed:
        await _leave(tx, notice, members, until=None if changed else _newest(before.away_at, notice.changed_at))
    elif changed is not None and not notice.paused:
        await _match_mutual(tx, members, member, policy)


def _newest(away_at: datetime | None, closed_at: datetime | None) -> datetime | None:
    """A rebuild tells the version of a newer event, not its time: then the closing's own time counts."""
    return max(away_at, closed_at) if away_at and closed_at else away_at or closed_at


async def _list_concerned(tx: Tx, notice: AccountNotice, policy: Policy) -> list[UUID]:
    if notice.closed:
        partners = await connections.list_partners(tx, notice.user_id)
        return partners + await interests.list_senders(tx, notice.user_id, None)
    if notice.paused:
        return []
    return [each.receiver_id for each in await interests.list_mutual(tx, notice.user_id, policy.lifetime)]


async def _leave(tx: Tx, notice: AccountNotice, members: dict[UUID, Inventory], until: datetime | None) -> None:
    member = notice.user_id
    active = formed_until(await connections.lock_active_of_member(tx, member), until)
    senders = await interests.list_senders(tx, member, until)
    _require_locked([*(connection.partner_of(member) for connection in active), *senders], members)
    voided = await interest_closings.void_sent(tx, member, until)
    voided += await interest_closings.void_received(tx, member, until)
    tx.emit(*map(to_message, voided))
    end_connections(tx, active, members, member, EndReason.CLOSING, acted_at=notice.changed_at)


async def _match_mutual(tx: Tx, members: dict[UUID, Inventory], member: UUID, policy: Policy) -> None:
    """Each pair as if the later of its interests was sent now, until the member has no open slot (MA-02 to MA-04)."""
    mutual = await interests.list_mutual(tx, member, policy.lifetime)
    _require_locked([each.receiver_id for each in mutual], members)
    for each in mutual:
        own, other = members[member], members[each.receiver_id]
        if own.is_full:
            return
        relation = await interests.get_relation(tx, member, other.user_id, each.server_type, policy.lifetime)
        if decide(own, other, relation) is Outcome.MATCH:
            assert relation.returned_interest_id is not None
            matched = [each.own_id, relation.returned_interest_id]
            _, after = await connect(tx, own, other, each.server_type, matched)
            await inventories.save_taken_slots_now(tx, after)
            members |= {inventory.user_id: inventory for inventory in after}


def _require_locked(needed: list[UUID], members: dict[UUID, Inventory]) -> None:
    if not members.keys() >= set(needed):
        raise RetryLater("a connection or an interest came between the read of the others and the lock")
