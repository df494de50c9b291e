"""ID-17: whom the example tells, when, in which language, and never twice. Identity is real, carriers are kept."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from unora.identity.v1.device_service_pb2 import (
    NOTIFICATION_CATEGORY_REVEALS,
    PUSH_PLATFORM_APNS,
    PUSH_PLATFORM_WEB,
)
from unora_notifier.carriers import Console, DeadTokenError, NotTakenError, RefusedError
from unora_notifier.clock import Clock
from unora_notifier.kinds import KINDS
from unora_notifier.notifier import Notifier
from unora_notifier.texts import TEXTS
from unora_sdk import ConfigError, Event, RetryLater
from unora_testing.world import World

from tests.integration.identity.people import ADA, Signed
from tests.integration.identity.pushes import Pushes
from tests.integration.notifier.people import ASK_AGAIN, BY_NAME, Kept, MovedClock, event, notifier

pytestmark = pytest.mark.rule("ID-17")
HOUR = timedelta(hours=1)
LEEWAY = timedelta(minutes=5)
"""A moved clock goes on while a test runs."""


@pytest.fixture
def pushes(world: World) -> Pushes:
    return Pushes(world)


@pytest.fixture
def carrier() -> Kept:
    return Kept()


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def telling(world: World, tmp_path: Path, carrier: Kept, clock: MovedClock) -> Notifier:
    return notifier(world, tmp_path, carrier, clock=clock)


async def tell(notifier: Notifier, event: Event[Any]) -> None:
    """As the subscriber does."""
    (kind,) = (each for each in BY_NAME.values() if isinstance(event.message, each.event))
    await notifier.handler(kind)(event, sqlite3.connect(":memory:"))


def both(one: Signed, other: Signed) -> dict[str, Any]:
    """The fields of an event that name a pair."""
    return {"user_a_id": one.member.id, "user_b_id": other.member.id}


async def with_phone(pushes: Pushes, locale: str = "") -> tuple[Signed, str]:
    """A member who lives in London, and the token of their phone."""
    signed, token = await pushes.people.sign_in(), pushes.token()
    await pushes.people.update_profile(signed, ADA)
    await pushes.register(signed, token, locale=locale)
    return signed, token


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_each_kind_tells_its_members_and_nobody_else(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World, kind: Any
) -> None:
    signed = [(await with_phone(pushes))[0] for _ in kind.members]
    (bystander, _), now = await with_phone(pushes), await world.now()
    others = {
        each.name: bystander.member.id
        for each in kind.event.DESCRIPTOR.fields
        if each.name in ("user_a_id", "user_b_id", "sender_id", "receiver_id")
    }
    members: dict[str, Any] = dict(zip(kind.members, (each.member.id for each in signed), strict=True))
    await tell(telling, event(kind.name, now, **(others | members)))
    assert carrier.told() == sorted((each.member.id, kind.name) for each in signed)
    assert {push.text for push in carrier.taken} == {TEXTS["en"][kind.name]}


async def test_the_text_is_in_the_language_of_the_device(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World
) -> None:
    one, _ = await with_phone(pushes, "pt-BR")
    other, _ = await with_phone(pushes, "de-AT")
    await tell(telling, event("match", await world.now(), **both(one, other)))
    texts = {push.user_id: push.text for push in carrier.taken}
    assert texts == {one.member.id: TEXTS["pt"]["match"], other.member.id: TEXTS["en"]["match"]}


async def test_a_muted_category_is_not_told(pushes: Pushes, telling: Notifier, carrier: Kept, world: World) -> None:
    signed, _ = await with_phone(pushes)
    await pushes.update(signed, muted=[NOTIFICATION_CATEGORY_REVEALS])
    for kind in ("reveal ready", "new device"):
        await tell(telling, event(kind, await world.now(), user_id=signed.member.id))
    assert carrier.told() == [(signed.member.id, "new device")]


async def test_quiet_hours_keep_an_event_and_what_is_over_by_their_end_is_dropped(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World, clock: MovedClock
) -> None:
    quiet, _ = await with_phone(pushes)
    other, _ = await with_phone(pushes)
    now = await world.now()
    await pushes.update(quiet, quiet_hours=await pushes.quiet_hours_now())
    (recipient,) = (await pushes.recipients(quiet)).values()
    begin = recipient.not_before.ToDatetime(UTC)
    match = event("match", now, **both(quiet, other))
    for _ in range(2):  # the other one is told at once, and only once
        await tell(telling, match)
        assert not await telling.tell_due()
        assert carrier.told() == [(other.member.id, "match")]
    await tell(telling, event("at risk", now, missing_user_id=quiet.member.id, lasts=begin - now))
    await tell(telling, event("new device", now, user_id=quiet.member.id))
    assert carrier.told() == sorted([(other.member.id, "match"), (quiet.member.id, "new device")])

    await pushes.update(quiet)
    clock.ahead = begin - datetime.now(UTC)
    assert await telling.tell_due()
    assert carrier.told() == sorted(
        [(other.member.id, "match"), (quiet.member.id, "match"), (quiet.member.id, "new device")]
    )
    assert not await telling.tell_due()


async def test_what_has_waited_is_kept_on_disk_and_dropped_when_it_is_over(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World, clock: MovedClock, tmp_path: Path
) -> None:
    quiet, _ = await with_phone(pushes)
    await pushes.update(quiet, quiet_hours=await pushes.quiet_hours_now())
    await tell(telling, event("match", await world.now(), **both(quiet, quiet)))
    await pushes.update(quiet)
    clock.ahead = 25 * HOUR
    later = notifier(world, tmp_path, carrier, clock=clock)
    assert await later.tell_due()
    assert carrier.told() == []
    assert not await later.tell_due()


async def test_what_fails_after_it_has_waited_is_tried_again(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World, clock: MovedClock
) -> None:
    quiet, token = await with_phone(pushes)
    await pushes.update(quiet, quiet_hours=await pushes.quiet_hours_now())
    (recipient,) = (await pushes.recipients(quiet)).values()
    await tell(telling, event("match", await world.now(), **both(quiet, quiet)))
    await pushes.update(quiet)
    clock.ahead = recipient.not_before.ToDatetime(UTC) - datetime.now(UTC)
    for error, pause in ((NotTakenError("busy", 700.0), 700.0), (RefusedError("403"), ASK_AGAIN)):
        carrier.fails = {token: error}
        assert await telling.tell_due()
        clock.ahead += timedelta(seconds=pause) - LEEWAY
        assert not await telling.tell_due()
        clock.ahead += LEEWAY
    carrier.fails = {}
    assert await telling.tell_due()
    assert carrier.told() == [(quiet.member.id, "match")]


async def test_what_is_over_is_told_to_nobody(
    pushes: Pushes, telling: Notifier, carrier: Kept, clock: MovedClock
) -> None:
    signed, _ = await with_phone(pushes)
    now, member = datetime.now(UTC), signed.member.id
    await tell(telling, event("at risk", now - 5 * HOUR, missing_user_id=member, lasts=4 * HOUR))
    await tell(telling, event("window open", now - 5 * HOUR, breaker_user_id=member, lasts=4 * HOUR))
    await tell(telling, event("nudge", now - 7 * HOUR, receiver_id=member))
    await tell(telling, event("reveal ready", now - 25 * HOUR, user_id=member))
    late = event("day ends soon", now - HOUR, user_a_id=member, user_b_id=member)
    late.message.recorded_at.FromDatetime(now + 4 * HOUR)  # by a sweep after an outage
    clock.ahead = 4 * HOUR
    await tell(telling, late)
    assert carrier.told() == []


async def test_the_clock_of_a_stack_that_was_moved_is_followed(
    pushes: Pushes, carrier: Kept, world: World, tmp_path: Path
) -> None:
    signed, _ = await with_phone(pushes)
    telling = notifier(world, tmp_path, carrier, clock=Clock.from_environment({"UNORA_NOTIFIER_CLOCK": "events"}))
    ahead, member = datetime.now(UTC) + timedelta(days=40), signed.member.id
    await tell(telling, event("reveal ready", ahead, user_id=member))
    await tell(telling, event("at risk", ahead - 5 * HOUR, missing_user_id=member, lasts=4 * HOUR))
    await tell(telling, event("at risk", ahead - 3 * HOUR, missing_user_id=member, lasts=4 * HOUR))
    assert carrier.told() == [(member, "at risk"), (member, "reveal ready")]


async def test_elsewhere_an_event_with_a_time_ahead_makes_no_other_late(
    pushes: Pushes, carrier: Kept, world: World, tmp_path: Path
) -> None:
    signed, _ = await with_phone(pushes)
    telling = notifier(world, tmp_path, carrier, clock=Clock.from_environment({}))
    now, member = datetime.now(UTC), signed.member.id
    await tell(telling, event("reveal ready", now + timedelta(days=40), user_id=member))
    await tell(telling, event("at risk", now, missing_user_id=member))
    assert carrier.told() == [(member, "at risk"), (member, "reveal ready")]


def test_a_clock_that_is_not_known_is_refused() -> None:
    with pytest.raises(ConfigError, match="UNORA_NOTIFIER_CLOCK is 'sun'; write machine or"):
        Clock.from_environment({"UNORA_NOTIFIER_CLOCK": "sun"})


async def test_a_new_device_is_told_to_the_other_sessions(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World
) -> None:
    number = pushes.people.number()
    signed = await pushes.people.sign_in(number)
    await pushes.register(signed, token := pushes.token())
    again = await pushes.people.sign_in(number)
    device = await pushes.register(again, new := pushes.token())
    await tell(telling, event("new device", await world.now(), user_id=signed.member.id, session_id=device.session_id))
    assert [push.token for push in carrier.taken] == [token]
    assert new != token


async def test_a_repeat_is_not_pushed_again_also_by_another_process(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World, tmp_path: Path
) -> None:
    signed, _ = await with_phone(pushes)
    nudge = event("nudge", await world.now(), receiver_id=signed.member.id)
    for each in (telling, telling, notifier(world, tmp_path, carrier)):
        await tell(each, nudge)
    assert len(carrier.taken) == 1


async def test_a_device_that_is_not_reached_holds_up_no_other_and_is_tried_again(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World
) -> None:
    one, first = await with_phone(pushes)
    other, second = await with_phone(pushes)
    match = event("match", await world.now(), **both(one, other))
    carrier.fails = {first: NotTakenError("busy", 7.0), second: RefusedError("403")}
    with pytest.raises(RetryLater) as raised:
        await tell(telling, match)
    assert raised.value.delay == 7.0
    carrier.fails = {second: RefusedError("403")}
    for _ in range(2):
        with pytest.raises(RefusedError):
            await tell(telling, match)
    carrier.fails = {}
    await tell(telling, match)
    assert [push.token for push in carrier.taken] == [first, second]


async def test_a_pause_of_the_carrier_is_bounded(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World
) -> None:
    signed, token = await with_phone(pushes)
    for asked, kept in ((0.0, 1.0), (86_400.0, ASK_AGAIN)):
        carrier.fails = {token: NotTakenError("busy", asked)}
        with pytest.raises(RetryLater) as raised:
            await tell(telling, event("nudge", await world.now(), receiver_id=signed.member.id))
        assert raised.value.delay == kept


async def test_a_push_that_may_have_arrived_is_not_sent_again(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World
) -> None:
    signed, token = await with_phone(pushes)
    nudge = event("nudge", await world.now(), receiver_id=signed.member.id)
    carrier.fails = {token: TimeoutError()}
    await tell(telling, nudge)
    carrier.fails = {}
    await tell(telling, nudge)
    assert carrier.taken == []


async def test_a_dead_token_is_reported_and_the_device_that_has_a_new_one_stays(
    pushes: Pushes, telling: Notifier, carrier: Kept, world: World
) -> None:
    signed, token = await with_phone(pushes)
    other, alive = await with_phone(pushes)
    carrier.fails = {token: DeadTokenError()}
    await tell(telling, event("match", await world.now(), **both(signed, other)))
    assert await pushes.tokens(signed, other) == [alive]
    assert await pushes.listed(signed) == []
    await pushes.register(signed, new := pushes.token())
    await tell(telling, event("day ends soon", await world.now(), **both(signed, other)))
    assert {push.token for push in carrier.taken} == {alive, new}


async def test_a_platform_without_a_carrier_is_left_out(
    pushes: Pushes, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed, token = await with_phone(pushes)
    nudge = event("nudge", await world.now(), receiver_id=signed.member.id)
    await tell(notifier(world, tmp_path, Kept(frozenset({PUSH_PLATFORM_APNS, PUSH_PLATFORM_WEB}))), nudge)
    await tell(notifier(world, tmp_path, Console()), nudge)
    printed = capsys.readouterr().out
    assert printed == f"{signed.member.id}  fcm  nudge: {TEXTS['en']['nudge']}\n"
    assert token not in printed
