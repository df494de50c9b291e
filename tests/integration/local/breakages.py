"""For each invariant the smallest damage that breaks it and nothing else, in the world of story.py."""

from __future__ import annotations

from dataclasses import dataclass

COMPLETED = "(SELECT id FROM streak.streaks WHERE streak_state = 'completed')"
WINDOW = "(SELECT id FROM streak.streaks WHERE streak_state = 'payment_window')"
MATCHED = "(SELECT connection_id FROM streak.streaks WHERE streak_state = 'completed')"
CONNECTED = f"(SELECT user_a_id FROM matching.connections WHERE id = {MATCHED})"
PARTNER = f"(SELECT user_b_id FROM matching.connections WHERE id = {MATCHED})"
ALONE = "(SELECT user_id FROM matching.inventory WHERE active_connection_count = 0 ORDER BY user_id LIMIT 1)"
BATCH = "(SELECT id FROM discovery.discovery_batches WHERE deleted_at IS NULL ORDER BY id LIMIT 1)"
REPLACED = "(SELECT id FROM discovery.discovery_batches WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1)"


@dataclass(frozen=True)
class Breakage:
    """What to do, and what shows: one row, unless more are meant, and what cannot but break with it."""

    invariant: str
    statements: tuple[str, ...]
    rows: int = 1
    also: tuple[str, ...] = ()


def _slots(user: str, change: str) -> tuple[str, ...]:
    """The same change where matching counts slots and where the others follow it."""
    return (
        f"UPDATE matching.inventory SET {change} WHERE user_id = {user}",
        f"UPDATE discovery.candidates SET {change} WHERE user_id = {user}",
    )


def _interest(sender: str, receiver: str) -> str:
    return f"""
        INSERT INTO matching.interests (
            id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, version)
        VALUES (gen_random_uuid(), {sender}, {receiver}, 'friend', gen_random_uuid(), 'pending', 'pending',
            clock.now(), 1)"""


DISCOVERY = (
    Breakage(
        "batch-of-five",
        (f"DELETE FROM discovery.discovery_cards WHERE batch_id = {BATCH} AND position = 3",),
    ),
    Breakage(
        "one-active-batch",
        (
            "DROP INDEX discovery.uq_discovery_batches_one_active",
            f"UPDATE discovery.discovery_cards SET deleted_at = NULL WHERE batch_id = {REPLACED}",
            f"UPDATE discovery.discovery_batches SET deleted_at = NULL WHERE id = {REPLACED}",
        ),
    ),
    Breakage(
        "cards-of-the-server",
        (
            f"""
            UPDATE discovery.discovery_cards k SET shown_user_id = b.user_id FROM discovery.discovery_batches b
            WHERE b.id = k.batch_id AND k.batch_id = {BATCH} AND k.position = 1
            """,
        ),
    ),
    Breakage("ready-means-complete", (f"UPDATE identity.photos SET has_face = false WHERE user_id = {ALONE}",)),
    Breakage(
        "pool-follows-hobbies",
        (f"UPDATE identity.hobbies SET deleted_at = clock.now() WHERE user_id = {ALONE} AND position = 1",),
    ),
    Breakage(
        "pool-follows-slots",
        (f"UPDATE discovery.candidates SET active_connection_count = 0 WHERE user_id = {CONNECTED}",),
    ),
    Breakage(
        "account-follows-slots",
        (f"UPDATE identity.users SET active_connection_count = 0 WHERE id = {CONNECTED}",),
    ),
    Breakage(
        "account-follows-timer",
        (
            """
            UPDATE identity.users SET refresh_available_at = refresh_available_at + interval '1 hour'
            WHERE id = (SELECT user_id FROM discovery.refresh_timers
                WHERE refresh_available_at IS NOT NULL ORDER BY user_id LIMIT 1)
            """,
        ),
    ),
    Breakage(
        "timer-follows-tier",
        tuple(
            f"""
            UPDATE {table} SET refresh_available_at = refresh_available_at + interval '1 hour'
            WHERE {key} = (SELECT user_id FROM discovery.refresh_timers
                WHERE refresh_available_at IS NOT NULL ORDER BY user_id LIMIT 1)
            """
            for table, key in (("identity.users", "id"), ("discovery.refresh_timers", "user_id"))
        ),
    ),
    Breakage(
        "no-batch-where-one-left",
        (
            f"""
            UPDATE discovery.server_memberships m SET left_at = clock.now() FROM discovery.discovery_batches b
            WHERE b.id = {BATCH} AND m.user_id = b.user_id AND m.server_type = b.server_type
            """,
        ),
    ),
    Breakage(
        "pool-follows-standing",
        (f"UPDATE discovery.candidates SET restricted = true WHERE user_id = {ALONE}",),
    ),
    Breakage(
        "blocks-keep-apart",
        (f"INSERT INTO discovery.member_blocks VALUES ({CONNECTED}, {ALONE}, true, clock.now())",),
    ),
    Breakage(
        "who-waits-is-interested",
        (
            f"""
            INSERT INTO discovery.waiting_interests
            VALUES (gen_random_uuid(), 1, {ALONE}, {CONNECTED}, 'partner', true, clock.now() + interval '1 day')
            """,
        ),
    ),
)

