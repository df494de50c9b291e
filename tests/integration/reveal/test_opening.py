"""Opening reveals 1 to 4 through gRPC: framed from the facts of identity, while the pair is active in matching."""

from __future__ import annotations

import asyncio
from typing import Any, TypeAlias

import grpc
import pytest
from unora.reveal.v1.events_pb2 import RevealEarned, RevealUnlocked
from unora.reveal.v1.reveal_service_pb2 import (
    REVEAL_STATUS_UNLOCKED,
    ListRevealsRequest,
    OpenRevealRequest,
)
from unora.reveal.v1.reveal_service_pb2_grpc import RevealServiceStub
from unora_common.ids import uuid7
from unora_reveal.domain.reveals import Reveal
from unora_reveal.domain.themes import THEMES
from unora_reveal.store import contents, pairs, reveals
from unora_testing.deadlines import within
from unora_testing.world import World

from tests.integration.reveal.reveal_pair import BIO, HOBBIES, SECRETS, RevealPair, make_reveal_pair
from tests.roles import role_of, waits_for_a_lock
from tests.support import Refusal, refusal, request_id

RefusalParts: TypeAlias = tuple[str, str, dict[str, str]]
ENDED: RefusalParts = ("FAILED_PRECONDITION", "CONNECTION_ENDED", {})
LOCKED: RefusalParts = ("FAILED_PRECONDITION", "REVEAL_LOCKED", {})


def parts(refused: Refusal) -> RefusalParts:
    assert refused.domain == "unora.reveal"
    return refused.code, refused.reason, refused.metadata


@pytest.fixture
async def pair(world: World) -> RevealPair:
    """They have completed 5 days: both have earned reveal 1."""
    made = await make_reveal_pair(world)
    await made.apply(made.day_completed(5))
    return made


async def unlocked(pair: RevealPair, number: int = 1) -> list[Any]:
    ids = [(await pair.stored_reveal(member, number))["id"] for member in (pair.a, pair.b)]
    return await pair.world.events(RevealUnlocked, *ids)


@pytest.mark.rule("RE-06", "RE-09", "RE-11")
async def test_opening_returns_a_framed_text_that_stays_the_same(world: World, pair: RevealPair) -> None:
    first = (await pair.open(pair.a, 1)).reveal
    assert first.status == REVEAL_STATUS_UNLOCKED
    assert first.framed.title
    assert sum(hobby in first.framed.text for hobby in ("bread baking", "hiking", "chess")) == 2
    assert (await world.now()).timestamp() - first.unlocked_at.ToSeconds() < 60
    assert (await pair.open(pair.a, 1)).reveal == first
    assert (await pair.list_reveals(pair.a))[0] == first
    (event,) = await unlocked(pair)
    assert (event.version, event.user_id, event.reveal_number) == (2, pair.a.id, 1)


@pytest.mark.rule("RE-06")
async def test_the_text_holds_no_word_of_the_partners_name_or_texts(pair: RevealPair) -> None:
    await pair.set_tier(pair.a, "pro")
    await pair.apply(pair.day_completed(12))
    texts = set()
    for number in range(1, 5):
        answer = await pair.open(pair.a, number)
        assert not answer.HasField("identity")
        text = f"{answer.reveal.framed.title} {answer.reveal.framed.text}".lower()
        assert not any(secret in text for secret in SECRETS)
        texts.add(text)
    assert len(texts) == 4, "each has another topic"


@pytest.mark.rule("RE-06")
async def test_every_hobby_option_has_a_theme(world: World) -> None:
    options = await world.superuser.fetch("SELECT id FROM identity.hobby_options WHERE deleted_at IS NULL")
    assert {row["id"] for row in options} == set(THEMES)


@pytest.mark.rule("RE-06")
async def test_a_name_that_is_in_every_sentence_leaves_option_names(world: World, pair: RevealPair) -> None:
    await world.superuser.execute(
        "UPDATE identity.profiles SET name = 'They And The To' WHERE user_id = $1", pair.b.user
    )
    framed = (await pair.open(pair.a, 1)).reveal.framed
    assert framed.text == "Bread baking · Hiking · Chess"


@pytest.mark.rule("RE-09")
async def test_a_later_change_of_the_partners_hobbies_changes_no_opened_text(world: World, pair: RevealPair) -> None:
    first = (await pair.open(pair.a, 1)).reveal
    await world.superuser.execute(
        "UPDATE identity.hobbies SET hobby_option_id = 'singing' WHERE user_id = $1 AND position = 1", pair.b.user
    )
    assert (await pair.open(pair.a, 1)).reveal == first


