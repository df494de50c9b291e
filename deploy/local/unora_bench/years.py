"""The rows that a member leaves in years of daily use, written by SQL, past the services (ID-09, ID-10).

Four connections a year, one after the other, with a check-in by both on every day; a batch of cards a day, of which the
last 90 days are kept; a sign-in a month, with four refreshes a day. Around them lie cards of others.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import asyncpg

SEEN: Final = 450
"""Cards of others that show the member."""

SCAFFOLD: Final = """
    CREATE TEMP TABLE c AS
        SELECT n, gen_random_uuid() AS connection, gen_random_uuid() AS streak, gen_random_uuid() AS other,
            clock.now() - n * interval '91 days' AS at
        FROM generate_series(1, {years} * 4) AS s (n);
    CREATE TEMP TABLE pair AS
        SELECT *, least(other, '{user}'::uuid) AS a, greatest(other, '{user}'::uuid) AS b FROM c;
    CREATE TEMP TABLE signed AS
        SELECT gen_random_uuid() AS session, clock.now() - n * interval '30 days' AS at
        FROM generate_series(1, {years} * 12) AS s (n);
"""
ROWS: Final = (
    """
    INSERT INTO matching.connections
            (id, user_a_id, user_b_id, server_type, connection_status, formed_at, ended_at, ended_by_id, end_reason,
            version)
        SELECT connection, a, b, 'partner', 'ended', at, at, other, 'no_time', 2 FROM pair""",
    """
    INSERT INTO matching.interests
            (id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, closed_at, version)
        SELECT gen_random_uuid(), '{user}', gen_random_uuid(), 'partner', gen_random_uuid(), 'expired', 'expired',
            clock.now() - n * interval '1 day', clock.now(), 2 FROM generate_series(1, 400) AS s (n)""",
    """
    INSERT INTO streak.streaks
            (id, connection_id, user_a_id, user_b_id, server_type, streak_state, cycle, completed_days, current_day,
            zone, check_in_date, closes_at, here, started_at, ended_at, version)
        SELECT streak, connection, a, b, 'partner', 'terminated', 6, 3, 4, 'UTC', at::date, at, '{{}}', at, at, 90
        FROM pair""",
    """
    INSERT INTO streak.check_ins (id, streak_id, user_id, cycle, day, check_in_date, check_in_at, effort_signal)
        SELECT gen_random_uuid(), streak, who, 1 + d / 15, 1 + d % 15, (at + d * interval '1 day')::date,
            at + d * interval '1 day', 'medium'
        FROM c, generate_series(0, 90) AS s (d), LATERAL (VALUES (other), ('{user}'::uuid)) AS w (who)""",
    """
    INSERT INTO reveal.pairs (connection_id, streak_id, user_a_id, user_b_id, completed_days)
        SELECT connection, streak, a, b, 3 FROM pair""",
    """
    INSERT INTO reveal.progressions (streak_id, user_id) SELECT streak, '{user}' FROM c""",
    """
    INSERT INTO reveal.reveals (id, streak_id, connection_id, user_id, partner_id, reveal_number)
        SELECT gen_random_uuid(), streak, connection, '{user}', other, r FROM c, generate_series(1, 5) AS s (r)""",
    """
    INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at, deleted_at)
        SELECT gen_random_uuid(), '{user}', 'partner', clock.now() - n * interval '1 day', clock.now()
        FROM generate_series(1, 90) AS s (n)
        UNION ALL
        SELECT gen_random_uuid(), gen_random_uuid(), 'partner', clock.now() - interval '1 day', clock.now()
        FROM generate_series(1, {others} / 5)""",
    """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
        VALUES ('{user}', 'plus', 0, false, 0, 1) ON CONFLICT DO NOTHING""",
    """
    INSERT INTO billing.payments
            (id, payer_id, request_id, purpose, method, amount, currency, plan, status, created_at, succeeded_at,
            version)
        SELECT gen_random_uuid(), '{user}', gen_random_uuid(), 'subscription', 'money', 999, 'USD', 'plus', 'applied',
            clock.now() - n * interval '30 days', clock.now(), 3 FROM generate_series(1, {years} * 12) AS s (n)""",
    """
    INSERT INTO identity.sessions (id, user_id, started_at, revoked_at, revocation)
        SELECT session, '{user}', at, at + interval '30 days', 'signed_out' FROM signed""",
    """
    INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at, used_at)
        SELECT sha256(uuid_send(gen_random_uuid())), session, at, at + interval '30 days', at
        FROM signed, generate_series(1, 122)""",
    """
    INSERT INTO discovery.discovery_cards
            (id, batch_id, position, shown_user_id, age_band, city, trust_level, hobbies, place_id)
        SELECT gen_random_uuid(), b.id, p,
            CASE WHEN NOT own AND p = 1 AND n <= {seen} THEN '{user}'::uuid ELSE gen_random_uuid() END,
            '30_34', 'London', 2, '["chess"]'::jsonb, '2643743'
        FROM (SELECT id, user_id = '{user}' AS own, row_number() OVER (PARTITION BY user_id = '{user}') AS n
            FROM discovery.discovery_batches) AS b, generate_series(1, 5) AS s (p)""",
    """
    INSERT INTO reveal.reveal_contents (reveal_id, reveal_number, content_json, created_at)
        SELECT id, reveal_number, '{{"title": "A morning", "text": "Tea, a long walk, and a long book."}}'::jsonb,
            clock.now() FROM reveal.reveals WHERE user_id = '{user}' AND reveal_number IN (1, 2, 4)""",
    """
    INSERT INTO safety.activity (user_id, kind, day, count)
        SELECT '{user}', kind, current_date - n, 1
        FROM generate_series(1, 365) AS s (n), unnest(ARRAY['interests', 'endings']) AS kinds (kind)""",
)
"""One statement for each table."""


def statements(user: UUID, years: int, others: int) -> list[str]:
    """What makes the rows of a member, in order: the first one what the others read, each other one a table. `others`
    is the number of cards that others hold, five each.
    """
    return [each.format(user=user, years=years, others=others, seen=SEEN) for each in (SCAFFOLD, *ROWS)]


def table_of(statement: str) -> str:
    """The table into which a statement inserts."""
    return statement.split("INSERT INTO ", 1)[1].split(None, 1)[0]


def rows_of(tag: str) -> int:
    """How many rows Postgres says to have inserted: 5 of `INSERT 0 5`."""
    return int(tag.rpartition(" ")[2])


async def make_years(
    connection: asyncpg.Connection[asyncpg.Record], user: UUID, years: int, others: int
) -> dict[str, int]:
    """Makes the rows, as a superuser. Returns how many, by table."""
    # The triggers watch over members' calls; here rows are written that such calls have left.
    await connection.execute("SET session_replication_role = replica")
    try:
        first, *inserts = statements(user, years, others)
        await connection.execute(first)
        made = {table_of(each): rows_of(await connection.execute(each, timeout=600)) for each in inserts}
    finally:
        await connection.execute("RESET session_replication_role")
    await connection.execute("ANALYZE")
    return made
