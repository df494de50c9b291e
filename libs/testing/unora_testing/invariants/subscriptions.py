"""Subscriptions, and the tier in every context."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "one-current-subscription",
        ("BI-01",),
        "a member has at most one current subscription",
        """
        SELECT user_id, count(*) AS subscriptions FROM billing.subscriptions
        WHERE status <> 'ended' GROUP BY user_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "tier-of-the-plan",
        ("BI-01", "BI-09"),
        "a member's tier is that of the current subscription, and free without one",
        """
        SELECT a.user_id, a.tier, s.tier AS subscribed FROM billing.accounts a
        LEFT JOIN billing.subscriptions s ON s.user_id = a.user_id AND s.status <> 'ended'
        WHERE a.tier <> coalesce(s.tier, 'free')
        """,
    ),
    Invariant(
        "months-are-paid",
        ("BI-01", "BI-11"),
        "a member has as many months of plans as payments for plans were applied",
        """
        WITH had AS (
            SELECT user_id, tier, sum(periods) AS months FROM billing.subscriptions GROUP BY user_id, tier
        ), paid AS (
            SELECT payer_id AS user_id, plan AS tier, count(*) AS months FROM billing.payments
            WHERE purpose = 'subscription' AND status = 'applied' GROUP BY payer_id, plan)
        SELECT user_id, tier, had.months, paid.months AS paid FROM had FULL JOIN paid USING (user_id, tier)
        WHERE had.months IS DISTINCT FROM paid.months
        """,
    ),
    Invariant(
        "no-plan-on-disputed-money",
        ("BI-01", "BI-10"),
        "no subscription goes on of which a payment is or was disputed",
        """
        SELECT s.id AS subscription_id, p.id AS payment_id, r.kind
        FROM billing.subscriptions s JOIN billing.payments p ON p.payer_id = s.user_id AND p.status = 'applied'
            AND (p.renews_subscription_id = s.id OR p.succeeded_at = s.started_at)
        JOIN billing.payment_reversals r ON r.payment_id = p.id AND r.kind IN ('dispute_opened', 'dispute_lost')
        WHERE s.status <> 'ended'
        """,
    ),
    Invariant(
        "all-follow-the-tier",
        ("BI-01", "DI-14", "MA-07", "RE-08", "ST-13", "XX-02"),
        "identity, discovery, matching, streak and reveal know every member's tier as billing does",
        """
        WITH known AS (
            SELECT 'identity' AS context, id AS user_id, tier FROM identity.users
            UNION ALL SELECT 'discovery', user_id, tier FROM discovery.candidates
            UNION ALL SELECT 'matching', user_id, tier FROM matching.inventory
            UNION ALL SELECT 'streak', user_id, tier FROM streak.tiers
            UNION ALL SELECT 'reveal', user_id, tier FROM reveal.tiers
        ), due AS (
            SELECT context, user_id, tier FROM billing.accounts,
                unnest(ARRAY['identity', 'discovery', 'matching', 'streak', 'reveal']) AS context)
        SELECT context, user_id, due.tier, known.tier AS known FROM due FULL JOIN known USING (context, user_id)
        WHERE coalesce(due.tier, 'free') <> coalesce(known.tier, 'free')
        """,
    ),
    Invariant(
        "earning-by-own-tier",
        ("RE-03", "RE-08"),
        "each member of a streak earns reveals by their own tier",
        """
        SELECT g.streak_id, g.user_id, g.tier, t.tier AS own FROM reveal.progressions g
        LEFT JOIN reveal.tiers t USING (user_id) WHERE g.tier <> coalesce(t.tier, 'free')
        """,
    ),
)
