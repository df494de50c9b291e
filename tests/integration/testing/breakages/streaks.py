"""Streaks, check-ins, breaks and nudges."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import ALONE, COMPLETED, CONNECTED, WINDOW

BREAKAGES = (
    Breakage("one-streak-a-connection", (f"UPDATE streak.streaks SET server_type = 'friend' WHERE id = {WINDOW}",)),
    Breakage(
        "ended-with-the-connection",
        (
            f"""
            UPDATE streak.streaks SET streak_state = 'terminated', ended_at = clock.now(), window_closes_at = NULL,
                breaker_user_id = NULL, next_due_at = NULL WHERE id = {WINDOW}
            """,
            "UPDATE streak.breaks SET closed_at = clock.now(), outcome = 'terminated' WHERE closed_at IS NULL",
        ),
    ),
    Breakage("count-is-kept-days", (f"UPDATE streak.streaks SET completed_days = 2 WHERE id = {WINDOW}",)),
    Breakage(
        "completed-by-fifteen",
        (f"UPDATE streak.check_ins SET day = 8 WHERE streak_id = {COMPLETED} AND cycle = 2 AND day = 7",),
    ),
    Breakage(
        "one-check-in-a-day",
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
        "breaks-match-check-ins",
        (
            f"""
            UPDATE streak.breaks SET missing_user_id = {ALONE}, breaker_user_id = {ALONE}
            WHERE streak_id = {COMPLETED} AND outcome = 'reset'
            """,
        ),
    ),
    Breakage(
        "one-open-break",
        ("UPDATE streak.breaks SET closed_at = clock.now(), outcome = 'reset' WHERE closed_at IS NULL",),
    ),
    Breakage(
        "recovered-when-paid",
        (f"UPDATE streak.breaks SET outcome = 'recovered' WHERE streak_id = {COMPLETED} AND outcome = 'reset'",),
    ),
    Breakage(
        "held-for-a-payment",
        (
            f"""
            UPDATE streak.streaks SET hold_payment_id = gen_random_uuid(), hold_until = next_due_at,
                long_hold_used = true WHERE id = {WINDOW}
            """,
        ),
    ),
    Breakage(
        "nudged-while-at-risk",
        ("UPDATE streak.nudges SET sent_at = sent_at + interval '1 day' WHERE payment_id IS NULL",),
    ),
    Breakage(
        "nudges-of-the-tier",
        (
            """
            INSERT INTO streak.nudges
            SELECT gen_random_uuid(), streak_id, break_id, sender_id, receiver_id, 3, NULL, sent_at, NULL
            FROM streak.nudges WHERE payment_id IS NULL
            """,
        ),
    ),
    Breakage(
        "days-are-closed",
        (f"UPDATE streak.streaks SET next_due_at = clock.now() - interval '1 hour' WHERE id = {WINDOW}",),
    ),
)
