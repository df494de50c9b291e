"""Members of all kinds, their pool as events made it, and the command that makes it anew (XX-08)."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from google.protobuf.message import Message
from unora.billing.v1.events_pb2 import TierChanged
from unora.common.v1.types_pb2 import TIER_FREE, TIER_PLUS
from unora.identity.v1.events_pb2 import DiscoveryProfileChanged, TextsReviewed
from unora.matching.v1.events_pb2 import InventoryChanged
from unora.safety.v1.events_pb2 import RestrictionChanged
from unora_bench.members import MEMBER, TABLES, make_members
from unora_common.ids import uuid7
from unora_discovery.servicers.rebuild import rebuild
from unora_sdk.names import aggregate_of, occurred_at, subject_of
from unora_testing.world import World

from tests.integration.discovery.pool import Pool
from tests.roles import without_triggers

COUNT: Final = 300
BLOCKS: Final = itertools.count(1000, 1000)
"""Each test has members of its own: their events were told once, whoever is removed."""
# One member in ten is of each of these kinds; the others are ready, as make_members makes them.
MADE: Final = f"CREATE TEMP TABLE made AS SELECT n, {MEMBER.sql('n')} AS id FROM generate_series($1::int, $2::int) AS n"
KINDS: Final = """
    -- 1: has only signed in.
    DELETE FROM identity.hobbies WHERE user_id IN (SELECT id FROM made WHERE n % 10 = 1);
    UPDATE identity.photos SET deleted_at = created_at WHERE user_id IN (SELECT id FROM made WHERE n % 10 = 1);
    UPDATE identity.users SET version = 0 WHERE id IN (SELECT id FROM made WHERE n % 10 = 1);
    -- 2: has a hobby with hidden words, and all texts were judged anew at version 2.
    UPDATE identity.hobbies SET hidden = true
        WHERE position = 1 AND user_id IN (SELECT id FROM made WHERE n % 10 = 2);
    UPDATE identity.users SET texts_version = 2 WHERE id IN (SELECT id FROM made WHERE n % 10 = 2);
    -- 3: has a city that is no place.
    UPDATE identity.profiles SET city = 'Faro', place_id = '', country = ''
        WHERE user_id IN (SELECT id FROM made WHERE n % 10 = 3);
    -- 4: has no city, so is not ready.
    UPDATE identity.profiles SET city = '', place_id = '', country = ''
        WHERE user_id IN (SELECT id FROM made WHERE n % 10 = 4);
    -- 5: is suspended.
    INSERT INTO safety.restrictions (user_id, suspended, version, changed_at)
        SELECT id, true, 2, clock.now() FROM made WHERE n % 10 = 5;
    -- 6: passes the quality check with none of the photos.
    UPDATE identity.photos SET quality_passed = false WHERE user_id IN (SELECT id FROM made WHERE n % 10 = 6);
    -- 8: safety, billing and matching have locked something of them, and told nothing.
    UPDATE matching.inventory SET version = 0, active_connection_count = 0 WHERE user_id IN
        (SELECT id FROM made WHERE n % 10 = 8);
    INSERT INTO safety.restrictions (user_id) SELECT id FROM made WHERE n % 10 = 8;
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
        SELECT id, 'free', 0, false, 0, 0 FROM made WHERE n % 10 = 8;
    DROP TABLE made;"""
GONE: Final = "UPDATE identity.users SET deleted_at = clock.now() WHERE id = $1"
LONG: Final = "UPDATE identity.hobbies SET micro_description = repeat('\U0001f9d7', 1120) WHERE user_id = ANY($1)"
ROW: Final = "SELECT * FROM discovery.candidates WHERE user_id = ANY($1) ORDER BY user_id"


VERSIONS: Final = ("profile_version", "inventory_version", "tier_version", "restriction_version")
Rows: TypeAlias = list[dict[str, Any]]


def require_equal(made_anew: Rows, live: Rows) -> None:
    """All columns are equal. Only versions may be higher: owners also count events that change nothing in the pool."""
    assert [content(row) for row in made_anew] == [content(row) for row in live]
    for new, old in zip(made_anew, live, strict=True):
        assert all(new[version] >= old[version] for version in VERSIONS)


def content(row: dict[str, Any]) -> dict[str, Any]:
    """All that is stored of a member, without the versions."""
    return {name: value for name, value in row.items() if name not in VERSIONS}


class Members:
    """Three hundred members of all kinds, their live pool, and the command."""

    def __init__(self, world: World, pool: Pool) -> None:
        self.world = world
        self.pool = pool
        self.runtime = world.apps["discovery"].runtime
        self.before_first = next(BLOCKS)
        self.ids = [MEMBER.id(self.before_first + number) for number in range(1, COUNT + 1)]

    async def make(self) -> Rows:
        """Makes the members, and the pool from events, as their contexts emit them. Returns the pool."""
        superuser = self.world.superuser
        await make_members(superuser, self.before_first + 1, COUNT)
        await superuser.execute(MADE, self.before_first + 1, self.before_first + COUNT)
        async with without_triggers(superuser):
            await superuser.execute(KINDS)
        await self.tell(*await self._events())
        return await self.rows()

    async def _events(self) -> list[Message]:
        """What the contexts told of these members so far."""
        now, ids = await self.pool.stamp(), self.ids
        users = await self.world.superuser.fetch("SELECT * FROM identity.users WHERE id = ANY($1)", ids)
        slots = await self.world.superuser.fetch("SELECT * FROM matching.inventory WHERE user_id = ANY($1)", ids)
        accounts = await self.world.superuser.fetch("SELECT * FROM billing.accounts WHERE user_id = ANY($1)", ids)
        standings = await self.world.superuser.fetch("SELECT * FROM safety.restrictions WHERE user_id = ANY($1)", ids)
        events: list[Message] = []
        for row in users:
            if row["version"]:
                events.append(DiscoveryProfileChanged(user_id=str(row["id"]), version=row["version"], occurred_at=now))
            if row["texts_version"]:
                events.append(TextsReviewed(user_id=str(row["id"]), version=row["texts_version"], occurred_at=now))
        events += (
            InventoryChanged(
                user_id=str(row["user_id"]),
                version=row["version"],
                tier=TIER_FREE,
                active_connection_count=row["active_connection_count"],
                connection_limit=row["connection_limit"],
                occurred_at=now,
            )
            for row in slots
            if row["version"]
        )
        events += (
            TierChanged(
                user_id=str(row["user_id"]),
                version=row["version"],
                tier=TIER_PLUS,
                previous_tier=TIER_FREE,
                occurred_at=now,
            )
            for row in accounts
            if row["version"]
        )
        events += (
            RestrictionChanged(
                user_id=str(row["user_id"]),
                version=row["version"],
                reduced_visibility=row["reduced_visibility"],
                restricted=row["restricted"],
                suspended=row["suspended"],
                occurred_at=now,
            )
            for row in standings
            if row["version"]
        )
        return events

    async def tell(self, *events: Message) -> None:
        """Puts events into the outboxes of their contexts, and drains once."""
        for context in {subject_of(event).split(".")[1] for event in events}:
            own = [event for event in events if subject_of(event).split(".")[1] == context]
            await self.world.superuser.executemany(
                f"""INSERT INTO {context}.outbox
                (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
                VALUES ($1, $2, $3, $4, $5, $6, '')""",
                [
                    (uuid7(), *aggregate_of(event), subject_of(event), event.SerializeToString(), occurred_at(event))
                    for event in own
                ],
            )
        await self.world.drain()

    async def rows(self) -> Rows:
        """All that the pool holds of these members."""
        return [dict(row) for row in await self.world.superuser.fetch(ROW, self.ids)]

    async def lose(self) -> None:
        """The pool is lost."""
        await self.world.superuser.execute("DELETE FROM discovery.candidates")

    async def rebuild(self, *arguments: str) -> int:
        """The command, as somebody types it. Returns the exit status."""
        parser = argparse.ArgumentParser()
        rebuild.arguments(parser)
        return await rebuild.run(self.runtime, parser.parse_args(arguments))


async def forget(world: World, users: Sequence[UUID]) -> None:
    """Removes members, whom no trigger lets go."""
    async with without_triggers(world.superuser) as superuser:
        for table in TABLES:
            column = "id" if table == "identity.users" else "user_id"
            await superuser.execute(f"DELETE FROM {table} WHERE {column} = ANY($1)", users)
