"""ID-09, SA-04: closing an account does not shed a suspension."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from unora.identity.v1.events_pb2 import AccountClosed, AccountCreated, AccountHidden, AccountReopened, SessionOpened
from unora.safety.v1.events_pb2 import DECISION_DISMISS, DECISION_SUSPEND, FLAG_PATTERN_SUSPENDED_BEFORE
from unora.safety.v1.moderation_service_pb2 import CASE_ORIGIN_FLAG
from unora_common.ids import uuid7
from unora_safety.jobs import DetectionJobs
from unora_testing.world import Caller, World

from tests.integration.safety.counted_events import reported
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls

pytestmark = pytest.mark.rule("ID-09", "SA-04")

E = TypeVar("E", AccountClosed, AccountHidden, AccountCreated)


def digest(of: str) -> bytes:
    return of.encode().ljust(32, b".")


def account_event(kind: type[E], member: Caller, version: int, at: datetime, phone: str = "", device: str = "") -> E:
    """`phone` and `device` stand for what identity hashes."""
    event = kind(user_id=member.id, version=version, phone_digest=digest(phone or member.id[:30]))
    event.device_digest = digest(device) if device else b""
    event.occurred_at.FromDatetime(at)
    return event


async def suspend(world: World, moderators: Moderators, member: Caller) -> None:
    now = await world.now()
    await world.publish(*(reported(member, now) for _ in range(3)))
    await moderators.decide_newest_case(member, DECISION_SUSPEND)
    await world.drain()


async def create(world: World, phone: str = "", device: str = "") -> Caller:
    member = world.caller()
    await world.publish(account_event(AccountCreated, member, 1, await world.now(), phone, device))
    return member


async def patterns(moderators: Moderators, member: Caller) -> list[int]:
    return [flag.pattern for flag in await moderators.flags_of(member)]


@pytest.mark.parametrize("kind", [AccountClosed, AccountHidden])
@pytest.mark.parametrize("known_by", ["phone", "device"])
async def test_a_new_account_on_the_number_or_the_device_of_a_suspended_member_opens_a_case(
    world: World, moderators: Moderators, kind: type[AccountClosed], known_by: str
) -> None:
    member, number, device = world.caller(), str(uuid7())[:30], str(uuid7())[:30]
    await suspend(world, moderators, member)
    await world.publish(account_event(kind, member, 9, await world.now(), number, device))
    again = await create(world, **({"phone": number} if known_by == "phone" else {"device": device}))
    stranger = await create(world)
    (flag,) = await moderators.flags_of(again)
    assert (flag.pattern, list(flag.evidence_ids)) == (FLAG_PATTERN_SUSPENDED_BEFORE, [member.id])
    assert (await moderators.newest_case(again)).origin == CASE_ORIGIN_FLAG
    assert await moderators.flags_of(stranger) == []


@pytest.mark.rule("ID-13")
@pytest.mark.parametrize("created_first", [True, False])
async def test_the_new_account_of_a_number_that_a_suspended_member_lost_opens_a_case_in_any_order(
    world: World, moderators: Moderators, created_first: bool
) -> None:
    member, again, number = world.caller(), world.caller(), str(uuid7())[:30]
    await suspend(world, moderators, member)
    now = await world.now()
    hidden = account_event(AccountHidden, member, 9, now, number)
    hidden.new_user_id = again.id
    created = account_event(AccountCreated, again, 1, now, number)
    for event in (created, hidden) if created_first else (hidden, created):
        await world.publish(event)
    (flag,) = await moderators.flags_of(again)
    assert (flag.pattern, list(flag.evidence_ids)) == (FLAG_PATTERN_SUSPENDED_BEFORE, [member.id])


async def test_a_device_of_which_only_an_earlier_session_told_counts_too(world: World, moderators: Moderators) -> None:
    member, device = world.caller(), str(uuid7())[:30]
    opened = SessionOpened(user_id=member.id, version=2, session_id=str(uuid7()), device_digest=digest(device))
    opened.occurred_at.FromDatetime(await world.now())
    await world.publish(opened)
    await suspend(world, moderators, member)
    await world.publish(account_event(AccountClosed, member, 9, await world.now()))
    assert await patterns(moderators, await create(world, device=device)) == [FLAG_PATTERN_SUSPENDED_BEFORE]


async def test_who_was_not_suspended_leaves_nothing_that_counts(world: World, moderators: Moderators) -> None:
    member, number = world.caller(), str(uuid7())[:30]
    await world.publish(account_event(AccountClosed, member, 9, await world.now(), number))
    assert await patterns(moderators, await create(world, number)) == []


async def test_a_suspension_that_is_decided_after_the_closing_counts(world: World, moderators: Moderators) -> None:
    member, number = world.caller(), str(uuid7())[:30]
    await world.publish(account_event(AccountClosed, member, 9, await world.now(), number))
    await suspend(world, moderators, member)
    assert await patterns(moderators, await create(world, number)) == [FLAG_PATTERN_SUSPENDED_BEFORE]
    appellant = world.caller(member.user, suspended=True)
    await SafetyCalls(world).appeal(appellant, "It was not me.")
    await moderators.decide_newest_case(member, DECISION_DISMISS)
    await world.drain()
    assert await patterns(moderators, await create(world, number)) == [], "the suspension was lifted"


async def test_an_account_that_is_open_again_carries_its_suspension_itself(
    world: World, moderators: Moderators
) -> None:
    member, number = world.caller(), str(uuid7())[:30]
    await suspend(world, moderators, member)
    await world.publish(account_event(AccountClosed, member, 9, await world.now(), number))
    await world.move_clock(timedelta(minutes=1))
    reopened = AccountReopened(user_id=member.id, version=10)
    reopened.occurred_at.FromDatetime(await world.now())
    await world.publish(reopened)
    assert await traces(world, member) == 0


async def test_traces_are_forgotten_after_two_years_and_those_of_others_after_five_weeks(
    world: World, moderators: Moderators
) -> None:
    suspended, other, number = world.caller(), world.caller(), str(uuid7())[:30]
    await suspend(world, moderators, suspended)
    for member, phone in ((suspended, number), (other, "")):
        await world.publish(account_event(AccountClosed, member, 9, await world.now(), phone))
    await world.move_clock(timedelta(days=36))
    await forget(world)
    assert (await traces(world, suspended), await traces(world, other)) == (1, 1)
    await world.move_clock(timedelta(days=2))
    await forget(world)
    assert (await traces(world, suspended), await traces(world, other)) == (1, 0)
    await world.move_clock(timedelta(days=693))
    assert await patterns(moderators, await create(world, number)) == [], "after two years it counts no more"
    await forget(world)
    assert await traces(world, suspended) == 0


async def forget(world: World) -> None:
    await DetectionJobs(world.apps["safety"].runtime).forget()


async def traces(world: World, member: Caller) -> int:
    found: int = await world.superuser.fetchval(
        "SELECT count(*) FROM safety.account_traces WHERE user_id = $1", member.user
    )
    return found
