"""Credits, their sources, and free recoveries."""

from typing import Final

from unora_testing.invariants.invariant import Invariant
from unora_testing.invariants.plans import best

PAID: Final = """
    (SELECT q.*, coalesce(r.reversed, 0) AS reversed, coalesce(r.uncollected, 0) AS uncollected,
        CASE q.failure WHEN 'mismatch' THEN coalesce(m.received, q.amount) ELSE q.amount END AS paid
    FROM billing.payments q LEFT JOIN billing.payment_mismatches m USING (provider_payment_id)
    LEFT JOIN (
        SELECT payment_id, sum(reversed) AS reversed, sum(uncollected) AS uncollected
        FROM billing.payment_reversals GROUP BY payment_id) r ON r.payment_id = q.id)"""
"""Payments with what was paid, what of it is reversed, and which credits could not be taken back."""

INVARIANTS: Final = (
    Invariant(
        "balance-is-the-ledger",
        ("BI-03",),
        "a member's balance is the sum of their entries",
        """
        SELECT a.user_id, a.balance, l.total FROM billing.accounts a
        LEFT JOIN (SELECT user_id, sum(amount) AS total FROM billing.credits GROUP BY user_id) l USING (user_id)
        WHERE a.balance <> coalesce(l.total, 0)
        """,
    ),
    Invariant(
        "never-below-zero",
        ("BI-03",),
        "no entry took a member's credits below zero",
        """
        SELECT id AS entry_id, user_id, balance FROM (
            SELECT id, user_id, sum(amount) OVER (PARTITION BY user_id ORDER BY created_at, id) AS balance
            FROM billing.credits) l
        WHERE balance < 0
        """,
    ),
    Invariant(
        "credited-in-full-once",
        ("BI-10", "BI-11", "ST-17"),
        "the credits of a credited payment and what is reversed of it are together what was paid, and what could not"
        " be collected besides; all are its payer's, and a free or uncredited payment has none",
        f"""
        SELECT p.id AS payment_id, p.status, p.paid, p.reversed, p.uncollected, sum(e.amount) AS credited
        FROM {PAID} p LEFT JOIN billing.credits e ON e.payment_id = p.id AND e.kind <> 'spent'
        GROUP BY p.id, p.payer_id, p.status, p.method, p.paid, p.reversed, p.uncollected
        HAVING coalesce(sum(e.amount), 0) <> CASE WHEN p.status = 'credited' AND p.method <> 'free'
                THEN p.paid - p.reversed + p.uncollected ELSE 0 END
            OR count(e.id) FILTER (WHERE e.kind IN ('protection', 'compensation')) > 1
            OR bool_or(e.user_id <> p.payer_id)
        """,
    ),
    Invariant(
        "reversed-is-what-was-told",
        ("BI-10",),
        "of each payment is reversed what the provider told of its refunds and disputes, and at most what was paid;"
        " only of what is reversed, credits are left uncollected",
        f"""
        WITH told AS (
            SELECT payment_id, provider_id, coalesce(max(amount) FILTER (
                    WHERE kind IN ('refunded', 'dispute_opened', 'dispute_lost')), 0) AS taken,
                bool_or(kind IN ('refund_failed', 'dispute_won')) AS returned
            FROM billing.payment_reversals GROUP BY payment_id, provider_id
        ), due AS (
            SELECT payment_id, sum(taken) FILTER (WHERE NOT returned) AS taken FROM told GROUP BY payment_id)
        SELECT p.id AS payment_id, p.paid, p.reversed, due.taken FROM {PAID} p JOIN due ON due.payment_id = p.id
        WHERE p.reversed <> least(p.paid, coalesce(due.taken, 0)) OR NOT p.uncollected BETWEEN 0 AND p.reversed
        """,
    ),
    Invariant(
        "reversals-have-their-entries",
        ("BI-03", "BI-10"),
        "each reversal that changed credits has its entry in the ledger, and no other entry takes or gives back",
        """
        SELECT r.id AS reversal_id, e.id AS entry_id
        FROM (SELECT * FROM billing.payment_reversals WHERE credits <> 0) r
        FULL JOIN (SELECT * FROM billing.credits WHERE kind IN ('taken_back', 'given_back')) e ON e.id = r.entry_id
        WHERE (r.payment_id, r.credits) IS DISTINCT FROM (e.payment_id, e.amount)
        """,
    ),
    Invariant(
        "spent-in-full-once",
        ("BI-03", "BI-04"),
        "a payment by credits has one spent entry, in full and by its payer; no other payment has one",
        """
        SELECT p.id AS payment_id, p.method, p.amount, sum(e.amount) AS spent FROM billing.payments p
        LEFT JOIN billing.credits e ON e.payment_id = p.id AND e.kind = 'spent'
        GROUP BY p.id HAVING count(e.id) <> (p.method = 'credits' AND p.succeeded_at IS NOT NULL)::int
            OR bool_or((-e.amount, e.user_id) <> (p.amount, p.payer_id))
        """,
    ),
    Invariant(
        "paid-recoveries-are-protected",
        ("BI-05", "BI-06"),
        "each recovery by money or credits is protected for 24 hours from the partner's ending; a free one is not",
        """
        WITH due AS (
            SELECT r.payment_id, b.breaker_user_id AS payer_id, s.connection_id, r.recovered_at AS opened_at,
                CASE b.breaker_user_id WHEN s.user_a_id THEN s.user_b_id ELSE s.user_a_id END AS partner_id,
                r.recovered_at + interval '24 hours' AS expires_at
            FROM streak.recovery_payments r JOIN billing.payments p ON p.id = r.payment_id AND p.method <> 'free'
            JOIN streak.breaks b ON b.id = r.break_id JOIN streak.streaks s ON s.id = b.streak_id)
        SELECT payment_id, due.opened_at AS recovered_at, c.opened_at, c.expires_at
        FROM due FULL JOIN billing.credit_protections c USING (payment_id)
        WHERE (due.payer_id, due.partner_id, due.connection_id, due.opened_at, due.expires_at)
            IS DISTINCT FROM (c.payer_id, c.partner_id, c.connection_id, c.opened_at, c.expires_at)
        """,
    ),
    Invariant(
        "converted-by-the-partner",
        ("BI-05",),
        "a protection turned into credits exactly if the partner ended the connection within it",
        """
        SELECT p.id AS protection_id, p.status, e.ended_by_id, e.ended_at FROM billing.credit_protections p
        LEFT JOIN billing.connection_endings e USING (connection_id)
        WHERE (p.status = 'converted')
            <> coalesce(e.ended_by_id = p.partner_id AND e.ended_at < p.expires_at, false)
        """,
    ),
    Invariant(
        "conversions-are-credits",
        ("BI-05",),
        "each protection that turned into credits has its entry in the ledger, unless all was reversed before, and no"
        " other protection has",
        """
        SELECT payment_id, p.id AS protection_id, e.id AS entry_id
        FROM (SELECT * FROM billing.credit_protections WHERE status = 'converted') p
        FULL JOIN (SELECT * FROM billing.credits WHERE kind = 'protection') e USING (payment_id)
        WHERE p.id IS NULL OR (e.id IS NULL AND NOT EXISTS (
            SELECT FROM billing.payment_reversals r WHERE r.payment_id = p.payment_id AND r.reversed > 0))
        """,
    ),
    Invariant(
        "endings-are-known",
        ("BI-05", "XX-02"),
        "billing knows who ended which connection and when, as matching does (of a block, a suspension or a closing,"
        " when it was made)",
        """
        SELECT coalesce(c.id, e.connection_id) AS connection_id, c.ended_at, e.ended_at AS known
        FROM matching.connections c FULL JOIN billing.connection_endings e ON e.connection_id = c.id
        WHERE c.ended_by_id IS DISTINCT FROM e.ended_by_id
            OR CASE WHEN c.end_reason IN ('block', 'suspension', 'closing') THEN e.ended_at > c.ended_at
                ELSE e.ended_at IS DISTINCT FROM c.ended_at END
        """,
    ),
    Invariant(
        "free-recoveries-are-counted",
        ("BI-06",),
        "the counted free recoveries of a member in a connection are those that were used",
        """
        WITH made AS (
            SELECT connection_id, payer_id AS user_id, count(*) AS made FROM billing.payments
            WHERE method = 'free' AND status <> 'credited' GROUP BY connection_id, payer_id)
        SELECT connection_id, user_id, f.used, made.made
        FROM billing.free_recovery_allowances f FULL JOIN made USING (connection_id, user_id)
        WHERE coalesce(f.used, 0) <> coalesce(made.made, 0)
        """,
    ),
    Invariant(
        "free-recoveries-of-the-plan",
        ("BI-06",),
        "no member used more free recoveries in a connection than the best of their plans allowed",
        f"""
        SELECT f.connection_id, f.user_id, f.used FROM billing.free_recovery_allowances f
        WHERE f.used > {best("f.user_id", free=0, plus=1, pro=2)}
        """,
    ),
)
