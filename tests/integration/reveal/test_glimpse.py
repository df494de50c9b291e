"""Reveal 3 through gRPC: framed at each read from the current scores of the partner, and never stored."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from unora.reveal.v1.events_pb2 import RevealUnlocked
from unora.reveal.v1.reveal_service_pb2 import REVEAL_STATUS_UNLOCKED, FramedContent, Reveal
from unora_common import migrations, provision
from unora_common.ids import uuid7
from unora_reveal.domain.facts import FramedText
from unora_reveal.domain.labels import find_labels
from unora_reveal.domain.personality import Dimension
from unora_testing.testbed import Testbed
from unora_testing.world import Caller, World

from tests.integration.reveal.reveal_pair import SECRETS, RevealPair, make_reveal_pair
from tests.roles import role_of
from tests.support import refusal

ALL_AGREED = dict.fromkeys(range(1, 36), 5)
EXPLORER = {1: 5, 6: 1, 11: 5, 16: 5, 2: 5, 7: 1, 12: 5, 17: 1}
SETTLER = {question: 6 - answer for question, answer in EXPLORER.items()}


@pytest.fixture
async def pair(world: World) -> RevealPair:
    """Both are pro and have earned reveal 3."""
    made = await make_reveal_pair(world)
    for member in (made.a, made.b):
        await made.set_tier(member, "pro")
    await made.apply(made.day_completed(9))
    return made


@pytest.fixture
def fixed_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts do not change over time during the test."""
    monkeypatch.setattr("unora_reveal.use_cases.framing.turn_at", lambda *_: 7)


async def glimpse(pair: RevealPair, viewer: Caller) -> FramedContent:
    return (await pair.open(viewer, 3)).reveal.framed


async def listed(pair: RevealPair, viewer: Caller) -> Reveal:
    return (await pair.list_reveals(viewer))[2]


@pytest.mark.rule("PE-04")
@pytest.mark.usefixtures("fixed_turn")
async def test_the_glimpse_is_framed_from_the_current_scores_of_the_partner(pair: RevealPair) -> None:
    seen = [await glimpse(pair, pair.a)]
    for answers in (EXPLORER, SETTLER, EXPLORER):
        await pair.submit_answers(pair.b, answers)
        seen.append(await glimpse(pair, pair.a))
        assert (await listed(pair, pair.a)).framed == seen[-1]
    assert seen[1] == seen[3]
    assert seen[1].text != seen[2].text
    assert any(words in seen[1].text for words in ("say yes to the unfamiliar", "keep a promise"))
    assert any(words in seen[2].text for words in ("a favourite place", "leave room in a day"))


@pytest.mark.rule("PE-01", "PE-06")
@pytest.mark.usefixtures("fixed_turn")
async def test_with_all_answers_withdrawn_the_glimpse_reads_as_without_answers(world: World, pair: RevealPair) -> None:
    before = await glimpse(pair, pair.a)
    await pair.submit_answers(pair.b, EXPLORER)
    assert await glimpse(pair, pair.a) != before
    await world.superuser.execute("DELETE FROM reveal.personality_answers WHERE user_id = $1", pair.b.user)
    await world.superuser.execute(
        "UPDATE reveal.personality_scores SET scores = NULL, answered_count = 0 WHERE user_id = $1", pair.b.user
    )
    assert await glimpse(pair, pair.a) == before


@pytest.mark.rule("PE-05")
@pytest.mark.usefixtures("fixed_turn")
async def test_a_members_own_answers_change_nothing_that_the_member_sees(pair: RevealPair) -> None:
    before = await glimpse(pair, pair.a), [await pair.stored_reveal(pair.a, number) for number in range(1, 6)]
    for answers in (EXPLORER, SETTLER, ALL_AGREED):
        await pair.submit_answers(pair.a, answers)
        assert (
            await glimpse(pair, pair.a),
            [await pair.stored_reveal(pair.a, number) for number in range(1, 6)],
        ) == before


