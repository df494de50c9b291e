"""Payments and their results: the purchased item, or credits in full."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "no-payment-stays-succeeded",
        ("BI-11",),
        "no payment stays succeeded: the purchased item was delivered, or it became credits",
        "SELECT id AS payment_id, purpose, succeeded_at FROM billing.payments WHERE status = 'succeeded'",
    ),
    Invariant(
        "nothing-is-overdue",
        ("BI-05", "BI-09", "BI-11"),
        "no payment, subscription or protection is still unhandled after its due time",
        """
        SELECT id, due FROM (
            SELECT id, due_at AS due FROM billing.payments WHERE status IN ('created', 'pending')
            UNION ALL SELECT id, due_at FROM billing.subscriptions WHERE status <> 'ended'
            UNION ALL SELECT id, expires_at FROM billing.credit_protections WHERE status = 'open'
        ) o WHERE due < clock.now() - interval '1 minute'
        """,
    ),
    Invariant(
        "money-means-a-charge",
        ("BI-02", "BI-07"),
        "a payment by money is known to the provider, and any other payment is not",
        """
        SELECT id AS payment_id, method, provider_payment_id FROM billing.payments
        WHERE succeeded_at IS NOT NULL AND (method = 'money') <> (provider_payment_id IS NOT NULL)
        """,
    ),
    Invariant(
        "recovery-by-the-breaker",
        ("BI-11", "ST-08", "ST-18"),
        "a payment for a delivered recovery belongs to one break of its streak, whose breaker is the payer",
        """
        WITH given AS (
            SELECT r.payment_id, r.user_id AS payer_id, b.streak_id, b.breaker_user_id
            FROM streak.recovery_payments r JOIN streak.breaks b ON b.id = r.break_id
        ), paid AS (
            SELECT p.id AS payment_id, p.payer_id, p.streak_id FROM billing.payments p
            LEFT JOIN billing.credit_protections c ON c.payment_id = p.id AND c.status = 'converted'
            WHERE p.purpose = 'recovery' AND (p.status = 'applied' OR c.id IS NOT NULL))
        SELECT payment_id, paid.payer_id, given.breaker_user_id FROM paid FULL JOIN given USING (payment_id)
        WHERE (paid.payer_id, paid.streak_id) IS DISTINCT FROM (given.payer_id, given.streak_id)
            OR given.payer_id <> given.breaker_user_id
        """,
    ),
    Invariant(
        "recoveries-have-their-event",
        ("ST-08", "ST-18", "XX-02"),
        "StreakRecovered was emitted once for each recovery, of its streak, with its payment and its breaker",
        """
        WITH emitted AS (
            SELECT event_id, aggregate_id AS streak_id, payload FROM safety.audit_logs
            WHERE subject = 'unora.streak.v1.streak_recovered'
        ), given AS (
            SELECT r.payment_id, b.streak_id, convert_to(r.payment_id::text, 'UTF8') AS payment,
                convert_to(b.breaker_user_id::text, 'UTF8') AS breaker
            FROM streak.recovery_payments r JOIN streak.breaks b ON b.id = r.break_id)
        SELECT g.payment_id, t.streak_id, count(t.event_id) AS events FROM given g
        FULL JOIN emitted t ON t.streak_id = g.streak_id
            AND position(g.payment IN t.payload) > 0 AND position(g.breaker IN t.payload) > 0
        GROUP BY g.payment_id, t.streak_id HAVING g.payment_id IS NULL OR count(t.event_id) <> 1
        """,
    ),
    Invariant(
        "nudge-by-its-sender",
        ("BI-11", "ST-13"),
        "a payment for a delivered nudge belongs to one nudge on its streak, whose sender is the payer",
        """
        SELECT coalesce(p.id, n.payment_id) AS payment_id, n.id AS nudge_id
        FROM (SELECT * FROM billing.payments WHERE purpose = 'nudge' AND status = 'applied') p
        FULL JOIN (SELECT * FROM streak.nudges WHERE payment_id IS NOT NULL) n ON n.payment_id = p.id
        WHERE (p.payer_id, p.streak_id) IS DISTINCT FROM (n.sender_id, n.streak_id)
        """,
    ),
    Invariant(
        "purchase-by-its-owner",
        ("BI-11", "RE-05"),
        "a payment for a delivered reveal belongs to one reveal of the payer, with its number and streak",
        """
        WITH given AS (
            SELECT g.payment_id, r.user_id, r.streak_id, r.reveal_number
            FROM reveal.purchases g LEFT JOIN reveal.reveals r ON r.id = g.reveal_id WHERE g.given)
        SELECT coalesce(p.id, given.payment_id) AS payment_id, p.reveal_number
        FROM (SELECT * FROM billing.payments WHERE purpose = 'reveal' AND status = 'applied') p
        FULL JOIN given ON given.payment_id = p.id
        WHERE (p.payer_id, p.streak_id, p.reveal_number)
            IS DISTINCT FROM (given.user_id, given.streak_id, given.reveal_number)
        """,
    ),
    Invariant(
        "purchased-by-a-purchase",
        ("RE-05", "RE-11"),
        "a purchased reveal has a delivered purchase, and a reveal with a delivered purchase is purchased or unlocked",
        """
        SELECT r.id AS reveal_id, r.reveal_status, g.payment_id FROM reveal.reveals r
        LEFT JOIN reveal.purchases g ON g.reveal_id = r.id AND g.given
        WHERE CASE WHEN g.payment_id IS NULL THEN r.reveal_status = 'purchased'
                   ELSE r.reveal_status NOT IN ('purchased', 'unlocked') END
        """,
    ),
    Invariant(
        "rejected-is-compensated",
        ("BI-11", "ST-17"),
        "a rejected payment became credits or a free recovery again, and no other payment did",
        """
        WITH rejected AS (
            SELECT payment_id FROM streak.closed_payments WHERE outcome = 'rejected'
            UNION ALL SELECT payment_id FROM reveal.purchases WHERE NOT given
        ), credited AS (
            SELECT p.id AS payment_id FROM billing.payments p
            LEFT JOIN billing.credit_protections c ON c.payment_id = p.id AND c.status = 'converted'
            WHERE p.status = 'credited' AND p.purpose <> 'subscription' AND p.failure IS NULL AND c.id IS NULL)
        SELECT payment_id FROM rejected FULL JOIN credited USING (payment_id)
        WHERE rejected.payment_id IS NULL OR credited.payment_id IS NULL
        """,
    ),
    Invariant(
        "mismatches-end-as-decided",
        ("BI-10",),
        "a payment has failed by a mismatch exactly if it was decided what becomes of its money, and it became credits"
        " exactly if that was decided",
        """
        SELECT coalesce(p.id, m.payment_id) AS payment_id, p.status, m.resolution
        FROM (SELECT * FROM billing.payments WHERE failure = 'mismatch') p
        FULL JOIN (
            SELECT m.* FROM billing.payment_mismatches m JOIN billing.payments q USING (provider_payment_id)
            WHERE m.resolution IS NOT NULL) m USING (provider_payment_id)
        WHERE p.id IS NULL OR m.payment_id IS NULL OR (p.status = 'credited') <> (m.resolution = 'credit')
        """,
    ),
)
