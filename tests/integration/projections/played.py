"""Members of all kinds, whose events have made every projection: through the services alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message
from unora.identity.v1.account_service_pb2 import CloseAccountRequest, PauseAccountRequest, ResumeAccountRequest
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.matching.v1.matching_service_pb2 import Connection
from unora.safety.v1.events_pb2 import DECISION_REDUCE_VISIBILITY, DECISION_RESTRICT, DECISION_SUSPEND
from unora_testing.world import World

from tests.integration.protection.scenario import CROWD, Member, Scenario
from tests.support import request_id


@dataclass
class Played:
    """What later tests go on with."""

    scenario: Scenario
    wisher: Member
    waiting: Any
    """An interest of the wisher that still waits."""
    connection: Connection
    """An active connection of two of the crowd."""
    pair: tuple[Member, Member]
    """Its two."""
    blocker: Member
    block_id: str
    """A block that is in force."""


async def play(world: World) -> Played:
    """Two who complete a streak, a paid recovery and an early end, interests of all fates, blocks, standings, tiers."""
    scenario = Scenario(world)
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    await _complete(scenario)
    await _recover_and_end(scenario)
    await _end_before_the_beginning(scenario)
    blocker, block_id = await _block(scenario)
    await _judge(scenario)
    one, other = await scenario.add_pair()
    connection = await scenario.connect(one, other)
    await scenario.play(connection, one, other, 2)
    await _go_away(scenario)
    await scenario.subscribe(scenario.crowd[0], "PRO")
    wisher, waiting = await _wish(scenario)
    await scenario.world.drain()
    return Played(scenario, wisher, waiting, connection, (one, other), blocker, block_id)


async def _complete(scenario: Scenario) -> None:
    """Day 15, and a tier on the way; they stay together."""
    one, other = await scenario.add_pair()
    connection = await scenario.connect(one, other)
    await scenario.play(connection, one, other, 3)
    await scenario.subscribe(one, "PLUS")
    await scenario.next_day(one, connection.connection_id)
    await scenario.play(connection, one, other, 12)


async def _recover_and_end(scenario: Scenario) -> None:
    """A day is missed and paid for; then the partner goes, and the price becomes credits. A reset comes before."""
    one, other = await scenario.add_pair()
    connection = await scenario.connect(one, other)
    streak_id = await scenario.play(connection, one, other, 3)
    for recovers in (False, True):
        await scenario.next_day(one, connection.connection_id)
        await scenario.check_in(streak_id, one)
        await scenario.next_day(one, connection.connection_id)
        if recovers:
            await scenario.recover(other, streak_id)
        else:
            await scenario.world.move_clock(timedelta(days=3))
            await scenario.check_in(streak_id, one, other)
    await scenario.matches.end(one, connection.connection_id)
    await scenario.world.drain()


async def _end_before_the_beginning(scenario: Scenario) -> None:
    """Streak learns of the end of a connection a minute later, and of its beginning after that."""
    one, other = await scenario.add_pair()
    async with held(scenario.world, "streak", ConnectionFormed):
        connection = await scenario.connect(one, other)
        await scenario.matches.end(one, connection.connection_id)
        await scenario.world.move_clock(timedelta(minutes=1))
        await scenario.world.drain()


@asynccontextmanager
async def held(world: World, context: str, event: type[Message]) -> AsyncIterator[None]:
    """Nothing is delivered of this event to this context; what came meanwhile is delivered at the end."""
    (consumer,) = (each for each in world.apps[context].consumers if each.consumes.event is event)

    async def nothing() -> int:
        consumer.waiting = 0  # or a drain goes on until the event is taken
        return 0

    vars(consumer)["step"] = nothing
    try:
        yield
    finally:
        del vars(consumer)["step"]
    while await consumer.step():
        pass


async def _block(scenario: Scenario) -> tuple[Member, str]:
    """One lasts, and one was lifted and made anew, and one was lifted; one ends a connection."""
    one, other = await scenario.add_pair()
    cards = await scenario.cards(one)
    lasts = await scenario.safety.block(one, scenario.by_card(cards[scenario.crowd[0].id]))
    again = scenario.by_card(cards[scenario.crowd[1].id])
    for _ in range(2):
        await scenario.safety.unblock(one, (await scenario.safety.block(one, again)).block_id)
    await scenario.safety.block(one, again)
    lifted = await scenario.safety.block(one, scenario.by_card(cards[scenario.crowd[2].id]))
    await scenario.world.move_clock(timedelta(minutes=1))
    await scenario.safety.unblock(one, lifted.block_id)
    connection = await scenario.connect(one, other)
    await scenario.safety.block(other, scenario.by_connection(connection))
    await scenario.world.drain()
    return one, lasts.block_id


async def _judge(scenario: Scenario) -> None:
    for decision in (DECISION_SUSPEND, DECISION_RESTRICT, DECISION_REDUCE_VISIBILITY):
        one, other = await scenario.add_pair()
        await scenario.safety.report(one, scenario.by_card((await scenario.cards(one))[other.id]))
        await scenario.world.drain()
        if decision != DECISION_REDUCE_VISIBILITY:
            await scenario.connect(one, other)
        await scenario.decide(other, decision)


async def _go_away(scenario: Scenario) -> None:
    """One pauses, one has come back, and one closes the account, which ends a connection and a subscription."""
    one, other = await scenario.add_pair()
    await scenario.connect(one, other)
    await scenario.subscribe(other, "PLUS")
    accounts = scenario.arrivals.accounts
    for member in (one, scenario.crowd[3]):
        await accounts.PauseAccount(PauseAccountRequest(request_id=request_id()), metadata=member.metadata)
    back = ResumeAccountRequest(request_id=request_id())
    await accounts.ResumeAccount(back, metadata=scenario.crowd[3].metadata)
    await accounts.CloseAccount(CloseAccountRequest(request_id=request_id()), metadata=other.metadata)
    await scenario.world.drain()


async def _wish(scenario: Scenario) -> tuple[Member, Any]:
    """Interests that were withdrawn, or are void, or wait. A second refresh starts a timer."""
    one, other = await scenario.add_pair()
    withdrawn = await scenario.send_interest(one, scenario.crowd[1])
    await scenario.matches.withdraw(one, withdrawn.interest.interest_id)
    cards = await scenario.cards(other)
    await scenario.safety.block(
        scenario.crowd[2], scenario.by_card((await scenario.cards(scenario.crowd[2]))[other.id])
    )
    await scenario.world.drain()
    await scenario.matches.send(other, cards[scenario.crowd[2].id].card_id)
    await scenario.pool.refresh(scenario.crowd[3])
    sent = await scenario.send_interest(other, scenario.crowd[3])
    return other, sent.interest
