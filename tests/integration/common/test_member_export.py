"""ID-10: each context gives a member's own rows, page by page, and finds them by an index."""

from __future__ import annotations

import importlib
import json
import re
from collections import Counter
from typing import Any

import pytest
from unora_common.config import CONTEXTS
from unora_common.ids import uuid7
from unora_common.member_export import BEFORE_FIRST, PAGE, PAGE_ROWS, Section, export_page
from unora_identity.clients import EXPORTS
from unora_testing.filling import fill
from unora_testing.world import World

from tests.integration.common.test_purges import scans
from tests.roles import without_triggers
from tests.support import refusal
from tests.unit.docs.repository import ROOT

pytestmark = pytest.mark.rule("ID-10")
ROWS = 10_000
PAGE_OF_DOCS = (ROOT / "docs/export.md").read_text()
REFERENCE = {"hobby_options", "personality_questions"}


def sections(context: str) -> list[Section]:
    module = importlib.import_module(f"unora_{context}.store.own_data")
    return list(module.sections(lambda fields: fields) if context == "identity" else module.SECTIONS)


SECTIONS = [
    pytest.param(context, each, id=f"{context}-{each.name}") for context in CONTEXTS for each in sections(context)
]


async def pages(world: World, context: str, user: str) -> list[Any]:
    """All pages of a context about a member."""
    stub_type, request_type = EXPORTS[context]
    stub, token, found = world.stub(stub_type, context, caller="identity"), "", []
    while True:
        found.append(await stub.ExportMember(request_type(user_id=user, page_token=token)))
        token = found[-1].next_page_token
        if not token:
            return found


@pytest.mark.parametrize("context", sorted(EXPORTS))
async def test_the_export_of_an_unknown_member_is_empty(world: World, context: str) -> None:
    (page,) = await pages(world, context, str(uuid7()))
    assert (list(page.sections), page.next_page_token) == ([], "")


async def test_identity_too_knows_nothing_of_an_unknown_member(world: World) -> None:
    async with world.apps["identity"].database.session() as session:
        assert await export_page(session, sections("identity"), uuid7(), "") == ([], "")


async def test_pages_hold_each_row_once_also_where_many_have_one_time(world: World) -> None:
    member, rows = uuid7(), 2 * PAGE_ROWS + 100
    for user in (member, uuid7()):
        await world.superuser.execute(
            """INSERT INTO discovery.discovery_batches (id, user_id, server_type, created_at, deleted_at)
            SELECT gen_random_uuid(), $1, 'partner', clock.now() - n / 300 * interval '1 hour', clock.now()
            FROM generate_series(1, $2::int) AS s (n)""",
            user,
            rows,
        )
    found = await pages(world, "discovery", str(member))
    assert [sum(len(part.rows) for part in page.sections) for page in found] == [PAGE_ROWS, PAGE_ROWS, 100]
    given = [json.loads(row) for page in found for part in page.sections for row in part.rows]
    assert [row["created_at"] for row in given] == sorted(row["created_at"] for row in given)
    times = await world.superuser.fetch(
        "SELECT created_at, count(*) FROM discovery.discovery_batches WHERE user_id = $1 GROUP BY 1", member
    )
    counted = Counter(row["created_at"] for row in given)
    assert counted == {time.isoformat().replace("+00:00", "Z"): count for time, count in times}


async def test_a_page_of_long_texts_is_shorter(world: World) -> None:
    member, text = uuid7(), "\U0001f9ff" * 32_000
    async with without_triggers(world.superuser) as superuser:  # the cases are not there
        await superuser.execute(
            """INSERT INTO safety.appeals (id, user_id, case_id, text, submitted_at)
            SELECT gen_random_uuid(), $1, gen_random_uuid(), $2, clock.now() FROM generate_series(1, 30)""",
            member,
            text,
        )
    found = await pages(world, "safety", str(member))
    assert len(found) > 1
    assert max(page.ByteSize() for page in found) < 2 * 2**20
    rows = [json.loads(row) for page in found for part in page.sections for row in part.rows]
    assert len({row["appeal_id"] for row in rows}) == 30
    assert {row["text"] for row in rows} == {text}
    async with without_triggers(world.superuser) as superuser:
        await superuser.execute("DELETE FROM safety.appeals WHERE user_id = $1", member)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "é",
        "bnVsbA==",  # null
        "WzAsIjIwMjQtMDEtMDFUMDA6MDA6MDBaIl0=",  # too short
        "Wzk5LCIyMDI0LTAxLTAxVDAwOjAwOjAwWiIsIiJd",  # a section that is not there
        "Wy0xLCIyMDI0LTAxLTAxVDAwOjAwOjAwWiIsIiJd",
        "WzAsIjIwMjQtMDEtMDFUMDA6MDA6MDAiLCIiXQ==",  # a time without a zone
        "WzAsIjIwMjQtMDEtMDFUMDA6MDA6MDBaIiwiXHUwMDAwIl0=",  # a null in the key
    ],
)
async def test_a_token_of_no_page_is_refused(world: World, token: str) -> None:
    stub_type, request_type = EXPORTS["streak"]
    stub = world.stub(stub_type, "streak", caller="identity")
    refused = await refusal(stub.ExportMember(request_type(user_id=str(uuid7()), page_token=token)))
    assert (refused.code, set(refused.violations)) == ("INVALID_ARGUMENT", {"page_token"})


@pytest.mark.parametrize("context", CONTEXTS)
async def test_the_page_for_members_lists_each_section_and_field(world: World, context: str) -> None:
    part = next(part for part in PAGE_OF_DOCS.split("\n## ") if part.startswith(context))
    described = {
        name: re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", fields))
        for name, fields in re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", part, re.MULTILINE)
    }
    selected = {}
    for section in sections(context):
        statement = await world.superuser.prepare(PAGE.format(sql=section.sql))
        selected[section.name] = [attribute.name for attribute in statement.get_attributes()][2:]
    if context == "identity":
        opened = ["user_id", "phone_number", *selected["account"][3:]]
        assert selected["account"][:3] == ["user_id", "phone_sealed", "data_key"]
        selected["account"] = opened
    assert described == selected, "docs/export.md says what the archive holds"


@pytest.mark.parametrize(("context", "section"), SECTIONS)
async def test_a_member_s_rows_are_found_by_an_index(world: World, context: str, section: Section) -> None:
    tables = set(re.findall(rf"\b{context}\.(\w+)", section.sql)) - REFERENCE
    transaction = world.superuser.transaction()
    await transaction.start()
    try:
        for table in sorted(tables):
            await fill(world.superuser, f"{context}.{table}", ROWS, deleted_at="NULL")
        sql = f"EXPLAIN (FORMAT json) {PAGE.format(sql=section.sql)}"
        (row,) = await world.superuser.fetch(sql, uuid7(), BEFORE_FIRST, "", PAGE_ROWS)
    finally:
        await transaction.rollback()
    read_whole = set(scans(json.loads(row[0])[0]["Plan"])) & tables
    assert not read_whole, f"{section.sql} reads {read_whole} whole: give it an index, or another form"
