"""ID-10: the archive holds all that the member gave, did and paid, and nothing of others or of what is kept from them.

Marked words are planted by the member, the partner, those who report, block and like the member, and the moderator.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from google.type.date_pb2 import Date
from unora.identity.v1.export_service_pb2 import ExportAccountRequest, GetExportRequest
from unora.identity.v1.export_service_pb2_grpc import ExportServiceStub
from unora.identity.v1.profile_service_pb2 import GENDER_WOMAN, Hobby, Profile
from unora.reveal.v1.personality_service_pb2 import Answer, ListQuestionsRequest, SubmitAnswersRequest
from unora.reveal.v1.personality_service_pb2_grpc import PersonalityServiceStub
from unora.safety.v1.events_pb2 import DECISION_REDUCE_VISIBILITY, DECISION_SUSPEND
from unora_testing.places import LONDON
from unora_testing.world import Caller, World

from tests.integration.identity.objects import fetch
from tests.integration.protection.scenario import CROWD, Member, Scenario
from tests.support import request_id

OWN = {
    "name": "Ownnamequill",
    "bio": "Ownbioquill",
    "occupation": "Ownjobquill",
    "micro_description": "ownhobbyquill",
    "report": "ownreportquill",
    "appeal": "ownappealquill",
}
OTHERS = {
    "name": "Theirnamequill",
    "bio": "Theirbioquill",
    "occupation": "Theirjobquill",
    "micro_description": "theirhobbyquill",
    "report": "theirreportquill",
    "decision": "theirdecisionquill",
    "flag": "theirflagquill",
}
NEVER = (
    "suspend",
    "restrict",
    "reduced",
    "visibility",
    "flag",
    "case_id",
    "score",
    "confidence",
    "standing",
    "breaker",
)
"""Words that an archive never has: of standings, flags, cases and scores."""


def profile(words: dict[str, str]) -> Profile:
    return Profile(
        name=words["name"],
        date_of_birth=Date(year=1990, month=12, day=10),
        gender=GENDER_WOMAN,
        place_id=LONDON,
        bio=f"I am {words['bio']} of all.",
        occupation=words["occupation"],
        time_zone="Europe/London",
    )


class Export:
    """The archive of a member."""

    def __init__(self, archive: ZipFile) -> None:
        self.bytes = b"\n".join(archive.read(name) for name in archive.namelist() if name.endswith(".json"))
        self.contexts: dict[str, dict[str, list[dict[str, Any]]]] = {
            name.removesuffix(".json"): json.loads(archive.read(name))["sections"]
            for name in archive.namelist()
            if name.endswith(".json") and name != "export.json"
        }

    def names_of(self, words: dict[str, str]) -> set[str]:
        """Which of the planted words are there, in any case."""
        return {what for what, word in words.items() if word.lower().encode() in self.bytes.lower()}


async def export(scenario: Scenario, member: Member) -> Export:
    stub = scenario.world.stub(ExportServiceStub, "identity")
    await stub.ExportAccount(ExportAccountRequest(request_id=request_id()), metadata=member.metadata)
    await scenario.world.drain()
    link = (await stub.GetExport(GetExportRequest(), metadata=member.metadata)).link
    status, data = await fetch(link)
    assert status == 200
    return Export(ZipFile(io.BytesIO(data)))


async def add_marked(scenario: Scenario, words: dict[str, str]) -> Member:
    member = await scenario.add_member(profile=profile(words))
    await scenario.arrivals.set_hobbies(
        member.signed,
        Hobby(hobby_option_id="chess", micro_description=words["micro_description"]),
        Hobby(hobby_option_id="hiking", micro_description="uphill"),
    )
    await scenario.world.drain()
    return member


async def answer_questions(scenario: Scenario, member: Member) -> int:
    personality = scenario.world.stub(PersonalityServiceStub, "reveal")
    questions = (await personality.ListQuestions(ListQuestionsRequest(), metadata=member.metadata)).questions
    answers = [Answer(question_id=each.question_id, answer=5) for each in questions]
    asked = SubmitAnswersRequest(request_id=request_id(), answers=answers)
    await personality.SubmitAnswers(asked, metadata=member.metadata)
    return len(questions)


async def plant_flag(world: World, member: Member) -> UUID:
    """A flag of the member, with its evidence."""
    flag: UUID = await world.superuser.fetchval(
        """INSERT INTO safety.safety_flags
            (id, user_id, pattern, flag_status, score, evidence, case_id, raised_at, version)
        SELECT gen_random_uuid(), $1, 'many_reports', 'open', 1, $2, id, clock.now(), 1
        FROM safety.cases WHERE user_id = $1 LIMIT 1 RETURNING id""",
        member.user,
        json.dumps({"ids": [], "numbers": {OTHERS["flag"]: 1}}),
    )
    return flag


@dataclass(kw_only=True)
class Known:
    """What the test knows of the member that it plays, for comparison with the archive."""

    scenario: Scenario
    member: Member
    others: list[Caller]
    connection_id: str
    streak_id: str
    block_id: str
    void_interest_id: str
    questions: int
    hidden: list[str]
    """Ids that the member must not learn."""

    async def check(self, found: Export) -> None:
        self._check_words(found, await self._text_of_reveal())
        own = found.contexts
        assert set(own["identity"]) >= {"account", "profile", "hobbies", "photos", "sessions"}
        assert own["identity"]["account"][0]["phone_number"] == self.member.phone
        shown = {each["interest_id"]: each["status"] for each in own["matching"]["interests"]}
        assert shown.pop(self.void_interest_id) == "pending", "a void interest looks pending to its sender (MA-11)"
        assert set(shown.values()) == {"matched"}
        assert [each["connection_id"] for each in own["matching"]["connections"]] == [self.connection_id]
        assert [each["streak_id"] for each in own["streak"]["check_ins"]] == [self.streak_id] * 5
        (opened,) = [each for each in own["reveal"]["reveals"] if each["status"] == "unlocked"]
        assert (opened["reveal_number"], len(own["reveal"]["reveals"])) == (1, 5)
        assert len(own["reveal"]["personality_answers"]) == self.questions
        (payment,) = own["billing"]["payments"]
        assert (payment["purpose"], payment["amount"], payment["currency"]) == ("subscription", 999, "USD")
        assert [each["block_id"] for each in own["safety"]["blocks"]] == [self.block_id]
        assert [each["target_id"] for each in own["safety"]["reports"]] == [self.connection_id]
        assert all(len(each["card_ids"]) == 5 for each in own["discovery"]["batches"])

    def _check_words(self, found: Export, text_of_reveal: str) -> None:
        words = found.bytes.decode().lower()
        assert found.names_of(OWN) == set(OWN)
        assert found.names_of(OTHERS) == set()
        assert [word for word in NEVER if word in words] == []
        assert [each.id for each in self.others if each.id in words] == []
        assert [each for each in self.hidden if each in words] == []
        assert text_of_reveal.lower() not in words

    async def _text_of_reveal(self) -> str:
        text: str = await self.scenario.world.superuser.fetchval(
            """SELECT content_json ->> 'text' FROM reveal.reveal_contents c JOIN reveal.reveals r ON r.id = c.reveal_id
            WHERE r.user_id = $1""",
            self.member.user,
        )
        assert len(text) > 20
        return text


async def hidden_ids(world: World, member: Member) -> list[str]:
    """Of reports and blocks by others, of cases and flags, and of others' photos."""
    rows = await world.superuser.fetch(
        """SELECT id FROM safety.reports WHERE reported_id = $1
        UNION SELECT id FROM safety.blocks WHERE blocked_id = $1
        UNION SELECT id FROM safety.cases UNION SELECT id FROM safety.safety_flags
        UNION SELECT id FROM matching.interests WHERE receiver_id = $1
        UNION SELECT id FROM identity.photos WHERE user_id <> $1""",
        member.user,
    )
    assert len(rows) > 6
    return [str(row["id"]) for row in rows]


