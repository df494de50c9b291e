"""Measures against members, and their effect in each context."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "standing-was-decided",
        ("SA-03", "SA-05"),
        "every measure against a member follows from a decision about them",
        """
        SELECT r.user_id, m.decision FROM safety.restrictions r, LATERAL (VALUES
            ('reduce_visibility', r.reduced_visibility), ('restrict', r.restricted), ('suspend', r.suspended)
        ) AS m (decision, done)
        WHERE m.done AND NOT EXISTS (
            SELECT FROM safety.cases c WHERE c.user_id = r.user_id AND c.decision = m.decision)
        """,
    ),
    Invariant(
        "standing-is-known",
        ("SA-06", "SA-08", "XX-02"),
        "matching, identity and billing know restricted and suspended members as safety does, unless they are erased",
        """
        WITH known AS (
            SELECT 'matching' AS context, user_id, restricted, suspended FROM matching.inventory
            UNION ALL SELECT 'identity', id, NULL, suspended_at IS NOT NULL FROM identity.users
            UNION ALL SELECT 'billing', user_id, NULL, suspended FROM billing.accounts
        ), due AS (
            SELECT context, user_id, CASE context WHEN 'matching' THEN restricted END AS restricted, suspended
            FROM safety.restrictions, unnest(ARRAY['matching', 'identity', 'billing']) AS context)
        SELECT context, user_id FROM due FULL JOIN known USING (context, user_id)
        WHERE (coalesce(due.restricted, false), coalesce(due.suspended, false))
            <> (coalesce(known.restricted, false), coalesce(known.suspended, false))
            AND user_id NOT IN (SELECT user_id FROM identity.erasures)
        """,
    ),
    Invariant(
        "restricted-have-no-interest",
        ("SA-06", "SA-08"),
        "a restricted or suspended member has no pending interest",
        """
        SELECT n.id AS interest_id, n.sender_id FROM matching.interests n
        JOIN safety.restrictions r ON r.user_id = n.sender_id AND (r.restricted OR r.suspended)
        WHERE n.interest_status = 'pending' AND n.deleted_at IS NULL
        """,
    ),
    Invariant(
        "suspended-are-not-connected",
        ("SA-06",),
        "a suspended member has no active connection",
        """
        SELECT c.id AS connection_id, r.user_id FROM matching.connections c
        JOIN safety.restrictions r ON r.user_id IN (c.user_a_id, c.user_b_id) AND r.suspended
        WHERE c.connection_status = 'active' AND c.deleted_at IS NULL
        """,
    ),
    Invariant(
        "suspended-have-no-subscription",
        ("SA-06",),
        "a suspended member has no current subscription",
        """
        SELECT s.id AS subscription_id, s.user_id FROM billing.subscriptions s
        JOIN safety.restrictions r ON r.user_id = s.user_id AND r.suspended WHERE s.status <> 'ended'
        """,
    ),
    Invariant(
        "suspended-are-signed-out",
        ("SA-06",),
        "no session that a suspended member opened before the suspension is valid",
        # In the order of the member's events: sessions go by the machine's clock, suspensions by that of the rules.
        """
        SELECT s.user_id, s.id AS session_id FROM identity.users u
        JOIN identity.sessions s ON s.user_id = u.id AND s.revoked_at IS NULL
        JOIN identity.outbox o ON o.aggregate_id = u.id AND o.subject = 'unora.identity.v1.session_opened'
            AND position(convert_to(s.id::text, 'UTF8') IN o.payload) > 0
        WHERE u.suspended_at IS NOT NULL AND o.aggregate_version < (
            SELECT max(aggregate_version) FROM identity.outbox
            WHERE aggregate_id = u.id AND subject = 'unora.identity.v1.suspension_changed')
        """,
    ),
)
