"""The audit log is searched and verified by index, page by page (SA-01)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from string import ascii_lowercase
from typing import Any

import asyncpg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from unora.billing.v1.billing_service_pb2 import PAYMENT_FAILURE_EXPIRED, PAYMENT_PURPOSE_NUDGE
from unora.billing.v1.events_pb2 import CreditsChanged, PaymentFailed, PaymentSucceeded, SubscriptionChanged
from unora_common.ids import uuid7
from unora_safety.store.audit import AFTER
from unora_safety.store.audit_index import MAX_NUMBER, SEARCH
from unora_testing.world import Caller, World

from tests.integration.safety.chains import SOURCE, append, envelopes, erase, tampering
from tests.integration.safety.moderators import Moderators
from tests.integration.safety.safety_calls import SafetyCalls
from tests.replicas import replica
from tests.roles import refused, role_of
from tests.support import connect, disconnect, refusal, request_id

pytestmark = pytest.mark.rule("SA-01")
ROWS = 100_000


async def test_a_member_is_found_in_every_role(world: World, safety: SafetyCalls, moderators: Moderators) -> None:
    pair = await connect(world)
    await disconnect(world, pair, pair.b)
    stranger = world.caller()
    await safety.block(pair.a, await safety.card(pair.a, pair.b))
    await safety.report(pair.b, await safety.card(pair.b, pair.a))
    await world.drain()
    for member in (pair.a, pair.b):
        names = {entry.event_name for entry in await moderators.find_entries(member_id=member.id)}
        assert {"ConnectionFormed", "ConnectionEnded", "StreakStarted", "StreakTerminated", "MemberBlocked"} <= names
        assert {"MemberReported"} <= names
    assert await moderators.find_entries(member_id=stranger.id) == []
    assert await moderators.find_entries(member_id=pair.a.id.upper()) == await moderators.find_entries(
        member_id=pair.a.id
    )
    (one,) = await moderators.find_entries(member_id=pair.a.id, source_context="safety", event_name="MemberBlocked")
    assert json.loads(one.event_json)["blocked_id"] == pair.b.id
    assert [one] == await moderators.find_entries(
        member_id=pair.b.id, event_name="MemberBlocked", aggregate_id=one.aggregate_id
    )
    assert await moderators.find_entries(member_id=pair.b.id, source_context="reveal", event_name="MemberBlocked") == []
    (row,) = await world.superuser.fetch("SELECT * FROM safety.audit_logs WHERE event_id = $1", one.event_id)
    assert (one.number, one.hash, one.source_context) == (row["number"], row["hash"], row["source_context"])
    assert one.recorded_at.ToDatetime(UTC) == row["recorded_at"]


async def test_every_payment_and_subscription_change_is_found(world: World, moderators: Moderators) -> None:
    member, payment, now = world.caller(), request_id(), Timestamp()
    now.FromDatetime(await world.now())
    ids: dict[str, Any] = {"payment_id": payment, "payer_id": member.id, "purpose": PAYMENT_PURPOSE_NUDGE}
    other = ids | {"payment_id": request_id()}
    await world.publish(
        PaymentSucceeded(version=2, amount=99, occurred_at=now, **ids),
        PaymentFailed(version=2, failure=PAYMENT_FAILURE_EXPIRED, occurred_at=now, **other),
        SubscriptionChanged(user_id=member.id, version=1, subscription_id=request_id(), occurred_at=now),
        CreditsChanged(user_id=member.id, version=2, entry_id=request_id(), amount=5, balance=5, occurred_at=now),
    )
    found = await moderators.find_entries(member_id=member.id, source_context="billing")
    names = {"PaymentSucceeded", "PaymentFailed", "SubscriptionChanged", "CreditsChanged"}
    assert {entry.event_name for entry in found} >= names
    (paid,) = await moderators.find_entries(aggregate_id=payment, event_name="PaymentSucceeded")
    assert json.loads(paid.event_json)["amount"] == "99"


async def test_pages_and_times_omit_nothing_and_repeat_nothing(world: World, moderators: Moderators) -> None:
    before = await world.now()
    pairs = [await connect(world) for _ in range(7)]
    after = await world.now() + timedelta(microseconds=1)
    since, until = Timestamp(), Timestamp()
    since.FromDatetime(before)
    until.FromDatetime(after)
    whole = await moderators.find_entries(recorded_from=since, recorded_until=until)
    assert {pair.connection_id for pair in pairs} <= {entry.aggregate_id for entry in whole}
    assert await moderators.find_entries(3, recorded_from=since, recorded_until=until) == whole
    places = [(entry.recorded_at.ToDatetime(), entry.source_context, entry.number) for entry in whole]
    assert places == sorted(set(places), reverse=True)
    assert await moderators.find_entries(recorded_from=until, source_context="matching", member_id=pairs[0].a.id) == []
    first = await moderators.search(3, source_context="matching")
    strange = await refusal(moderators.search(3, first.next_page_token, source_context="streak"))
    assert (strange.code, list(strange.violations)) == ("INVALID_ARGUMENT", ["page_token"])


@pytest.mark.rule("XX-03")
async def test_an_invalid_search_is_refused(world: World, moderators: Moderators) -> None:
    wrong: dict[str, Any] = {"member_id": "x", "aggregate_id": uuid7().hex, "event_name": "checked in"}
    for field, value in wrong.items():
        found = await refusal(moderators.search(token="", **{field: value}))
        assert (found.code, list(found.violations)) == ("INVALID_ARGUMENT", [field])
    late = Timestamp(seconds=2**40)
    assert list((await refusal(moderators.search(recorded_from=late))).violations) == ["recorded_from"]
    assert await moderators.find_entries(event_name="NothingSuch") == []
    moderators.admin = world.caller()
    assert (await refusal(moderators.search())).reason == "ADMIN_ONLY"


async def test_replicas_index_each_row_once_and_a_crash_loses_none(world: World, own_chain: None) -> None:
    first = world.apps["safety"]
    await append(first, envelopes(7))
    job = next(job for job in first.jobs if job.name == "index_audit")
    async with replica(world, "safety", audit_index_batch=2) as other:
        theirs = next(each for each in other.jobs if each.name == "index_audit")
        assert await theirs.step() == 2
        while await theirs.step() + await job.step():
            pass
    count = "SELECT count(*), count(DISTINCT number) FROM safety.audit_index WHERE term = $1"
    (found,) = await world.superuser.fetch(count, f"context {SOURCE}")
    assert tuple(found) == (7, 7)


async def test_rows_with_terms_that_the_database_refuses_hold_up_no_other(world: World, own_chain: None) -> None:
    """As a publisher may write them that was taken over: the audit log takes every event."""
    safety = world.apps["safety"]
    noise = "".join(Random(1).choices(ascii_lowercase, k=3500))
    one, *others = envelopes(4)
    paid = one._replace(subject="unora.billing.v1.credits_changed")
    await append(
        safety,
        [
            paid._replace(payload=CreditsChanged(user_id="a\0b").SerializeToString()),
            paid._replace(event_id=str(uuid7()), payload=CreditsChanged(user_id=noise).SerializeToString()),
            others[0]._replace(subject=f"unora.billing.v1.{noise}"),
            *others[1:],
        ],
    )
    job = next(job for job in safety.jobs if job.name == "index_audit")
    while await job.step():
        pass
    count = "SELECT count(DISTINCT number) FROM safety.audit_index WHERE term = $1"
    assert await world.superuser.fetchval(count, f"context {SOURCE}") == 5


async def test_the_index_is_append_only_too(world: World) -> None:
    await connect(world)
    async with role_of(world, "safety") as role, role_of(world, "safety_owner") as owner:
        for statement in ("UPDATE safety.audit_index SET number = 1", "DELETE FROM safety.audit_index"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await role.execute(statement)
            assert await refused(owner, statement) == "audit_append_only"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await role.execute("DELETE FROM safety.audit_index_heads")


async def test_a_verification_in_pages_finds_what_one_call_finds(
    world: World, moderators: Moderators, own_chain: None
) -> None:
    await append(world.apps["safety"], envelopes(10))
    whole = await moderators.verify(SOURCE)
    lengths, token = [], ""
    while True:
        page = await moderators.verify(SOURCE, 4, token)
        lengths.append(page.chains[0].verified_length)
        assert page.intact
        token = page.next_page_token
        if not token:
            break
    assert lengths == [4, 8, 10]
    assert page.chains[0] == whole.chains[0]
    assert (whole.next_page_token, whole.chains[0].verified_length) == ("", 10)
    exact = await moderators.verify(SOURCE, 10)
    assert (exact.next_page_token, exact.chains) == ("", whole.chains)
    page = await moderators.verify(SOURCE, 4)
    await append(world.apps["safety"], envelopes(3))
    async with tampering(world) as sql:
        await sql.execute("UPDATE safety.audit_logs SET payload = 'x' WHERE source_context = $1 AND number = 9", SOURCE)
    page = await moderators.verify(SOURCE, 4, page.next_page_token)
    assert (page.intact, page.chains[0].verified_length) == (True, 8)
    page = await moderators.verify(SOURCE, 4, page.next_page_token)
    assert (page.intact, page.chains[0].broken_at, page.next_page_token) == (False, 9, "")


async def test_a_verification_in_pages_reaches_the_end_of_every_chain(world: World, moderators: Moderators) -> None:
    await connect(world)
    whole = await moderators.verify()
    ends, token, looked = dict[str, int](), "", 0
    while True:
        page = await moderators.verify("", 7, token)
        assert page.intact
        looked += 1
        ends.update({chain.source_context: chain.verified_length for chain in page.chains})
        token = page.next_page_token
        if not token:
            break
    assert ends == {chain.source_context: chain.length for chain in whole.chains}
    assert looked >= sum(ends.values()) // 7
    elsewhere = (await moderators.verify("", 1)).next_page_token
    assert list((await refusal(moderators.verify("matching", 1, elsewhere))).violations) == ["page_token"]
    assert list((await refusal(moderators.verify("", 1, "!"))).violations) == ["page_token"]


@pytest.fixture
async def long_log(world: World, own_chain: None) -> Caller:
    """A chain of ROWS rows, in the index too; every tenth row names one member."""
    member, now = world.caller(), await world.now()
    await append(world.apps["safety"], envelopes(1))  # makes this month's partition
    await erase(world)
    async with tampering(world) as sql:
        await sql.execute(
            """INSERT INTO safety.audit_logs SELECT $1, i, gen_random_uuid(), 'unora.billing.v1.tier_changed',
                gen_random_uuid(), $2::timestamptz, $2::timestamptz + i * interval '1 microsecond', '',
                CASE i WHEN 1 THEN '' ELSE $3::bytea END, $3::bytea
            FROM generate_series(1, $4::int) i""",
            *(SOURCE, now, b"h" * 32, ROWS),
        )
        await sql.execute(
            """INSERT INTO safety.audit_index SELECT term, recorded_at, source_context, number
            FROM safety.audit_logs, unnest(ARRAY['context billing', 'event ' || subject]
                || CASE WHEN number % 10 = 0 THEN ARRAY['member ' || $2] END) term WHERE source_context = $1""",
            *(SOURCE, member.id),
        )
        await sql.execute("ANALYZE safety.audit_logs, safety.audit_index")
    return member


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes of a plan that read a table."""
    own = [plan] if "Relation Name" in plan else []
    return own + [each for child in plan.get("Plans", []) for each in scans(child)]


