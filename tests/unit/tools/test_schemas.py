"""A migration that the recorded release would not survive is found before it runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from unora_common import migrations
from unora_common.config import CONTEXTS
from unora_tools.schemas import compared, described, statements
from unora_tools.schemas.__main__ import faults
from unora_tools.schemas.recorded import SCHEMAS

Json = dict[str, Any]


@pytest.fixture(scope="module")
def streak() -> Json:
    return described.context("streak")


def test_the_migrations_of_today_let_the_recorded_release_go_on() -> None:
    assert faults() == []


def test_the_record_has_every_context_and_can_be_written_again() -> None:
    recorded = json.loads(SCHEMAS.read_text())
    assert set(recorded) == set(CONTEXTS)
    assert json.loads(described.written(["streak"]))["streak"] == described.context("streak")


def test_the_same_schema_takes_nothing(streak: Json) -> None:
    assert compared.findings("streak", streak, streak) == []


def columns(said: Json) -> Json:
    found: Json = said["tables"]["streaks"]["columns"]
    return found


def drop_table(said: Json) -> None:
    del said["tables"]["nudges"]


def drop_column(said: Json) -> None:
    del columns(said)["zone"]


def change_type(said: Json) -> None:
    columns(said)["zone"]["type"] = "INTEGER"


def require(said: Json) -> None:
    said["tables"]["outbox"]["columns"]["published_at"]["nullable"] = False


def new_required(said: Json) -> None:
    columns(said)["mood"] = {"type": "TEXT", "nullable": False, "has_default": False}


def lose_default(said: Json) -> None:
    said["tables"]["outbox"]["columns"]["created_at"]["has_default"] = False


def lose_right(said: Json) -> None:
    said["tables"]["outbox"]["service_may"] = "select, insert, update (published_at)"


def new_unique(said: Json) -> None:
    said["tables"]["streaks"]["unique"].append("zone")


def lose_unique(said: Json) -> None:
    said["tables"]["outbox"]["unique"].clear()


def new_check(said: Json) -> None:
    said["tables"]["streaks"]["checks"]["ck_streaks_zone"] = "zone <> ''"


def new_reference(said: Json) -> None:
    said["tables"]["streaks"]["foreign_keys"].append("zone -> streak.zones.name")


def lose_function(said: Json) -> None:
    said["functions"].remove("erase_member")


def another_key(said: Json) -> None:
    said["tables"]["streaks"]["primary_key"] = ["zone"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop_table, "streak.nudges is dropped"),
        (drop_column, "column zone is dropped"),
        (change_type, "column zone is INTEGER, it was TEXT"),
        (require, "column published_at is NOT NULL"),
        (new_required, "the new column mood is NOT NULL and has no default"),
        (lose_default, "column created_at has no default"),
        (lose_right, "the service may no longer DELETE"),
        (new_unique, "(zone) is unique"),
        (lose_unique, "(aggregate_id, aggregate_version) is no longer unique"),
        (new_check, "the check ck_streaks_zone is new"),
        (new_reference, "the foreign key zone -> streak.zones.name is new"),
        (lose_function, "the service may no longer call erase_member"),
        (another_key, "the primary key is another one"),
    ],
)
def test_what_the_release_before_would_miss_is_found(streak: Json, change: Callable[[Json], None], said: str) -> None:
    later = copy.deepcopy(streak)
    change(later)
    (found,) = compared.findings("streak", streak, later)
    assert said in found


def test_what_only_expands_is_no_finding(streak: Json) -> None:
    later = copy.deepcopy(streak)
    columns(later)["mood"] = {"type": "TEXT", "nullable": True, "has_default": False}
    columns(later)["moods"] = {"type": "INTEGER", "nullable": False, "has_default": True}
    columns(later)["zone"]["nullable"] = True
    later["tables"]["moods"] = later["tables"]["nudges"]
    later["tables"]["outbox"]["service_may"] = "select, insert, update, delete"
    assert compared.findings("streak", streak, later) == []


def test_a_check_may_let_more_values_pass_but_not_fewer(streak: Json) -> None:
    less, more = copy.deepcopy(streak), copy.deepcopy(streak)
    less["tables"]["streaks"]["checks"]["ck_streaks_mood"] = "mood IN ('good', 'bad')"
    more["tables"]["streaks"]["checks"]["ck_streaks_mood"] = "mood IN ('good', 'so-so', 'bad')"
    assert compared.findings("streak", less, more) == []
    assert compared.findings("streak", more, less) == ["streak.streaks: the check ck_streaks_mood is another one"]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("CREATE OR REPLACE FUNCTION streak.hold() RETURNS trigger", "makes the function streak.hold"),
        ("CREATE TRIGGER held BEFORE UPDATE ON streak.streaks", "makes the trigger held"),
        ("DELETE FROM streak.nudges;", "DELETE FROM streak.nudges"),
        ("ALTER TABLE streak.streaks RENAME COLUMN zone TO place;", "renames"),
        ("DROP TRIGGER held ON streak.streaks;", "drops the trigger held"),
        ("DROP TRIGGER IF EXISTS held ON streak.streaks;", "drops the trigger held"),
        ("ALTER TRIGGER held ON streak.streaks DEPENDS ON EXTENSION x;", "alters the trigger held"),
        ("DROP FUNCTION streak.hold();", "drops the function streak.hold"),
        ("ALTER FUNCTION streak.hold() SECURITY DEFINER;", "alters the function streak.hold"),
        ("DROP SEQUENCE streak.numbers;", "drops the sequence streak.numbers"),
        ("CREATE POLICY own ON streak.streaks USING (true);", "makes the policy own"),
        ("DROP POLICY own ON streak.streaks;", "drops the policy own"),
        ("ALTER TABLE streak.streaks DISABLE TRIGGER held;", "streak.streaks: DISABLE TRIGGER held"),
        ("ALTER TABLE streak.streaks ENABLE ROW LEVEL SECURITY;", "streak.streaks: ENABLE ROW LEVEL SECURITY"),
        ("INSERT INTO streak.nudges SELECT 1;", "INSERT INTO streak.nudges"),
        ("INSERT INTO streak.nudges VALUES (1) ON CONFLICT DO UPDATE SET a = 1;", "INSERT INTO streak.nudges"),
        ("UPDATE ONLY streak.nudges SET a = 1;", "UPDATE streak.nudges"),
        ("UPDATE streak.nudges AS n SET a = 1;", "UPDATE streak.nudges"),
        ("WITH old AS (SELECT 1) UPDATE streak.nudges SET a = 1;", "UPDATE streak.nudges"),
        ("WITH old AS (DELETE FROM streak.nudges RETURNING *) SELECT * FROM old;", "DELETE FROM streak.nudges"),
        ('update\n  "streak"."nudges"\n  set a = 1;', "UPDATE streak.nudges"),
        ("TRUNCATE TABLE streak.a, streak.nudges;", "TRUNCATE streak.a, streak.nudges"),
        ("MERGE INTO streak.nudges USING x ON a = b WHEN MATCHED THEN DELETE;", "MERGE INTO streak.nudges"),
        ("REVOKE UPDATE ON streak.streaks FROM unora_streak;", "revokes: REVOKE UPDATE ON streak.streaks"),
        ("DO $$ BEGIN DELETE FROM streak.nudges; END $$;", "runs: DO"),
    ],
)
def test_statements_that_the_tables_do_not_show_are_found(sql: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"-- Running upgrade  -> 0001\n\nCREATE TABLE streak.a ();\n\n-- Running upgrade 0001 -> 0002\n\n{sql}\n"
    monkeypatch.setattr(migrations, "sql", lambda _: script)
    (found,) = statements.hidden("streak", "0001")
    assert found.startswith(f"streak 0002: {said}")
    assert statements.hidden("streak", "0002") == []


def test_what_happens_to_a_new_table_is_its_own_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    new = "\n".join(
        (
            "CREATE TABLE streak.moods ();",
            "CREATE TRIGGER held BEFORE UPDATE ON streak.moods",
            ";WITH a AS (SELECT 1) UPDATE ONLY streak.moods SET a = 1;",
            "INSERT INTO streak.moods VALUES (1) ON CONFLICT DO UPDATE SET a = 1;",
            "TRUNCATE streak.moods;",
            "REVOKE ALL ON streak.moods FROM PUBLIC;",
            "ALTER TABLE streak.moods ENABLE ROW LEVEL SECURITY;",
            "CREATE POLICY own ON streak.moods USING (true);",
        )
    )
    monkeypatch.setattr(migrations, "sql", lambda _: f"-- Running upgrade 0001 -> 0002\n{new}\n")
    assert statements.hidden("streak", "0001") == []


@pytest.mark.parametrize(
    "sql",
    [
        "-- DROP TRIGGER held ON streak.streaks;",
        "COMMENT ON TABLE streak.streaks IS 'UPDATE streak.streaks SET a = 1; DROP TRIGGER held';",
        "GRANT SELECT, INSERT, UPDATE (zone), DELETE ON streak.streaks TO unora_streak;",
        "SELECT 1 FROM streak.streaks FOR UPDATE;",
        "ALTER TABLE streak.streaks ADD FOREIGN KEY (a) REFERENCES streak.a ON DELETE CASCADE ON UPDATE SET NULL;",
        "UPDATE streak.alembic_version SET version_num='0002' WHERE streak.alembic_version.version_num = '0001';",
    ],
)
def test_what_only_looks_like_such_a_statement_is_no_finding(sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "sql", lambda _: f"-- Running upgrade 0001 -> 0002\n\n{sql}\n")
    assert statements.hidden("streak", "0001") == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX ix_streaks_zone ON streak.streaks (zone)",
        "ALTER TABLE streak.streaks ADD CONSTRAINT ck_cycle CHECK (cycle > 0)",
        "ALTER TABLE streak.streaks ALTER COLUMN cycle TYPE bigint",
        "ALTER TABLE streak.streaks DROP COLUMN zone",
        "ALTER TABLE streak.streaks RENAME COLUMN zone TO time_zone",
    ],
)
def test_the_linter_refuses_a_statement_that_would_block_a_running_service(sql: str) -> None:
    assert statements.lint("".join(f"{each};\n" for each in ("BEGIN", *migrations.LIMITS, sql, "COMMIT")))