@pytest.mark.rule("ID-10", "SA-02", "SA-03", "SA-06", "SA-07", "MA-10", "PE-05")
async def test_the_archive_holds_all_of_the_member_and_nothing_of_others(world: World) -> None:
    scenario = Scenario(world)
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    blocker, admirer, blocked, _ = scenario.crowd
    partner, member = await add_marked(scenario, OTHERS), await add_marked(scenario, OWN)
    await scenario.subscribe(member, "PLUS")

    # What others do to the member.
    cards = await scenario.cards(member)
    voided = (await scenario.matches.send(member, cards[blocker.id].card_id)).interest.interest_id
    await scenario.send_interest(admirer, member)
    target = scenario.by_card((await scenario.cards(blocker))[member.id])
    await scenario.safety.report(blocker, target, note=OTHERS["report"])
    await scenario.safety.block(blocker, target)
    await world.drain()
    status = "SELECT interest_status FROM matching.interests WHERE id = $1"
    assert await world.superuser.fetchval(status, UUID(voided)) == "void"

    # What the member does.
    connection = await scenario.connect(partner, member)
    streak = await scenario.play(connection, partner, member, 5)
    await scenario.open(member, streak, 1)
    questions = await answer_questions(scenario, member)
    await scenario.safety.report(member, scenario.by_connection(connection), note=OWN["report"])
    block = await scenario.safety.block(member, scenario.by_card(cards[blocked.id]))
    await scenario.safety.appeal(member, OWN["appeal"])

    # What moderators and detectors do.
    case = await scenario.moderators.newest_case(member)
    await scenario.moderators.assign(case.case_id)
    await scenario.moderators.decide(case.case_id, DECISION_REDUCE_VISIBILITY, note=OTHERS["decision"])
    await plant_flag(world, member)
    await world.drain()

    known = Known(
        scenario=scenario,
        member=member,
        others=[*scenario.crowd, partner, scenario.moderators.admin],
        connection_id=connection.connection_id,
        streak_id=streak,
        block_id=block.block_id,
        void_interest_id=voided,
        questions=questions,
        hidden=await hidden_ids(world, member),
    )
    await known.check(await export(scenario, member))

    await scenario.safety.report(partner, scenario.by_connection(connection), note=OTHERS["report"])
    await scenario.decide(member, DECISION_SUSPEND)
    await world.superuser.execute("UPDATE identity.exports SET requested_at = requested_at - interval '2 days'")
    suspended = await scenario.sign_in(member.phone)
    assert (await scenario.account(suspended)).suspended
    again = await export(scenario, suspended)
    await known.check(again)
    (ended,) = again.contexts["matching"]["connections"]
    assert (ended["status"], ended["own_reason"]) == ("ended", None)
