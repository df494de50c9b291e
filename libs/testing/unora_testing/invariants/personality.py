"""Personality: only numbers, computed from the answers."""

from typing import Final

from unora_testing.invariants.invariant import Invariant

INVARIANTS: Final = (
    Invariant(
        "answers-are-counted",
        ("PE-01",),
        "answered_count is the number of a member's answers",
        """
        SELECT user_id, s.answered_count, a.answers FROM reveal.personality_scores s
        FULL JOIN (SELECT user_id, count(*) AS answers FROM reveal.personality_answers GROUP BY user_id) a
            USING (user_id)
        WHERE coalesce(s.answered_count, 0) <> coalesce(a.answers, 0)
        """,
    ),
    Invariant(
        "scores-follow-answers",
        ("PE-01", "PE-03"),
        "the score of each dimension is the mean of its answers; a dimension without answers has no score",
        """
        WITH mean AS (
            SELECT a.user_id, q.dimension,
                avg(CASE WHEN q.reversed THEN 5 - a.answer ELSE a.answer - 1 END) / 4 AS score
            FROM reveal.personality_answers a JOIN reveal.personality_questions q ON q.id = a.question_id
            GROUP BY a.user_id, q.dimension
        ), kept AS (
            SELECT s.user_id, d.key AS dimension, (d.value -> 'score')::numeric AS score
            FROM reveal.personality_scores s, jsonb_each(s.scores) d)
        SELECT user_id, dimension, kept.score, mean.score AS mean FROM kept FULL JOIN mean USING (user_id, dimension)
        WHERE kept.score IS NULL OR mean.score IS NULL OR abs(kept.score - mean.score) > 0.0001
        """,
    ),
    Invariant(
        "scores-are-numbers",
        ("PE-03",),
        "personality is stored only as a score and a confidence from 0 to 1 for each dimension",
        """
        SELECT s.user_id, d.key AS dimension, d.value FROM reveal.personality_scores s, jsonb_each(s.scores) d
        WHERE d.key NOT IN (SELECT dimension FROM reveal.personality_questions)
            OR d.value - 'score' - 'confidence' <> '{}'
            OR EXISTS (
                SELECT FROM jsonb_each(d.value) n
                WHERE CASE jsonb_typeof(n.value) WHEN 'number' THEN n.value::numeric NOT BETWEEN 0 AND 1 ELSE true END)
        """,
    ),
)