@pytest.mark.rule("RE-09", "XX-02")
async def test_twenty_openings_at_the_same_time_give_one_text_and_one_event(pair: RevealPair) -> None:
    answers = await asyncio.gather(*(pair.open(pair.a, 1) for _ in range(20)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(await unlocked(pair)) == 1


@pytest.mark.rule("RE-09")
async def test_of_two_texts_at_the_same_time_the_first_is_stored(
    world: World, pair: RevealPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call frames another text before the text of the first call is stored."""
    locked, first, second = reveals.lock, asyncio.Event(), asyncio.Event()

    async def lock(*arguments: Any) -> list[Reveal]:
        (second if first.is_set() else first).set()
        await second.wait()
        return await locked(*arguments)

    monkeypatch.setattr(reveals, "lock", lock)
    one = asyncio.ensure_future(pair.open(pair.a, 1))
    await within(first.wait())
    await world.superuser.execute(
        "UPDATE identity.profiles SET name = 'They And The To' WHERE user_id = $1", pair.b.user
    )
    answers = await asyncio.gather(one, pair.open(pair.a, 1))
    assert answers[0] == answers[1]
    assert len(await unlocked(pair)) == 1


@pytest.mark.rule("RE-03")
async def test_an_opening_changes_nothing_for_the_partner(pair: RevealPair) -> None:
    before = await pair.list_reveals(pair.b)
    row = await pair.stored_reveal(pair.b, 1)
    await pair.open(pair.a, 1)
    assert await pair.list_reveals(pair.b) == before
    assert await pair.stored_reveal(pair.b, 1) == row


@pytest.mark.rule("RE-02", "RE-11")
async def test_the_refusal_of_a_locked_reveal_does_not_tell_when_it_opens(pair: RevealPair) -> None:
    before = [await pair.stored_reveal(pair.a, number) for number in range(1, 6)]
    for number in range(2, 6):
        assert parts(await refusal(pair.open(pair.a, number))) == LOCKED
    assert [await pair.stored_reveal(pair.a, number) for number in range(1, 6)] == before


@pytest.mark.rule("RE-08")
async def test_a_reset_closes_no_earned_or_open_reveal(pair: RevealPair) -> None:
    first = (await pair.open(pair.a, 1)).reveal
    await pair.apply(pair.day_completed(1))
    assert (await pair.open(pair.a, 1)).reveal == first
    assert (await pair.open(pair.b, 1)).reveal.status == REVEAL_STATUS_UNLOCKED


@pytest.mark.rule("XX-04")
async def test_a_streak_of_others_looks_like_a_missing_one(world: World, pair: RevealPair) -> None:
    stranger = world.caller()
    other = RevealPair(world, stranger, stranger, uuid7(), uuid7())
    theirs = RevealPair(world, stranger, stranger, pair.connection_id, pair.streak_id)
    for number in range(1, 6):
        missing, foreign = await refusal(other.open(stranger, number)), await refusal(theirs.open(stranger, number))
        assert missing == foreign
        assert parts(missing) == ("NOT_FOUND", "STREAK_NOT_FOUND", {})
    assert await refusal(other.list_reveals(stranger)) == await refusal(theirs.list_reveals(stranger))


@pytest.mark.rule("RE-10")
async def test_matching_is_asked_at_each_opening(pair: RevealPair) -> None:
    """The connection has ended and its event has not arrived: a first opening and a repeat are both refused."""
    await pair.open(pair.a, 1)
    await pair.end_in_matching()
    assert parts(await refusal(pair.open(pair.a, 1))) == ENDED
    assert parts(await refusal(pair.open(pair.b, 1))) == ENDED
    assert (await pair.stored_reveal(pair.b, 1))["reveal_status"] == "earned"


@pytest.mark.rule("RE-10")
async def test_a_tombstone_closes_the_reveals_while_matching_still_answers_active(pair: RevealPair) -> None:
    await pair.open(pair.a, 1)
    await pair.apply(pair.connection_ended())
    for member in (pair.a, pair.b):
        assert parts(await refusal(pair.open(member, 1))) == ENDED
        assert parts(await refusal(pair.open(member, 2))) == LOCKED
    (first, *_) = await pair.list_reveals(pair.a)
    assert first.status == REVEAL_STATUS_UNLOCKED
    assert not first.HasField("framed"), "a list shows no text after the end"


@pytest.mark.rule("RE-10")
async def test_a_connection_that_matching_does_not_know_opens_nothing(world: World, pair: RevealPair) -> None:
    await world.superuser.execute("DELETE FROM matching.connections WHERE id = $1", pair.connection_id)
    assert parts(await refusal(pair.open(pair.a, 1))) == ENDED


@pytest.mark.rule("RE-10")
async def test_no_text_is_framed_about_an_erased_member(world: World, pair: RevealPair) -> None:
    await world.superuser.execute("UPDATE identity.users SET deleted_at = clock.now() WHERE id = $1", pair.b.user)
    assert parts(await refusal(pair.open(pair.a, 1))) == ENDED


@pytest.mark.rule("RE-10")
async def test_an_opening_waits_for_an_end_that_is_not_committed(world: World, pair: RevealPair) -> None:
    """The opening has asked matching before; the tombstone is written and not committed yet."""
    async with role_of(world, "reveal") as ending:
        held = ending.transaction()
        await held.start()
        await ending.execute(pairs.END, [pair.connection_id], [pair.a.user], [pair.b.user], [await world.now()])
        opening = asyncio.ensure_future(refusal(pair.open(pair.a, 1)))
        await waits_for_a_lock(world, "reveal", opening)
        await held.commit()
        assert parts(await opening) == ENDED
    assert (await pair.stored_reveal(pair.a, 1))["reveal_status"] == "earned"
    assert await unlocked(pair) == []


@pytest.mark.rule("RE-09", "XX-02")
async def test_an_opening_that_fails_half_way_leaves_nothing(
    world: World, pair: RevealPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ConnectionResetError

    before = await pair.stored_reveal(pair.a, 1)
    with monkeypatch.context() as patch:
        patch.setattr(contents, "insert_text", broken)
        assert (await refusal(pair.open(pair.a, 1))).code == "UNAVAILABLE"
    assert await pair.stored_reveal(pair.a, 1) == before
    assert await unlocked(pair) == []
    assert (await pair.open(pair.a, 1)).reveal.status == REVEAL_STATUS_UNLOCKED


@pytest.mark.rule("RE-10")
async def test_nothing_opens_while_matching_does_not_answer(
    world: World, pair: RevealPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())

    with monkeypatch.context() as patch:
        patch.setattr("unora_common.pair_facts._is_active", unavailable)
        assert parts(await refusal(pair.open(pair.a, 1)))[:2] == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
    assert (await pair.stored_reveal(pair.a, 1))["reveal_status"] == "earned"


@pytest.mark.rule("XX-01")
async def test_events_hold_no_text(world: World, pair: RevealPair) -> None:
    framed = (await pair.open(pair.a, 1)).reveal.framed
    stored = await world.superuser.fetch("SELECT payload FROM reveal.outbox")
    for words in (framed.title, framed.text, BIO, *(text for _, text in HOBBIES)):
        assert not any(words.encode() in row["payload"] for row in stored)
    for kind in (RevealEarned, RevealUnlocked):
        fields = {field.name for field in kind.DESCRIPTOR.fields}
        assert fields == {"reveal_id", "version", "streak_id", "user_id", "reveal_number", "occurred_at"}


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("caller", ["identity", "matching", "streak", "stranger"])
async def test_only_members_through_the_gateway_may_call(world: World, pair: RevealPair, caller: str) -> None:
    stub = world.stub(RevealServiceStub, "reveal", caller=caller)
    asked = ListRevealsRequest(streak_id=str(pair.streak_id))
    opened = OpenRevealRequest(request_id=request_id(), streak_id=str(pair.streak_id), reveal_number=1)
    for call in (stub.ListReveals(asked, metadata=pair.a.metadata), stub.OpenReveal(opened, metadata=pair.a.metadata)):
        assert (await refusal(call)).code == "PERMISSION_DENIED"
    for anonymous in (pair.reveals.ListReveals(asked), pair.reveals.OpenReveal(opened)):
        assert (await refusal(anonymous)).code == "UNAUTHENTICATED"


@pytest.mark.rule("RE-01")
@pytest.mark.parametrize("number", [-1, 0, 6, 2**31 - 1])
async def test_other_numbers_than_one_to_five_are_refused(pair: RevealPair, number: int) -> None:
    refused = await refusal(pair.open(pair.a, number))
    assert refused.code == "INVALID_ARGUMENT"
    assert list(refused.violations) == ["reveal_number"]
