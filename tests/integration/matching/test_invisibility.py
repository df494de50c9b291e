"""MA-03, MA-10: a match that fails cannot be told from an interest that nobody returned."""

from __future__ import annotations

from typing import Any

import pytest
from unora_common import database
from unora_common.database import Session, Tx
from unora_common.writes import Write, together
from unora_local.inprocess import Caller, World

from tests.integration.matching.people import People
from tests.integration.matching.test_send_interest import shape
from tests.support import refusal


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that matching's own work sends to Postgres from now on, the writes at the commit among them."""
    seen: list[str] = []

    def record(cls: type[Any], name: str) -> None:
        original = getattr(cls, name)

        async def recorded(self: Any, sql: str, *arguments: Any) -> Any:
            if "matching." in sql:
                seen.append(sql)
            return await original(self, sql, *arguments)

        monkeypatch.setattr(cls, name, recorded)

    def at_commit(writes: list[Write]) -> Write:
        write = together(writes)
        if "matching." in write.sql:
            seen.append(write.sql)
        return write

    for cls, names in ((Session, ("rows", "row", "value")), (Tx, ("lock", "run"))):
        for name in names:
            record(cls, name)
    monkeypatch.setattr(database, "together", at_commit)
    return seen


async def fill_behind_their_back(people: People, member: Caller) -> None:
    """A full member whose interest pends all the same: the wipe makes this impossible, so the superuser makes it."""
    await people.rows(
        "UPDATE matching.inventory SET active_connection_count = connection_limit WHERE user_id = $1", member.user
    )


@pytest.mark.rule("MA-03", "MA-10", "XX-04")
async def test_the_failed_match_takes_the_same_statements_and_gives_the_same_answer(
    world: World, people: People, statements: list[str]
) -> None:
    sender, indifferent, full = await people.members("pro", "pro", "pro")
    await people.wish(full, sender)
    await fill_behind_their_back(people, full)
    cards = [await people.card(sender, indifferent)]
    statements.clear()
    answers = [await people.send(sender, cards[0])]
    usual = list(statements)
    cards.append(await people.card(sender, full))
    statements.clear()
    answers.append(await people.send(sender, cards[1]))

    assert shape(answers[1]) == shape(answers[0])
    assert statements == usual
    assert len(usual) == 4  # own slots; both locks; standing; interest, events and answer at the commit
    assert await people.statuses(sender) == ["pending", "pending"]
    assert await people.statuses(full) == ["pending"]
    assert await people.connections(full) == []
    for receiver in (indifferent, full):
        assert (await refusal(people.wish(sender, receiver))).reason == "INTEREST_EXISTS"


@pytest.mark.rule("MA-10", "XX-04")
async def test_an_interest_that_is_void_from_the_first_takes_the_same_statements(
    world: World, people: People, statements: list[str]
) -> None:
    sender, partner, other = await people.members("pro", "pro", "pro")
    await people.connect(sender, partner)
    recorded = []
    for receiver in (other, partner):
        card = await people.card(sender, receiver)
        statements.clear()
        await people.send(sender, card)
        recorded.append(list(statements))
    assert recorded[0] == recorded[1]


@pytest.mark.rule("MA-05", "MA-10")
async def test_a_receiver_sees_the_same_whether_they_are_wished_for_or_wiped(people: People) -> None:
    admirer, receiver, partner = await people.members("free", "pro", "free")
    before = await people.all_that_is_shown(receiver)
    await people.wish(admirer, receiver)
    assert await people.all_that_is_shown(receiver) == before
    await people.connect(admirer, partner)  # the wipe
    assert await people.statuses(admirer) == ["wiped", "matched"]
    assert await people.all_that_is_shown(receiver) == before
