"""The guarantees of the database for blocks, cases and flags, tried by direct SQL in the service's own role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.roles import Role, refused, undone

BLOCK = """
    INSERT INTO safety.blocks (id, blocker_id, blocked_id, target_kind, target_id, blocked_at)
    VALUES ($1, $2, $3, $4, $5, clock.now())"""
PAIR = "INSERT INTO safety.blocked_pairs (blocker_id, blocked_id, version) VALUES ($1, $2, 0)"
CASE = """
    INSERT INTO safety.cases (id, user_id, origin, case_status, appealed, opened_at, version)
    VALUES ($1, $2, 'report', 'open', false, clock.now(), 1)"""
FLAG = """
    INSERT INTO safety.safety_flags (
        id, user_id, pattern, flag_status, score, evidence, case_id, raised_at, version)
    VALUES ($1, $2, $3, 'open', 1, '{}', $4, clock.now(), 1)"""
TAKE = "UPDATE safety.cases SET case_status = 'assigned', moderator_id = $2, assigned_at = clock.now() WHERE id = $1"
DECIDE = "UPDATE safety.cases SET case_status = 'decided', decision = 'dismiss', decided_at = clock.now() WHERE id = $1"
REPORT = """
    INSERT INTO safety.reports (
        id, reporter_id, reported_id, target_kind, target_id, category, note, case_id, reported_at)
    VALUES ($1, $2, $3, 'card', $1, $4, $5, $6, clock.now())"""


@pytest.fixture
async def role(world: World) -> AsyncIterator[Role]:
    """The service's own role, in a transaction that is rolled back."""
    async with undone(world, "safety") as connection:
        yield connection


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Role]:
    """The role that migrates, which has rights that the service has not, in a transaction that is rolled back."""
    async with undone(world, "safety_owner") as connection:
        yield connection


async def a_case(role: Role) -> tuple[UUID, UUID]:
    """An open case, and its member."""
    case, user = uuid7(), uuid7()
    await role.execute("INSERT INTO safety.restrictions (user_id) VALUES ($1)", user)
    await role.execute(CASE, case, user)
    return case, user


@pytest.mark.rule("SA-02", "XX-05")
async def test_a_block_is_between_two_members_once_per_target_and_is_lifted_once(role: Role) -> None:
    a, b, block, target = (uuid7() for _ in range(4))
    assert await refused(role, PAIR, a, a) == "ck_blocked_pairs_two_members"
    assert await refused(role, BLOCK, block, a, b, "card", target) == "fk_blocks_blocker_id_blocked_id"
    await role.execute(PAIR, a, b)
    assert await refused(role, BLOCK, block, a, b, "name", target) == "ck_blocks_target_kind"
    await role.execute(BLOCK, block, a, b, "card", target)
    assert await refused(role, BLOCK, uuid7(), a, b, "card", target) == "uq_blocks_one_in_force"
    for change in ("blocked_id = blocker_id", "target_id = id", "blocked_at = clock.now() - interval '1 day'"):
        changed = f"UPDATE safety.blocks SET {change}, deleted_at = clock.now() WHERE id = $1"
        assert await refused(role, changed, block) == "block_lifted_once"
    await role.execute("UPDATE safety.blocks SET deleted_at = clock.now() WHERE id = $1", block)
    assert await refused(role, "UPDATE safety.blocks SET deleted_at = NULL WHERE id = $1", block) == "block_lifted_once"
    await role.execute(BLOCK, uuid7(), a, b, "card", target)


@pytest.mark.rule("SA-05")
async def test_a_member_has_one_undecided_case_whose_status_only_moves_forward(role: Role) -> None:
    case, user = await a_case(role)
    assert await refused(role, CASE, uuid7(), user) == "uq_cases_one_undecided"
    assert await refused(role, CASE, uuid7(), uuid7()) == "fk_cases_user_id"
    assert await refused(role, TAKE, case, user) == "ck_cases_moderator"
    assert await refused(role, DECIDE, case) == "case_forward"
    assert await refused(role, "UPDATE safety.cases SET moderator_id = $2 WHERE id = $1", case, uuid7()) == (
        "ck_cases_assigned"
    )
    await role.execute(TAKE, case, uuid7())
    back = "UPDATE safety.cases SET case_status = 'open', moderator_id = NULL, assigned_at = NULL WHERE id = $1"
    assert await refused(role, back, case) == "case_forward"
    appealed = back.replace("'open',", "'open', appealed = true,")
    await role.execute(appealed, case)
    await role.execute(TAKE, case, uuid7())
    for again in (back, appealed, "UPDATE safety.cases SET appealed = false WHERE id = $1"):
        assert await refused(role, again, case) == "case_forward"
    assert await refused(role, "UPDATE safety.cases SET user_id = $2 WHERE id = $1", case, uuid7()) == "case_forward"
    assert await refused(role, "UPDATE safety.cases SET decision = 'suspend' WHERE id = $1", case) == "ck_cases_decided"
    await role.execute(DECIDE, case)
    assert await refused(role, "UPDATE safety.cases SET decision = 'suspend' WHERE id = $1", case) == "case_forward"
    await role.execute(CASE, uuid7(), user)


