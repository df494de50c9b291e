"""Cases: opened by flags, reports and appeals; taken and decided by moderators (SA-05)."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Tx
from unora_common.domain_events import DomainEvent
from unora_common.ids import uuid7

from unora_safety.domain.cases import Case, CaseOrigin, assign, decide, open_or_update
from unora_safety.domain.restrictions import Decision, Restriction
from unora_safety.messages.events import to_message
from unora_safety.store import cases, flags, restrictions
from unora_safety.use_cases.sightings import queue
from unora_safety.use_cases.traces import mark_traces


async def open_or_update_case(tx: Tx, user_id: UUID, origin: CaseOrigin) -> tuple[Case, list[DomainEvent]]:
    """The undecided case of a member who is locked, or a new one. The caller emits the events."""
    before = await cases.find_undecided(tx, user_id)
    after, events = open_or_update(before, user_id, origin, uuid7(), tx.now)
    cases.save(tx, before, after)
    return after, [*events]


async def assign_case(tx: Tx, case_id: UUID, *, take_over: bool) -> Case:
    """The moderator who calls takes the case."""
    before, _ = await cases.lock(tx, case_id)
    after, events = assign(before, tx.user, tx.now, take_over=take_over)
    cases.save(tx, before, after)
    tx.emit(*map(to_message, events))
    return after


async def decide_case(tx: Tx, case_id: UUID, decision: Decision, note: str) -> tuple[Case, Restriction]:
    """The moderator who calls decides the case: the restriction follows, and the member's open flags are closed."""
    before, restriction = await cases.lock(tx, case_id)
    after, changed, events = decide(before, restriction, tx.user, decision, note, tx.now)
    cases.save(tx, before, after)
    restrictions.save(tx, restriction, changed)
    if changed.suspended != restriction.suspended:
        queue(tx, await mark_traces(tx, after.user_id, suspended=changed.suspended))
    flags.close_all(tx, after.user_id)
    tx.emit(*map(to_message, events))
    return after, changed
