"""PersonalityService: questions that a member may answer, or not."""

from __future__ import annotations

from unora.reveal.v1.personality_service_pb2 import (
    GivenAnswer,
    ListMyAnswersRequest,
    ListMyAnswersResponse,
    ListQuestionsRequest,
    ListQuestionsResponse,
    Question,
    SubmitAnswersRequest,
    SubmitAnswersResponse,
    WithdrawAnswerRequest,
    WithdrawAnswerResponse,
)
from unora_common.database import Session, Tx
from unora_common.handlers import idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.runtime import Runtime

from unora_reveal.config import RevealConfig
from unora_reveal.resources import Resources
from unora_reveal.store import personality


class Personality:
    """A member's own answers. No method tells what comes of them, to anyone (PE-05); kept answers hold only counts."""

    service = "unora.reveal.v1.PersonalityService"

    def __init__(self, runtime: Runtime[RevealConfig, Resources]) -> None:
        self.runtime = runtime
        self._reading = runtime.config.reading

    @reads
    async def ListQuestions(self, request: ListQuestionsRequest, db: Session) -> ListQuestionsResponse:
        """PE-02: reference data, the same for everybody."""
        rows = await personality.questions(db)
        return ListQuestionsResponse(
            questions=[Question(question_id=row["id"], wording=row["wording"]) for row in rows],
            questions_version=rows[0]["version"] if rows else 0,
        )

    @idempotent
    async def SubmitAnswers(self, request: SubmitAnswersRequest, tx: Tx) -> SubmitAnswersResponse:
        """PE-01, PE-02: any number of them; an answer to the same question takes the place of the one before."""
        given = {each.question_id: each.answer for each in request.answers}
        mine = await personality.lock(tx, tx.user)
        return SubmitAnswersResponse(answered_count=await personality.put(tx, mine, given, self._reading))

    @idempotent
    async def WithdrawAnswer(self, request: WithdrawAnswerRequest, tx: Tx) -> WithdrawAnswerResponse:
        """PE-02: as if it had never been answered."""
        mine = await personality.lock(tx, tx.user)
        left = await personality.take_back(tx, mine, request.question_id, self._reading)
        return WithdrawAnswerResponse(answered_count=left)

    @reads
    async def ListMyAnswers(self, request: ListMyAnswersRequest, db: Session) -> ListMyAnswersResponse:
        """PE-05: the member's own words to us, and nothing made of them."""
        return ListMyAnswersResponse(
            answers=[
                GivenAnswer(question_id=question, answer=answer, answered_at=to_timestamp(at))
                for question, answer, at in await personality.answers(db, db.user)
            ]
        )
