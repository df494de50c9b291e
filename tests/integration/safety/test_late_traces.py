"""ID-09, SA-04, XX-02: what is known of closed accounts is the same in whatever order the events of accounts come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from unora.identity.v1.events_pb2 import AccountClosed, AccountCreated, AccountHidden, AccountReopened, SessionOpened
from unora.safety.v1.events_pb2 import DECISION_SUSPEND, FLAG_PATTERN_SUSPENDED_BEFORE
from unora_common.database import Tx
from unora_common.ids import uuid7
from unora_safety.consumers.accounts import AccountEvents
from unora_safety.consumers.patterns import PatternEvents
from unora_safety.store import examination_queue
from unora_testing.world import Caller, World

from tests.integration.safety.counted_events import reported
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.test_traces import account_event, digest, forget, patterns, suspend, traces

pytestmark = pytest.mark.rule("ID-09", "SA-04", "XX-02")
MINUTE = timedelta(minutes=1)


def reopened(member: Caller, at: datetime, version: int = 10) -> AccountReopened:
    event = AccountReopened(user_id=member.id, version=version)
    event.occurred_at.FromDatetime(at)
    return event


def opened(member: Caller, device: str, at: datetime) -> SessionOpened:
    event = SessionOpened(user_id=member.id, version=2, session_id=str(uuid7()), device_digest=digest(device))
    event.occurred_at.FromDatetime(at)
    return event


def some() -> str:
    """A number or a device."""
    return str(uuid7())[:30]


async def kept(world: World, table: str, member: Caller) -> int:
    found: int = await world.superuser.fetchval(f"SELECT count(*) FROM safety.{table} WHERE user_id = $1", member.user)
    return found


async def apply(world: World, handle: Callable[[Any, Any], Awaitable[None]], event: object) -> None:
    async with world.apps["safety"].runtime.database.transaction() as tx:
        await handle(event, tx)


async def test_a_closing_that_is_told_after_the_reopening_leaves_no_trace_and_a_later_one_does(
    world: World, moderators: Moderators
) -> None:
    member, number = world.caller(), some()
    await suspend(world, moderators, member)
    now = await world.now()
    await world.publish(reopened(member, now))
    await world.publish(reopened(member, now - 3 * MINUTE, 8))
    await world.publish(account_event(AccountClosed, member, 9, now - MINUTE, number))
    assert await traces(world, member) == 0
    await world.publish(account_event(AccountClosed, member, 11, now + MINUTE, number))
    assert await traces(world, member) == 1


@pytest.mark.rule("ID-09", "ID-13")
@pytest.mark.parametrize("kind", [AccountClosed, AccountHidden])
@pytest.mark.parametrize("known_by", ["phone", "device"])
async def test_a_new_account_is_found_by_a_closing_that_is_told_after_it(
    world: World, moderators: Moderators, kind: type[AccountClosed], known_by: str
) -> None:
    member, again, stranger, number, device = world.caller(), world.caller(), world.caller(), some(), some()
    await suspend(world, moderators, member)
    now = await world.now()
    on = {"phone": number} if known_by == "phone" else {"device": device}
    await world.publish(account_event(AccountCreated, again, 1, now, **on))
    await world.publish(account_event(AccountCreated, stranger, 1, now, some(), some()))
    await world.publish(account_event(kind, member, 9, now - MINUTE, number, device))
    (flag,) = await moderators.flags_of(again)
    assert (flag.pattern, list(flag.evidence_ids)) == (FLAG_PATTERN_SUSPENDED_BEFORE, [member.id])
    assert await moderators.flags_of(stranger) == []


@pytest.mark.parametrize("created_first", [True, False])
async def test_an_account_that_began_before_the_closing_is_none_that_follows_it(
    world: World, moderators: Moderators, created_first: bool
) -> None:
    member, other, device = world.caller(), world.caller(), some()
    await suspend(world, moderators, member)
    now = await world.now()
    created = account_event(AccountCreated, other, 1, now - MINUTE, some(), device)
    closed = account_event(AccountClosed, member, 9, now, some(), device)
    for event in (created, closed) if created_first else (closed, created):
        await world.publish(event)
    assert await patterns(moderators, other) == []


@pytest.mark.parametrize("created_first", [True, False])
async def test_a_device_of_a_session_that_is_told_after_the_closing_counts(
    world: World, moderators: Moderators, created_first: bool
) -> None:
    member, again, device = world.caller(), world.caller(), some()
    await suspend(world, moderators, member)
    now = await world.now()
    await world.publish(account_event(AccountClosed, member, 9, now - MINUTE))
    created, session = (
        account_event(AccountCreated, again, 1, now, some(), device),
        opened(member, device, now - MINUTE),
    )
    for event in (created, session) if created_first else (session, created):
        await world.publish(event)
    assert await patterns(moderators, again) == [FLAG_PATTERN_SUSPENDED_BEFORE]


async def test_a_late_session_queues_all_whom_it_concerns_at_once_and_so_waits_for_no_other_that_does(
    world: World, moderators: Moderators, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that queue the same members one after the other, in two orders, would wait for each other."""
    member, again, neighbour, device = world.caller(), world.caller(), world.caller(), some()
    await suspend(world, moderators, member)
    now = await world.now()
    await world.publish(account_event(AccountClosed, member, 9, now - MINUTE))
    await world.publish(account_event(AccountCreated, again, 1, now, some(), device), opened(neighbour, device, now))
    queued, add = list[set[UUID]](), examination_queue.add

    def record(tx: Tx, users: Sequence[UUID]) -> None:
        queued.append(set(users))
        add(tx, users)

    monkeypatch.setattr(examination_queue, "add", record)
    session = opened(member, device, now - MINUTE)
    await apply(world, PatternEvents(world.apps["safety"].runtime).on_session_opened, session)
    assert queued == [{member.user, again.user, neighbour.user}]


