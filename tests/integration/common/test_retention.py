"""docs/retention.md says of every table what bounds it: its tables, sizes, jobs and variables are those of the code."""

from __future__ import annotations

import importlib
import re
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from sqlalchemy import Column, Integer
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_testing.filling import fill
from unora_testing.world import World

from tests.integration.common.test_purges import STATEMENTS
from tests.unit.docs.repository import ROOT

PAGE: Final = (ROOT / "docs/retention.md").read_text()
MESSAGING: Final = "In each of the seven contexts"
WITH_ANOTHER: Final = {
    "identity.sessions",  # its last token
    "identity.code_spending",  # its challenge
    "discovery.discovery_cards",  # its batch
    "identity.written_cities",  # what the job has done
    "safety.to_examine",
}
"""Tables whose rows go with a row of another table, or with the work that they are about."""
SIZES: Final = {
    "payload": "substring(sha512(int4send(n)) || sha512(int4send(-n)) FOR 100)",
    "trace": "md5(n::text) || md5((-n)::text)",
    "answer": "sha512(int4send(n)) || sha512(int4send(-n))",
    "subject": "'unora.identity.v1.' || left(md5(n::text), 16)",
}
ROWS: Final = 4000


class Line(NamedTuple):
    context: str
    table: str
    bytes: str
    kept: str


def lines() -> list[Line]:
    found = []
    for section in PAGE.split("\n## ")[1:]:
        heading = section.splitlines()[0]
        for row in re.findall(r"^\| `(\w+)` \| [^|]+ \| ([\d,-]+) \| (.+) \|$", section, re.MULTILINE):
            found += [Line(each, *row) for each in (CONTEXTS if heading == MESSAGING else [heading])]
    return found


def is_number(column: Column[Any]) -> bool:
    """`answer` is a number in one table and bytes in others."""
    return isinstance(column.type, Integer)


def tables(context: str) -> set[str]:
    metadata = importlib.import_module(f"unora_{context}.tables").metadata
    return {table.name for table in metadata.tables.values()}


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_page_has_each_table_once(context: str) -> None:
    assert sorted(line.table for line in lines() if line.context == context) == sorted(tables(context))


@pytest.mark.parametrize("context", CONTEXTS)
def test_jobs_and_variables_of_the_page_exist(context: str) -> None:
    service = load_service(context)
    jobs = {name for part in service.jobs for name in vars(part)} | {"purge"}
    fields = {f"UNORA_{field.name.upper()}": field.default for field in msgspec.structs.fields(service.config)}
    for line in lines():
        if line.context == context:
            assert set(re.findall(r"job `(\w+)`", line.kept)) <= jobs, line
            for variable, default in re.findall(r"`(UNORA_\w+)`(?: \((\d+)\))?", line.kept):
                assert variable in fields, line
                assert default in ("", f"{fields[variable]:.0f}"), f"the default of {variable} is {fields[variable]}"


def test_each_table_is_purged_by_a_tested_statement_or_says_why_it_stays() -> None:
    purged = {table for statement in STATEMENTS for table in statement.tables} | WITH_ANOTHER
    for line in lines():
        name = f"{line.context}.{line.table}"
        if line.kept.startswith("job "):
            assert name in purged, f"test_purges.py has no statement that deletes from {name}"
        else:
            assert re.match("for ever: |as long as |until ", line.kept), line


async def test_the_sizes_of_the_page_are_those_of_the_tables(world: World) -> None:
    """Within a quarter: for a table that got a column or an index, the page needs a new figure."""
    wrong = {}
    for line in {line[1:]: line for line in lines() if line.bytes != "-"}.values():
        measured = await _measure(world, f"{line.context}.{line.table}")
        if not 0.75 < int(line.bytes.replace(",", "")) / measured < 1.25:
            wrong[f"{line.context}.{line.table}"] = (line.bytes, round(measured, -1))
    assert wrong == {}, "what the page says, and what was measured"


async def _measure(world: World, table: str) -> float:
    """Bytes a row, with its indexes."""
    transaction = world.superuser.transaction()
    await transaction.start()
    try:
        columns = importlib.import_module(f"unora_{table.split('.')[0]}.tables").metadata.tables[table].c
        filled = table
        if table == "safety.audit_logs":
            filled = "safety.audit_logs_measured"
            await world.superuser.execute(f"CREATE TABLE {filled} PARTITION OF {table} DEFAULT")
        sized = {name: sql for name, sql in SIZES.items() if name in columns and not is_number(columns[name])}
        await fill(world.superuser, table, ROWS, **sized)
        size: int = await world.superuser.fetchval("SELECT pg_total_relation_size($1::text::regclass)", filled)
    finally:
        await transaction.rollback()
    return size / ROWS
