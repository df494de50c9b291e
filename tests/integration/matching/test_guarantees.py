"""The guards of the schema: what the service's own role cannot do even by direct SQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from unora_common.ids import uuid7
from unora_testing.world import World

from tests.integration.matching.people import People
from tests.roles import Role, refused, role_of, undone

INTEREST = """
    INSERT INTO matching.interests (
        id, sender_id, receiver_id, server_type, card_id, interest_status, shown_as, sent_at, closed_at, connection_id,
        version)
    VALUES ($1, $2, $3, $4, $1, $5, $6, clock.now(), CASE WHEN $5 <> 'pending' THEN clock.now() END, $7, 1)"""

CONNECTION = """
    INSERT INTO matching.connections (id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
    VALUES ($1, $2, $3, $4, 'active', clock.now(), 1)"""

LOW, HIGH = sorted((uuid7(), uuid7()))


@pytest.fixture
async def role(world: World) -> AsyncIterator[Role]:
    """The service's own role, in a transaction that is rolled back."""
    async with undone(world, "matching") as connection:
        yield connection


async def interest(role: Role, status: str = "pending") -> object:
    """An interest that reached its state by allowed transitions."""
    identifier, connection = uuid7(), uuid7()
    await role.execute(INTEREST, identifier, uuid7(), uuid7(), "partner", "pending", "pending", None)
    if status == "matched":
        await role.execute(CONNECTION, connection, *sorted((uuid7(), uuid7())), "partner")
        await role.execute(MATCH, identifier, connection)
    elif status != "pending":
        await role.execute(CLOSE, identifier, status, "pending" if status == "void" else status)
    return identifier


MATCH = """UPDATE matching.interests SET interest_status = 'matched', shown_as = 'matched', closed_at = clock.now(),
    connection_id = $2 WHERE id = $1"""
CLOSE = "UPDATE matching.interests SET interest_status = $2, shown_as = $3, closed_at = clock.now() WHERE id = $1"
REOPEN = """UPDATE matching.interests
    SET interest_status = 'pending', shown_as = 'pending', closed_at = NULL, connection_id = NULL WHERE id = $1"""


async def connection(role: Role) -> object:
    identifier = uuid7()
    await role.execute(CONNECTION, identifier, *sorted((uuid7(), uuid7())), "partner")
    return identifier


ENDED = """UPDATE matching.connections SET connection_status = 'ended', ended_at = clock.now(), ended_by_id = user_a_id,
    end_reason = 'other' WHERE id = $1"""


@pytest.mark.rule("MA-06")
@pytest.mark.parametrize(("count", "limit"), [(2, 1), (-1, 1), (5, 4)])
async def test_slots_taken_never_exceed_the_limit(role: Role, count: int, limit: int) -> None:
    user = uuid7()
    sql = "INSERT INTO matching.inventory VALUES ($1, 'free', $2, $3, 0, $3)"
    limits = {"ck_inventory_within_limit", "ck_inventory_effective_limit"}
    assert await refused(role, sql, user, count, limit) in limits
    await role.execute(sql, user, 0, limit)
    change = "UPDATE matching.inventory SET active_connection_count = $2 WHERE user_id = $1"
    assert await refused(role, change, user, count) in limits
    assert (
        await refused(role, "UPDATE matching.inventory SET tier = 'gold' WHERE user_id = $1", user)
        == "ck_inventory_tier"
    )


@pytest.mark.rule("MA-07")
@pytest.mark.parametrize(("count", "tier_limit", "limit"), [(3, 1, 4), (0, 1, 2), (2, 4, 2), (1, 0, 0)])
async def test_the_limit_is_that_of_the_tier_or_the_number_of_connections(
    role: Role, count: int, tier_limit: int, limit: int
) -> None:
    sql = "INSERT INTO matching.inventory VALUES ($1, 'free', $2, $3, 0, $4)"
    user = uuid7()
    assert await refused(role, sql, user, count, limit, tier_limit) == "ck_inventory_effective_limit"
    held = max(count, tier_limit)
    await role.execute(sql, user, count, held, held)
    await role.execute("UPDATE matching.inventory SET tier_limit = $2 WHERE user_id = $1", user, tier_limit)
    for change in ("tier_limit = 9", "connection_limit = connection_limit + 1"):
        sql = f"UPDATE matching.inventory SET {change} WHERE user_id = $1"
        assert await refused(role, sql, user) == "ck_inventory_effective_limit"


@pytest.mark.rule("MA-06", "MA-07")
async def test_no_connection_is_formed_above_the_tiers_limit_even_if_the_limit_grows_with_it(role: Role) -> None:
    user = uuid7()
    await role.execute("INSERT INTO matching.inventory VALUES ($1, 'free', 1, 1, 0, 1)", user)
    more = "UPDATE matching.inventory SET active_connection_count = 2, connection_limit = 2 WHERE user_id = $1"
    assert await refused(role, more, user) == "inventory_slots"


@pytest.mark.rule("MA-04")
@pytest.mark.parametrize("order", [("slot", "interest"), ("interest", "slot")], ids=" then ".join)
async def test_a_member_whose_last_slot_is_taken_cannot_commit_with_a_pending_interest(
    world: World, order: tuple[str, str]
) -> None:
    """Total Wipe: checked at the commit, in whichever order the two were written."""
    sender, slot = uuid7(), "UPDATE matching.inventory SET active_connection_count = 1 WHERE user_id = $1"
    async with role_of(world, "matching") as own:
        await own.execute("INSERT INTO matching.inventory VALUES ($1, 'free', 0, 1, 0, 1)", sender)
        transaction = own.transaction()
        await transaction.start()
        for step in order:
            if step == "slot":
                await own.execute(slot, sender)
            else:
                await own.execute(INTEREST, uuid7(), sender, uuid7(), "partner", "pending", "pending", None)
        with pytest.raises(asyncpg.CheckViolationError, match="no open slot"):
            await transaction.commit()


@pytest.mark.rule("MA-12")
async def test_a_direction_of_a_pair_is_blocked_once_and_no_member_blocks_themselves(role: Role) -> None:
    sql = "INSERT INTO matching.blocked_pairs VALUES ($1, $2, gen_random_uuid(), 1, true, clock.now())"
    assert await refused(role, sql, LOW, LOW) == "ck_blocked_pairs_not_oneself"
    await role.execute(sql, LOW, HIGH)
    await role.execute(sql, HIGH, LOW)
    assert await refused(role, sql, LOW, HIGH) == "pk_blocked_pairs"


@pytest.mark.rule("MA-08")
async def test_a_pair_is_ordered_and_connected_once_over_all_servers(role: Role) -> None:
    assert await refused(role, CONNECTION, uuid7(), HIGH, LOW, "partner") == "ck_connections_pair_ordered"
    assert await refused(role, CONNECTION, uuid7(), LOW, LOW, "partner") == "ck_connections_pair_ordered"
    assert await refused(role, CONNECTION, uuid7(), LOW, HIGH, "work") == "ck_connections_server_type"
    first = uuid7()
    await role.execute(CONNECTION, first, LOW, HIGH, "partner")
    assert await refused(role, CONNECTION, uuid7(), LOW, HIGH, "friend") == "uq_connections_one_active_per_pair"
    await role.execute(ENDED, first)
    await role.execute(CONNECTION, uuid7(), LOW, HIGH, "friend")
    for reason in ("block", "suspension"):
        await role.execute(ENDED.replace("'other'", f"'{reason}'"), await connection(role))


@pytest.mark.rule("MA-08", "MA-09")
async def test_a_connection_can_only_end_and_then_never_changes(role: Role) -> None:
    found = await connection(role)
    for change in (
        "server_type = 'growth'",
        "formed_at = clock.now()",
        "user_b_id = user_b_id::text::uuid, user_a_id = $2",
    ):
        arguments = (found, uuid7()) if "$2" in change else (found,)
        sql = f"UPDATE matching.connections SET {change} WHERE id = $1"
        assert await refused(role, sql, *arguments) in {"connection_fixed", "ck_connections_pair_ordered"}
    half = "UPDATE matching.connections SET connection_status = 'ended' WHERE id = $1"
    assert await refused(role, half, found) == "ck_connections_ended"
    reason = "UPDATE matching.connections SET end_reason = 'other' WHERE id = $1"
    assert await refused(role, reason, found) == "ck_connections_ended"
    by = ENDED.replace("ended_by_id = user_a_id", "ended_by_id = gen_random_uuid()")
    assert await refused(role, by, found) == "ck_connections_ended_by_one_of_the_pair"
    reason = ENDED.replace("'other'", "'boredom'")
    assert await refused(role, reason, found) == "ck_connections_end_reason"
    await role.execute(ENDED, found)
    for change in (
        "connection_status = 'active', ended_at = NULL, ended_by_id = NULL, end_reason = NULL",
        "end_reason = 'no_time'",
        "ended_by_id = user_b_id",
        "ended_at = clock.now()",
    ):
        sql = f"UPDATE matching.connections SET {change} WHERE id = $1"
        assert await refused(role, sql, found) == "connection_transition"
    born = CONNECTION.replace("'active'", "'ended'")
    assert await refused(role, born, uuid7(), LOW, HIGH, "partner") == "connection_transition"


@pytest.mark.rule("ST-11")
async def test_chat_is_unlocked_once_and_only_while_active(role: Role) -> None:
    found = await connection(role)
    chat = "UPDATE matching.connections SET chat_unlocked_at = clock.now() WHERE id = $1"
    await role.execute(chat, found)
    assert await refused(role, chat, found) == "connection_chat"
    other = await connection(role)
    await role.execute(ENDED, other)
    assert await refused(role, chat, other) == "connection_chat"


@pytest.mark.rule("MA-01")
async def test_one_interest_pends_per_sender_receiver_and_server(role: Role) -> None:
    def send(server: str = "partner", status: str = "pending", shown: str = "pending") -> tuple[object, ...]:
        return uuid7(), LOW, HIGH, server, status, shown, None

    await role.execute(INTEREST, *send())
    await role.execute(INTEREST, *send("friend"))
    await role.execute(INTEREST, uuid7(), HIGH, LOW, "partner", "pending", "pending", None)
    assert await refused(role, INTEREST, *send()) == "uq_interests_one_pending"
    assert await refused(role, INTEREST, *send(status="void")) == "uq_interests_one_pending"
    assert await refused(role, INTEREST, *send("work")) == "ck_interests_server_type"
    oneself = (uuid7(), LOW, LOW, "growth", "pending", "pending", None)
    assert await refused(role, INTEREST, *oneself) == "ck_interests_not_to_oneself"


@pytest.mark.rule("MA-05")
@pytest.mark.parametrize("status", ["matched", "wiped", "void", "withdrawn", "expired"])
async def test_a_closed_interest_changes_no_more(role: Role, status: str) -> None:
    found = await interest(role, status)
    assert await refused(role, REOPEN, found) == "interest_transition"
    if status != "matched":
        assert await refused(role, MATCH, found, await connection(role)) == "interest_transition"
    for other in {"wiped", "void", "withdrawn", "expired"} - {status}:
        sql = CLOSE.replace("closed_at", "connection_id = NULL, closed_at")
        assert await refused(role, sql, found, other, "pending" if other == "void" else other) == "interest_transition"


@pytest.mark.rule("MA-01", "MA-05")
async def test_an_interest_begins_pending_or_void_and_what_was_sent_never_changes(role: Role) -> None:
    for status in ("wiped", "matched", "withdrawn", "expired"):
        begun = (uuid7(), uuid7(), uuid7(), "partner", status, status, await connection(role))
        assert await refused(role, INTEREST, *begun) == "interest_transition"
    found = await interest(role)
    for column in ("sender_id", "receiver_id", "card_id"):
        sql = f"UPDATE matching.interests SET {column} = gen_random_uuid() WHERE id = $1"
        assert await refused(role, sql, found) == "interest_fixed"
    sql = "UPDATE matching.interests SET server_type = 'growth' WHERE id = $1"
    assert await refused(role, sql, found) == "interest_fixed"


@pytest.mark.rule("MA-05", "MA-11")
async def test_the_shown_status_agrees_with_the_status(role: Role) -> None:
    found = await interest(role)
    for status, shown in (("wiped", "pending"), ("void", "void"), ("void", "matched"), ("gone", "gone")):
        constraint = await refused(role, CLOSE, found, status, shown)
        assert constraint in {"ck_interests_shown_as", "ck_interests_interest_status"}
    shown = "UPDATE matching.interests SET shown_as = $2 WHERE id = $1"
    assert await refused(role, shown, found, "wiped") == "ck_interests_shown_as"
    assert await refused(role, CLOSE, found, "matched", "matched") == "ck_interests_matched"
    open_ = "UPDATE matching.interests SET closed_at = clock.now() WHERE id = $1"
    assert await refused(role, open_, found) == "ck_interests_closed"
    for last in ("wiped", "withdrawn", "expired"):
        void = await interest(role, "void")
        await role.execute(shown, void, last)
        assert await refused(role, shown, void, "pending") == "interest_transition"


@pytest.mark.rule("MA-04")
async def test_the_log_of_wipes_is_never_changed_not_even_by_its_owner(world: World, role: Role) -> None:
    found, user = await connection(role), uuid7()
    log = "INSERT INTO matching.interest_wipes VALUES ($1, $2, $3, $4, clock.now())"
    assert await refused(role, log, uuid7(), user, found, -1) == "ck_interest_wipes_wiped_count"
    await role.execute(log, uuid7(), user, found, 3)
    for _ in range(2):
        await role.execute(log, uuid7(), user, None, 0)  # a tier may fall many times
    assert await refused(role, log, uuid7(), user, found, 3) == "uq_interest_wipes_connection_id_user_id"
    for change in ("UPDATE matching.interest_wipes SET wiped_count = 0", "DELETE FROM matching.interest_wipes"):
        async with undone(world, "matching_owner") as owner:
            assert await refused(owner, change) == "interest_wipe_immutable"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with role.transaction():
                await role.execute(change)


@pytest.mark.rule("XX-05")
async def test_the_names_of_the_seed_stay(people: People) -> None:
    columns = {
        (row["table_name"], row["column_name"])
        for row in await people.rows(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'matching'"
        )
    }
    for name in ("user_a_id", "user_b_id", "server_type", "connection_status", "deleted_at"):
        assert ("connections", name) in columns
    for table in ("interests", "interest_wipes"):
        assert (table, "deleted_at") in columns
    assert ("inventory", "active_connection_count") in columns


async def test_the_service_sees_no_other_schema(role: Role) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with role.transaction():
            await role.execute("SELECT * FROM discovery.discovery_cards")
