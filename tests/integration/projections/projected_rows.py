"""The rows of every projection: as they are, damaged, and made anew."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pprint import pformat
from typing import Any, Final

from sqlalchemy import Table
from unora_common.config import CONTEXTS
from unora_common.rebuilding import Part, Rebuild
from unora_common.tables import PROJECTED
from unora_testing.world import World

from tests.roles import without_triggers

ORDER: Final = ("matching", "streak", "reveal", "billing", "identity", "discovery")
"""As docs/projections.md says: first those from which others get their projections."""
PAGE: Final = 3
Dump = dict[str, list[dict[str, Any]]]
Ask = Callable[[str, int], Awaitable[tuple[list[Any], str]]]

LEARNED: Final = ("suspended_at", "streak_completed_at", "disclosed_at", "disclosures.ended_at")
"""When a context learned of a fact, which a rebuild cannot know."""
INSTEAD: Final = {
    "discovery.exclusions.apart_until": "CASE WHEN reason <> 'lifted' THEN apart_until END",
    "discovery.waiting_interests.position": "0",
    "discovery.card_interests.over_at": "NULL",
    "identity.users.connection_limit": "coalesce(connection_limit, 1)",
    "matching.inventory.away_at": "CASE WHEN paused OR closed THEN away_at END",
    "billing.accounts.last_closed_at": "CASE WHEN closed THEN last_closed_at END",
}
"""Until when a lifted one is stored, a number by which one is drawn, and when an interest stopped to look sent, are
discovery's own. A member of whose slots nothing was told has one. Since when a member is back, and when the account of
one who is back was closed, only the event says.
"""
NOT_LOCKS: Final = {
    "reveal.tiers": "tier <> 'free'",
    "streak.tiers": "tier <> 'free'",
    "billing.connection_endings": "ended_at IS NOT NULL",
    "discovery.candidates": "greatest(profile_version, inventory_version, tier_version, restriction_version) > 0",
}
"""Rows that say something: without one, a member is free, and a connection has not ended."""

HARMLESS: Final[dict[str, Callable[[dict[str, Any]], bool]]] = {
    "identity.disclosures": lambda row: bool(row["ended_at"]),
    "matching.blocked_pairs": lambda row: not row["blocked"],
    "streak.waiting_reveals": lambda row: not row["waiting"],
    "discovery.partner_cards": lambda row: not row["active"],
}
"""What too many rows say after a rebuild where the service may delete none: nothing."""

COPY: Final = """
    INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({ids}))).* FROM {table} t LIMIT 2"""
# Of each table: rows that are missing, wrong (some with a version that is too high), and too many.
DAMAGE: Final = {
    "identity.users": """
        UPDATE identity.users SET tier = CASE tier WHEN 'free' THEN 'pro' ELSE 'free' END, tier_version = 99,
            active_connection_count = 7, connection_limit = 9, inventory_version = 99,
            last_global_refresh_at = NULL, refresh_available_at = clock.now(), refresh_version = 99,
            suspended_at = CASE WHEN suspended_at IS NULL THEN clock.now() END, standing_version = 99,
            streak_completed_at = CASE WHEN streak_completed_at IS NULL THEN clock.now() END""",
    "identity.disclosures": """
        DELETE FROM identity.disclosures WHERE ended_at IS NULL;
        UPDATE identity.disclosures SET ended_at = NULL, streak_id = gen_random_uuid(), completed_days = 15,
            disclosed_at = clock.now();"""
    + COPY.format(
        table="identity.disclosures", ids="'connection_id', gen_random_uuid(), 'streak_id', gen_random_uuid()"
    ),
    "discovery.candidates": """
        DELETE FROM discovery.candidates WHERE get_byte(uuid_send(user_id), 15) % 3 = 0;
        UPDATE discovery.candidates SET suspended = NOT suspended, restriction_version = 99, tier_version = 99,
            tier = CASE tier WHEN 'free' THEN 'pro' ELSE 'free' END, connection_limit = 9, inventory_version = 99,
            city = 'Atlantis';
        UPDATE discovery.candidates SET profile_version = 99 WHERE get_byte(uuid_send(user_id), 15) % 3 = 1;"""
    + COPY.format(table="discovery.candidates", ids="'user_id', gen_random_uuid()"),
    "discovery.exclusions": """
        DELETE FROM discovery.exclusions WHERE get_byte(uuid_send(other_id), 15) % 3 = 0;
        UPDATE discovery.exclusions SET reason = CASE reason WHEN 'lifted' THEN 'ended' ELSE 'lifted' END, version = 99
        WHERE get_byte(uuid_send(other_id), 15) % 3 = 1;"""
    + COPY.format(table="discovery.exclusions", ids="'source_id', gen_random_uuid()"),
    "discovery.waiting_interests": """
        DELETE FROM discovery.waiting_interests WHERE get_byte(uuid_send(interest_id), 15) % 3 = 0;
        UPDATE discovery.waiting_interests SET waits = NOT waits, version = 99
        WHERE get_byte(uuid_send(interest_id), 15) % 3 = 1;"""
    + COPY.format(table="discovery.waiting_interests", ids="'interest_id', gen_random_uuid()"),
    "discovery.member_blocks": """
        DELETE FROM discovery.member_blocks WHERE get_byte(uuid_send(blocked_id), 15) % 2 = 0;
        UPDATE discovery.member_blocks SET in_force = NOT in_force, changed_at = clock.now() + interval '1 day';"""
    + COPY.format(table="discovery.member_blocks", ids="'blocker_id', gen_random_uuid()"),
    "discovery.card_interests": """
        DELETE FROM discovery.card_interests WHERE get_byte(uuid_send(interest_id), 15) % 3 = 0;
        UPDATE discovery.card_interests SET sent = NOT sent, over_at = CASE WHEN sent THEN clock.now() END, version = 99
        WHERE get_byte(uuid_send(interest_id), 15) % 3 = 1;"""
    + COPY.format(table="discovery.card_interests", ids="'interest_id', gen_random_uuid()"),
    "discovery.partner_cards": """
        DELETE FROM discovery.partner_cards WHERE get_byte(uuid_send(viewer_id), 15) % 3 = 0;
        UPDATE discovery.partner_cards SET active = NOT active;
        UPDATE discovery.partner_cards SET version = 99 WHERE get_byte(uuid_send(viewer_id), 15) % 3 = 1;"""
    + COPY.format(table="discovery.partner_cards", ids="'connection_id', gen_random_uuid()"),
    "matching.inventory": """
        UPDATE matching.inventory SET paused = NOT paused, closed = NOT closed, away_version = 99,
            away_at = clock.now(),
            tier = CASE tier WHEN 'free' THEN 'pro' ELSE 'free' END, tier_version = 99,
            tier_limit = 4, connection_limit = 4, restricted = NOT restricted, suspended = NOT suspended,
            standing_version = 99, standing_at = clock.now()""",
    "matching.connections": "UPDATE matching.connections SET chat_unlocked_at = NULL",
    "matching.blocked_pairs": """
        DELETE FROM matching.blocked_pairs WHERE get_byte(uuid_send(blocked_id), 15) % 2 = 0;
        UPDATE matching.blocked_pairs SET blocked = NOT blocked, version = 99;"""
    + COPY.format(table="matching.blocked_pairs", ids="'blocker_id', gen_random_uuid()"),
    "streak.tiers": """
        DELETE FROM streak.tiers WHERE tier = 'plus';
        UPDATE streak.tiers SET tier = 'free', version = 99;"""
    + COPY.format(table="streak.tiers", ids="'user_id', gen_random_uuid()"),
    "streak.waiting_reveals": """
        DELETE FROM streak.waiting_reveals WHERE reveal_number % 2 = 0;
        UPDATE streak.waiting_reveals SET waiting = NOT waiting, version = 99;"""
    + COPY.format(table="streak.waiting_reveals", ids="'streak_id', gen_random_uuid()"),
    "streak.streaks": """
        UPDATE streak.streaks SET connection_ended_at = CASE WHEN connection_ended_at IS NULL THEN clock.now() END""",
    "reveal.tiers": """
        DELETE FROM reveal.tiers WHERE tier = 'pro';
        UPDATE reveal.tiers SET tier = 'free', version = 99 WHERE version > 0;"""
    + COPY.format(table="reveal.tiers", ids="'user_id', gen_random_uuid()"),
    "reveal.progressions": "UPDATE reveal.progressions SET tier = CASE tier WHEN 'free' THEN 'pro' ELSE 'free' END",
    "reveal.pairs": """
        DELETE FROM reveal.pairs WHERE completed_days = 15;
        UPDATE reveal.pairs SET ended_at = NULL, completed_days = completed_days / 2""",
    "billing.accounts": """
        UPDATE billing.accounts SET suspended = NOT suspended, standing_version = 99, closed = NOT closed,
            keeps_credits = NOT keeps_credits, life_version = 99,
            last_closed_at = CASE WHEN closed THEN clock.now() + interval '1 day' END""",
    "billing.connection_endings": """
        DELETE FROM billing.connection_endings WHERE get_byte(uuid_send(connection_id), 15) % 2 = 0;
        UPDATE billing.connection_endings SET ended_by_id = gen_random_uuid() WHERE ended_at IS NOT NULL;"""
    + COPY.format(table="billing.connection_endings", ids="'connection_id', gen_random_uuid()"),
}
# As after a restore of a backup from before all events.
LOST: Final = {
    "identity.users": """
        UPDATE identity.users SET tier = 'free', tier_version = 0, active_connection_count = 0, connection_limit = NULL,
            inventory_version = 0, last_global_refresh_at = NULL, refresh_available_at = NULL, refresh_version = 0,
            suspended_at = NULL, standing_version = 0, streak_completed_at = NULL""",
    "matching.inventory": """
        UPDATE matching.inventory SET tier = 'free', tier_version = 0, tier_limit = 1,
            connection_limit = greatest(1, active_connection_count), restricted = false, suspended = false,
            standing_version = 0, standing_at = NULL, paused = false, closed = false, away_version = 0,
            away_at = NULL""",
    "matching.connections": "UPDATE matching.connections SET chat_unlocked_at = NULL",
    "streak.streaks": "UPDATE streak.streaks SET connection_ended_at = NULL",
    "reveal.progressions": "UPDATE reveal.progressions SET tier = 'free'",
    "reveal.pairs": "UPDATE reveal.pairs SET completed_days = 0, ended_at = NULL",
    "billing.accounts": """
        UPDATE billing.accounts SET suspended = false, standing_version = 0, closed = false, keeps_credits = false,
            life_version = 0, last_closed_at = NULL""",
}


def projected() -> dict[str, Table]:
    """Every table that projects anything, by its full name."""
    tables = [each for context in CONTEXTS for each in metadata(context).tables.values()]
    return {f"{each.schema}.{each.name}": each for each in tables if PROJECTED in each.info}


def facts() -> list[tuple[str, frozenset[str]]]:
    """Each table, with the columns of each of its owners."""
    return [
        (name, frozenset(columns)) for name, table in projected().items() for columns in table.info[PROJECTED].values()
    ]


def said(rows: Dump, table: str, columns: frozenset[str]) -> list[dict[str, Any]]:
    """What rows say in these columns, versions apart."""
    return [
        {
            name: value
            for name, value in row.items()
            if (name in columns or "*" in columns) and not name.endswith("version")
        }
        for row in rows[table]
    ]


def metadata(context: str) -> Any:
    return importlib.import_module(f"unora_{context}.tables").metadata


async def dump(world: World, *, marks: bool = False) -> Dump:
    """All that is projected, by table and key; with `marks` also what changes with each write of a row."""
    found: Dump = {}
    for name, table in projected().items():
        keys = [column.name for column in table.primary_key]
        named = {column for columns in table.info[PROJECTED].values() for column in columns}
        columns = [each.name for each in table.columns if each.name in (*keys, *named) or "*" in named]
        said = [f"{_expression(name, column)} AS {column}" for column in columns]
        said.append(f"ARRAY[{', '.join(keys)}]::text[] AS key")
        sql = f"SELECT {', '.join(said)}{', xmin::text AS mark' if marks else ''} FROM {name}"
        rows = await world.superuser_of(name.split(".")[0]).fetch(
            f"{sql} WHERE {NOT_LOCKS.get(name, 'true')} ORDER BY {', '.join(keys)}"
        )
        found[name] = [dict(row) for row in rows]
    return found


def _expression(table: str, column: str) -> str:
    if f"{table}.{column}" in INSTEAD:
        return INSTEAD[f"{table}.{column}"]
    return f"({column} IS NOT NULL)" if f"{table}.{column}".endswith(LEARNED) else column


async def harm(world: World, statements: dict[str, str]) -> None:
    """A superuser's work, which no trigger and no foreign key stops."""
    for table, sql in statements.items():
        async with without_triggers(world.superuser_of(table.split(".")[0])) as superuser:
            await superuser.execute(sql)


