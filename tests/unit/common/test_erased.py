"""Every table says what the erasure of a member does with it, and what is said is whole (ID-09)."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Column, Table
from sqlalchemy.dialects.postgresql import UUID
from unora_common.config import CONTEXTS
from unora_common.erase_function import UndeclaredError, declared, function
from unora_common.erased import How, deleted
from unora_common.migrations import tables_of
from unora_common.tables import metadata, service_may

pytestmark = pytest.mark.rule("ID-09")
TABLES = [table for context in CONTEXTS for table in tables_of(context).sorted_tables]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.fullname)
def test_each_table_says_what_erasure_does_with_it(table: Table) -> None:
    for each in declared(table):
        if each.how in (How.DELETED, How.BLANKED):
            assert re.search(r"\bmember\b", each.where), f"{table.fullname}: the condition does not name the member"
        if each.how in (How.KEPT, How.BLANKED):
            assert each.reason, f"{table.fullname}: say why rows may stay"
        if each.how is How.BLANKED:
            assert each.change, f"{table.fullname}: say what a blanked row becomes"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.fullname)
def test_a_table_of_nobody_has_no_column_of_a_member(table: Table) -> None:
    if any(each.how is How.OF_NOBODY for each in declared(table)):
        assert not {"user_id", "sender_id", "payer_id", "user_a_id", "shown_user_id"} & set(table.c.keys())


def test_a_table_without_a_declaration_ends_the_migration_with_its_name() -> None:
    tables = metadata("streak")
    Table("moods", tables, Column("user_id", UUID(), primary_key=True), info=service_may("select, insert"))
    with pytest.raises(UndeclaredError, match=r"streak\.moods"):
        function(tables)


def test_rows_go_before_the_rows_that_they_refer_to() -> None:
    statement = function(tables_of("identity"))
    order = re.findall(r"DELETE FROM identity\.(\w+)", statement)
    assert order.index("refresh_tokens") < order.index("sessions") < order.index("users")


def test_a_batch_stops_when_it_has_done_enough() -> None:
    tables = metadata("streak")
    Table(
        "moods",
        tables,
        Column("user_id", UUID(), primary_key=True),
        info=service_may("select, insert", erased=deleted("user_id = member")),
    )
    (step,) = re.findall(r"chosen := ARRAY\(SELECT ctid FROM streak\.moods.*?END IF;", function(tables), re.DOTALL)
    assert "LIMIT rest" in step
    assert "rest := rest - cardinality(chosen)" in step
    assert "IF rest <= 0 THEN" in step
