"""PE-01, PE-02, PE-03: answers and the scores that are computed from them."""

from __future__ import annotations

from collections.abc import Mapping

from unora_common.database import Tx

from unora_reveal.domain.personality import (
    AnswerNotFound,
    PersonalityRecord,
    QuestionNotFound,
    ScoringPolicy,
    change_answers,
    score_answers,
)
from unora_reveal.messages import to_message
from unora_reveal.store import personality


async def submit_answers(tx: Tx, answers: Mapping[int, int], policy: ScoringPolicy) -> int:
    """Stores answers of the calling member, question → 1 to 5. Returns how many answers the member has now.

    Raises QuestionNotFound, and then stores none.
    """
    record = await personality.lock_or_create(tx, tx.user)
    unknown = await personality.find_unknown_question(tx, list(answers))
    if unknown is not None:
        raise QuestionNotFound(question_id=unknown)
    if not await personality.put_answers(tx, record.user_id, answers):
        return record.answered_count
    return await _compute_scores(tx, record, policy)


async def withdraw_answer(tx: Tx, question_id: int, policy: ScoringPolicy) -> int:
    """Deletes an answer of the calling member. Returns how many answers are left. Raises AnswerNotFound."""
    record = await personality.lock_or_create(tx, tx.user)
    if not await personality.delete_answer(tx, record.user_id, question_id):
        raise AnswerNotFound
    return await _compute_scores(tx, record, policy)


async def _compute_scores(tx: Tx, record: PersonalityRecord, policy: ScoringPolicy) -> int:
    """PE-03: from all the answers that there are now."""
    answers = await personality.list_scored_answers(tx, record.user_id)
    changed, event = change_answers(record, len(answers), tx.now)
    await personality.save(tx, changed, score_answers(answers, policy))
    tx.emit(to_message(event))
    return changed.answered_count
