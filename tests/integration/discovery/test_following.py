"""A process finds all that was committed since it last looked, however late, and nothing that was not (DI-17)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import asyncpg
import pytest
from unora_common.app import App
from unora_common.database import Database, Session
from unora_discovery.domain.bits import Slots
from unora_discovery.domain.planes import Facts, Planes
from unora_discovery.resources import Pool
from unora_discovery.store import planes as store
from unora_discovery.store.planes import START
from unora_discovery.use_cases import following
from unora_discovery.use_cases.following import AT_ONCE, follow, take_over
from unora_testing.deadlines import GENEROUS, TIMEOUTS, eventually, within
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
async def test_after_a_failover_all_is_loaded_although_the_other_server_has_had_more_transactions(
    testbed: Testbed, made: OwnPool
) -> None:
    """The other database stands for a replica that lacks what was committed last: it has other rows under the numbers
    that the cursor has seen. Some of them name transactions that have not happened there.
    """
    async with own_pool(testbed, "failover", EVERYONE) as other:
        await other.superuser.execute("UPDATE discovery.candidates SET discovery_ready = user_id <> $1", member(3))
        await other.superuser.execute("UPDATE discovery.pool SET changed = changed + 1000000000 WHERE slot > 40")
        assert await proposed(made) == EVERYONE
        assert await follow(other.database, made.pool) == EVERYONE
        assert await follow(other.database, made.pool) == 0
        other.pool = made.pool
        assert await proposed(other) == EVERYONE - 1


@pytest.mark.rule("DI-17")
async def test_while_all_is_loaded_anew_searches_use_the_planes_of_before(
    made: OwnPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With none, each call would have to load the pool by itself, or find nobody."""
    await seen(made)
    asked, go_on = asyncio.Event(), asyncio.Event()
    get_facts = store.get_facts

    async def get_facts_late(session: Session, slots: Slots) -> Facts:
        asked.set()
        await go_on.wait()
        return await get_facts(session, slots)

    made.pool.cursor = "5000000000:5000000000:"  # of a database that has had more transactions
    with monkeypatch.context() as patched:
        patched.setattr(store, "get_facts", get_facts_late)
        patched.setattr("tests.integration.discovery.own_pool.follow", take_over_as_a_call)
        assert await seen(made) == set(range(2, EVERYONE + 1))
        loading = asyncio.ensure_future(follow(made.database, made.pool))
        await within(asked.wait())
        assert await seen(made) == set(range(2, EVERYONE + 1))
        go_on.set()
        assert await loading == EVERYONE
    assert await proposed(made) == EVERYONE


@pytest.mark.rule("DI-17")
async def test_a_call_that_began_before_all_was_loaded_anew_does_not_have_it_loaded_again(made: OwnPool) -> None:
    await seen(made)
    made.pool.cursor = cursor = "5000000000:5000000000:"  # of a database that has had more transactions
    async with made.database.session() as session:
        changes = await store.list_changed(session, cursor, AT_ONCE + 1)
    assert await follow(made.database, made.pool) == EVERYONE
    async with made.database.session() as session:
        await take_over(session, made.pool, cursor, changes)
    assert await follow(made.database, made.pool) == 0
    assert not made.pool.behind


async def take_over_as_a_call(database: Database, pool: Pool) -> int:
    """What a refresh does at its beginning."""
    async with database.session() as session:
        cursor = pool.cursor
        await take_over(session, pool, cursor, await store.list_changed(session, cursor, AT_ONCE + 1))
    return 0


@pytest.mark.rule("DI-17")
async def test_facts_that_a_cancelled_call_was_applying_do_not_come_after_newer_ones(
    made: OwnPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 0)  # so that each change is applied in a thread
    await seen(made)
    loop, in_thread = asyncio.get_running_loop(), asyncio.Event()
    go_on, applied = threading.Event(), threading.Event()
    apply = Planes.apply

    def apply_late(planes: Planes, facts: Facts) -> None:
        loop.call_soon_threadsafe(in_thread.set)
        go_on.wait(GENEROUS)
        apply(planes, facts)
        applied.set()

    await made.superuser.execute(RESTRICT, member(3), True)
    with monkeypatch.context() as patched:
        patched.setattr(Planes, "apply", apply_late)
        cancelled = asyncio.ensure_future(follow(made.database, made.pool))
        await within(in_thread.wait())
    cancelled.cancel()
    await made.superuser.execute(RESTRICT, member(3), False)
    newer = asyncio.ensure_future(follow(made.database, made.pool))
    await asyncio.wait({newer}, timeout=0.2)  # it must wait for the thread; if it does not, it is done by now
    go_on.set()
    await newer
    await asyncio.wait({cancelled})
    assert await asyncio.to_thread(applied.wait, GENEROUS)
    assert cancelled.cancelled()
    assert await proposed(made) == EVERYONE


@pytest.mark.rule("DI-17")
@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_while_a_transaction_is_open_for_long_a_call_reads_only_what_it_has_not_seen(
    made: OwnPool, plans: str
) -> None:
    backup = await asyncpg.connect(made.superuser_dsn)
    transaction = backup.transaction()
    await transaction.start()
    await backup.execute("SELECT pg_current_xact_id()")
    for _ in range(20):
        await made.superuser.execute("UPDATE discovery.candidates SET restricted = NOT restricted")
        await made.superuser.execute("ANALYZE discovery.pool")
    await follow(made.database, made.pool)
    await made.superuser.execute(RESTRICT, member(3), True)
    await made.superuser.execute(f"SET plan_cache_mode = {plans}")
    await made.superuser.execute(f"PREPARE changed (text, bigint) AS {store.LIST_CHANGED}")
    explained = await made.superuser.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE changed ('{made.pool.cursor}', {AT_ONCE + 1})"
    )
    await transaction.rollback()
    await backup.close()
    assert rows_of_the_pool(json.loads(explained)[0]["Plan"]) == 1


def rows_of_the_pool(plan: dict[str, Any]) -> int:
    """How many rows of the pool a plan has read, also those that it threw away."""
    read = 0
    if plan.get("Relation Name") == "pool":
        read = plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return int(read) + sum(rows_of_the_pool(each) for each in plan.get("Plans", []))


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
