"""Reveals, and the identity of Day 15."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import COMPLETED, MATCHED, WINDOW

BREAKAGES = (
    Breakage(
        "five-reveals-each",
        (
            f"""
            DELETE FROM reveal.reveals WHERE streak_id = {WINDOW} AND reveal_number = 3
                AND user_id = (SELECT user_a_id FROM streak.streaks WHERE id = {WINDOW})
            """,
        ),
    ),
    Breakage(
        "earned-by-days-played",
        (f"UPDATE reveal.reveals SET completed_days = 5 WHERE streak_id = {WINDOW} AND reveal_number = 1",),
        rows=2,
    ),
    Breakage(
        "what-is-due-is-earned",
        (f"UPDATE reveal.pairs SET completed_days = 5 WHERE streak_id = {WINDOW}",),
        rows=2,
    ),
    Breakage(
        "no-identity-before-day-15",
        (
            "ALTER TABLE reveal.reveals DROP CONSTRAINT ck_reveals_identity_needs_day_15",
            f"UPDATE reveal.reveals SET reveal_status = 'earned' WHERE streak_id = {WINDOW} AND reveal_number = 5",
        ),
        rows=2,
    ),
    Breakage(
        "content-of-opened-reveals",
        (
            f"""
            INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, created_at)
            SELECT id, reveal_number, '{{"title": "Too", "text": "soon"}}', clock.now() FROM reveal.reveals
            WHERE streak_id = {COMPLETED} AND reveal_number = 3 LIMIT 1
            """,
        ),
    ),
    Breakage("disclosed-when-complete", (f"DELETE FROM identity.disclosures WHERE connection_id = {MATCHED}",)),
    Breakage(
        "closed-when-ended",
        (f"UPDATE reveal.pairs SET ended_at = clock.now() WHERE connection_id = {MATCHED}",),
    ),
    Breakage(
        "undisclosed-when-ended",
        (f"UPDATE identity.disclosures SET ended_at = clock.now() WHERE connection_id = {MATCHED}",),
    ),
)
