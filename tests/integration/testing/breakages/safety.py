"""Blocks, reports, flags, and the cases that they belong to."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import (
    ALONE,
    BLOCKED,
    BLOCKER,
    CONNECTED,
    PARTNER,
    REDUCED,
    interest,
)

BLOCK = (
    f"""
    INSERT INTO safety.blocked_pairs (blocker_id, blocked_id, began_with_id, version)
    VALUES ({CONNECTED}, {PARTNER}, gen_random_uuid(), 1)
    """,
    """
    INSERT INTO safety.blocks (id, blocker_id, blocked_id, target_kind, target_id, blocked_at)
    SELECT began_with_id, blocker_id, blocked_id, 'card', gen_random_uuid(), clock.now() FROM safety.blocked_pairs p
    WHERE NOT EXISTS (SELECT FROM safety.blocks b WHERE b.id = p.began_with_id)
    """,
    f"INSERT INTO matching.blocked_pairs VALUES ({CONNECTED}, {PARTNER}, gen_random_uuid(), 1, true, clock.now())",
    f"INSERT INTO discovery.member_blocks VALUES ({CONNECTED}, {PARTNER}, true, clock.now())",
)
"""A member of a couple blocks the other, and every context knows of the block."""

BREAKAGES = (
    Breakage("blocked-pairs-have-a-block", ("UPDATE safety.blocked_pairs SET began_with_id = NULL",)),
    Breakage("matching-knows-blocks", ("UPDATE matching.blocked_pairs SET blocked = false",)),
    Breakage("no-connection-past-a-block", BLOCK),
    Breakage("no-interest-past-a-block", (interest(BLOCKER, BLOCKED),)),
    Breakage(
        "one-undecided-case",
        (
            "DROP INDEX safety.uq_cases_one_undecided",
            """
            INSERT INTO safety.cases
            SELECT gen_random_uuid(), user_id, origin, case_status, appealed, moderator_id, decision, note, opened_at,
                assigned_at, decided_at, version FROM safety.cases WHERE case_status <> 'decided'
            """,
            """
            INSERT INTO safety.appeals
            SELECT gen_random_uuid(), user_id, id, 'Again.', clock.now(), NULL FROM safety.cases c
            WHERE origin = 'appeal' AND NOT EXISTS (SELECT FROM safety.appeals a WHERE a.case_id = c.id)
            """,
        ),
        rows=2,  # a member who is suspended appealed, and one who is not
    ),
    Breakage(
        "cases-of-their-member",
        (f"UPDATE safety.reports SET reported_id = {ALONE} WHERE reported_id = {REDUCED}",),
    ),
    Breakage("cases-have-a-cause", ("UPDATE safety.cases SET origin = 'flag' WHERE origin = 'appeal'",), rows=2),
    Breakage(
        "flags-close-with-their-case",
        (
            f"""
            INSERT INTO safety.safety_flags (
                id, user_id, pattern, flag_status, score, evidence, case_id, raised_at, version)
            SELECT gen_random_uuid(), user_id, 'many_reports', 'open', 1, '{{"ids": [], "numbers": {{}}}}', id,
                clock.now(), 1 FROM safety.cases WHERE user_id = {REDUCED}
            """,
        ),
    ),
    Breakage(
        "decided-by-moderators",
        (f"UPDATE safety.cases SET moderator_id = {ALONE} WHERE moderator_id IS NOT NULL",),
        rows=2,
    ),
    Breakage(
        "admin-sessions-are-short",
        ("UPDATE identity.sessions SET admin_until = started_at + interval '2 hours' WHERE admin_until IS NOT NULL",),
    ),
)
