"""A member who closed the account leaves nothing personal anywhere, and what stays maps to nobody (ID-09)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from prometheus_client import generate_latest
from unora.identity.v1.account_service_pb2 import CloseAccountRequest
from unora.identity.v1.events_pb2 import AccountErased, AccountErasureRequested
from unora.safety.v1.events_pb2 import DECISION_DISMISS
from unora.safety.v1.safety_service_pb2 import Target
from unora_common.config import CONTEXTS
from unora_common.erase_function import declared
from unora_common.erased import How
from unora_common.migrations import tables_of
from unora_testing import invariants
from unora_testing.testbed import Testbed
from unora_testing.world import World

from tests.integration.protection.canaries import Canaries, add_marked_member, write_to_safety
from tests.integration.protection.canary_places import read_server_logs, read_streams, search_tables
from tests.integration.protection.scenario import CROWD, Member, Scenario
from tests.integration.protection.test_canary import LoudWorld
from tests.roles import without_triggers
from tests.support import request_id

pytestmark = pytest.mark.rule("ID-09")
KEPT_FOR = timedelta(days=30)
FLEETING = {
    "kept_answers": "kept_at",
    "phone_challenges": "created_at",
    "wrong_codes": "created_at",
}
"""What jobs delete within a day or two by the machine's clock, and the column by which they do."""


@pytest.fixture
async def logs() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
async def loud(testbed: Testbed, logs: io.StringIO) -> AsyncIterator[LoudWorld]:
    """A world of its own, with logs that the test can read."""
    world = LoudWorld(testbed, "erasure")
    with contextlib.redirect_stdout(logs):
        await world.start()
    yield world
    await world.stop()
    admin = await asyncpg.connect(testbed.dsn("postgres"))
    await admin.execute(f'DROP DATABASE "{world.database}" WITH (FORCE)')
    await admin.close()


@pytest.mark.rule("ID-09", "ST-22")
async def test_nothing_that_a_member_wrote_or_was_is_found_after_the_erasure(
    loud: LoudWorld, logs: io.StringIO, testbed: Testbed
) -> None:
    scenario, canaries = Scenario(loud), Canaries()
    scenario.crowd = [await scenario.add_member() for _ in range(CROWD)]
    member = await add_marked_member(scenario, canaries)
    partner = await scenario.add_member()
    streak_id = await _live(scenario, canaries, member, partner)
    await _plant_what_the_services_made(loud, canaries, member)

    before = await search_tables(loud, canaries)
    assert {what for what, tables in before.items() if tables} >= {
        *("name", "bio", "occupation", "micro_description", "gov_id_token", "report_note", "appeal_text"),
        *("decision_note", "note_about_the_member", "customer", "payment_method", "phone_sealed", "data_key"),
        *("object_key", "session", "oidc_digest", "framed_text"),
    }, "the control: without what is to be found, its absence proves nothing"
    assert await _objects(loud, member)
    partners_answers = await _stable_answers(scenario, partner, streak_id)

    await _leave(scenario, member)
    of_the_past = await _answers_of_the_past(scenario, partner, streak_id)
    await _thirty_days(loud)

    assert [event.erasure_id for event in await loud.events(AccountErased, member.id)] == [
        event.erasure_id for event in await loud.events(AccountErasureRequested, member.id)
    ]
    assert await loud.superuser.fetchval("SELECT count(*) FROM identity.erasures WHERE erased_at IS NOT NULL") == 1
    found = {what: tables for what, tables in (await search_tables(loud, canaries)).items() if tables}
    assert found == {}, "a canary is left"
    assert canaries.found_in(await read_streams(loud)) == set()
    assert canaries.found_in(logs.getvalue().encode()) == set()
    assert canaries.found_in(b"".join(generate_latest(app.metrics.registry) for app in loud.apps.values())) == set()
    assert {name for name, log in read_server_logs(testbed).items() if canaries.found_in(log)} == set()
    assert await _objects(loud, member) == []
    assert await _rows_of(loud, member) == {}
    assert await _stable_answers(scenario, partner, streak_id) == partners_answers
    assert await _answers_of_the_past(scenario, partner, streak_id) == of_the_past, "the erasure shows"

    broken = {each.name for each in await invariants.broken(loud.superuser)}
    assert broken <= {"decided-by-moderators"}, "moderators of this scenario have a token only"
    again = await scenario.sign_in(phone=member.phone)
    assert again.id != member.id, "the number is free for a new account"


async def _live(scenario: Scenario, canaries: Canaries, member: Member, partner: Member) -> str:
    """A plan, a connection of five days with opened reveals, and all that safety hears of; returns the streak's id."""
    await scenario.cards(partner)
    for each in scenario.crowd:
        await scenario.cards(each)
    await scenario.subscribe(member, "PLUS")
    connection = await scenario.connect(partner, member)
    streak_id = await scenario.play(connection, partner, member, 5)
    await scenario.open(partner, streak_id, 1)
    await scenario.open(member, streak_id, 1)
    await write_to_safety(scenario, canaries, member, partner, connection.connection_id)
    note = canaries.plant("note_about_the_member")
    await scenario.safety.report(partner, Target(connection_id=connection.connection_id), note=note)
    await scenario.safety.appeal(member, canaries.plant("own_appeal"))
    case = await scenario.moderators.newest_case(member)
    await scenario.moderators.assign(case.case_id)
    await scenario.moderators.decide(case.case_id, DECISION_DISMISS, note=canaries.plant("decision_about_the_member"))
    await scenario.world.drain()
    return streak_id