@pytest.mark.rule("SA-04")
async def test_a_pattern_has_one_open_flag_that_keeps_its_evidence_and_closes_once(role: Role) -> None:
    case, user = await a_case(role)
    flag = uuid7()
    assert await refused(role, FLAG, flag, user, "bad_mood", case) == "fk_safety_flags_pattern"
    await role.execute(FLAG, flag, user, "many_blocks", case)
    assert await refused(role, FLAG, uuid7(), user, "many_blocks", case) == "uq_safety_flags_one_open"
    await role.execute(FLAG, uuid7(), user, "many_reports", case)
    for change in ("score = 0", "evidence = '[]'", "user_id = id"):
        assert await refused(role, f"UPDATE safety.safety_flags SET {change} WHERE id = $1", flag) == "flag_closed_once"
    half = "UPDATE safety.safety_flags SET flag_status = 'closed' WHERE id = $1"
    assert await refused(role, half, flag) == "ck_safety_flags_closed"
    await role.execute(
        "UPDATE safety.safety_flags SET flag_status = 'closed', closed_at = clock.now() WHERE id = $1", flag
    )
    again = "UPDATE safety.safety_flags SET flag_status = 'open', closed_at = NULL WHERE id = $1"
    assert await refused(role, again, flag) == "flag_closed_once"
    await role.execute(FLAG, uuid7(), user, "many_blocks", case)


@pytest.mark.rule("SA-07", "SA-06")
async def test_reports_and_appeals_never_change_not_even_by_their_owner(owner: Role) -> None:
    case, user = await a_case(owner)
    report, me = uuid7(), uuid7()
    assert await refused(owner, REPORT, report, user, user, "scam", "", case) == "ck_reports_two_members"
    assert await refused(owner, REPORT, report, me, user, "dislike", "", case) == "ck_reports_category"
    assert await refused(owner, REPORT, report, me, user, "scam", "x" * 8001, case) == "ck_reports_note"
    assert await refused(owner, REPORT, report, me, user, "scam", "", uuid7()) == "fk_reports_case_id"
    await owner.execute(REPORT, report, me, user, "scam", "asked for money", case)
    for change in ("note = ''", "category = 'other'", "reporter_id = id"):
        changed = f"UPDATE safety.reports SET {change} WHERE id = $1"
        assert await refused(owner, changed, report) == "statement_unchanged"
    appeal = (
        "INSERT INTO safety.appeals (id, user_id, case_id, text, submitted_at) VALUES ($1, $2, $3, $4, clock.now())"
    )
    assert await refused(owner, appeal, uuid7(), user, case, "") == "ck_appeals_text"
    await owner.execute(appeal, report, user, case, "no")
    assert await refused(owner, "UPDATE safety.appeals SET text = 'yes' WHERE id = $1", report) == "statement_unchanged"


@pytest.mark.rule("SA-04")
async def test_all_patterns_have_rules_from_the_start(role: Role, owner: Role) -> None:
    rows = await role.fetch("SELECT pattern, enabled FROM safety.flag_rules")
    assert {row["pattern"] for row in rows if row["enabled"]} == {
        *("interest_flood", "bad_faith_endings", "many_blocks", "many_reports", "shared_device", "payment_abuse"),
        *("outlier", "chargebacks", "under_age_date", "suspended_before"),
    }
    nothing = "UPDATE safety.flag_rules SET threshold = 0 WHERE pattern = 'many_blocks'"
    assert await refused(owner, nothing) == "ck_flag_rules_threshold"
