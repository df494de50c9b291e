"""XX-08: the pool is made anew from the contexts that own it, while events go on, and equals the live one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGINT
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from unora.common.v1.types_pb2 import TIER_PLUS
from unora.identity.v1.directory_service_pb2 import (
    DiscoveryProfile,
    GetDiscoveryProfilesRequest,
    ListDiscoveryProfilesRequest,
)
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged
from unora_bench.members import MEMBER, make_members
from unora_common.ids import uuid7
from unora_common.rebuild_progress import RebuildProgress
from unora_common.rebuilding import Rebuild, RebuildTakenOverError
from unora_discovery.clients import Directory
from unora_discovery.use_cases import rebuild as parts
from unora_testing.deadlines import within
from unora_testing.world import World

from tests.integration.common.processes import ServiceProcess, addresses
from tests.integration.discovery.pool import Pool
from tests.integration.discovery.rebuilt_pool import COUNT, GONE, LONG, Members, forget, require_equal
from tests.support import refusal

pytestmark = pytest.mark.rule("XX-08")


@pytest.fixture
async def members(world: World, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Members]:
    """Pages are short, so that a rebuild of few members has many."""
    monkeypatch.setattr(parts, "PROFILES_ON_A_PAGE", 40)
    monkeypatch.setattr(parts, "OTHERS_ON_A_PAGE", 30)
    await world.superuser.execute("DELETE FROM discovery.rebuilds; DELETE FROM discovery.candidates")
    members = Members(world, pool)
    yield members
    await forget(world, [MEMBER.id(members.before_first), *members.ids])


async def test_a_pool_that_was_lost_equals_the_live_one_again(members: Members) -> None:
    live = await members.make()
    ready = [row for row in live if row["discovery_ready"]]
    assert {row["texts_version"] for row in live} == {0, 2}
    assert {row["tier"] for row in live} == {"free", "plus"}
    assert any(row["suspended"] for row in ready)
    assert any(not row["city"] for row in ready)
    assert any(not row["discovery_ready"] for row in live)
    await members.lose()
    assert await members.rebuild() == 0
    require_equal(await members.rows(), live)
    # And again, on a pool that is whole: nothing changes.
    assert await members.rebuild() == 0
    require_equal(await members.rows(), live)


async def test_rows_that_are_damaged_are_as_before_and_whom_nobody_knows_is_not_shown(members: Members) -> None:
    live = await members.make()
    stranger = await members.pool.member()
    await members.world.superuser.execute(
        """UPDATE discovery.candidates SET suspended = suspended AND restriction_version = 0,
            city = CASE WHEN profile_version > 0 THEN 'Atlantis' ELSE city END,
            connection_limit = CASE WHEN inventory_version > 0 THEN 9 ELSE connection_limit END
        WHERE user_id = ANY($1)""",
        members.ids,
    )
    assert await members.rows() != live
    assert await members.rebuild() == 0
    require_equal(await members.rows(), live)
    (row,) = await members.pool.rows("candidates", stranger.user)
    assert not row["discovery_ready"]


async def test_a_rebuild_that_is_killed_again_and_again_goes_on_each_time(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = await members.make()
    await members.lose()
    advance, pages, kills = RebuildProgress.advance, 0, 0

    async def killed_at_each_third(*arguments: Any) -> bool:
        """The page is stored, and not noted."""
        nonlocal pages
        pages += 1
        if pages % 3 == 0:
            raise KilledError
        return await advance(*arguments)

    monkeypatch.setattr(RebuildProgress, "advance", killed_at_each_third)
    while True:
        try:
            assert await members.rebuild() == 0
            break
        except KilledError:
            kills += 1
    assert kills > len(parts.PARTS)
    require_equal(await members.rows(), live)


class KilledError(Exception):
    """The process is no more."""


async def test_ctrl_c_ends_the_command_at_once_and_the_next_one_does_the_rest(members: Members, tmp_path: Path) -> None:
    live = await members.make()
    await members.lose()
    process = ServiceProcess(members.world, "discovery", tmp_path, "rebuild", **addresses(members.world))
    other = await asyncpg.connect(members.world.testbed.dsn(members.world.database))
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE discovery.candidates IN SHARE MODE")
            await process.start()
            await members.pool.wait_for_blocked_calls(1)
            assert await process.stop([SIGINT]) == 130, process.lines()
            assert process.lines()[-1] == "unora_discovery: rebuild was stopped"
        await process.start()
        assert await within(process.process.wait()) == 0, process.lines()
    finally:
        await process.end()
        await other.close()
    require_equal(await members.rows(), live)


async def test_events_that_come_during_a_rebuild_win_over_what_it_read_before(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    await members.make()
    await members.lose()
    changed, read = members.ids[6], Directory.list_profiles
    told = False

    async def read_then_changed(*arguments: Any) -> Any:
        """The page is read; before it is stored, the member changes, and the event is applied."""
        nonlocal told
        answer = await read(*arguments)
        if any(each.user_id == changed for each in answer[0]) and not told:
            told = True
            await members.world.superuser.execute(
                "UPDATE identity.profiles SET city = 'Porto', place_id = '2735943', country = 'PT' WHERE user_id = $1",
                changed,
            )
            await members.world.superuser.execute("UPDATE identity.users SET version = 9 WHERE id = $1", changed)
            now = await members.pool.stamp()
            await members.tell(DiscoveryProfileChanged(user_id=str(changed), version=9, occurred_at=now))
        return answer

    monkeypatch.setattr(Directory, "list_profiles", read_then_changed)
    assert await members.rebuild() == 0
    assert told
    (row,) = await members.pool.rows("candidates", changed)
    assert (row["profile_version"], row["city"]) == (9, "Porto")


async def test_members_who_sign_up_during_a_rebuild_are_in_the_pool_afterwards(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has an id that the rebuild has passed already, and the event comes after its page was read."""
    await members.make()
    await members.lose()
    late, read = MEMBER.id(members.before_first), Directory.list_profiles
    pages = 0

    async def read_then_joined(*arguments: Any) -> Any:
        nonlocal pages
        answer = await read(*arguments)
        pages += 1
        if pages == 1:
            await make_members(members.world.superuser, members.before_first, 1)
            now = await members.pool.stamp()
            await members.tell(DiscoveryProfileChanged(user_id=str(late), version=3, occurred_at=now))
        return answer

    monkeypatch.setattr(Directory, "list_profiles", read_then_joined)
    assert await members.rebuild() == 0
    (row,) = await members.pool.rows("candidates", late)
    assert (row["discovery_ready"], row["profile_version"]) == (True, 3)


