"""ID-10: what reveal keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from typing import Final

from unora_common.member_export import Section

# Of reveals not their contents, which are about the partner, nor the days at which they were earned (RE-02).
SECTIONS: Final = (
    Section(
        "reveals",
        """
        SELECT 'epoch'::timestamptz AS place_at, r.streak_id::text || r.reveal_number AS place_key, r.id AS reveal_id,
            r.streak_id, r.connection_id, r.reveal_number, r.reveal_status AS status, r.unlocked_at AS opened_at
        FROM reveal.progressions p JOIN reveal.reveals r ON r.streak_id = p.streak_id AND r.user_id = p.user_id
        WHERE p.user_id = $1 AND r.deleted_at IS NULL""",
    ),
    Section(
        "personality_answers",
        """
        SELECT a.answered_at AS place_at, a.question_id::text AS place_key, a.question_id, q.wording AS question,
            a.answer, a.answered_at
        FROM reveal.personality_answers a JOIN reveal.personality_questions q ON q.id = a.question_id
        WHERE a.user_id = $1""",
    ),
)
