"""Blocks, reports, flags, and the cases that they belong to."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

BLOCKS: Final = "(SELECT DISTINCT blocker_id, blocked_id FROM safety.blocks WHERE deleted_at IS NULL)"

INVARIANTS: Final = (
    Invariant(
        "blocked-pairs-have-a-block",
        ("SA-02",),
        "a pair counts as blocked in one direction exactly if a block in that direction is in force",
        f"""
        SELECT blocker_id, blocked_id, p.began_with_id
        FROM (SELECT * FROM safety.blocked_pairs WHERE began_with_id IS NOT NULL) p
        FULL JOIN {BLOCKS} b USING (blocker_id, blocked_id)
        WHERE p.began_with_id IS NULL OR b.blocker_id IS NULL
        """,
    ),
    Invariant(
        "matching-knows-blocks",
        ("MA-12", "XX-02"),
        "matching separates exactly the pairs with a block",
        f"""
        SELECT blocker_id, blocked_id
        FROM (SELECT *, true AS known FROM matching.blocked_pairs WHERE blocked) k
        FULL JOIN (SELECT *, true AS made FROM {BLOCKS} b) b USING (blocker_id, blocked_id)
        WHERE k.known IS NULL OR b.made IS NULL
        """,
    ),
    Invariant(
        "no-connection-past-a-block",
        ("MA-12", "RE-10"),
        "no pair with a block is connected",
        f"""
        SELECT c.id AS connection_id, b.blocker_id FROM matching.connections c
        JOIN {BLOCKS} b ON (b.blocker_id, b.blocked_id) IN ((c.user_a_id, c.user_b_id), (c.user_b_id, c.user_a_id))
        WHERE c.connection_status = 'active' AND c.deleted_at IS NULL
        """,
    ),
    Invariant(
        "no-interest-past-a-block",
        ("MA-12",),
        "no interest is pending between a pair with a block",
        f"""
        SELECT n.id AS interest_id, b.blocker_id FROM matching.interests n
        JOIN {BLOCKS} b ON (b.blocker_id, b.blocked_id) IN ((n.sender_id, n.receiver_id), (n.receiver_id, n.sender_id))
        WHERE n.interest_status = 'pending' AND n.deleted_at IS NULL
        """,
    ),
    Invariant(
        "one-undecided-case",
        ("SA-05",),
        "a member has at most one undecided case",
        """
        SELECT user_id, count(*) AS cases FROM safety.cases
        WHERE case_status <> 'decided' GROUP BY user_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "cases-of-their-member",
        ("SA-04", "SA-06", "SA-07"),
        "every report, flag and appeal belongs to a case about the same member",
        """
        SELECT m.what, m.id, m.user_id, m.case_id FROM (
            SELECT 'report' AS what, id, reported_id AS user_id, case_id FROM safety.reports
            UNION ALL SELECT 'flag', id, user_id, case_id FROM safety.safety_flags
            UNION ALL SELECT 'appeal', id, user_id, case_id FROM safety.appeals
        ) m LEFT JOIN safety.cases c ON c.id = m.case_id WHERE c.user_id IS DISTINCT FROM m.user_id
        """,
    ),
    Invariant(
        "cases-have-a-cause",
        ("SA-05",),
        "every case holds a report, flag or appeal of the kind that opened it",
        """
        SELECT c.id AS case_id, c.origin FROM safety.cases c
        WHERE NOT CASE c.origin
            WHEN 'report' THEN EXISTS (SELECT FROM safety.reports WHERE case_id = c.id)
            WHEN 'flag' THEN EXISTS (SELECT FROM safety.safety_flags WHERE case_id = c.id)
            ELSE EXISTS (SELECT FROM safety.appeals WHERE case_id = c.id) END
        """,
    ),
    Invariant(
        "flags-close-with-their-case",
        ("SA-04", "SA-05"),
        "a flag is open exactly as long as its case is undecided",
        """
        SELECT f.id AS flag_id, f.flag_status, c.case_status
        FROM safety.safety_flags f JOIN safety.cases c ON c.id = f.case_id
        WHERE f.deleted_at IS NULL AND (f.flag_status = 'open') = (c.case_status = 'decided')
        """,
    ),
    Invariant(
        "decided-by-moderators",
        ("SA-05", "XX-03"),
        "every member that a case is or was assigned to is or was a moderator",
        """
        SELECT c.id AS case_id, c.moderator_id FROM safety.cases c
        LEFT JOIN identity.roles r ON r.user_id = c.moderator_id AND r.role = 'admin'
        WHERE c.moderator_id IS NOT NULL AND r.user_id IS NULL AND NOT EXISTS (
            SELECT FROM safety.audit_logs l
            WHERE l.subject = 'unora.identity.v1.role_granted' AND l.aggregate_id = c.moderator_id)
        """,
    ),
    Invariant(
        "admin-sessions-are-short",
        ("ID-15",),
        "a session that carries the role admin ends an hour after the sign-in, and so do its tokens",
        """
        SELECT s.user_id, s.id AS session_id FROM identity.sessions s
        WHERE s.admin_until > s.started_at + interval '1 hour' OR EXISTS (
            SELECT FROM identity.refresh_tokens t WHERE t.session_id = s.id AND t.expires_at > s.admin_until)
        """,
    ),
)
