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
