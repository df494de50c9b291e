"""The statements of jobs find their rows by an index, however many rows there are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from unora_common.ids import uuid7
from unora_identity.store import (
    age_bands,
    challenges,
    code_budgets,
    devices,
    photo_sizing,
    photo_uploads,
    revocations,
    sessions,
    wrong_codes,
)
from unora_testing.world import World

THEN = datetime(2026, 1, 10, tzinfo=UTC)
SPENT = (b"d", b"a", 49, THEN, 10, 30, 300, 1000)
MANY = """
    WITH u AS (
        INSERT INTO identity.users (id, phone_hash, phone_sealed, data_key, created_at, version)
        SELECT gen_random_uuid(), sha256(n::text::bytea), '', '', clock.now(), 1 FROM generate_series(1, 3000) AS n
        RETURNING id),
    p AS (
        INSERT INTO identity.profiles (user_id, age_band_changes_at)
        SELECT id, clock.now() + random() * interval '5 years' FROM u),
    f AS (
        INSERT INTO identity.photos (id, user_id, position, object_key, has_face, quality_passed, sharpness, brightness,
            width, height, created_at)
        SELECT gen_random_uuid(), id, 1, id::text, true, true, 20, 100, 600, 750, clock.now() FROM u),
    s AS (
        INSERT INTO identity.sessions (id, user_id, started_at)
        SELECT gen_random_uuid(), id, clock.now() FROM u
        RETURNING id)
    INSERT INTO identity.refresh_tokens (hash, session_id, issued_at, expires_at)
    SELECT sha256(id::text::bytea), id, clock.now(), clock.now() + random() * interval '60 days' FROM s"""


@pytest.fixture
async def many_members(world: World) -> AsyncIterator[None]:
    """Enough members for the query plans to matter; removed afterwards."""
    transaction = world.superuser.transaction()
    await transaction.start()
    await world.superuser.execute(MANY)
    await world.superuser.execute(
        "ANALYZE identity.users, identity.profiles, identity.photos, identity.sessions, identity.refresh_tokens"
    )
    # Other tables are nearly empty here, so that reading them whole would be cheapest.
    await world.superuser.execute("SET LOCAL enable_seqscan = off")
    yield
    await transaction.rollback()


@pytest.mark.usefixtures("many_members")
@pytest.mark.parametrize(
    ("statement", "arguments", "condition"),
    [
        pytest.param(photo_uploads.MARK_ORPHANS, (THEN, 20), "(expires_at <", id="orphans"),
        pytest.param(photo_sizing.NEXT, (uuid7(), uuid7()), "((id >", id="photos without sizes"),
        pytest.param(age_bands.LOCK_DUE, (20, [], None), "(age_band_changes_at <=", id="birthdays"),
        pytest.param(challenges.PURGE, (THEN, 20), "(created_at <", id="challenges"),
        pytest.param(sessions.PURGE, (THEN, 20), "(expires_at <", id="tokens"),
        pytest.param(sessions.ACTIVE, (uuid7(), THEN, None, None, 50), "(user_id =", id="sessions of a member"),
        pytest.param(revocations.PAGE, (timedelta(minutes=20), uuid7(), 50), "(session_id >", id="revocations"),
        pytest.param(revocations.PURGE, (THEN, 20), "(revoked_at <", id="old revocations"),
        pytest.param(sessions.PURGE_EMPTY, ([uuid7()], THEN, ["reuse"]), "(session_id = s.id)", id="sessions"),
        pytest.param(wrong_codes.PURGE, (THEN, 20), "(created_at <", id="old wrong codes"),
        pytest.param(wrong_codes.COUNT, (b"n", None, THEN), "((phone_hash =", id="wrong codes of a number"),
        pytest.param(devices.PURGE, (THEN, 20), "(seen_at <", id="old devices"),
        pytest.param(devices.IS_KNOWN, ([b"n"], b"d"), "(phone_hash = ANY", id="known devices"),
        pytest.param(code_budgets.COUNT, SPENT, "((device_digest =", id="codes of a device"),
        pytest.param(code_budgets.COUNT, SPENT, "((address_digest =", id="codes of an address"),
        pytest.param(code_budgets.COUNT, SPENT, "((calling_code =", id="codes of a country"),
        pytest.param(code_budgets.COUNT, SPENT, "((issued_at >", id="codes in all"),
    ],
)
async def test_an_index_serves_the_condition(
    world: World, statement: str, arguments: tuple[object, ...], condition: str
) -> None:
    plan = [row[0] for row in await world.superuser.fetch(f"EXPLAIN {statement}", *arguments)]
    assert any(f"Index Cond: {condition}" in line for line in plan), "\n".join(plan)