async def _plant_what_the_services_made(world: World, canaries: Canaries, member: Member) -> None:
    """Tokens, digests and texts that are about the member, and that nobody typed."""
    del canaries.planted["appeal_text"], canaries.planted["decision_note"]  # the partner's
    canaries.planted["appeal_text"] = canaries.planted.pop("own_appeal")
    canaries.planted["decision_note"] = canaries.planted.pop("decision_about_the_member")
    for what, sql in {
        "customer": "SELECT provider_customer_id FROM billing.accounts WHERE user_id = $1",
        "payment_method": "SELECT provider_method_id FROM billing.subscriptions WHERE user_id = $1",
        "phone_sealed": "SELECT encode(phone_sealed, 'hex') FROM identity.users WHERE id = $1",
        "phone_hash": "SELECT encode(phone_hash, 'hex') FROM identity.users WHERE id = $1",
        "data_key": "SELECT encode(data_key, 'hex') FROM identity.users WHERE id = $1",
        "object_key": "SELECT object_key FROM identity.photos WHERE user_id = $1 LIMIT 1",
        "session": """SELECT encode(t.hash, 'hex') FROM identity.refresh_tokens t
            JOIN identity.sessions s ON s.id = t.session_id WHERE s.user_id = $1 LIMIT 1""",
        "oidc_digest": """SELECT opaque_token FROM identity.verification_signals
            WHERE user_id = $1 AND signal_type = 'oauth'""",
        "framed_text": """SELECT c.content_json ->> 'text' FROM reveal.reveal_contents c
            JOIN reveal.reveals r ON r.id = c.reveal_id
            WHERE r.partner_id = $1 AND c.content_json IS NOT NULL LIMIT 1""",
    }.items():
        canaries.planted[what] = await world.superuser.fetchval(sql, member.user)
        assert canaries.planted[what], what


async def _leave(scenario: Scenario, member: Member) -> None:
    """The member closes the account, which ends the connection."""
    asked = CloseAccountRequest(request_id=request_id())
    await scenario.arrivals.accounts.CloseAccount(asked, metadata=member.metadata)
    await scenario.world.drain()


async def _thirty_days(world: World) -> None:
    """Thirty days pass by the rule clock, and for what goes by the machine's clock."""
    for context in CONTEXTS:
        for table in {table.name for table in tables_of(context).sorted_tables} & set(FLEETING):
            async with without_triggers(world.superuser) as superuser:
                await superuser.execute(
                    f"UPDATE {context}.{table} SET {FLEETING[table]} = {FLEETING[table]} - interval '30 days'"
                )
    await world.move_clock(KEPT_FOR + timedelta(minutes=1))
    for app in world.apps.values():
        while await app.jobs[-1].step():  # housekeeping, which `drain` leaves out
            pass
    await world.drain()


async def _stable_answers(scenario: Scenario, partner: Member, streak_id: str) -> dict[str, Any]:
    """What the partner sees of the past, in so far as an end and thirty days do not change it."""
    history = await scenario.matches.connections(partner, show_ended=True)
    reads = scenario.reads(partner, streak_id)
    return {
        "connections": [each.connection_id for each in history],
        "payments": (await reads["payments"]()).SerializeToString(deterministic=True),
        "credits": (await reads["credits"]()).SerializeToString(deterministic=True),
        "check_ins": await scenario.world.superuser.fetchval(
            "SELECT count(*) FROM streak.check_ins WHERE streak_id = $1::text::uuid", streak_id
        ),
    }


async def _answers_of_the_past(scenario: Scenario, partner: Member, streak_id: str) -> dict[str, bytes]:
    """What the partner sees of the connection once it has ended, byte by byte: the same whatever follows (ST-22)."""
    names = ("connections", "history", "streak", "reveals", "dashboard", "partners", "blocks", "entries")
    answers = await scenario.read_all(partner, streak_id)
    assert answers["history"]
    assert answers["reveals"]
    return {name: answers[name] for name in names}


async def _objects(world: World, member: Member) -> list[str]:
    """The objects of a member, by listing the store."""
    store = world.apps["identity"].runtime.resources.photo_store
    found = []
    for prefix in (f"uploads/{member.id}/", f"photos/{member.id}/"):
        listed = store.client.list_objects_v2(Bucket=store.bucket, Prefix=prefix)
        found += [each["Key"] for each in listed.get("Contents", [])]
    return found


async def _rows_of(world: World, member: Member) -> dict[str, int]:
    """How many rows there still are to delete or to blank, by table."""
    left = {}
    for context in CONTEXTS:
        for table in tables_of(context).sorted_tables:
            for each in declared(table):
                if each.how in (How.DELETED, How.BLANKED):
                    condition = each.where.replace("member", f"'{member.id}'::uuid")
                    sql = f"SELECT count(*) FROM {table.fullname} WHERE {condition}"
                    if count := await world.superuser.fetchval(sql):
                        left[table.fullname] = count
    return left
