"""Members who paused or closed their account, in each context. A hidden account (ID-13) counts as closed."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

CLOSED: Final = "(SELECT id FROM identity.users WHERE erase_after IS NOT NULL)"

INVARIANTS: Final = (
    Invariant(
        "absence-is-known",
        ("ID-09", "ID-16", "XX-02"),
        "matching and billing know who has closed the account, and matching who has paused, as identity does",
        """
        WITH known AS (
            SELECT 'matching' AS context, user_id, closed, paused FROM matching.inventory
            UNION ALL SELECT 'billing', user_id, closed, false FROM billing.accounts
        ), due AS (
            SELECT context, id AS user_id, erase_after IS NOT NULL AS closed,
                context = 'matching' AND paused_at IS NOT NULL AND erase_after IS NULL AS paused
            FROM identity.users, unnest(ARRAY['matching', 'billing']) AS context WHERE deleted_at IS NULL)
        SELECT context, user_id FROM due LEFT JOIN known USING (context, user_id)
        WHERE (due.closed, due.paused) <> (coalesce(known.closed, false), coalesce(known.paused, false))
        """,
    ),
    Invariant(
        "absent-are-not-shown",
        ("ID-09", "ID-16", "DI-09"),
        "who has paused or closed the account is dealt to nobody",
        """
        SELECT c.user_id FROM discovery.candidates c JOIN identity.users u ON u.id = c.user_id
        WHERE c.discovery_ready AND (u.paused_at IS NOT NULL OR u.erase_after IS NOT NULL)
        """,
    ),
    Invariant(
        "closed-are-not-connected",
        ("ID-09", "MA-09"),
        "who has closed the account has no active connection",
        f"""
        SELECT id AS connection_id FROM matching.connections
        WHERE connection_status = 'active' AND deleted_at IS NULL
            AND (user_a_id IN {CLOSED} OR user_b_id IN {CLOSED})
        """,
    ),
    Invariant(
        "closed-have-no-interest",
        ("ID-09",),
        "no interest of or to a member who has closed the account can match",
        f"""
        SELECT id AS interest_id FROM matching.interests
        WHERE interest_status = 'pending' AND deleted_at IS NULL
            AND (sender_id IN {CLOSED} OR receiver_id IN {CLOSED})
        """,
    ),
    Invariant(
        "closed-have-no-credits",
        ("ID-09", "BI-03"),
        "who has closed the account has no credits; one who only lost the number keeps them (ID-13)",
        f"""
        SELECT user_id, balance FROM billing.accounts
        WHERE user_id IN {CLOSED} AND balance <> 0 AND NOT keeps_credits
            OR keeps_credits AND user_id NOT IN (SELECT id FROM identity.users WHERE hidden_at IS NOT NULL)
                AND user_id NOT IN (SELECT user_id FROM billing.erased_members)
        """,
    ),
    Invariant(
        "closed-have-no-subscription",
        ("ID-09", "BI-01"),
        "who has closed the account has no current subscription",
        f"""
        SELECT id AS subscription_id, user_id FROM billing.subscriptions
        WHERE user_id IN {CLOSED} AND status <> 'ended'
        """,
    ),
    Invariant(
        "closed-are-signed-out",
        ("ID-09",),
        "no session that a member opened before the account was closed is valid",
        # In the order of the member's events: sessions go by the machine's clock, closings by that of the rules.
        """
        SELECT s.user_id, s.id AS session_id FROM identity.users u
        JOIN identity.sessions s ON s.user_id = u.id AND s.revoked_at IS NULL
        JOIN identity.outbox o ON o.aggregate_id = u.id AND o.subject = 'unora.identity.v1.session_opened'
            AND position(convert_to(s.id::text, 'UTF8') IN o.payload) > 0
        WHERE u.erase_after IS NOT NULL AND o.aggregate_version < (
            SELECT max(aggregate_version) FROM identity.outbox WHERE aggregate_id = u.id
                AND subject IN ('unora.identity.v1.account_closed', 'unora.identity.v1.account_hidden'))
        """,
    ),
    Invariant(
        "erased-everywhere",
        ("ID-09",),
        "of an erased account nothing is left but the record of its erasure, and each context has its tombstone",
        """
        SELECT e.user_id, e.receipts FROM identity.erasures e
        WHERE e.erased_at IS NOT NULL AND (
            EXISTS (SELECT FROM identity.users WHERE id = e.user_id)
            OR EXISTS (SELECT FROM identity.profiles WHERE user_id = e.user_id)
            OR EXISTS (SELECT FROM discovery.candidates WHERE user_id = e.user_id)
            OR EXISTS (SELECT FROM reveal.personality_answers WHERE user_id = e.user_id)
            OR EXISTS (SELECT FROM billing.accounts WHERE user_id = e.user_id AND provider_customer_id IS NOT NULL)
            OR 7 <> (SELECT count(*) FROM (
                SELECT user_id, erased_at FROM identity.erased_members
                UNION ALL SELECT user_id, erased_at FROM discovery.erased_members
                UNION ALL SELECT user_id, erased_at FROM matching.erased_members
                UNION ALL SELECT user_id, erased_at FROM streak.erased_members
                UNION ALL SELECT user_id, erased_at FROM reveal.erased_members
                UNION ALL SELECT user_id, erased_at FROM billing.erased_members
                UNION ALL SELECT user_id, erased_at FROM safety.erased_members
            ) t WHERE t.user_id = e.user_id AND t.erased_at IS NOT NULL))
        """,
    ),
)
