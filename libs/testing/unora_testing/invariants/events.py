"""Events: emitted with their cause, published, applied, audited."""

from typing import Final

from unora_common.config import CONTEXTS

from unora_testing.invariants.invariant import Invariant

AGGREGATES: Final = (
    ("identity", "users", "id"),
    ("identity", "disclosures", "connection_id"),
    ("discovery", "refresh_timers", "user_id"),
    ("matching", "inventory", "user_id"),
    ("matching", "interests", "id"),
    ("matching", "connections", "id"),
    ("streak", "streaks", "id"),
    ("reveal", "reveals", "id"),
    ("reveal", "personality_scores", "user_id"),
    ("billing", "accounts", "user_id"),
    ("billing", "payments", "id"),
    ("billing", "credit_protections", "id"),
    ("safety", "restrictions", "user_id"),
    ("safety", "cases", "id"),
)
"""The rows whose version the events of an aggregate carry: schema, table, key."""


def _each(contexts: tuple[str, ...], sql: str) -> str:
    return " UNION ALL ".join(sql.format(context=context) for context in contexts)


INVARIANTS: Final = (
    Invariant(
        "versions-without-gaps",
        ("XX-02",),
        "the events of an aggregate have versions without gaps or repeats",
        _each(
            CONTEXTS,
            """
            SELECT '{context}' AS context, aggregate_id, count(*) AS events FROM {context}.outbox
            GROUP BY aggregate_id
            HAVING count(DISTINCT aggregate_version) <> count(*)
                OR max(aggregate_version) - min(aggregate_version) + 1 <> count(*)
            """,
        ),
    ),
    Invariant(
        "every-change-has-an-event",
        ("XX-02",),
        "the last event of an aggregate carries the version that its row has",
        " UNION ALL ".join(
            f"""
            SELECT '{schema}.{table}' AS source, t.{key} AS aggregate_id, t.version, max(o.aggregate_version) AS emitted
            FROM {schema}.{table} t JOIN {schema}.outbox o ON o.aggregate_id = t.{key}
            GROUP BY t.{key}, t.version HAVING max(o.aggregate_version) <> t.version
            """
            for schema, table, key in AGGREGATES
        ),
    ),
    Invariant(
        "all-is-published",
        ("XX-02",),
        "every event is published",
        _each(
            CONTEXTS,
            "SELECT '{context}' AS context, id AS event_id, subject FROM {context}.outbox WHERE published_at IS NULL",
        ),
    ),
    Invariant(
        "all-is-applied",
        ("XX-02",),
        "every event at which a consumer failed was applied later",
        _each(
            CONTEXTS,
            """
            SELECT f.consumer, f.event_id, f.error FROM {context}.inbox_failures f
            LEFT JOIN {context}.inbox i USING (consumer, event_id) WHERE i.event_id IS NULL
            """,
        ),
    ),
    Invariant(
        "all-is-audited",
        ("SA-01",),
        "every published event has its row in the audit log, with the same content",
        _each(
            CONTEXTS,
            """
            SELECT '{context}' AS context, o.id AS event_id, o.subject FROM {context}.outbox o
            LEFT JOIN safety.audit_logs a ON a.event_id = o.id AND a.source_context = '{context}'
                AND (a.subject, a.aggregate_id, a.payload) = (o.subject, o.aggregate_id, o.payload)
            WHERE o.published_at IS NOT NULL AND a.event_id IS NULL
            """,
        ),
    ),
    Invariant(
        "audited-once",
        ("SA-01", "XX-02"),
        "no event is in the audit log twice",
        "SELECT event_id, count(*) AS rows FROM safety.audit_logs GROUP BY event_id HAVING count(*) > 1",
    ),
    Invariant(
        "chains-are-whole",
        ("SA-01",),
        "each row of a chain has the next number and the hash of the row before it, up to its head",
        """
        SELECT source_context, number FROM (
            SELECT source_context, number, previous_hash,
                row_number() OVER chain AS due, lag(hash, 1, '') OVER chain AS hash_before
            FROM safety.audit_logs WINDOW chain AS (PARTITION BY source_context ORDER BY number, recorded_at)
        ) l WHERE number <> due OR previous_hash <> hash_before
        UNION ALL
        SELECT source_context, h.length FROM safety.audit_chain_heads h
        LEFT JOIN LATERAL (
            SELECT number, hash FROM safety.audit_logs l WHERE l.source_context = h.source_context
            ORDER BY number DESC LIMIT 1
        ) last ON true
        WHERE (h.length, h.head_hash) IS DISTINCT FROM (coalesce(last.number, 0), coalesce(last.hash, ''))
        """,
    ),
)