@pytest.mark.rule("PE-06", "RE-06")
@pytest.mark.parametrize("answers", [{}, {1: 4}, EXPLORER, ALL_AGREED])
async def test_any_answers_give_a_whole_text_without_label_or_secret(pair: RevealPair, answers: dict[int, int]) -> None:
    if answers:
        await pair.submit_answers(pair.b, answers)
    framed = await glimpse(pair, pair.a)
    assert 120 <= len(framed.text) <= 190
    assert find_labels(FramedText(framed.title, framed.text)) == set()
    text = f"{framed.title} {framed.text}".lower()
    assert not any(str(dimension) in text for dimension in Dimension)
    assert not any(secret in text for secret in SECRETS)


@pytest.mark.rule("RE-06")
async def test_a_name_that_is_in_every_sentence_leaves_option_names(world: World, pair: RevealPair) -> None:
    await world.superuser.execute(
        "UPDATE identity.profiles SET name = 'They And The To' WHERE user_id = $1", pair.b.user
    )
    for answers in ({}, EXPLORER):
        if answers:
            await pair.submit_answers(pair.b, answers)
        assert (await glimpse(pair, pair.a)).text == "Bread baking · Hiking · Chess"


@pytest.mark.rule("RE-09", "PE-04")
async def test_a_glimpse_opens_once_and_none_of_its_text_is_stored(world: World, pair: RevealPair) -> None:
    await pair.submit_answers(pair.b, EXPLORER)
    answers = await asyncio.gather(*(pair.open(pair.a, 3) for _ in range(12)))
    assert {answer.reveal.status for answer in answers} == {REVEAL_STATUS_UNLOCKED}
    row = await pair.stored_reveal(pair.a, 3)
    assert len(await world.events(RevealUnlocked, row["id"])) == 1
    assert row["content_json"] is None
    texts = {answer.reveal.framed.text for answer in answers}
    for table in await world.superuser.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'reveal'"):
        dump = "\n".join(row[0] for row in await world.superuser.fetch(f"SELECT t::text FROM reveal.{table[0]} t"))
        for text in texts:
            assert text not in dump
            assert text.encode().hex() not in dump


@pytest.mark.rule("PE-04")
async def test_the_database_refuses_to_store_a_glimpse(world: World, pair: RevealPair) -> None:
    await pair.open(pair.a, 3)
    async with role_of(world, "reveal") as service:
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await service.execute(
                "INSERT INTO reveal.reveal_contents VALUES ($1, 3, $2, NULL, clock.now())",
                *((await pair.stored_reveal(pair.a, 3))["id"], '{"title": "A", "text": "B"}'),
            )
        assert caught.value.constraint_name == "glimpse_is_never_stored"


@pytest.mark.rule("RE-09")
async def test_the_other_reveals_keep_their_texts(pair: RevealPair) -> None:
    first = [(await pair.open(pair.a, number)).reveal for number in (1, 2)]
    await pair.submit_answers(pair.b, EXPLORER)
    assert [(await pair.open(pair.a, number)).reveal for number in (1, 2)] == first
    assert list((await pair.list_reveals(pair.a))[:2]) == first


@pytest.mark.rule("PE-04")
@pytest.mark.usefixtures("fixed_turn")
async def test_a_read_during_changes_of_answers_never_mixes_them(pair: RevealPair) -> None:
    """Each read uses all answers from before a change, or all from after it."""
    texts = set()
    for answers in (EXPLORER, SETTLER):
        await pair.submit_answers(pair.b, answers)
        texts.add((await glimpse(pair, pair.a)).text)

    async def change_answers() -> None:
        for _ in range(4):
            await pair.submit_answers(pair.b, EXPLORER)
            await pair.submit_answers(pair.b, SETTLER)

    async def read() -> set[str]:
        return {(await glimpse(pair, pair.a)).text for _ in range(15)}

    _, *seen = await asyncio.gather(change_answers(), read(), read())
    assert set().union(*seen) <= texts


