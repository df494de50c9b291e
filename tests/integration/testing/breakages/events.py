"""Events: emitted with their cause, published, applied, audited, without content."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import COMPLETED, payload

BREAKAGES = (
    Breakage(
        "versions-without-gaps",
        (f"DELETE FROM streak.outbox WHERE aggregate_id = {COMPLETED} AND aggregate_version = 3",),
    ),
    Breakage("every-change-has-an-event", (f"UPDATE streak.streaks SET version = version + 1 WHERE id = {COMPLETED}",)),
    Breakage(
        "all-is-published",
        (f"UPDATE streak.outbox SET published_at = NULL WHERE aggregate_id = {COMPLETED} AND aggregate_version = 3",),
    ),
    Breakage(
        "all-is-applied",
        (
            """
            INSERT INTO reveal.inbox_failures (consumer, event_id, failures, error)
            VALUES ('reveal__day_completed', gen_random_uuid(), 5, 'ValueError')
            """,
        ),
    ),
    Breakage(
        "all-is-audited",
        (
            f"""
            UPDATE safety.audit_logs SET payload = ''
            WHERE event_id = (
                SELECT id FROM streak.outbox WHERE aggregate_id = {COMPLETED} AND aggregate_version = 3)
            """,
        ),
    ),
    Breakage(
        "audited-once",
        (
            """
            INSERT INTO safety.audit_logs
            SELECT source_context, number + 1, event_id, subject, aggregate_id, occurred_at,
                recorded_at + interval '1 microsecond', payload, hash, sha256('again')
            FROM safety.audit_logs WHERE source_context = 'streak' ORDER BY number DESC LIMIT 1
            """,
            """
            UPDATE safety.audit_chain_heads SET length = length + 1, head_hash = sha256('again')
            WHERE source_context = 'streak'
            """,
        ),
    ),
    Breakage(
        "chains-are-whole",
        ("UPDATE safety.audit_logs SET hash = sha256('other') WHERE source_context = 'streak' AND number = 5",),
    ),
    Breakage(
        "events-hold-no-content",
        payload("reveal", "subject = 'unora.reveal.v1.personality_changed'", "payload || '\\x220463616c6d'"),
    ),
)
