"""Reveals, and the identity of Day 15."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "five-reveals-each",
        ("RE-01",),
        "each member of a streak has reveals 1 to 5, and no more",
        """
        SELECT s.id AS streak_id, member FROM streak.streaks s, unnest(ARRAY[s.user_a_id, s.user_b_id]) AS member
        WHERE ARRAY[1, 2, 3, 4, 5] <> ARRAY(
            SELECT reveal_number::int FROM reveal.reveals
            WHERE streak_id = s.id AND user_id = member AND deleted_at IS NULL ORDER BY reveal_number)
            AND s.streak_state <> 'terminated'
        """,
    ),
    Invariant(
        "earned-by-days-played",
        ("RE-02", "RE-11"),
        "a reveal is earned at no more days than the pair has completed in a cycle",
        """
        SELECT r.id AS reveal_id, r.reveal_number, r.completed_days FROM reveal.reveals r
        WHERE r.completed_days > coalesce((
            SELECT max(days) FROM (
                SELECT count(*) AS days FROM (
                    SELECT cycle, check_in_date FROM streak.check_ins WHERE streak_id = r.streak_id
                    GROUP BY cycle, check_in_date HAVING count(DISTINCT user_id) = 2) kept
                GROUP BY cycle) cycles), 0)
        """,
    ),
    Invariant(
        "what-is-due-is-earned",
        ("RE-02", "RE-08"),
        "a reveal whose milestone the pair has reached, by the member's tier, is not locked",
        """
        SELECT r.id AS reveal_id, r.reveal_number, p.completed_days FROM reveal.reveals r
        JOIN reveal.pairs p ON p.streak_id = r.streak_id AND p.ended_at IS NULL
        JOIN reveal.progressions g ON g.streak_id = r.streak_id AND g.user_id = r.user_id
        JOIN reveal.reveal_milestones m ON m.tier = g.tier AND m.reveal_number = r.reveal_number
        WHERE r.reveal_status = 'locked' AND r.deleted_at IS NULL AND m.reveal_day_required <= p.completed_days
        """,
    ),
    Invariant(
        "no-identity-before-day-15",
        ("RE-04",),
        "reveal 5 is locked until the streak is complete",
        """
        SELECT r.id AS reveal_id, r.reveal_status FROM reveal.reveals r
        LEFT JOIN streak.streaks s ON s.id = r.streak_id
        WHERE r.reveal_number = 5 AND r.reveal_status <> 'locked' AND s.streak_state IS DISTINCT FROM 'completed'
        """,
    ),
    Invariant(
        "content-of-opened-reveals",
        ("RE-04", "RE-09", "PE-04"),
        "only an opened reveal has content; no content of reveal 3 and no text of reveal 5 is stored",
        """
        SELECT c.reveal_id, c.reveal_number FROM reveal.reveal_contents c
        LEFT JOIN reveal.reveals r ON r.id = c.reveal_id AND r.reveal_number = c.reveal_number
        WHERE r.reveal_status IS DISTINCT FROM 'unlocked' OR c.reveal_number = 3
            OR (c.reveal_number = 5 AND c.content_json IS NOT NULL)
        """,
    ),
    Invariant(
        "disclosed-when-complete",
        ("RE-04", "RE-10"),
        "identity has disclosed exactly the two members of a complete streak to each other",
        """
        SELECT connection_id, s.id AS streak_id, d.disclosed_at
        FROM (SELECT * FROM streak.streaks WHERE streak_state = 'completed') s
        FULL JOIN (SELECT * FROM identity.disclosures WHERE disclosed_at IS NOT NULL) d USING (connection_id)
        LEFT JOIN matching.connections c ON c.id = connection_id
        WHERE s.id IS NULL OR (d.disclosed_at IS NULL AND c.connection_status = 'active')
            OR (d.streak_id, d.user_a_id, d.user_b_id) <> (s.id, s.user_a_id, s.user_b_id)
        """,
    ),
    Invariant(
        "closed-when-ended",
        ("RE-10", "XX-02"),
        "the reveals of a pair close when its connection ends, and not before",
        """
        SELECT c.id AS connection_id, c.ended_at, p.ended_at AS known FROM matching.connections c
        LEFT JOIN reveal.pairs p ON p.connection_id = c.id WHERE c.ended_at IS DISTINCT FROM p.ended_at
        """,
    ),
    Invariant(
        "undisclosed-when-ended",
        ("RE-10",),
        "a disclosure ends when its connection ends, and not before",
        """
        SELECT c.id AS connection_id FROM matching.connections c
        LEFT JOIN identity.disclosures d ON d.connection_id = c.id
        WHERE (c.connection_status = 'ended') <> (d.ended_at IS NOT NULL)
        """,
    ),
)
