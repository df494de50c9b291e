"""Streaks and check-ins."""

from typing import Final

from unora_testing.invariants.invariant import Invariant
from unora_testing.invariants.plans import best

INVARIANTS: Final = (
    Invariant(
        "one-streak-a-connection",
        ("ST-01",),
        "every connection has one streak, of the same two members, and every streak has a connection",
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
        GROUP BY s.id, s.completed_days HAVING count(kept.check_in_date) <> s.completed_days
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
        "one-check-in-a-day",
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
        "a check-in is by one of the members of its streak",
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
        "breaks-match-check-ins",
        ("ST-06", "ST-08"),
        "on a broken day only the other member checked in; on a day at risk that was kept, both did",
        """
        SELECT b.id AS break_id, b.outcome FROM streak.breaks b JOIN streak.streaks s ON s.id = b.streak_id
        WHERE (b.broke_at IS NOT NULL OR b.outcome = 'kept') AND ARRAY(
            SELECT member FROM unnest(ARRAY[s.user_a_id, s.user_b_id]) AS member
            WHERE b.broke_at IS NULL OR member <> b.missing_user_id ORDER BY member
        ) <> ARRAY(
            SELECT user_id FROM streak.check_ins c WHERE c.streak_id = b.streak_id AND c.cycle = b.cycle
                AND c.check_in_date = b.check_in_date ORDER BY user_id)
        """,
    ),
    Invariant(
        "one-open-break",
        ("ST-06", "ST-09"),
        "a streak at risk or in its payment window has one open break, of its current day; no other streak has one",
        """
        SELECT streak_id, s.streak_state, b.id AS break_id
        FROM (SELECT *, id AS streak_id FROM streak.streaks WHERE streak_state IN ('at_risk', 'payment_window')) s
        FULL JOIN (SELECT * FROM streak.breaks WHERE closed_at IS NULL) b USING (streak_id)
        WHERE (s.cycle, s.check_in_date) IS DISTINCT FROM (b.cycle, b.check_in_date)
            OR (b.breaker_user_id IS NOT NULL) <> (s.streak_state = 'payment_window')
            OR b.missing_user_id = ANY (s.here)
        """,
    ),
    Invariant(
        "recovered-when-paid",
        ("ST-08", "ST-18"),
        "a break is recovered exactly if a payment authorised for it was applied while it was open",
        """
        SELECT b.id AS break_id, b.outcome, r.payment_id FROM streak.breaks b
        LEFT JOIN streak.recovery_payments r ON r.break_id = b.id
        LEFT JOIN streak.recovery_holds h ON h.payment_id = r.payment_id AND h.break_id = b.id
        WHERE (b.outcome IS NOT DISTINCT FROM 'recovered') <> (r.payment_id IS NOT NULL)
            OR (r.payment_id IS NOT NULL
                AND (h.payment_id IS NULL OR r.recovered_at NOT BETWEEN b.broke_at AND b.closed_at))
        """,
    ),
    Invariant(
        "held-for-a-payment",
        ("ST-20",),
        "only a payment window is held, for an unfinished payment of its breaker, authorised for its open break",
        """
        SELECT s.id AS streak_id, s.streak_state, s.hold_payment_id FROM streak.streaks s
        WHERE s.hold_payment_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM billing.payments p
            JOIN streak.recovery_holds h ON h.payment_id = p.id AND h.user_id = p.payer_id
            JOIN streak.breaks b ON b.id = h.break_id AND b.streak_id = p.streak_id AND b.closed_at IS NULL
            WHERE p.id = s.hold_payment_id AND p.streak_id = s.id AND p.payer_id = s.breaker_user_id
                AND p.purpose = 'recovery' AND p.status IN ('created', 'pending')
                AND s.streak_state = 'payment_window')
        """,
    ),
    Invariant(
        "nudged-while-at-risk",
        ("ST-13",),
        "a nudge was sent in the at-risk period that it counts for, to the member who was missing",
        """
        SELECT n.id AS nudge_id, n.sent_at, b.opened_at, coalesce(b.broke_at, b.closed_at) AS over_at
        FROM streak.nudges n JOIN streak.breaks b ON b.id = n.break_id JOIN streak.streaks s ON s.id = b.streak_id
        WHERE n.sent_at NOT BETWEEN b.opened_at AND coalesce(b.broke_at, b.closed_at, 'infinity')
            OR n.receiver_id <> b.missing_user_id OR n.sender_id = n.receiver_id
            OR n.sender_id NOT IN (s.user_a_id, s.user_b_id)
        """,
    ),
    Invariant(
        "nudges-of-the-tier",
        ("ST-13",),
        "in an at-risk period no member nudges more often than the best of their plans allows, plus bought nudges",
        f"""
        SELECT n.break_id, n.sender_id, count(*) AS nudges FROM streak.nudges n
        WHERE n.payment_id IS NULL AND n.deleted_at IS NULL
        GROUP BY n.break_id, n.sender_id HAVING count(*) > {best("n.sender_id", free=1, plus=2, pro=3)}
        """,
    ),
    Invariant(
        "days-are-closed",
        ("ST-16",),
        "no day stays open after its end",
        """
        SELECT id AS streak_id, streak_state, next_due_at FROM streak.streaks
        WHERE next_due_at < clock.now() - interval '1 minute'
        """,
    ),
)
