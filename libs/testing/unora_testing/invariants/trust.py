"""Trust, and what a Gov ID locks."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "trust-by-its-signals",
        ("ID-04", "XX-02"),
        "others are shown the level of trust that a member's photos, streaks and Gov ID give",
        """
        WITH facts AS (
            SELECT u.id AS user_id, u.streak_completed_at IS NOT NULL AS completed, p.enough, p.good,
                EXISTS (SELECT FROM identity.verification_signals v
                    WHERE v.user_id = u.id AND v.signal_type = 'gov_id' AND v.outcome = 'verified'
                        AND v.deleted_at IS NULL) AS verified
            FROM identity.users u LEFT JOIN (
                SELECT user_id, count(*) >= 3 AND bool_or(has_face) AS enough,
                    bool_and(quality_passed) FILTER (WHERE rank <= 3) AS good
                FROM (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY position) AS rank
                    FROM identity.photos WHERE deleted_at IS NULL) f
                GROUP BY user_id
            ) p ON p.user_id = u.id)
        SELECT user_id, c.trust_level, l.level FROM discovery.candidates c JOIN facts USING (user_id),
            LATERAL (SELECT CASE WHEN enough IS NOT TRUE THEN 1 WHEN good IS NOT TRUE THEN 2 WHEN verified THEN 5
                WHEN completed THEN 4 ELSE 3 END AS level) l
        WHERE c.discovery_ready AND c.trust_level <> l.level
        """,
    ),
    Invariant(
        "trusted-for-a-streak",
        ("ID-04",),
        "exactly the members who have completed a streak have its trust signal and are trusted for it",
        """
        WITH completed AS (
            SELECT DISTINCT member AS user_id FROM streak.streaks, unnest(ARRAY[user_a_id, user_b_id]) AS member
            WHERE streak_state = 'completed'
        ), boosted AS (
            SELECT user_id FROM identity.verification_signals
            WHERE signal_type = 'booster' AND provider = 'streak' AND outcome = 'verified' AND deleted_at IS NULL)
        SELECT u.id AS user_id FROM identity.users u
        LEFT JOIN completed c ON c.user_id = u.id LEFT JOIN boosted b ON b.user_id = u.id
        WHERE (u.streak_completed_at IS NOT NULL, b.user_id IS NOT NULL)
            <> (c.user_id IS NOT NULL, c.user_id IS NOT NULL)
        """,
    ),
    Invariant(
        "gov-id-by-a-check",
        ("ID-06", "ID-07"),
        "a verified Gov ID has a check with that outcome, the provider's token, and the facts that it locks",
        """
        SELECT user_id, v.id AS signal_id FROM (
            SELECT * FROM identity.verification_signals
            WHERE signal_type = 'gov_id' AND outcome = 'verified' AND deleted_at IS NULL
        ) v
        FULL JOIN (
            SELECT DISTINCT user_id, provider FROM identity.gov_id_checks WHERE outcome = 'verified'
        ) k USING (user_id, provider)
        LEFT JOIN identity.profiles p USING (user_id)
        WHERE v.id IS NULL OR k.user_id IS NULL OR v.opaque_token = ''
            OR p.name = '' OR p.date_of_birth IS NULL OR p.gender IS NULL
        """,
    ),
    Invariant(
        "only-verified-has-a-token",
        ("ID-06",),
        "a Gov ID that is pending or refused leaves no token behind",
        """
        SELECT user_id, id AS signal_id, outcome FROM identity.verification_signals
        WHERE signal_type = 'gov_id' AND outcome <> 'verified' AND opaque_token <> ''
        """,
    ),
)
