"""Personality: numbers computed from answers, and no text."""

from tests.integration.testing.breakages.breakage import Breakage

BREAKAGES = (
    Breakage("answers-are-counted", ("UPDATE reveal.personality_scores SET answered_count = answered_count + 1",)),
    Breakage(
        "scores-follow-answers",
        ("UPDATE reveal.personality_scores SET scores = jsonb_set(scores, '{composure,score}', '0.9')",),
    ),
    Breakage(
        "scores-are-numbers",
        (
            "ALTER TABLE reveal.personality_scores DROP CONSTRAINT ck_personality_scores_only_numbers,"
            " DROP CONSTRAINT ck_personality_scores_score_and_confidence",
            """
            UPDATE reveal.personality_scores SET scores = jsonb_set(scores, '{composure,label}', '"calm"')
            """,
        ),
    ),
)
