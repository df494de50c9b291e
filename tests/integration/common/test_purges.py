"""Every statement that deletes old rows finds them by an index, so that it costs the same however many rows are kept.

Each table is filled with rows that only fit its types, in a transaction that is rolled back; the planner then chooses
with fresh statistics, as it does in production.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from unora_billing.store import accounts, payments, protections, provider_events, subscriptions
from unora_common.config import CONTEXTS
from unora_common.jobs import Housekeeping
from unora_discovery.store import batches, listed_cards, pairs
from unora_identity.store import (
    age_bands,
    challenges,
    code_budgets,
    devices,
    exports,
    holders,
    photo_uploads,
    recovery_checks,
    revocations,
    sessions,
    text_messages,
    wrong_codes,
)
from unora_matching.store import interest_closings, interests, inventories
from unora_safety.store import reports, sightings, traces
from unora_testing.filling import fill
from unora_testing.world import World

LONG_AGO = datetime.now(UTC) - timedelta(days=100)
ROWS = 10_000


class Statement(NamedTuple):
    """A statement of a job, its arguments, and the tables that it meets, with the values of their columns."""

    sql: str
    arguments: tuple[object, ...]
    tables: Mapping[str, Mapping[str, str]]


def of_messaging() -> Iterator[Statement]:
    for context in CONTEXTS:
        for table, sql in Housekeeping.statements(context).items():
            yield Statement(sql, (24,), {f"{context}.{table}": {}})


SOME = [UUID(hashlib.md5(str(n).encode()).hexdigest()) for n in range(ROWS - 100, ROWS)]
PENDING = {"shown_as": "'pending'", "deleted_at": "NULL"}
STATEMENTS = [
    *of_messaging(),
    Statement(provider_events.PURGE, (90, 1000), {"billing.provider_events": {}}),
    Statement(
        batches.PURGE,
        (timedelta(days=90), 500),
        {
            "discovery.discovery_batches": {},
            "discovery.discovery_cards": {},
            "discovery.card_interests": {},
            "discovery.member_blocks": {},
        },
    ),
    Statement(pairs.PURGE_WAITING, (timedelta(days=90), 1000), {"discovery.waiting_interests": {}}),
    Statement(
        pairs.PURGE_EXCLUSIONS,
        (timedelta(days=90), 1000),
        {"discovery.exclusions": {"reason": "CASE WHEN n % 2 = 0 THEN 'lifted' ELSE 'ended' END"}},
    ),
    Statement(pairs.PURGE_BLOCKS, (timedelta(days=90), 1000), {"discovery.member_blocks": {"in_force": "n % 20 <> 0"}}),
    Statement(listed_cards.PURGE_INTERESTS, (timedelta(days=90), 1000), {"discovery.card_interests": {}}),
    Statement(
        listed_cards.CHECK,
        (1000,),
        {"discovery.kept_cards": {}, "discovery.card_interests": {}, "discovery.member_blocks": {}},
    ),
    Statement(code_budgets.PURGE, (LONG_AGO, 1000), {"identity.code_totals": {}}),
    Statement(challenges.PURGE, (LONG_AGO, 1000), {"identity.phone_challenges": {}}),
    Statement(text_messages.PURGE, (LONG_AGO, 1000), {"identity.text_messages": {}}),
    Statement(wrong_codes.PURGE, (LONG_AGO, 1000), {"identity.wrong_codes": {}}),
    Statement(sessions.PURGE, (LONG_AGO, 1000), {"identity.refresh_tokens": {}}),
    Statement(devices.PURGE, (LONG_AGO, 1000), {"identity.past_devices": {}}),
    Statement(revocations.PURGE, (LONG_AGO, 1000), {"identity.revocations": {}}),
    Statement(holders.PURGE, (LONG_AGO, 1000), {"identity.wrong_birth_dates": {}}),
    Statement(recovery_checks.PURGE, (LONG_AGO, 1000), {"identity.recovery_checks": {}}),
    Statement(photo_uploads.MARK_ORPHANS, (LONG_AGO, 20), {"identity.photo_uploads": {}}),
    Statement(exports.LIST_OVER, (LONG_AGO, 20), {"identity.exports": {}}),
    Statement(
        exports.CLAIM,
        (),
        {
            "identity.exports": {
                "state": "CASE WHEN n % 50 = 0 THEN 'making' ELSE 'ready' END",
                "claimed_until": "NULL",
                "kept_until": "clock_timestamp() + n * interval '1 minute'",
            }
        },
    ),
    Statement(interests.PURGE, (100, 1000), {"matching.interests": {"shown_as": "'expired'"}}),
    *(
        Statement(
            sql,
            (48, 1000),
            {"safety.sightings": {"pattern": "'many_blocks'"}, "safety.device_accounts": {}, "safety.activity": {}},
        )
        for sql in sightings.PURGES
    ),
    Statement(traces.PURGE, (timedelta(days=90), timedelta(days=30), 1000), {"safety.account_traces": {}}),
    Statement(traces.PURGE_REOPENINGS, (timedelta(days=90), 1000), {"safety.account_reopenings": {}}),
    Statement(traces.PURGE_CREATED, (timedelta(days=90), 1000), {"safety.created_accounts": {}}),
    Statement(reports.PURGE_NOTES, (timedelta(days=90), 1000), {"safety.own_notes": {}}),
    # Not purges, but jobs that look for what is due, and an event after which many rows change.
    Statement(
        interest_closings.VOID_RECEIVED,
        (datetime.now(UTC), None, SOME[0]),
        {"matching.interests": PENDING | {"receiver_id": "md5(n::text)::uuid", "interest_status": "'pending'"}},
    ),
    Statement(
        age_bands.LOCK_DUE,
        (200, [], None),
        {
            "identity.profiles": {"user_id": "md5(n::text)::uuid"},
            "identity.users": {"id": "md5(n::text)::uuid", "deleted_at": "NULL"},
        },
    ),
    Statement(protections.LOCK_EXPIRED, (100, [], None), {"billing.credit_protections": {"status": "'open'"}}),
    Statement(
        accounts.LOCK_DUE,
        (100, [], None),
        {
            "billing.accounts": {"user_id": "md5(n::text)::uuid"},
            "billing.subscriptions": {"user_id": "md5(n::text)::uuid"},
        },
    ),
    Statement(
        inventories.LOCK_SENDERS_OF_DUE_INTERESTS,
        (timedelta(days=14), 100, [], None),
        {
            "matching.inventory": {"user_id": "md5(n::text)::uuid"},
            "matching.interests": PENDING | {"sender_id": "md5(n::text)::uuid"},
        },
    ),
    Statement(
        interest_closings.EXPIRE,
        (datetime.now(UTC), SOME, LONG_AGO),
        {"matching.interests": PENDING | {"sender_id": "md5(n::text)::uuid", "interest_status": "'pending'"}},
    ),
    Statement(
        subscriptions.LIST_CURRENT,
        (SOME,),
        {"billing.subscriptions": {"user_id": "md5(n::text)::uuid"}},
    ),
    Statement(
        payments.LIST_OPEN_SUBSCRIPTIONS,
        (SOME,),
        {
            "billing.payments": {
                "payer_id": "md5(n::text)::uuid",
                "purpose": "'subscription'",
                "status": "CASE WHEN n % 10 = 0 THEN 'created' ELSE 'applied' END",
            }
        },
    ),
]


def scans(plan: Mapping[str, Any]) -> Iterator[str]:
    """The tables that a plan reads whole."""
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from scans(part)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: "-".join(each.tables))
async def test_a_job_finds_its_rows_by_an_index(world: World, statement: Statement) -> None:
    transaction = world.superuser.transaction()
    await transaction.start()
    try:
        for table, values in statement.tables.items():
            await fill(world.superuser, table, ROWS, **values)
        (row,) = await world.superuser.fetch(f"EXPLAIN (FORMAT json) {statement.sql}", *statement.arguments)
        plan = json.loads(row[0])[0]["Plan"]
        done = await world.superuser.execute(statement.sql, *statement.arguments)
    finally:
        await transaction.rollback()
    assert int(done.split()[-1]) > 0, "the statement finds nothing among old rows, so the plan tells nothing"
    read_whole = set(scans(plan)) & {table.split(".")[1] for table in statement.tables}
    assert not read_whole, f"{statement.sql} reads {read_whole} whole: give it an index, or another form"
