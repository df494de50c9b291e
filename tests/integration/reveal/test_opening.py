"""Opening reveals 1 to 4 through gRPC: framed by what identity tells, while matching says that the pair is active."""

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
from unora_reveal.domain.themes import THEMES
from unora_reveal.store import reveals as store
from unora_testing.world import World

from tests.integration.reveal.couple import BIO, HOBBIES, SECRETS, Couple, couple
from tests.roles import role_of, waits_for_a_lock
from tests.support import Refusal, refusal, request_id

Short: TypeAlias = tuple[str, str, dict[str, str]]
ENDED: Short = ("FAILED_PRECONDITION", "CONNECTION_ENDED", {})
LOCKED: Short = ("FAILED_PRECONDITION", "REVEAL_LOCKED", {})


def short(refused: Refusal) -> Short:
    assert refused.domain == "unora.reveal"
    return refused.code, refused.reason, refused.metadata


@pytest.fixture
async def two(world: World) -> Couple:
    """They have come to day 5: both have earned their first."""
    made = await couple(world)
    await made.hear(made.day(5))
    return made


async def unlocked(two: Couple, number: int = 1) -> list[Any]:
    ids = [(await two.row(member, number))["id"] for member in (two.a, two.b)]
    return await two.world.events(RevealUnlocked, *ids)


@pytest.mark.rule("RE-06", "RE-09", "RE-11")
async def test_opening_gives_a_framed_text_that_stays(world: World, two: Couple) -> None:
    first = (await two.open(two.a, 1)).reveal
    assert first.status == REVEAL_STATUS_UNLOCKED
    assert first.framed.title
    assert "bread baking" in first.framed.text.lower()
    assert (await world.now()).timestamp() - first.unlocked_at.ToSeconds() < 60
    assert (await two.open(two.a, 1)).reveal == first
    assert (await two.seen_by(two.a))[0] == first
    (event,) = await unlocked(two)
    assert (event.version, event.user_id, event.reveal_number) == (2, two.a.id, 1)


@pytest.mark.rule("RE-06")
async def test_the_text_holds_nothing_of_the_others_name_or_words(two: Couple) -> None:
    await two.set_tier(two.a, "pro")
    await two.hear(two.day(12))
    texts = set()
    for number in range(1, 5):
        answer = await two.open(two.a, number)
        assert not answer.HasField("identity")
        text = f"{answer.reveal.framed.title} {answer.reveal.framed.text}".lower()
        assert not any(secret in text for secret in SECRETS)
        texts.add(text)
    assert len(texts) == 4, "each is about something else"


@pytest.mark.rule("RE-06")
async def test_every_hobby_there_is_to_choose_has_its_theme(world: World) -> None:
    options = await world.superuser.fetch("SELECT id FROM identity.hobby_options WHERE deleted_at IS NULL")
    assert {row["id"] for row in options} == set(THEMES)


@pytest.mark.rule("RE-06")
async def test_a_name_that_is_in_every_sentence_leaves_option_names(world: World, two: Couple) -> None:
    await world.superuser.execute(
        "UPDATE identity.profiles SET name = 'They And The To' WHERE user_id = $1", two.b.user
    )
    framed = (await two.open(two.a, 1)).reveal.framed
    assert framed.text == "Bread baking · Hiking · Chess"


@pytest.mark.rule("RE-09")
async def test_what_the_other_changes_later_changes_nothing_that_was_given(world: World, two: Couple) -> None:
    first = (await two.open(two.a, 1)).reveal
    await world.superuser.execute(
        "UPDATE identity.hobbies SET hobby_option_id = 'singing' WHERE user_id = $1 AND position = 1", two.b.user
    )
    assert (await two.open(two.a, 1)).reveal == first


