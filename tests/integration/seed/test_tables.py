"""Every table that the overview of the database names exists, under its name, in its owner's schema."""

from __future__ import annotations

import re

import pytest
from unora_testing.world import World

from tests.unit.docs.repository import DOCS

TABLES = {
    "identity": {
        "users": {"id", "tier", "active_connection_count", "last_global_refresh_at", "refresh_available_at"},
        "verification_signals": {"id", "user_id"},
        "profiles": {"user_id", "name", "date_of_birth", "gender", "city", "bio"},
        "photos": {"id", "user_id"},
        "hobbies": {"user_id", "hobby_option_id", "micro_description"},
        "hobby_options": {"id", "name"},
    },
    "discovery": {
        "servers": set(),
        "discovery_batches": {"id", "user_id", "server_type", "deleted_at"},
        "discovery_cards": {"id", "batch_id", "deleted_at"},
        "filters": {"user_id", "server_type"},
    },
    "matching": {
        "interests": {"id", "sender_id", "receiver_id", "server_type"},
        "connections": {"id", "server_type", "user_a_id", "user_b_id", "connection_status", "deleted_at"},
        "interest_wipes": {"user_id"},
    },
    "streak": {
        "streaks": {"id", "connection_id", "streak_state", "current_day", "breaker_user_id", "deleted_at"},
        "check_ins": {"id", "streak_id", "user_id", "check_in_date", "check_in_at", "effort_signal"},
        "nudges": {"id", "streak_id"},
        "recovery_payments": {"payment_id"},
    },
    "reveal": {
        "reveal_milestones": {"tier", "reveal_number", "reveal_day_required"},
        "reveals": {"id", "streak_id", "user_id", "reveal_number", "reveal_status", "unlocked_at"},
        "reveal_contents": {"reveal_id", "content_json"},
        "personality_questions": {"id"},
        "personality_answers": {"user_id"},
        "personality_scores": {"user_id"},
    },
    "billing": {
        "subscriptions": {"id", "user_id", "tier"},
        "payments": {"id"},
        "credits": {"id", "user_id", "amount"},
        "credit_protections": {"id", "payment_id"},
    },
    "safety": {
        "audit_logs": set(),
        "safety_flags": {"id", "user_id"},
        "blocks": {"id", "blocker_id"},
        "reports": {"id"},
    },
}
NAMED = [(schema, table) for schema, tables in TABLES.items() for table in tables]
JSONB = {("reveal", "reveal_contents", "content_json")}


@pytest.mark.rule("XX-05")
def test_the_key_tables_of_all_nine_modules_are_tested() -> None:
    overview = (DOCS / "database_overview.md").read_text()
    modules = re.findall(r"^### Key Tables\n+(.*?)\n\n", overview, re.DOTALL | re.MULTILINE)
    assert len(modules) == 9
    named = [table for module in modules for table in re.findall(r"^\| `(\w+)` \|", module, re.MULTILINE)]
    assert sorted(named) == sorted(table for _, table in NAMED)


@pytest.mark.rule("XX-05")
@pytest.mark.parametrize(("schema", "table"), NAMED, ids=[".".join(each) for each in NAMED])
async def test_a_table_of_the_overview_keeps_its_name_and_columns(world: World, schema: str, table: str) -> None:
    rows = await world.superuser.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2",
        schema,
        table,
    )
    types = {row["column_name"]: row["data_type"] for row in rows}
    assert types, f"{schema}.{table} is named by the overview, and there is no such table"
    assert TABLES[schema][table] <= set(types)
    for of_schema, of_table, column in JSONB:
        if (schema, table) == (of_schema, of_table):
            assert types[column] == "jsonb"


@pytest.mark.rule("XX-05")
async def test_scores_are_numbers_in_jsonb(world: World) -> None:
    """The storage of PE-03: the overview says JSONB, with numbers only."""
    types = await world.superuser.fetch(
        "SELECT data_type FROM information_schema.columns "
        "WHERE table_schema = 'reveal' AND table_name = 'personality_scores' AND data_type IN ('jsonb', 'text')"
    )
    assert {row["data_type"] for row in types} == {"jsonb"}


@pytest.mark.rule("XX-05")
async def test_the_three_servers_and_the_fifteen_milestones_are_reference_data(world: World) -> None:
    servers = await world.superuser.fetch("SELECT server_type FROM discovery.servers")
    assert {row["server_type"] for row in servers} == {"partner", "friend", "growth"}
    assert await world.superuser.fetchval("SELECT count(*) FROM reveal.reveal_milestones") == 15
