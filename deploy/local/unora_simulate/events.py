"""What the events of a day leave behind: rows of outboxes, of the inboxes of those that act on them, of the audit log.

Sizes are real, contents are not: payloads are random bytes, and the chain of the audit log is linked by hashes of ids,
which the trigger accepts and a check of the chain would not.
"""

from __future__ import annotations

from typing import Final

import asyncpg
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service

from unora_simulate.statements import AT, NOISE

PORTION: Final = 50_000
"""Rows of the audit log in one statement: its trigger reads them all again."""
TRACE: Final = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

OUTBOX: Final = f"""
    INSERT INTO {{context}}.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace,
        created_at, published_at)
    SELECT uuidv7(), aggregate_id, nextval('simulated.version'), subject,
        substring({" || ".join([NOISE] * 9)} FOR size),
        {AT}, '{TRACE}', {AT}, {AT}
    FROM simulated.events WHERE context = '{{context}}' ORDER BY n"""
INBOX: Final = f"""
    INSERT INTO {{context}}.inbox (consumer, event_id, applied_at)
    SELECT c.consumer, o.id, {AT} FROM {{source}}.outbox o JOIN simulated.consumers c
        ON c.context = '{{context}}' AND (c.subject = o.subject OR c.subject = 'unora.{{source}}.v1.>')
    WHERE o.created_at = {AT}"""
PLACES: Final = f"""
    INSERT INTO simulated.places (place, id)
    SELECT row_number() OVER (ORDER BY seq), id FROM {{context}}.outbox WHERE created_at = {AT}"""
"""Numbers a context's events of the day, so that a portion of them is found without reading those before it."""
AUDIT: Final = f"""
    WITH told AS (
        SELECT o.id, o.subject, o.aggregate_id, o.payload, sha256(o.id::text::bytea) AS hash, p.place
        FROM simulated.places p JOIN {{context}}.outbox o USING (id)
        WHERE p.place > $1::bigint AND p.place <= $1::bigint + {PORTION})
    INSERT INTO safety.audit_logs (source_context, number, event_id, subject, aggregate_id, occurred_at, recorded_at,
        payload, previous_hash, hash)
    SELECT '{{context}}', h.length + (t.place - $1::bigint), t.id, t.subject, t.aggregate_id, {AT}, {AT}, t.payload,
        coalesce(lag(t.hash) OVER (ORDER BY t.place), h.head_hash), t.hash
    FROM told t, safety.audit_chain_heads h WHERE h.source_context = '{{context}}' ORDER BY t.place"""
INDEX: Final = f"""
    INSERT INTO safety.audit_index (term, recorded_at, source_context, number)
    SELECT t.term, l.recorded_at, l.source_context, l.number
    FROM safety.audit_logs l
    JOIN (SELECT subject, max(members) AS members FROM simulated.events GROUP BY subject) e USING (subject)
    CROSS JOIN LATERAL (
        VALUES ('context ' || l.source_context), ('event ' || l.subject), ('aggregate ' || l.aggregate_id)
        UNION ALL SELECT 'member ' || md5(l.event_id::text || k)::uuid FROM generate_series(1, e.members) k) t (term)
    WHERE l.recorded_at = {AT}"""


async def note_consumers(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Notes which contexts act on which events, from what the services declare."""
    rows = [
        (context, consumed.durable_name(context), consumed.subject)
        for context in CONTEXTS
        for consumed in load_service(context).consumed()
    ]
    await connection.executemany("INSERT INTO simulated.consumers VALUES ($1, $2, $3)", rows)


async def publish(connection: asyncpg.Connection[asyncpg.Record]) -> int:
    """Turns the noted events of the day into rows, and forgets them. Returns their number."""
    await connection.execute(f"SELECT safety.make_audit_partition({AT})")
    found = await connection.fetch("SELECT context, count(*) FROM simulated.events GROUP BY context ORDER BY context")
    await connection.execute("ANALYZE simulated.events")
    for context, count in found:
        await connection.execute(OUTBOX.format(context=context))
        await connection.execute(
            "INSERT INTO safety.audit_chain_heads (source_context) VALUES ($1) ON CONFLICT DO NOTHING", context
        )
        await connection.execute("TRUNCATE simulated.places")
        await connection.execute(PLACES.format(context=context))
        await connection.execute("ANALYZE simulated.places")
        for start in range(0, count, PORTION):
            await connection.execute(AUDIT.format(context=context), start)
        for reader in CONTEXTS:
            await connection.execute(INBOX.format(context=reader, source=context))
    await connection.execute(INDEX)
    await connection.execute("TRUNCATE simulated.events")
    return sum(count for _, count in found)
