"""A process finds all that was committed since it last looked, however late, and nothing that was not (DI-17)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import asyncpg
import pytest
from unora_common.app import App
from unora_discovery.resources import Pool
from unora_discovery.store.planes import START
from unora_discovery.use_cases import following
from unora_discovery.use_cases.following import follow
from unora_testing.deadlines import TIMEOUTS, eventually
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.discovery.own_pool import OwnPool, member, own_pool

RESTRICT = "UPDATE discovery.candidates SET restricted = $2 WHERE user_id = $1"
EVERYONE = 50


@pytest.fixture
async def made(testbed: Testbed) -> AsyncIterator[OwnPool]:
    """Fifty members who may all be shown to each other."""
    async with own_pool(testbed, "following", EVERYONE) as made:
        await made.superuser.execute("DELETE FROM discovery.filters")
        await made.superuser.execute("UPDATE discovery.candidates SET discovery_ready = true")
        yield made


async def seen(made: OwnPool) -> set[int]:
    """The numbers of the members whom a search of the first proposes and may show."""
    _, found = await made.search(1, Random(1), ranked=EVERYONE)
    ids = {each.user_id for each in found.ranked}
    return {number for number in range(1, EVERYONE + 1) if member(number) in ids}


async def proposed(made: OwnPool) -> int:
    """How many members the planes have as shown; what Postgres would decide does not count."""
    await follow(made.database, made.pool)
    return int(sum(bin(int(word)).count("1") for word in made.pool.planes._array[0]))


@pytest.mark.rule("DI-17")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE discovery.candidates SET discovery_ready = false WHERE user_id = $1",
        "UPDATE discovery.candidates SET active_connection_count = 1 WHERE user_id = $1",
        "UPDATE discovery.candidates SET suspended = true WHERE user_id = $1",
        "UPDATE discovery.server_memberships SET left_at = clock.now() WHERE user_id = $1",
        "DELETE FROM discovery.server_memberships WHERE user_id = $1",
        "INSERT INTO discovery.filters (user_id, server_type, age_bands, updated_at)"
        " SELECT $1, 'partner', ARRAY[CASE c.age_band WHEN '18_24' THEN '25_29' ELSE '18_24' END], clock.now()"
        f" FROM discovery.candidates c WHERE c.user_id = '{member(1)}'",
    ],
)
async def test_each_change_of_what_a_search_compares_reaches_the_planes(made: OwnPool, change: str) -> None:
    await seen(made)
    before = made.pool.cursor
    await made.superuser.execute(change, member(7))
    assert await follow(made.database, made.pool) == 1
    assert made.pool.cursor != before
    assert await seen(made) == set(range(2, EVERYONE + 1)) - {7}


@pytest.mark.rule("DI-17")
async def test_what_no_search_compares_changes_no_plane(made: OwnPool) -> None:
    await seen(made)
    for change in (
        "UPDATE discovery.candidates SET tier = 'pro', city = 'elsewhere', texts_version = 9",
        "UPDATE discovery.server_memberships SET first_batch_at = clock.now()",
        "UPDATE discovery.candidates SET connection_limit = 2",
    ):
        await made.superuser.execute(change)
    assert await follow(made.database, made.pool) == 0


@pytest.mark.rule("DI-17")
async def test_a_change_that_commits_late_is_found_although_later_ones_were_seen_before(
    testbed: Testbed, made: OwnPool
) -> None:
    await seen(made)
    late = await asyncpg.connect(made.superuser_dsn)
    transaction = late.transaction()
    await transaction.start()
    await late.execute(RESTRICT, member(3), True)
    await made.superuser.execute(RESTRICT, member(4), True)
    assert await proposed(made) == EVERYONE - 1
    assert await follow(made.database, made.pool) == 0  # although the other one is still open
    await transaction.commit()
    await late.close()
    assert await follow(made.database, made.pool) == 1
    assert await proposed(made) == EVERYONE - 2


@pytest.mark.rule("DI-17")
async def test_a_change_that_is_rolled_back_changes_nothing(made: OwnPool) -> None:
    await seen(made)
    transaction = made.superuser.transaction()
    await transaction.start()
    await made.superuser.execute(RESTRICT, member(3), True)
    await transaction.rollback()
    assert await follow(made.database, made.pool) == 0
    assert await proposed(made) == EVERYONE


@pytest.mark.rule("DI-17")
async def test_more_than_one_chunk_is_followed_to_the_end(made: OwnPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "CHUNK", 7)
    monkeypatch.setattr(following, "AT_ONCE", 7)
    assert await follow(made.database, made.pool) == EVERYONE
    await made.superuser.execute("UPDATE discovery.candidates SET restricted = true")
    assert await follow(made.database, made.pool) == EVERYONE
    assert await proposed(made) == 0
    assert not made.pool.behind


@pytest.mark.rule("DI-17")
async def test_planes_that_are_late_or_wrong_show_no_wrong_card(made: OwnPool, monkeypatch: pytest.MonkeyPatch) -> None:
    await seen(made)

    async def follow_nothing(*_: object) -> int:
        return 0

    monkeypatch.setattr("tests.integration.discovery.own_pool.follow", follow_nothing)
    gone = range(2, 30)
    await made.superuser.execute(
        "UPDATE discovery.candidates SET restricted = true WHERE user_id = ANY ($1)", [member(each) for each in gone]
    )
    assert await seen(made) == set(range(30, EVERYONE + 1))


@pytest.mark.rule("DI-17")
async def test_after_a_restore_into_a_younger_cluster_all_is_loaded_and_stamped_anew(made: OwnPool) -> None:
    """Rows then name transactions that have not happened yet, and would be read again and again."""
    await made.superuser.execute("UPDATE discovery.pool SET changed = changed + 1000000000")
    pool = made.pool = Pool()
    assert await follow(made.database, pool) == EVERYONE
    assert await follow(made.database, pool) == 0
    await made.superuser.execute(RESTRICT, member(3), True)
    assert await proposed(made) == EVERYONE - 1
    pool.cursor = "5000000000:5000000000:"  # of a process that has seen the old cluster
    await made.superuser.execute(RESTRICT, member(4), True)
    assert await follow(made.database, pool) == EVERYONE
    assert await proposed(made) == EVERYONE - 2


@pytest.mark.rule("DI-17")
async def test_a_slot_is_kept_by_its_member_and_no_number_is_spent_on_a_change(made: OwnPool) -> None:
    before = await made.superuser.fetch("SELECT user_id, slot FROM discovery.pool ORDER BY slot")
    for _ in range(5):
        await made.superuser.execute("UPDATE discovery.candidates SET restricted = NOT restricted")
    await made.superuser.execute("DELETE FROM discovery.server_memberships")
    assert await made.superuser.fetch("SELECT user_id, slot FROM discovery.pool ORDER BY slot") == before
    assert max(row["slot"] for row in before) == EVERYONE
    assert made.pool.cursor == START


@pytest.mark.rule("DI-17")
@pytest.mark.parametrize("calls", [True, False])
async def test_a_process_that_serves_calls_is_ready_once_it_has_loaded_the_pool(world: World, calls: bool) -> None:
    """Also where no job runs; a worker needs no planes."""
    other = world.apps["discovery"]
    app = App(other.service, world.config(other.service, other.config.peers), TIMEOUTS)
    await app.open()
    try:
        await app.serve(calls=calls)
        assert app.server is not None
        loading = [each for each in await app.readiness.missing() if "loading" in each]
        assert loading == (["follow_pool (loading)"] if calls else [])
        app.watch()
        await eventually(lambda: app.server is not None and app.server.ready, "the process is ready")
        assert (app.runtime.resources.pool.cursor != START) is calls
    finally:
        await app.close()
