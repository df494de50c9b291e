"""Names of SQL statements in traces: verbs and tables, never text."""

from __future__ import annotations

import pytest
from unora_common import trace
from unora_common.tracing.statements import MAX_NAME_LENGTH, summary, watched


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT state FROM streak.streaks WHERE id = $1", "SELECT streak.streaks"),
        (
            "WITH s AS MATERIALIZED (SELECT id FROM streak.streaks WHERE id = $1 FOR UPDATE)"
            " SELECT s.*, clock.now() AS now FROM s",
            "SELECT streak.streaks",
        ),
        (
            "WITH w0 AS (INSERT INTO streak.check_ins VALUES ($1)), w1 AS (UPDATE streak.streaks SET state = $2)"
            " INSERT INTO streak.outbox VALUES ($3)",
            "INSERT streak.check_ins UPDATE streak.streaks INSERT streak.outbox",
        ),
        ("DELETE FROM safety.traces WHERE ctid = ANY (ARRAY(SELECT ctid FROM safety.traces))", None),
        ("SELECT a FROM billing.payments p\n    LEFT JOIN billing.credits c ON true", None),
        ("UPDATE ONLY reveal.pairs SET state = 'x'", "UPDATE reveal.pairs"),
        ("INSERT INTO matching.pairs VALUES ($1) ON CONFLICT (id) DO UPDATE SET a = 1", "INSERT matching.pairs"),
        ("SELECT 1 WHERE s.a IS DISTINCT FROM streak.a", "SELECT"),
        ("SELECT extract(epoch FROM s.started_at) FROM s", "SELECT"),
        ("SELECT 'Ada Lovelace', pg_sleep(1)", "SELECT"),
        ("WITH locked AS (SELECT pg_advisory_xact_lock($1)) SELECT 1", "SELECT"),
        ("LISTEN unora", "SQL"),
    ],
)
def test_a_statement_is_named_by_what_it_does_to_which_tables(sql: str, named: str | None) -> None:
    found = summary(sql)
    if named is not None:
        assert found == named
    assert "$" not in found
    assert "'" not in found


def test_repeats_are_left_out_and_joins_are_reads() -> None:
    assert summary("DELETE FROM safety.a USING (SELECT 1 FROM safety.a JOIN safety.b ON true) x") == (
        "DELETE safety.a SELECT safety.a SELECT safety.b"
    )


def test_a_long_statement_is_named_by_its_first_parts_as_a_whole() -> None:
    name = summary(" ".join(f"SELECT a FROM identity.table_{number:04}" for number in range(100)))
    assert 150 < len(name) < MAX_NAME_LENGTH
    assert name.startswith("SELECT identity.table_0000 SELECT identity.table_0001")
    assert len(name.split()[-1]) == len("identity.table_0000")


def test_a_connection_is_left_as_it_is_where_nothing_is_recorded() -> None:
    connection = object()
    trace.begin()
    assert watched(connection) is connection  # type: ignore[arg-type]
