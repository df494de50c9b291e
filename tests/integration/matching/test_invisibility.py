"""MA-03, MA-10: the sender cannot distinguish a match that fails from an interest that is not returned."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from unora.identity.v1.events_pb2 import AccountClosed, AccountPaused
from unora_testing.world import Caller, World

from tests.integration.matching.incoming_events import account_event, member_blocked, restriction_changed
from tests.integration.matching.people import POLICY, People
from tests.integration.matching.test_expiry import send_long_ago
from tests.integration.matching.test_send_interest import shape
from tests.roles import without_triggers
from tests.support import refusal


async def fill_without_wipe(people: People, member: Caller) -> None:
    """Makes a member full who still has a pending interest. A wipe prevents that, so the superuser does it."""
    async with without_triggers(people.world.superuser) as superuser:
        await superuser.execute(
            "UPDATE matching.inventory SET active_connection_count = connection_limit WHERE user_id = $1", member.user
        )


@pytest.mark.rule("MA-03", "MA-10", "XX-04")
async def test_the_failed_match_takes_the_same_statements_and_gives_the_same_answer(
    world: World, people: People, statements: list[str]
) -> None:
    sender, indifferent, full = await people.members("pro", "pro", "pro")
    await people.wish(full, sender)
    await fill_without_wipe(people, full)
    cards = [await people.card(sender, indifferent)]
    statements.clear()
    answers = [await people.send(sender, cards[0])]
    usual = list(statements)
    cards.append(await people.card(sender, full))
    statements.clear()
    answers.append(await people.send(sender, cards[1]))

    assert shape(answers[1]) == shape(answers[0])
    assert statements == usual
    assert len(usual) == 4  # own slots; both locks; relation; interest, events and answer at the commit
    assert await people.statuses(sender) == ["pending", "pending"]
    assert await people.statuses(full) == ["pending"]
    assert await people.connections(full) == []
    for receiver in (indifferent, full):
        assert (await refusal(people.wish(sender, receiver))).reason == "INTEREST_EXISTS"


@pytest.mark.rule("MA-10", "XX-04")
async def test_an_interest_that_is_void_at_once_takes_the_same_statements(
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
async def test_a_receiver_sees_neither_an_interest_nor_its_wipe(people: People) -> None:
    admirer, receiver, partner = await people.members("free", "pro", "free")
    before = await people.all_that_is_shown(receiver)
    await people.wish(admirer, receiver)
    assert await people.all_that_is_shown(receiver) == before
    await people.connect(admirer, partner)  # the wipe
    assert await people.statuses(admirer) == ["wiped", "matched"]
    assert await people.all_that_is_shown(receiver) == before


def _fields(message: Message) -> dict[str, object]:
    """All fields that are set. Of ids and times only that they are set."""
    found: dict[str, object] = {}
    for field, value in message.ListFields():
        if isinstance(value, Message) and not isinstance(value, Timestamp):
            found[field.name] = _fields(value)
        else:
            found[field.name] = "given" if field.name.endswith(("_id", "_at")) else value
    return found


@pytest.mark.rule("ID-16", "MA-03", "MA-10", "MA-12", "SA-03", "SA-08", "XX-04")
async def test_the_answer_and_the_statements_are_the_same_for_every_receiver(
    world: World, people: People, statements: list[str]
) -> None:
    """Also what the sender sees of the interests afterwards is the same."""
    sender = await people.member("pro")
    names = ["indifferent", "full", "blocks me", "blocked by me", "restricted", "suspended", "ended with", "too late"]
    names += ["paused", "closed"]
    receivers = dict(zip(names, [await people.member("pro") for _ in names], strict=True))
    now = await world.now()
    for name, receiver in receivers.items():
        if name not in {"indifferent", "ended with"}:
            await people.wish(receiver, sender)
    await people.end(sender, (await people.connect(receivers["ended with"], sender)).connection_id)
    await fill_without_wipe(people, receivers["full"])
    await people.rows(
        "UPDATE matching.interests SET deleted_at = clock.now() WHERE sender_id = $1", receivers["too late"].user
    )
    await send_long_ago(people, receivers["too late"], sender, POLICY.lifetime)
    await world.publish(
        member_blocked(receivers["blocks me"], sender, now),
        member_blocked(sender, receivers["blocked by me"], now),
        restriction_changed(receivers["restricted"], 1, now, restricted=True),
        restriction_changed(receivers["suspended"], 1, now, suspended=True),
        account_event(AccountPaused, receivers["paused"], 1, now),
        account_event(AccountClosed, receivers["closed"], 1, now),
    )
    seen = {}
    for name, receiver in receivers.items():
        card = await people.card(sender, receiver)
        statements.clear()
        answer = await people.send(sender, card)
        seen[name] = (_fields(answer), list(statements))
    assert all(each == seen["indifferent"] for each in seen.values()), seen
    assert len(seen["indifferent"][1]) == 4
    shown = (await people.sent(sender))[: len(names)]
    assert all(_fields(interest) == _fields(shown[0]) for interest in shown)
    assert (await people.inventory(sender)).pending_interest_count == len(names)
    await world.publish(restriction_changed(sender, 1, now, restricted=True))
    card = await people.card(sender, await people.member())
    statements.clear()
    answer = await people.send(sender, card)  # a restricted sender sees the same
    assert (_fields(answer), list(statements)) == seen["indifferent"]
    assert (await people.inventory(sender)).pending_interest_count == len(names) + 1