@pytest.mark.rule("DI-14")
async def test_a_tier_that_a_rebuild_brings_before_its_event_changes_the_timer_too(members: Members) -> None:
    await members.make()
    member = await members.pool.member()
    await members.pool.members(10)
    await members.pool.refresh(member)  # the first batch starts no timer
    before = (await members.pool.refresh(member)).refresh_available_at
    await members.world.superuser.execute(
        """INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
        VALUES ($1, 'plus', 0, false, 0, 4)""",
        member.user,
    )
    assert await members.rebuild() == 0
    after = (await members.pool.screen(member)).refresh_available_at
    assert after.ToDatetime() < before.ToDatetime()
    await members.pool.tier(member, 4, TIER_PLUS)
    assert (await members.pool.screen(member)).refresh_available_at == after


@pytest.mark.rule("PR-10")
async def test_texts_that_no_version_noted_count_as_judged_anew_only_in_a_pool_that_was_lost(members: Members) -> None:
    await members.make()
    member = members.ids[6]
    await members.world.superuser.execute("UPDATE identity.users SET texts_version = NULL WHERE id = $1", member)
    assert await members.rebuild() == 0
    (kept,) = await members.pool.rows("candidates", member)
    await members.lose()
    assert await members.rebuild() == 0
    (lost,) = await members.pool.rows("candidates", member)
    assert (kept["texts_version"], lost["texts_version"]) == (0, lost["profile_version"])


async def test_a_second_rebuild_at_the_same_time_ends_without_harm(
    members: Members, capsys: pytest.CaptureFixture[str]
) -> None:
    live = await members.make()
    await members.lose()
    made = parts.parts(members.runtime)
    first, second = (Rebuild(members.runtime.database, made) for _ in range(2))
    begun, same = await first.begin(), await second.begin()
    assert begun == same
    (profiles,) = [each for each in begun if each.part == "profiles"]
    one = first.run(profiles)
    await anext(one)
    with pytest.raises(RebuildTakenOverError):
        await anext(second.run(profiles))
    await one.aclose()
    assert await members.rebuild() == 0
    assert "goes on where the one before stopped" in capsys.readouterr().err
    require_equal(await members.rows(), live)


@pytest.mark.rule("DI-08")
async def test_many_profiles_are_asked_for_at_once_and_unknown_members_are_not_ready(members: Members) -> None:
    await members.make()
    directory = members.world.stub(DirectoryServiceStub, "identity", "discovery")
    unknown = uuid7()
    await members.world.superuser.execute(GONE, members.ids[8])
    asked = [members.ids[7], unknown, members.ids[8], *members.ids[20:200]]
    answer = await directory.GetDiscoveryProfiles(GetDiscoveryProfilesRequest(user_ids=map(str, asked)))
    assert [UUID(each.user_id) for each in answer.profiles] == asked
    assert answer.profiles[0].discovery_ready
    assert list(answer.profiles[1:3]) == [DiscoveryProfile(user_id=str(each)) for each in (unknown, members.ids[8])]
    refused = await refusal(directory.ListDiscoveryProfiles(ListDiscoveryProfilesRequest(page_token="elsewhere")))
    assert refused.code == "INVALID_ARGUMENT"


async def test_a_page_that_would_be_too_large_for_a_message_is_shorter(members: Members) -> None:
    await members.make()
    await members.world.superuser.execute(LONG, members.ids)
    directory = members.world.stub(DirectoryServiceStub, "identity", "discovery")
    found, token = list[str](), ""
    while True:
        page = await directory.ListDiscoveryProfiles(ListDiscoveryProfilesRequest(page_token=token, page_size=1000))
        assert page.ByteSize() < 2_000_000
        found += (each.user_id for each in page.profiles)
        token = page.next_page_token
        if not token:
            break
    assert [each for each in found if UUID(each) in set(members.ids)] == [str(each) for each in members.ids]
    request = GetDiscoveryProfilesRequest(user_ids=map(str, members.ids))
    assert 0 < len((await directory.GetDiscoveryProfiles(request)).profiles) < COUNT
    await members.lose()
    assert await members.rebuild() == 0
    assert len([row for row in await members.rows() if row["discovery_ready"]]) == COUNT * 8 // 10


@pytest.mark.rule("ID-09")
async def test_an_erased_member_stays_out_of_the_pool(world: World, members: Members) -> None:
    """Billing and safety keep rows under the id, and go on telling of it."""
    live = await members.make()
    erased = next(row["user_id"] for row in live if row["discovery_ready"])
    await world.superuser.execute(
        "INSERT INTO discovery.erased_members (user_id, erasure_id) VALUES ($1, $2)", erased, uuid7()
    )
    await members.lose()
    assert await members.rebuild() == 0
    require_equal(await members.rows(), [row for row in live if row["user_id"] != erased])