MATCHING = (
    Breakage(
        "slots-are-counted",
        (
            f"UPDATE identity.users SET active_connection_count = 0 WHERE id = {CONNECTED}",
            *_slots(CONNECTED, "active_connection_count = 0"),
        ),
    ),
    Breakage(
        "within-the-limit",
        (
            "ALTER TABLE matching.inventory DROP CONSTRAINT ck_inventory_within_limit,"
            " DROP CONSTRAINT ck_inventory_effective_limit",
            *_slots(CONNECTED, "connection_limit = 0"),
        ),
    ),
    Breakage(
        "formed-by-two-interests",
        (f"UPDATE matching.interests SET server_type = 'friend' WHERE sender_id = {CONNECTED}",),
    ),
    Breakage(
        "one-connection-a-pair",
        (
            "DROP INDEX matching.uq_connections_one_active_per_pair",
            f"""
            INSERT INTO matching.connections (
                id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
            VALUES (gen_random_uuid(), {CONNECTED}, {PARTNER}, 'friend', 'active', clock.now(), 1)
            """,
        ),
        also=("slots-are-counted", "formed-by-two-interests", "one-streak-a-connection"),
    ),
    Breakage("no-slot-no-interest", (_interest(CONNECTED, ALONE),)),
    Breakage(
        "wipes-are-recorded",
        (f"UPDATE matching.interest_wipes SET wiped_count = wiped_count + 1 WHERE user_id = {CONNECTED}",),
    ),
    Breakage(
        "connected-need-no-interest",
        (
            f"UPDATE matching.inventory SET tier_limit = 2, connection_limit = 2 WHERE user_id = {CONNECTED}",
            f"UPDATE discovery.candidates SET connection_limit = 2 WHERE user_id = {CONNECTED}",
            _interest(CONNECTED, PARTNER),
        ),
    ),
    Breakage("chat-from-day-15", (f"UPDATE matching.connections SET chat_unlocked_at = NULL WHERE id = {MATCHED}",)),
)

