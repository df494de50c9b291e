"""What the billing schema itself refuses: direct SQL in the service's own role."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import asyncpg
import pytest
from unora_testing.world import World

from tests.integration.billing.conftest import Wallet

ENTRY = """
    INSERT INTO billing.credits (id, user_id, kind, amount, payment_id, created_at)
    SELECT gen_random_uuid(), payer_id, {kind}, {amount}, id, clock.now() FROM billing.payments WHERE id = $1"""


async def refused(role: asyncpg.Connection[asyncpg.Record], constraint: str, sql: str, *arguments: object) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        async with role.transaction():
            await role.execute(sql, *arguments)
    assert caught.value.constraint_name == constraint


@pytest.mark.rule("BI-02")
@pytest.mark.parametrize(
    "change",
    [
        "amount = 1",
        "method = 'credits'",
        "payer_id = (SELECT user_id FROM billing.accounts WHERE user_id <> payer_id LIMIT 1)",
        "purpose = 'nudge'",
        "streak_id = gen_random_uuid()",
        "request_id = gen_random_uuid()",
        "connection_id = gen_random_uuid()",
        "provider_payment_id = 'pi_other'",
        "created_at = clock.now()",
        "succeeded_at = succeeded_at + interval '1 hour'",
        "version = 1",
    ],
)
async def test_the_facts_of_a_payment_never_change(
    wallet: Wallet, wallets: Callable[[], Wallet], service_role: asyncpg.Connection[asyncpg.Record], change: str
) -> None:
    payment_id = await wallet.pay()
    await wallets().pay()
    await refused(
        service_role, "payment_facts", f"UPDATE billing.payments SET {change} WHERE id = $1", UUID(payment_id)
    )


@pytest.mark.rule("BI-02")
@pytest.mark.parametrize("back", ["created", "pending", "failed"])
async def test_a_payment_moves_only_forward(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record], back: str
) -> None:
    payment_id = UUID(await wallet.recover())
    sql = """
        UPDATE billing.payments SET status = $2, failure = CASE WHEN $2 = 'failed' THEN 'declined' END WHERE id = $1"""
    await refused(service_role, "payment_transition", sql, payment_id, back)


@pytest.mark.rule("BI-02", "BI-03")
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM billing.payments",
        "DELETE FROM billing.accounts",
        "UPDATE billing.credits SET amount = 1",
        "DELETE FROM billing.credits",
    ],
)
async def test_payments_accounts_and_entries_are_never_deleted_not_even_by_their_owner(
    wallet: Wallet,
    service_role: asyncpg.Connection[asyncpg.Record],
    owner_role: asyncpg.Connection[asyncpg.Record],
    sql: str,
) -> None:
    await refused(owner_role, "append_only", sql)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service_role.execute(sql)


@pytest.mark.rule("BI-03")
async def test_a_balance_is_the_sum_of_the_ledger_and_nothing_else(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    await wallet.earn_credits()
    for sql in ("balance = 5000", "balance = 0", "balance = -1"):
        update = f"UPDATE billing.accounts SET {sql} WHERE user_id = $1"
        await refused(service_role, "account_balance", update, wallet.member.user)
    add = "INSERT INTO billing.accounts VALUES (gen_random_uuid(), 'free', 100, false, 0, NULL, 0)"
    await refused(service_role, "account_balance", add)


@pytest.mark.rule("BI-03")
async def test_a_balance_is_never_negative(wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]) -> None:
    await wallet.create(wallet.order())
    made = """
        INSERT INTO billing.payments (id, payer_id, request_id, purpose, method, amount, currency, streak_id, status,
            created_at, version)
        VALUES ($1, $2, $1, 'recovery', 'credits', 299, 'USD', gen_random_uuid(), 'created', clock.now(), 1)"""
    payment_id = UUID(int=wallet.member.user.int ^ 1)
    await service_role.execute(made, payment_id, wallet.member.user)
    await refused(service_role, "ck_accounts_balance", ENTRY.format(kind="'spent'", amount="-amount"), payment_id)


@pytest.mark.rule("BI-03", "BI-11")
async def test_an_entry_is_the_whole_amount_of_a_payment_once(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    given, paid = UUID(await wallet.recover()), UUID(await wallet.pay())
    compensation = ENTRY.format(kind="'compensation'", amount="amount")
    await refused(service_role, "credit_entry", compensation, given)  # it was delivered
    await refused(service_role, "credit_entry", ENTRY.format(kind="'spent'", amount="-amount"), paid)  # by money
    await service_role.execute("UPDATE billing.payments SET status = 'credited' WHERE id = $1", paid)
    await refused(service_role, "credit_entry", ENTRY.format(kind="'protection'", amount="amount + 1"), paid)
    await service_role.execute(compensation, paid)
    for kind in ("'compensation'", "'protection'"):
        await refused(service_role, "uq_credits_one_conversion", ENTRY.format(kind=kind, amount="amount"), paid)


@pytest.mark.rule("BI-01", "BI-04")
async def test_a_member_has_one_subscription_and_cannot_pay_it_by_credits(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    await wallet.subscribe("PLUS")
    again = """
        INSERT INTO billing.subscriptions SELECT gen_random_uuid(), user_id, 'pro', status, started_at, periods,
            current_period_starts_at, current_period_ends_at, due_at, attempts, provider_method_id, ended_at, NULL
        FROM billing.subscriptions WHERE user_id = $1"""
    await refused(service_role, "uq_subscriptions_one_active", again, wallet.member.user)
    credits_ = """
        INSERT INTO billing.payments (id, payer_id, request_id, purpose, method, amount, currency, plan, status,
            created_at, version)
        VALUES (gen_random_uuid(), $1, gen_random_uuid(), 'subscription', 'credits', 999, 'USD', 'plus', 'created',
            clock.now(), 1)"""
    await refused(service_role, "ck_payments_subscription_by_money", credits_, wallet.member.user)


@pytest.mark.rule("BI-05")
async def test_a_protection_belongs_to_a_paid_recovery_and_converts_only_in_time(
    world: World, wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    recovered, paid = UUID(await wallet.recover()), UUID(await wallet.pay())
    late = """
        UPDATE billing.credit_protections SET status = 'converted', closed_at = expires_at WHERE payment_id = $1"""
    await refused(service_role, "ck_credit_protections_converted_in_time", late, recovered)
    longer = "UPDATE billing.credit_protections SET expires_at = expires_at + interval '1 day' WHERE payment_id = $1"
    await refused(service_role, "protection_facts", longer, recovered)
    of_other = """
        INSERT INTO billing.credit_protections SELECT gen_random_uuid(), $1, payer_id, partner_id, connection_id,
            'open', opened_at, expires_at, NULL, 1, NULL
        FROM billing.credit_protections WHERE payment_id = $2"""
    await refused(service_role, "protection_of_a_recovery", of_other, paid, recovered)
    await refused(service_role, "uq_credit_protections_payment_id", of_other, recovered, recovered)


REVERSAL = """
    INSERT INTO billing.payment_reversals
    VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, clock.now())"""


@pytest.mark.rule("BI-10")
async def test_what_is_reversed_is_at_most_what_was_paid_by_money(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    paid = UUID(await wallet.recover())
    await service_role.execute(REVERSAL, paid, "re_1", "refunded", 200, 200, 0, 0, None)
    too_much = (paid, "re_2", "refunded", 100, 100, 0, 0, None)
    await refused(service_role, "payment_reversal", REVERSAL, *too_much)
    below = (paid, "dp_1", "dispute_won", 299, -299, 0, 0, None)
    await refused(service_role, "payment_reversal", REVERSAL, *below)
    not_credited = (paid, "re_3", "refunded", 50, 50, 0, 50, None)
    await refused(service_role, "payment_reversal", REVERSAL, *not_credited)
    again = (paid, "re_1", "refunded", 10, 10, 0, 0, None)
    await refused(service_role, "uq_payment_reversals_provider_id_kind", REVERSAL, *again)


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize(
    ("constraint", "row"),
    [
        ("direction", ("re_1", "refunded", 100, -100, 0, 0)),
        ("direction", ("re_1", "refund_failed", 100, 100, 0, 0)),
        ("direction", ("issfr_1", "fraud_warned", 0, 1, 0, 0)),
        ("collected", ("re_1", "refunded", 100, 100, 0, 99)),
        ("amount", ("re_1", "refunded", -1, 0, 0, 0)),
        ("kind", ("re_1", "returned", 0, 0, 0, 0)),
    ],
)
async def test_a_reversal_is_sound_by_itself(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record], constraint: str, row: tuple[object, ...]
) -> None:
    await wallet.earn_credits()
    payment_id = await service_role.fetchval("SELECT id FROM billing.payments WHERE payer_id = $1", wallet.member.user)
    if constraint == "direction" and row[3] == -100:  # so that the sum alone does not refuse it
        await service_role.execute(REVERSAL, payment_id, "re_0", "refunded", 150, 150, 0, 150, None)
    await refused(service_role, f"ck_payment_reversals_{constraint}", REVERSAL, payment_id, *row, None)


@pytest.mark.rule("BI-03", "BI-10")
async def test_credits_are_taken_back_only_by_a_reversal_of_their_payment(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    await wallet.earn_credits()
    payment_id = await service_role.fetchval("SELECT id FROM billing.payments WHERE payer_id = $1", wallet.member.user)
    taken = ENTRY.format(kind="'taken_back'", amount="-100")
    await refused(service_role, "credit_entry", taken, payment_id)
    entry = UUID(int=payment_id.int ^ 1)
    without_its_entry = (payment_id, "re_1", "refunded", 100, 100, -100, 0, entry)
    await service_role.execute(REVERSAL, *without_its_entry)
    await refused(
        service_role, "fk_payment_reversals_entry_id", "SET CONSTRAINTS billing.fk_payment_reversals_entry_id IMMEDIATE"
    )
    other_amount = taken.replace("gen_random_uuid()", "$2").replace("-100", "-99")
    await refused(service_role, "credit_entry", other_amount, payment_id, entry)
    await service_role.execute(taken.replace("gen_random_uuid()", "$2"), payment_id, entry)
    balance = await service_role.fetchval("SELECT balance FROM billing.accounts WHERE user_id = $1", wallet.member.user)
    assert balance == 199


@pytest.mark.rule("BI-10", "BI-11")
async def test_a_refunded_payment_becomes_no_more_than_the_rest(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    paid = UUID(await wallet.pay())
    await service_role.execute(REVERSAL, paid, "re_1", "refunded", 100, 100, 0, 0, None)
    await service_role.execute("UPDATE billing.payments SET status = 'credited' WHERE id = $1", paid)
    await refused(service_role, "credit_entry", ENTRY.format(kind="'compensation'", amount="amount"), paid)
    await service_role.execute(ENTRY.format(kind="'compensation'", amount="amount - 100"), paid)


@pytest.mark.rule("BI-12")
async def test_what_a_member_agreed_to_never_changes(
    wallet: Wallet, service_role: asyncpg.Connection[asyncpg.Record]
) -> None:
    payment_id = UUID(await wallet.pay())
    sql = "UPDATE billing.payments SET quoted_method = 'credits' WHERE id = $1"
    await refused(service_role, "append_only", sql, payment_id)


@pytest.mark.rule("BI-10")
@pytest.mark.parametrize(
    ("constraint", "sql"),
    [
        ("append_only", "UPDATE billing.payment_reversals SET amount = 1"),
        ("append_only", "DELETE FROM billing.payment_reversals"),
        ("append_only", "DELETE FROM billing.payment_mismatches"),
        ("payment_mismatch", "UPDATE billing.payment_mismatches SET received = 1"),
        ("payment_mismatch", "UPDATE billing.payment_mismatches SET resolution = 'credit'"),
    ],
)
async def test_reversals_and_decisions_on_mismatches_never_change_not_even_by_their_owner(
    wallet: Wallet, owner_role: asyncpg.Connection[asyncpg.Record], constraint: str, sql: str
) -> None:
    paid = UUID(await wallet.recover())
    await owner_role.execute(
        """INSERT INTO billing.payment_mismatches
        VALUES ('pi_second', $1, 299, 'USD', clock.now(), 'refund', clock.now())""",
        paid,
    )
    await refused(owner_role, constraint, sql)
