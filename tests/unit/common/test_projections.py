"""docs/projections.md names each table of each context: as a projection, or as a record of its own (XX-08)."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from unora.common.v1 import options_pb2
from unora.matching.v1.projection_service_pb2 import ConnectionState
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_common.policies import service_descriptor
from unora_common.tables import PROJECTED

PAGE: Final = (Path(__file__).parents[3] / "docs/projections.md").read_text()
PROJECTIONS, RECORDS = (PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0] for title in (
    "What is projected", "Records of their own"))  # fmt: skip
ALSO_HEARD: Final = {
    "identity": {
        f"MemberErasedFrom{context}" for context in ("Discovery", "Matching", "Streak", "Reveal", "Billing", "Safety")
    },
    "discovery": {"AccountErasureRequested"},
    "matching": {"AccountErasureRequested"},
    "streak": {"AccountErasureRequested", "PaymentSucceeded", "PaymentFailed"},
    "reveal": {"AccountErasureRequested", "PaymentSucceeded"},
    "billing": {
        "AccountErasureRequested",
        *("StreakRecovered", "RecoveryRejected", "NudgeSent", "NudgeRejected", "RevealPurchased", "PurchaseRejected"),
    },
}
"""Events that ask a context to do something, once, and keep no copy up to date."""

pytestmark = pytest.mark.rule("XX-08")


class Line(NamedTuple):
    """A row of the page's first table."""

    context: str
    table: str
    columns: frozenset[str]
    owner: str
    events: frozenset[str]
    methods: frozenset[str]
    part: str


def lines() -> list[Line]:
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in PROJECTIONS.splitlines() if "`" in row[:30]]
    return [
        Line(
            context,
            table.strip("`"),
            frozenset(re.findall(r"[\w*]+", columns)),
            owner,
            frozenset(re.findall(r"\w+", events)),
            frozenset(re.findall(r"\w+", methods)),
            part.strip("`"),
        )
        for context, table, columns, owner, events, methods, part in rows
    ]


def records(context: str) -> set[str]:
    rows = re.findall(r"^\| (\w+) \| (`[^|]+`) \|", RECORDS, re.MULTILINE)
    found = {table for name, tables in rows if name in (context, "all") for table in re.findall(r"`(\w+)`", tables)}
    return found - ({"rebuilds"} if context == "safety" else set())


@pytest.mark.parametrize("context", CONTEXTS)
def test_each_table_is_a_projection_or_a_record_of_its_own(context: str) -> None:
    tables = importlib.import_module(f"unora_{context}.tables").metadata.tables.values()
    projected = {table.name for table in tables if PROJECTED in table.info}
    own = {table.name for table in tables} - projected
    hint = "say in docs/projections.md whose facts a new table holds; a projection has `projected_from` in its info"
    assert own == records(context), hint
    assert projected == {line.table for line in lines() if line.context == context}, hint


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_page_has_the_columns_that_the_tables_declare(context: str) -> None:
    for table in importlib.import_module(f"unora_{context}.tables").metadata.tables.values():
        declared = {owner: frozenset(columns) for owner, columns in table.info.get(PROJECTED, {}).items()}
        named = {line.owner: line.columns for line in lines() if (line.context, line.table) == (context, table.name)}
        assert named == declared, f"{context}.{table.name}"
        assert set[str]().union(*declared.values()) - {"*"} <= set(table.columns.keys())


@pytest.mark.parametrize("context", [each for each in CONTEXTS if each != "safety"])
def test_each_event_that_a_context_hears_belongs_to_a_projection(context: str) -> None:
    """A new consumer is named on the page, with what brings its facts anew; or it keeps no copy."""
    consumed = load_service(context).consumed()
    heard = {(consumes.stream, consumes.event.__name__) for consumes in consumed if consumes.event}
    told = {(line.owner, event) for line in lines() if line.context == context for event in line.events}
    assert told == {each for each in heard if each[1] not in ALSO_HEARD[context]}


@pytest.mark.parametrize("context", [each for each in CONTEXTS if each != "safety"])
def test_each_projection_is_made_anew_by_a_part_of_the_command(context: str) -> None:
    parts = importlib.import_module(f"unora_{context}.use_cases.rebuild").PARTS
    assert set(parts) == {line.part for line in lines() if line.context == context}
    assert "rebuild" in load_service(context).commands


def test_each_list_is_a_method_that_the_context_may_call() -> None:
    for line in lines():
        service = "DirectoryService" if "ListDiscoveryProfiles" in line.methods else "ProjectionService"
        methods = service_descriptor(f"unora.{line.owner}.v1.{service}").methods_by_name
        for method in line.methods:
            assert line.context in methods[method].GetOptions().Extensions[options_pb2.method].callers, line


@pytest.mark.rule("MA-10", "MA-09")
def test_interests_and_who_ended_a_connection_are_listed_to_one_context_each() -> None:
    methods = service_descriptor("unora.matching.v1.ProjectionService").methods_by_name
    callers = {
        name: set(method.GetOptions().Extensions[options_pb2.method].callers) for name, method in methods.items()
    }
    assert callers["ListInterestStates"] == {"discovery"}
    assert callers["ListConnectionEndings"] == {"billing"}
    shown = ConnectionState.DESCRIPTOR.fields_by_name
    assert not [name for name in shown if "by" in name or "reason" in name or "cause" in name]
