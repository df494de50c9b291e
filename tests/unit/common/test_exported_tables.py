"""ID-10: every table of every context says whether a member's export holds their rows of it, or why not."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from unora_common.config import CONTEXTS
from unora_common.tables import EXPORTED, NOT_EXPORTED

pytestmark = pytest.mark.rule("ID-10")


def tables(context: str) -> list[Any]:
    return list(importlib.import_module(f"unora_{context}.tables").metadata.tables.values())


def sections(context: str) -> list[Any]:
    module = importlib.import_module(f"unora_{context}.store.own_data")
    return list(module.sections(lambda fields: fields) if context == "identity" else module.SECTIONS)


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_table_says_which_sections_hold_its_rows_or_why_none_does(context: str) -> None:
    silent = [
        table.name
        for table in tables(context)
        if (EXPORTED in table.info) == (NOT_EXPORTED in table.info) or not table.info.get(EXPORTED, "-")
    ]
    assert silent == [], "add exported(…) or not_exported(…) to the info of these tables (unora_common/tables.py)"
    for table in tables(context):
        assert len(table.info.get(NOT_EXPORTED, "a reason")) > 5, table.name


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_sections_that_tables_name_are_those_that_are_exported(context: str) -> None:
    named = {name for table in tables(context) for name in table.info.get(EXPORTED, "").split(", ") if name}
    assert named == {section.name for section in sections(context)}


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_section_reads_only_tables_that_are_exported(context: str) -> None:
    """A table that is not exported may hold what the member must not learn, such as standings (SA-03)."""
    kept_back = {f"{context}.{table.name}" for table in tables(context) if NOT_EXPORTED in table.info}
    kept_back -= {"identity.hobby_options"}  # the names of the hobbies that were chosen
    for section in sections(context):
        read = {name for name in kept_back if f"{name} " in section.sql or f"{name}\n" in section.sql}
        assert read == set(), f"{context}.{section.name} reads {read}"