def read(node: dict[str, Any]) -> int:
    """How many blocks a node read."""
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


A_FEW = 20
"""The most blocks of a table that is read whole: a month with a few rows of other tests. The long log has thousands."""


async def test_a_hundred_thousand_rows_are_searched_and_verified_by_index(world: World, long_log: Caller) -> None:
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
    ever, never = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    member, context = f"member {long_log.id}", f"context {SOURCE}"
    middle = await world.superuser.fetchval(
        "SELECT recorded_at FROM safety.audit_logs WHERE source_context = $1 AND number = $2", SOURCE, ROWS // 2
    )
    searches = [([member], []), ([context], []), ([member], [context]), ([context], [member])]
    plans = [
        (SEARCH, leads, others, ever, never, *place, 51)
        for leads, others in searches
        for place in ((never, "", MAX_NUMBER), (middle, SOURCE, ROWS // 2))
    ]
    for sql, *arguments in [*plans, (AFTER, SOURCE, ROWS, 1000, ROWS // 2, middle)]:
        (found,) = json.loads(await world.superuser.fetchval(explain + sql, *arguments))
        plan = found["Plan"]
        whole = [node for node in scans(plan) if node["Node Type"] == "Seq Scan" and read(node) > A_FEW]
        assert not whole, arguments
        assert plan["Actual Rows"] > 0
        assert read(plan) < 2500, arguments


async def test_an_event_of_a_later_version_is_found_by_its_aggregate(world: World, moderators: Moderators) -> None:
    unknown, aggregate = envelopes(1), str(uuid7())
    unknown = [unknown[0]._replace(aggregate_id=aggregate, payload=b"\xff")]
    await append(world.apps["safety"], unknown)
    await world.drain()
    (entry,) = await moderators.find_entries(aggregate_id=aggregate)
    assert (entry.event_name, entry.event_json) == ("ThingPaid", "")
    assert [entry] == await moderators.find_entries(aggregate_id=aggregate, event_name="ThingPaid")