STREAKS = (
    Breakage("one-streak-a-connection", (f"UPDATE streak.streaks SET server_type = 'friend' WHERE id = {WINDOW}",)),
    Breakage(
        "ended-with-the-connection",
        (
            f"""
            UPDATE streak.streaks SET streak_state = 'terminated', ended_at = clock.now(), window_closes_at = NULL,
                breaker_user_id = NULL, next_due_at = NULL WHERE id = {WINDOW}
            """,
        ),
    ),
    Breakage("count-is-kept-days", (f"UPDATE streak.streaks SET completed_days = 2 WHERE id = {WINDOW}",)),
    Breakage(
        "completed-by-fifteen",
        (f"UPDATE streak.check_ins SET day = 8 WHERE streak_id = {COMPLETED} AND cycle = 2 AND day = 7",),
    ),
    Breakage(
        "once-a-day",
        (
            "ALTER TABLE streak.check_ins DROP CONSTRAINT uq_check_ins_streak_id_user_id_cycle_check_in_date",
            f"""
            INSERT INTO streak.check_ins (
                id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
            SELECT gen_random_uuid(), streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal
            FROM streak.check_ins WHERE streak_id = {COMPLETED} AND cycle = 2 AND day = 7 LIMIT 1
            """,
        ),
    ),
    Breakage(
        "before-the-day-ends",
        (
            f"""
            UPDATE streak.check_ins SET check_in_at = check_in_at + interval '1 day'
            WHERE streak_id = {COMPLETED} AND cycle = 2 AND day = 7 AND user_id = {CONNECTED}
            """,
        ),
    ),
    Breakage(
        "only-the-two-check-in",
        (
            f"""
            INSERT INTO streak.check_ins (
                id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
            SELECT gen_random_uuid(), id, {ALONE}, cycle, 2, check_in_date + 1, closes_at, 'low'
            FROM streak.streaks WHERE id = {WINDOW}
            """,
        ),
    ),
    Breakage(
        "breaker-missed-it",
        (
            f"""
            UPDATE streak.streaks SET breaker_user_id =
                CASE breaker_user_id WHEN user_a_id THEN user_b_id ELSE user_a_id END WHERE id = {WINDOW}
            """,
        ),
    ),
    Breakage(
        "days-are-closed",
        (f"UPDATE streak.streaks SET next_due_at = clock.now() - interval '1 hour' WHERE id = {WINDOW}",),
    ),
)

REVEALS = (
    Breakage(
        "five-reveals-each",
        (
            f"""
            DELETE FROM reveal.reveals WHERE streak_id = {WINDOW} AND reveal_number = 3
                AND user_id = (SELECT user_a_id FROM streak.streaks WHERE id = {WINDOW})
            """,
        ),
    ),
    Breakage(
        "earned-by-days-played",
        (f"UPDATE reveal.reveals SET completed_days = 5 WHERE streak_id = {WINDOW} AND reveal_number = 1",),
        rows=2,
    ),
    Breakage(
        "no-identity-before-day-15",
        (
            "ALTER TABLE reveal.reveals DROP CONSTRAINT ck_reveals_identity_needs_day_15",
            f"UPDATE reveal.reveals SET reveal_status = 'earned' WHERE streak_id = {WINDOW} AND reveal_number = 5",
        ),
        rows=2,
    ),
    Breakage(
        "content-of-opened-reveals",
        (
            f"""
            INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, created_at)
            SELECT id, reveal_number, '{{"title": "Too", "text": "soon"}}', clock.now() FROM reveal.reveals
            WHERE streak_id = {COMPLETED} AND reveal_number = 3 LIMIT 1
            """,
        ),
    ),
    Breakage("disclosed-when-complete", (f"DELETE FROM identity.disclosures WHERE connection_id = {MATCHED}",)),
    Breakage(
        "undisclosed-when-ended",
        (f"UPDATE identity.disclosures SET ended_at = clock.now() WHERE connection_id = {MATCHED}",),
    ),
)

EVENTS = (
    Breakage(
        "versions-without-gaps",
        (f"DELETE FROM streak.outbox WHERE aggregate_id = {COMPLETED} AND aggregate_version = 3",),
    ),
    Breakage("every-change-is-told", (f"UPDATE streak.streaks SET version = version + 1 WHERE id = {COMPLETED}",)),
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
            UPDATE streak.outbox SET payload = payload || '\\x00'
            WHERE aggregate_id = {COMPLETED} AND aggregate_version = 3
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
)

BREAKAGES = (*DISCOVERY, *MATCHING, *STREAKS, *REVEALS, *EVENTS)
