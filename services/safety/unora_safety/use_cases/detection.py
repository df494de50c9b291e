"""Detection of patterns: histories of members, flags, baselines (SA-04, SA-09)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from unora_common.database import Database, Session, Tx
from unora_common.domain_events import DomainEvent
from unora_common.ids import uuid7

from unora_safety.domain.cases import CaseOrigin
from unora_safety.domain.events import FlagRaised
from unora_safety.domain.flags import still_new
from unora_safety.domain.patterns import Finding, History, Pattern
from unora_safety.messages.events import to_message
from unora_safety.store import baselines, flags, restrictions, sightings
from unora_safety.use_cases.cases import open_or_update_case


async def load_histories(db: Session, users: Sequence[UUID]) -> list[History]:
    """All that the detector needs of these members, in a few reads for all."""
    now = await db.value("SELECT clock.now()")
    rules = await flags.list_rules(db)
    window = next((rule.window for rule in rules if rule.pattern is Pattern.OUTLIER), timedelta())
    states = await flags.states_by_member(db, users)
    seen = await sightings.list_by_members(db, users)
    activity = await sightings.sum_activity(db, users, (now - window).date())
    usual = await baselines.list_all(db)
    return [
        History(
            user_id=user,
            now=now,
            rules=rules,
            sightings=seen[user],
            activity=activity[user],
            baselines=usual,
            decided=states[user].decided,
            flagged=states[user].flagged,
        )
        for user in users
    ]


async def raise_flags(tx: Tx, history: History, findings: Sequence[Finding]) -> int:
    """SA-04: one open flag per member and pattern, so findings that are no longer new are left out. Returns how many
    flags were raised.
    """
    user_id = history.user_id
    await restrictions.lock_or_create(tx, user_id)
    state = (await flags.states_by_member(tx, [user_id]))[user_id]
    new = still_new(findings, history, state)
    if not new:
        return 0
    case, opened = await open_or_update_case(tx, user_id, CaseOrigin.FLAG)
    events: list[DomainEvent] = [*opened]
    for each in new:
        flag_id = uuid7()
        flags.add(tx, flag_id, user_id, each, case.id)
        events.append(FlagRaised(flag_id=flag_id, version=1, user_id=user_id, pattern=each.pattern, occurred_at=tx.now))
    tx.emit(*map(to_message, events))
    return len(new)


async def measure_baselines(database: Database, interval: timedelta) -> int:
    """SA-09: measures how much activity is usual, if the last measurement is older than the interval; returns how many
    kinds. Does nothing while the rule for outliers is disabled.
    """
    async with database.session() as db:
        rules = {rule.pattern: rule for rule in await flags.list_rules(db)}
    outlier = rules.get(Pattern.OUTLIER)
    if outlier is None or not outlier.enabled:
        return 0
    async with database.transaction() as tx:
        return await baselines.measure(tx, outlier.window, interval)
