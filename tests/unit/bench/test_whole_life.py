"""The rows of a member with years of daily use, and how their export and erasure are told."""

from __future__ import annotations

from uuid import UUID

import pytest
from unora_bench.whole_life import beyond_idle, peak_in, report
from unora_bench.years import rows_of, statements, table_of
from unora_common.config import CONTEXTS

USER = UUID(int=5)


def test_the_rows_of_a_member_are_in_all_contexts_and_each_table_has_one_statement() -> None:
    tables = [table_of(each) for each in statements(USER, 3, 1000)[1:]]
    assert len(tables) == len(set(tables))
    assert {table.partition(".")[0] for table in tables} == set(CONTEXTS)


def test_more_years_leave_more_rows() -> None:
    assert "generate_series(1, 3 * 4)" in statements(USER, 3, 0)[0]
    assert "generate_series(1, 10 * 12)" in statements(USER, 10, 0)[0]


@pytest.mark.parametrize(("tag", "rows"), [("INSERT 0 0", 0), ("INSERT 0 4392", 4392)])
def test_postgres_says_how_many_rows_it_inserted(tag: str, rows: int) -> None:
    assert rows_of(tag) == rows


def test_a_peak_is_told_in_millions_of_bytes() -> None:
    assert peak_in("Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t  125000 kB\nVmRSS:\t 1 kB\n") == 128.0


def test_the_report_has_a_line_for_each_process_and_no_memory_for_those_that_are_no_service() -> None:
    cost = {
        "seconds": 2.5,
        "processor_ms": {"identity": 120, "postgres": 50},
        "memory_mb_before": {"identity": 118},
        "peak_mb": {"identity": 121},
    }
    text = report({"rows": {"a.b": 1000, "a.c": 500}, "export": cost, "erasure": cost})
    assert text.startswith("1,500 rows were made\n\nexport: 2.5 s\n")
    assert text.count("| identity | 120 | 118 | 121 |") == 2
    assert text.count("| postgres | 50 |  |  |") == 2


def test_what_an_idle_process_spends_in_any_case_is_no_part_of_the_cost() -> None:
    calm, before = {"identity": 1.0, "streak": 2.0, "nats": 0.0}, {"identity": 1.1, "streak": 2.2, "nats": 0.0}
    after = {"identity": 1.8, "streak": 2.5, "nats": 0.9}
    found = beyond_idle(calm, before, after, windows=2)
    assert list(found) == ["nats", "identity", "streak"]
    assert found == pytest.approx({"nats": 0.9, "identity": 0.5, "streak": 0.0})