async def remove_harmless(world: World, live: Dump) -> None:
    """Rows that were too many, and say nothing: later tests compare with the rows before."""
    for name, table in ((name, projected()[name]) for name in HARMLESS):
        keys = ", ".join(column.name for column in table.primary_key)
        kept = [list(_key(row)) for row in live[name]]
        for row in await world.superuser.fetch(f"SELECT ARRAY[{keys}]::text[] AS key FROM {name}"):
            if row["key"] not in kept:
                await world.superuser.execute(f"DELETE FROM {name} WHERE ARRAY[{keys}]::text[] = $1", row["key"])


def lost() -> dict[str, str]:
    """What takes everything away."""
    return {table: LOST.get(table, f"DELETE FROM {table}") for table in projected()}


def require_equal(made_anew: Dump, live: Dump) -> None:
    """All columns are equal. Only versions may be higher: owners also count events that change nothing here."""
    differing = {table: _differences(table, made_anew[table], rows) for table, rows in live.items()}
    wrong = {table: found for table, found in differing.items() if found}
    assert not wrong, f"key, column, what is there, what was live: {pformat(wrong, width=160)}"


def _differences(table: str, made_anew: list[dict[str, Any]], live: list[dict[str, Any]]) -> list[Any]:
    keys = [_key(row) for row in live]
    found: list[Any] = [("no more", key) for key in set(keys) - {_key(row) for row in made_anew}]
    before = dict(zip(keys, live, strict=True))
    for row in made_anew:
        old = before.get(_key(row))
        if old is None:
            if table not in HARMLESS or not HARMLESS[table](row):
                found.append(("too many", row))
            continue
        for name, value in row.items():
            is_older = name.endswith("version") and value < old[name]
            if is_older or (not name.endswith("version") and value != old[name]):
                found.append((_key(row), name, value, old[name]))
    return found


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row["key"])


def parts_of(world: World, context: str) -> list[Part[Any]]:
    """With short pages, so that few rows have many."""
    made = importlib.import_module(f"unora_{context}.use_cases.rebuild").parts(world.apps[context].runtime)
    return [replace(part, size=PAGE, at_once=min(part.at_once, 2)) for part in made]


async def rebuild(world: World, wrap: Callable[[Part[Any]], Part[Any]] = lambda part: part) -> int:
    """Makes all projections of all contexts anew. Returns how many parts."""
    count = 0
    for context in ORDER:
        parts = [wrap(part) for part in parts_of(world, context)]
        work = Rebuild(world.apps[context].runtime.database, parts)
        for progress in await work.begin(restart=True):
            count += 1
            async for _ in work.run(progress):
                pass
    await world.drain()
    return count
