"""A drain steps what has something to do, and nothing else; no event is left."""

from __future__ import annotations

from unora.matching.v1.events_pb2 import ConnectionEnded, ConnectionFormed
from unora_common.consumers import Consumer
from unora_sdk.names import subject_of
from unora_testing.arrivals import ALL
from unora_testing.world import World

from tests.support import announce, connect, new_pair


def asked(world: World) -> set[str]:
    """The consumers that have asked NATS for something, by their names."""
    return {each.name for each in consumers(world) if each._pull is not None}


def consumers(world: World) -> list[Consumer]:
    return [each for app in world.apps.values() for each in app.consumers]


async def test_only_consumers_for_which_there_was_an_event_ask_for_one(world: World) -> None:
    assert not asked(world)
    await world.drain()  # safety emits the first head of its audit log
    assert {each.consumes.stream for each in consumers(world) if each.name in asked(world)} <= {"safety"}
    await connect(world)
    formed = subject_of(ConnectionFormed)
    hear = {each.name for each in consumers(world) if each.consumes.subject == formed}
    assert len(hear) > 1, "several contexts hear of a connection"
    assert hear <= asked(world)
    more = {each.consumes.subject for each in consumers(world) if each.name in asked(world)}
    assert any(subject.endswith(ALL) for subject in more), "the audit log hears of everything"
    assert subject_of(ConnectionEnded) not in more


async def test_events_that_were_published_before_the_first_drain_are_applied_by_it(world: World) -> None:
    app = world.apps["matching"]
    pair = new_pair(world)
    before = await world.superuser.fetchval("SELECT count(*) FROM streak.streaks")
    drain, world.drain = world.drain, app.relay.step  # type: ignore[method-assign,assignment]
    try:
        await announce(world, pair)
    finally:
        world.drain = drain  # type: ignore[method-assign]
    assert await world.superuser.fetchval("SELECT count(*) FROM streak.streaks") == before
    await world.drain()
    assert await world.superuser.fetchval("SELECT count(*) FROM streak.streaks") == before + 1