async def test_a_session_after_the_closing_is_no_trace(world: World, moderators: Moderators) -> None:
    member, device = world.caller(), some()
    await suspend(world, moderators, member)
    now = await world.now()
    await world.publish(account_event(AccountClosed, member, 9, now - MINUTE))
    await world.publish(opened(member, device, now))
    assert await traces(world, member) == 1


async def test_who_began_anew_shortly_before_the_suspension_is_found_by_it(
    world: World, moderators: Moderators
) -> None:
    member, again, number = world.caller(), world.caller(), some()
    now = await world.now()
    await world.publish(*(reported(member, now) for _ in range(3)))
    await world.publish(account_event(AccountClosed, member, 9, now - MINUTE, number))
    await world.publish(account_event(AccountCreated, again, 1, now, number))
    assert await patterns(moderators, again) == []
    await moderators.decide_newest_case(member, DECISION_SUSPEND)
    await world.drain()
    assert await patterns(moderators, again) == [FLAG_PATTERN_SUSPENDED_BEFORE]


async def test_a_closing_and_a_new_account_at_the_same_time_do_not_miss_each_other(
    world: World, moderators: Moderators
) -> None:
    member = world.caller()
    await suspend(world, moderators, member)
    now, handlers = await world.now(), AccountEvents(world.apps["safety"].runtime)
    others = [world.caller() for _ in range(6)]

    for number, other in enumerate(others):
        device = some()
        closed = account_event(AccountClosed, member, 20 + number, now, some(), device)
        created = account_event(AccountCreated, other, 1, now, some(), device)
        await asyncio.gather(
            apply(world, handlers.on_account_closed, closed), apply(world, handlers.on_account_created, created)
        )
    await world.drain()
    assert [await patterns(moderators, other) for other in others] == [[FLAG_PATTERN_SUSPENDED_BEFORE]] * len(others)


async def test_a_closing_and_a_reopening_at_the_same_time_leave_no_trace(world: World) -> None:
    now, handlers = await world.now(), AccountEvents(world.apps["safety"].runtime)

    for _ in range(6):
        member = world.caller()
        closed = account_event(AccountClosed, member, 9, now - MINUTE, some(), some())
        await asyncio.gather(
            apply(world, handlers.on_account_closed, closed),
            apply(world, handlers.on_account_reopened, reopened(member, now)),
        )
        assert await traces(world, member) == 0


async def test_what_is_kept_for_late_events_is_forgotten(world: World) -> None:
    member, new = world.caller(), world.caller()
    now = await world.now()
    await world.publish(reopened(member, now), account_event(AccountCreated, new, 1, now, some(), some()))
    assert (await kept(world, "account_reopenings", member), await kept(world, "created_accounts", new)) == (1, 2)
    await world.move_clock(timedelta(days=6, hours=23))
    await forget(world)
    assert await kept(world, "created_accounts", new) == 2
    await world.move_clock(timedelta(hours=2))
    await forget(world)
    assert await kept(world, "created_accounts", new) == 0
    await world.move_clock(timedelta(days=29))
    await forget(world)
    assert await kept(world, "account_reopenings", member) == 1
    await world.move_clock(timedelta(days=2))
    await forget(world)
    assert await kept(world, "account_reopenings", member) == 0
