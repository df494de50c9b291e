"""A member who answers the personality questions."""

from __future__ import annotations

import json
from typing import TypeAlias

import asyncpg
from unora.reveal.v1.events_pb2 import PersonalityChanged
from unora.reveal.v1.personality_service_pb2 import (
    Answer,
    ListMyAnswersRequest,
    SubmitAnswersRequest,
    WithdrawAnswerRequest,
)
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora_testing.world import Caller, World

from tests.support import request_id

Sql: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


class AnsweringMember:
    """A member who answers."""

    def __init__(self, world: World, caller: Caller | None = None) -> None:
        self.world = world
        self.caller = caller or world.caller()
        self.stub = world.stub(PersonalityServiceStub, "reveal")

    async def submit(self, answers: dict[int, int], request: str = "") -> int:
        asked = SubmitAnswersRequest(
            request_id=request or request_id(),
            answers=[Answer(question_id=question, answer=answer) for question, answer in answers.items()],
        )
        return int((await self.stub.SubmitAnswers(asked, metadata=self.caller.metadata)).answered_count)

    async def withdraw(self, question: int, request: str = "") -> int:
        asked = WithdrawAnswerRequest(request_id=request or request_id(), question_id=question)
        return int((await self.stub.WithdrawAnswer(asked, metadata=self.caller.metadata)).answered_count)

    async def mine(self) -> dict[int, int]:
        answer = await self.stub.ListMyAnswers(ListMyAnswersRequest(), metadata=self.caller.metadata)
        assert all(each.answered_at.seconds for each in answer.answers)
        return {each.question_id: each.answer for each in answer.answers}

    async def scores(self) -> dict[str, dict[str, float]] | None:
        """The stored scores, by direct SQL: no method returns them."""
        found = await self.world.superuser.fetchval(
            "SELECT scores FROM reveal.personality_scores WHERE user_id = $1", self.caller.user
        )
        return json.loads(found) if found else None

    async def emitted(self) -> list[tuple[int, int]]:
        events = await self.world.events(PersonalityChanged, self.caller.user)
        return [(event.version, event.answered_count) for event in events]
