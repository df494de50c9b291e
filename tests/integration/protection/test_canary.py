"""Private texts of members are stored only where they belong (XX-01, XX-04, PR-04, ID-05, ID-06, SA-04).

Marked words are planted wherever a member or a moderator can write, in calls that are answered and in calls that are
refused; then all streams, logs, errors, metrics, traces, answers before Day 15 and tables are searched for them.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import AsyncIterator, Sequence
from typing import Any
from unittest import mock

import asyncpg
import pytest
from prometheus_client import generate_latest
from unora_common.config import Config
from unora_common.service import Service
from unora_testing.collector import Collector, collector
from unora_testing.deadlines import eventually
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.protection.canaries import Canaries, add_marked_member, make_refused_calls, write_to_safety
from tests.integration.protection.canary_places import read_server_logs, read_streams, search_photos, search_tables
from tests.integration.protection.scenario import CROWD, Member, Scenario
from tests.integration.traces.traced_world import SOON, TracedWorld
from tests.roles import role_of

CARDS = {
    *(("discovery", "candidates"), ("discovery", "discovery_cards"), ("discovery", "kept_answers")),
    ("discovery", "partner_cards"),
}
"""Tables from which micro-descriptions are shown (DI-08)."""


ALLOWED: dict[str, set[tuple[str, str]]] = {
    "name": {("identity", "profiles"), ("identity", "kept_answers")},
    "bio": {("identity", "profiles"), ("identity", "kept_answers")},
    "occupation": {("identity", "profiles"), ("identity", "kept_answers")},
    "micro_description": {("identity", "hobbies"), ("identity", "kept_answers"), *CARDS},
    "gov_id_token": {("identity", "verification_signals")},
    "report_note": {("safety", "own_notes"), ("safety", "reports")},
    "appeal_text": {("safety", "appeals")},
    "decision_note": {("safety", "cases"), ("safety", "kept_answers")},
}
"""The only tables that may contain each planted text; a text that is not listed may be in no table."""


class LoudWorld(World):
    """A world with the most verbose logs."""

    def config(self, service: Service[Any, Any], peers: dict[str, str], **changes: Any) -> Config:
        return super().config(service, peers, log_level="debug", **changes)


class LoudTracedWorld(LoudWorld, TracedWorld):
    """A world with the most verbose logs, and with all traces."""


@pytest.fixture
async def logs() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
async def traces() -> AsyncIterator[Collector]:
    async with collector() as made:
        yield made


@pytest.fixture
async def loud(testbed: Testbed, logs: io.StringIO, traces: Collector) -> AsyncIterator[LoudTracedWorld]:
    """A world of its own, with logs that the test can read."""
    world = LoudTracedWorld(testbed, "canary", traces)
    # A service keeps the standard output of the moment at which it starts.
    with contextlib.redirect_stdout(logs), mock.patch.dict(os.environ, SOON):
        await world.start()
    yield world
    await world.stop()
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{world.database}" WITH (FORCE)')
    await admin.close()


@pytest.mark.rule("XX-01", "XX-04", "PR-04", "PR-07", "ID-05", "ID-06", "ID-17", "SA-04", "SA-07")
async def test_planted_texts_are_found_only_where_they_belong(
    loud: LoudWorld, logs: io.StringIO, traces: Collector, testbed: Testbed
) -> None:
    scenario, canaries = Scenario(loud), Canaries()
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    member = await add_marked_member(scenario, canaries)
    partner = await scenario.add_member()
    shown = [await read() for read in scenario.reads(partner).values()]
    shown += list((await scenario.cards(partner)).values())
    allowed_on_cards = canaries.found_in(b"".join(each.SerializeToString() for each in shown))
    assert allowed_on_cards == {"micro_description"}

    connection = await scenario.connect(partner, member)
    streak_id = await scenario.play(connection, partner, member, 5)
    await write_to_safety(scenario, canaries, member, partner, connection.connection_id)
    await make_refused_calls(scenario, canaries, member)
    await _break_the_database(loud, canaries)
    await loud.drain()

    answers = await scenario.read_all(partner, streak_id)
    cards = {
        name: answers.pop(name) for name in ("screen", "interests", "partners")
    }  # as those that were checked above
    assert canaries.found_in(b"".join(cards.values())) == {"micro_description"}
    opened = await scenario.open(partner, streak_id, 1)
    assert canaries.found_in(b"".join(answers.values()) + opened.SerializeToString()) == set()
    assert canaries.found_in(b"".join(canaries.refusals)) == set()
    assert len(canaries.refusals) >= 8
    assert canaries.found_in(await read_streams(loud)) == set()
    said = logs.getvalue()
    assert said.count('"event":"call"') > 100  # proves that there are logs to search
    assert canaries.found_in(said.encode()) == set()
    assert canaries.found_in(b"".join(generate_latest(app.metrics.registry) for app in loud.apps.values())) == set()
    await _search_traces(traces, canaries, [member, partner, *scenario.crowd])
    written = read_server_logs(testbed)
    assert {"nats.log", "s3.log"} <= set(written)  # Postgres may run elsewhere
    assert {name for name, log in written.items() if canaries.found_in(log)} == set()
    kept = await search_tables(loud, canaries)
    assert kept == {what: ALLOWED.get(what, set()) for what in canaries.planted}
    await search_photos(scenario, canaries, member)


async def _search_traces(traces: Collector, canaries: Canaries, members: Sequence[Member]) -> None:
    """Spans hold no planted text, and name no member."""
    await traces.wait_for(
        "identity unora.identity.v1.ProfileService/UpdateProfile",
        "identity PUT",  # a picture goes to the object store
        "streak process unora.matching.v1.connection_formed",
    )
    await eventually(
        lambda: len(traces.spans) > 1000 and any("unora.reason" in span.attributes for span in traces.spans),
        "there are spans to search, those of refused calls among them",
    )
    sent = b"".join(traces.received)
    assert canaries.found_in(sent) == set()
    assert [each.id for each in members if each.id.encode() in sent] == []


async def _break_the_database(world: World, canaries: Canaries) -> None:
    """Postgres refuses rows with a text of a member, and writes that to its own log."""
    word = canaries.plant("refused_row")
    for context, sql in (
        ("safety_owner", "UPDATE safety.reports SET note = $1 || repeat('x', 2000)"),
        ("identity", "UPDATE identity.profiles SET bio = $1, gender = 'nobody'"),
    ):
        async with role_of(world, context) as connection:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(sql, word)