@pytest.mark.rule("RE-10")
async def test_after_the_end_there_is_no_glimpse(pair: RevealPair) -> None:
    await pair.open(pair.a, 3)
    await pair.end_in_matching()
    assert (await refusal(pair.open(pair.a, 3))).reason == "CONNECTION_ENDED"
    assert not (await listed(pair, pair.a)).HasField("framed")


@pytest.mark.rule("RE-10")
async def test_there_is_no_glimpse_of_an_erased_member(world: World, pair: RevealPair) -> None:
    for number in (1, 3):
        await pair.open(pair.a, number)
    await world.superuser.execute("UPDATE identity.users SET deleted_at = clock.now() WHERE id = $1", pair.b.user)
    assert (await refusal(pair.open(pair.a, 3))).reason == "CONNECTION_ENDED"
    assert not any(each.HasField("framed") for each in await pair.list_reveals(pair.a)), "it looks like an end"


@pytest.mark.rule("PE-06")
async def test_the_glimpse_changes_over_time_with_and_without_answers(world: World, pair: RevealPair) -> None:
    await pair.submit_answers(pair.b, EXPLORER)
    texts: dict[str, set[str]] = {pair.a.id: set(), pair.b.id: set()}
    for _ in range(6):
        for viewer in (pair.a, pair.b):
            texts[viewer.id].add((await glimpse(pair, viewer)).text)
        await world.move_clock(timedelta(days=1))
    assert all(len(found) > 1 for found in texts.values())


@pytest.fixture
async def before(testbed: Testbed, world: World) -> Any:
    """A database as it was before reveal 3 was a glimpse."""
    name = f"unora_glimpse_{world.worker}"
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    await provision.make_schemas(testbed.dsn(name), ["reveal"], movable_clock=False)
    owner = testbed.dsn(name, "unora_reveal_owner")
    engine = create_async_engine(owner.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    config = migrations.configured("reveal")

    def upgrade(connection: Any) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.mark.rule("PE-04", "RE-09")
async def test_the_migration_deletes_stored_texts_of_reveal_3_only(testbed: Testbed, before: str) -> None:
    connection, streak = uuid7(), uuid7()
    a, b = sorted((uuid7(), uuid7()))
    old = await asyncpg.connect(testbed.dsn(before, "unora_reveal"))
    await old.execute("INSERT INTO reveal.pairs VALUES ($1, $2, $3, $4, 12)", connection, streak, a, b)
    await old.execute("INSERT INTO reveal.progressions VALUES ($1, $2, 'pro')", streak, a)
    ids = [uuid7() for _ in range(4)]
    for number, reveal in enumerate(ids, 1):
        await old.execute(
            """INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number)
               VALUES ($1, $2, $3, $4, $5, $6)""",
            *(reveal, streak, connection, a, b, number),
        )
        await old.execute(
            "UPDATE reveal.reveals SET reveal_status = 'earned', completed_days = 12 WHERE id = $1", reveal
        )
        await old.execute(
            "UPDATE reveal.reveals SET reveal_status = 'unlocked', unlocked_at = clock.now() WHERE id = $1", reveal
        )
        await old.execute(
            """INSERT INTO reveal.reveal_contents VALUES ($1, $2, '{"title": "A", "text": "B"}', NULL, clock.now())""",
            *(reveal, number),
        )
    owner = testbed.dsn(before, "unora_reveal_owner")
    done = await asyncio.to_thread(migrations.upgrade, "reveal", owner)
    assert done.outcome is migrations.Outcome.MIGRATED
    kept = await old.fetch("SELECT reveal_number FROM reveal.reveal_contents ORDER BY 1")
    assert [row[0] for row in kept] == [1, 2, 4]
    assert await old.fetchval("SELECT reveal_status FROM reveal.reveals WHERE id = $1", ids[2]) == "unlocked"
    await old.close()
