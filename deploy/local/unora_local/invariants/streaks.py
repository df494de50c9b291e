"""Streaks and check-ins."""

from typing import Final

from unora_local.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "one-streak-a-connection",
        ("ST-01",),
        "every connection has one streak, of the same two, and no streak is without one",
        """
        SELECT c.id AS connection_id, s.id AS streak_id FROM matching.connections c
        FULL JOIN streak.streaks s ON s.connection_id = c.id AND s.deleted_at IS NULL
        WHERE c.id IS NULL OR s.id IS NULL
            OR (c.user_a_id, c.user_b_id, c.server_type) <> (s.user_a_id, s.user_b_id, s.server_type)
        UNION ALL
        SELECT connection_id, NULL FROM streak.streaks
        WHERE deleted_at IS NULL GROUP BY connection_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "ended-with-the-connection",
        ("ST-12", "MA-09"),
        "a streak whose connection has ended is terminated, unless it was complete; no other is terminated",
        """
        SELECT s.id AS streak_id, s.streak_state, c.connection_status
        FROM streak.streaks s JOIN matching.connections c ON c.id = s.connection_id
        WHERE s.streak_state <> 'completed' AND (s.streak_state = 'terminated') <> (c.connection_status = 'ended')
        """,
    ),
    Invariant(
        "count-is-kept-days",
        ("ST-05", "ST-09"),
        "completed_days is the number of days of the cycle on which both checked in",
        """
        SELECT s.id AS streak_id, s.completed_days, count(kept.check_in_date) AS kept
        FROM streak.streaks s LEFT JOIN (
            SELECT streak_id, cycle, check_in_date FROM streak.check_ins
            GROUP BY streak_id, cycle, check_in_date HAVING count(DISTINCT user_id) = 2
        ) kept ON kept.streak_id = s.id AND kept.cycle = s.cycle
        GROUP BY s.id HAVING count(kept.check_in_date) <> s.completed_days
        """,
    ),
    Invariant(
        "completed-by-fifteen",
        ("ST-11",),
        "a completed streak has both check-ins of each of its days 1 to 15",
        """
        SELECT s.id AS streak_id FROM streak.streaks s
        WHERE s.streak_state = 'completed' AND 30 <> (
            SELECT count(DISTINCT (c.day, c.user_id)) FROM streak.check_ins c
            WHERE c.streak_id = s.id AND c.cycle = s.cycle AND c.day BETWEEN 1 AND 15
                AND c.user_id IN (s.user_a_id, s.user_b_id))
        """,
    ),
    Invariant(
        "once-a-day",
        ("ST-04",),
        "a member checks in at most once a day",
        """
        SELECT streak_id, user_id, cycle, check_in_date, count(*) AS check_ins FROM streak.check_ins
        GROUP BY streak_id, user_id, cycle, check_in_date HAVING count(*) > 1
        """,
    ),
    Invariant(
        "before-the-day-ends",
        ("ST-03", "ST-04"),
        "no check-in came after the midnight that ended its day",
        """
        SELECT c.id AS check_in_id, c.check_in_date, c.check_in_at
        FROM streak.check_ins c JOIN streak.streaks s ON s.id = c.streak_id AND s.cycle = c.cycle
        WHERE c.check_in_at >= (c.check_in_date + 1)::timestamp AT TIME ZONE s.zone
        """,
    ),
    Invariant(
        "only-the-two-check-in",
        ("ST-04",),
        "a check-in is by one of the two of its streak",
        """
        SELECT c.id AS check_in_id FROM streak.check_ins c JOIN streak.streaks s ON s.id = c.streak_id
        WHERE c.user_id NOT IN (s.user_a_id, s.user_b_id)
        """,
    ),
    Invariant(
        "breaker-missed-it",
        ("ST-06", "ST-08"),
        "in the payment window the breaker is the one who did not check in on the day that broke",
        """
        SELECT s.id AS streak_id FROM streak.streaks s
        WHERE s.streak_state = 'payment_window' AND ARRAY[s.breaker_user_id] <> ARRAY(
            SELECT member FROM unnest(ARRAY[s.user_a_id, s.user_b_id]) AS member
            WHERE NOT EXISTS (
                SELECT FROM streak.check_ins c WHERE c.streak_id = s.id AND c.cycle = s.cycle
                    AND c.check_in_date = s.check_in_date AND c.user_id = member))
        """,
    ),
    Invariant(
        "days-are-closed",
        ("ST-16",),
        "no day is left open after its end",
        """
        SELECT id AS streak_id, streak_state, next_due_at FROM streak.streaks
        WHERE next_due_at < clock.now() - interval '1 minute'
        """,
    ),
)
