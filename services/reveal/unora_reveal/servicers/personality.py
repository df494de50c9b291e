"""PersonalityService: questions that a member may answer, or not."""

from __future__ import annotations

from unora.reveal.v1.personality_service_pb2 import (
    ListMyAnswersRequest,
    ListMyAnswersResponse,
    ListQuestionsRequest,
    ListQuestionsResponse,
    SubmitAnswersRequest,
    SubmitAnswersResponse,
    WithdrawAnswerRequest,
    WithdrawAnswerResponse,
)
from unora_common.database import Session, Tx
from unora_common.handlers import idempotent, reads
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.messages import to_given_answer, to_question
from unora_reveal.resources import Resources
from unora_reveal.store.personality import get_questions, list_answers
from unora_reveal.use_cases.personality import submit_answers, withdraw_answer


class Personality:
    """A member's own answers.

    No method returns a score: no member and no other service sees one (PE-05). Responses that are stored for a
    repeat hold only counts.
    """

    service = "unora.reveal.v1.PersonalityService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.scoring_policy

    @reads
    async def ListQuestions(self, request: ListQuestionsRequest, db: Session) -> ListQuestionsResponse:
        """PE-02: reference data, the same for all members."""
        current = await get_questions(db)
        return ListQuestionsResponse(questions=map(to_question, current.questions), questions_version=current.version)

    @idempotent
    async def SubmitAnswers(self, request: SubmitAnswersRequest, tx: Tx) -> SubmitAnswersResponse:
        """PE-01, PE-02: any number of answers; a new answer to a question replaces the earlier one."""
        answers = {each.question_id: each.answer for each in request.answers}
        return SubmitAnswersResponse(answered_count=await submit_answers(tx, answers, self.policy))

    @idempotent
    async def WithdrawAnswer(self, request: WithdrawAnswerRequest, tx: Tx) -> WithdrawAnswerResponse:
        """PE-02: as if the question had never been answered."""
        return WithdrawAnswerResponse(answered_count=await withdraw_answer(tx, request.question_id, self.policy))

    @reads
    async def ListMyAnswers(self, request: ListMyAnswersRequest, db: Session) -> ListMyAnswersResponse:
        """PE-05: what the member answered, and nothing that was computed from it."""
        return ListMyAnswersResponse(answers=map(to_given_answer, await list_answers(db, db.user)))