@pytest.mark.rule("RE-09", "XX-02")
async def test_twenty_openings_at_once_give_one_text_and_one_event(two: Couple) -> None:
    answers = await asyncio.gather(*(two.open(two.a, 1) for _ in range(20)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(await unlocked(two)) == 1


@pytest.mark.rule("RE-09")
async def test_of_two_different_texts_the_first_is_kept(
    world: World, two: Couple, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call has framed another text before the first one's is stored."""
    locked, first, second = store.lock, asyncio.Event(), asyncio.Event()

    async def lock(*arguments: Any) -> list[store.Stored]:
        (second if first.is_set() else first).set()
        await second.wait()
        return await locked(*arguments)

    monkeypatch.setattr(store, "lock", lock)
    one = asyncio.ensure_future(two.open(two.a, 1))
    await first.wait()
    await world.superuser.execute(
        "UPDATE identity.profiles SET name = 'They And The To' WHERE user_id = $1", two.b.user
    )
    answers = await asyncio.gather(one, two.open(two.a, 1))
    assert answers[0] == answers[1]
    assert len(await unlocked(two)) == 1


@pytest.mark.rule("RE-03")
async def test_what_one_opens_changes_nothing_for_the_other(two: Couple) -> None:
    before = await two.seen_by(two.b)
    row = await two.row(two.b, 1)
    await two.open(two.a, 1)
    assert await two.seen_by(two.b) == before
    assert await two.row(two.b, 1) == row


@pytest.mark.rule("RE-02", "RE-11")
async def test_a_locked_reveal_is_refused_without_a_word_on_when(two: Couple) -> None:
    before = [await two.row(two.a, number) for number in range(1, 6)]
    for number in range(2, 6):
        assert short(await refusal(two.open(two.a, number))) == LOCKED
    assert [await two.row(two.a, number) for number in range(1, 6)] == before


@pytest.mark.rule("RE-08")
async def test_a_reset_does_not_close_what_is_earned_or_open(two: Couple) -> None:
    first = (await two.open(two.a, 1)).reveal
    await two.hear(two.day(1))
    assert (await two.open(two.a, 1)).reveal == first
    assert (await two.open(two.b, 1)).reveal.status == REVEAL_STATUS_UNLOCKED


@pytest.mark.rule("XX-04")
async def test_anothers_streak_is_a_missing_one(world: World, two: Couple) -> None:
    stranger = world.caller()
    other = Couple(world, stranger, stranger, uuid7(), uuid7())
    theirs = Couple(world, stranger, stranger, two.connection_id, two.streak_id)
    for number in range(1, 6):
        missing, foreign = await refusal(other.open(stranger, number)), await refusal(theirs.open(stranger, number))
        assert missing == foreign
        assert short(missing) == ("NOT_FOUND", "STREAK_NOT_FOUND", {})
    assert await refusal(other.seen_by(stranger)) == await refusal(theirs.seen_by(stranger))


@pytest.mark.rule("RE-10")
async def test_matching_is_asked_at_that_moment(two: Couple) -> None:
    """The end has happened, and its news has not come yet: neither a first opening nor a repeat gets anything."""
    await two.open(two.a, 1)
    await two.end_in_matching()
    assert short(await refusal(two.open(two.a, 1))) == ENDED
    assert short(await refusal(two.open(two.b, 1))) == ENDED
    assert (await two.row(two.b, 1))["reveal_status"] == "earned"


@pytest.mark.rule("RE-10")
async def test_a_tombstone_closes_also_while_matching_still_says_active(two: Couple) -> None:
    await two.open(two.a, 1)
    await two.hear(two.ended())
    for member in (two.a, two.b):
        assert short(await refusal(two.open(member, 1))) == ENDED
        assert short(await refusal(two.open(member, 2))) == LOCKED
    (first, *_) = await two.seen_by(two.a)
    assert first.status == REVEAL_STATUS_UNLOCKED
    assert not first.HasField("framed"), "also a list gives nothing more after the end"


@pytest.mark.rule("RE-10")
async def test_a_connection_that_matching_does_not_know_opens_nothing(world: World, two: Couple) -> None:
    await world.superuser.execute("DELETE FROM matching.connections WHERE id = $1", two.connection_id)
    assert short(await refusal(two.open(two.a, 1))) == ENDED


@pytest.mark.rule("RE-10")
async def test_a_member_who_is_gone_is_not_framed(world: World, two: Couple) -> None:
    await world.superuser.execute("UPDATE identity.users SET deleted_at = clock.now() WHERE id = $1", two.b.user)
    assert short(await refusal(two.open(two.a, 1))) == ENDED


@pytest.mark.rule("RE-10")
async def test_an_end_that_holds_the_pair_is_waited_for(world: World, two: Couple) -> None:
    """The opening has asked matching already; the tombstone is written and not yet committed."""
    async with role_of(world, "reveal") as ending:
        held = ending.transaction()
        await held.start()
        await ending.execute(store.END, two.connection_id, two.a.user, two.b.user, await world.now())
        opening = asyncio.ensure_future(refusal(two.open(two.a, 1)))
        await waits_for_a_lock(world, "reveal", opening)
        await held.commit()
        assert short(await opening) == ENDED
    assert (await two.row(two.a, 1))["reveal_status"] == "earned"
    assert await unlocked(two) == []


@pytest.mark.rule("RE-09", "XX-02")
async def test_an_opening_that_breaks_half_way_leaves_nothing(
    world: World, two: Couple, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ConnectionResetError

    before = await two.row(two.a, 1)
    with monkeypatch.context() as patch:
        patch.setattr(store, "keep_text", broken)
        assert (await refusal(two.open(two.a, 1))).code == "UNAVAILABLE"
    assert await two.row(two.a, 1) == before
    assert await unlocked(two) == []
    assert (await two.open(two.a, 1)).reveal.status == REVEAL_STATUS_UNLOCKED


@pytest.mark.rule("RE-10")
async def test_nothing_opens_while_matching_does_not_answer(
    world: World, two: Couple, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> object:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata())

    with monkeypatch.context() as patch:
        patch.setattr("unora_reveal.clients.Pairs.active", away)
        assert short(await refusal(two.open(two.a, 1)))[:2] == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")
    assert (await two.row(two.a, 1))["reveal_status"] == "earned"


@pytest.mark.rule("XX-01")
async def test_events_hold_no_text(world: World, two: Couple) -> None:
    framed = (await two.open(two.a, 1)).reveal.framed
    told = await world.superuser.fetch("SELECT payload FROM reveal.outbox")
    for words in (framed.title, framed.text, BIO, *(text for _, text in HOBBIES)):
        assert not any(words.encode() in row["payload"] for row in told)
    for kind in (RevealEarned, RevealUnlocked):
        fields = {field.name for field in kind.DESCRIPTOR.fields}
        assert fields == {"reveal_id", "version", "streak_id", "user_id", "reveal_number", "occurred_at"}


@pytest.mark.rule("XX-03")
@pytest.mark.parametrize("caller", ["identity", "matching", "streak", "stranger"])
async def test_only_members_through_the_gateway_may_call(world: World, two: Couple, caller: str) -> None:
    stub = world.stub(RevealServiceStub, "reveal", caller=caller)
    asked = ListRevealsRequest(streak_id=str(two.streak_id))
    opened = OpenRevealRequest(request_id=request_id(), streak_id=str(two.streak_id), reveal_number=1)
    for call in (stub.ListReveals(asked, metadata=two.a.metadata), stub.OpenReveal(opened, metadata=two.a.metadata)):
        assert (await refusal(call)).code == "PERMISSION_DENIED"
    for anonymous in (two.reveals.ListReveals(asked), two.reveals.OpenReveal(opened)):
        assert (await refusal(anonymous)).code == "UNAUTHENTICATED"


@pytest.mark.rule("RE-01")
@pytest.mark.parametrize("number", [-1, 0, 6, 2**31 - 1])
async def test_there_is_no_other_number(two: Couple, number: int) -> None:
    refused = await refusal(two.open(two.a, number))
    assert refused.code == "INVALID_ARGUMENT"
    assert list(refused.violations) == ["reveal_number"]
