"""Who locks several members locks them by ascending id, so that two who do so never wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from uuid import UUID

import pytest
from unora_testing.deadlines import eventually, within
from unora_testing.world import World

from tests.integration.identity.movers import Movers
from tests.integration.identity.people import People, Signed
from tests.integration.identity.recovery_desk import Desk
from tests.integration.identity.test_erasures import make_due
from tests.integration.identity.test_freed_numbers import closed

BLOCKED = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
LOCK = "SELECT FROM identity.users WHERE id = ANY ($1) ORDER BY id FOR UPDATE"


class TwoForms:
    """A number with two forms, each of an account whose thirty days are over (ID-01, ID-09)."""

    def __init__(self, people: People, typed: str, sent: str, accounts: list[UUID]) -> None:
        self.people = people
        self.typed = typed
        self.accounts = accounts
        self.sent = sent

    async def code(self) -> tuple[str, str]:
        """A challenge to the number, in the form that is looked for first, and its code."""
        return (await self.people.start(self.typed)).challenge_id, self.people.codes(self.sent)[-1]


async def two_forms(world: World, people: People, ending: str) -> TwoForms:
    """The form that is looked for first is that of the account with the greater id."""
    typed, sent = f"+5411{ending}", f"+54911{ending}"
    gone = sorted([await closed(people, people.number()) for _ in range(2)], key=lambda each: each.member.user)
    for each, form in zip(gone, (sent, typed), strict=True):
        await world.superuser.execute(
            "UPDATE identity.users SET phone_hash = $2 WHERE id = $1",
            *(each.member.user, people.resources.hasher.phone(form)),
        )
    await make_due(world, *gone)
    return TwoForms(people, typed, sent, [each.member.user for each in gone])


async def waits_for_the_first(world: World, call: Awaitable[object], members: list[UUID]) -> None:
    """The call waits for the first of the members, by id, while it has locked none of the others."""
    first, *others = sorted(members)
    async with world.superuser.transaction():
        await world.superuser.execute(LOCK, [first])
        calling = asyncio.ensure_future(call)

        async def blocked() -> bool:
            assert not calling.done(), calling.exception() or "the call locked nobody"
            return bool(await world.superuser.fetchval(BLOCKED))

        await eventually(blocked, "the call waits for the member with the smallest id")
        await world.superuser.execute(f"{LOCK} NOWAIT", others)
    await within(calling)


@pytest.mark.rule("ID-01", "ID-09")
async def test_a_sign_in_locks_all_accounts_of_its_number_in_order(world: World, people: People) -> None:
    number = await two_forms(world, people, "23460021")
    await waits_for_the_first(world, people.verify(*await number.code()), number.accounts)


@pytest.mark.rule("ID-09", "ID-13")
async def test_a_recovery_locks_the_account_and_those_that_give_way_in_order(world: World, people: People) -> None:
    desk, number = Desk(world, people), await two_forms(world, people, "23460022")
    signed, _, subject = await desk.hidden()
    call = desk.recover(signed, subject, await number.code())
    await waits_for_the_first(world, call, [signed.member.user, *number.accounts])


@pytest.mark.rule("ID-09", "ID-14")
async def test_a_change_of_number_locks_the_member_and_those_that_give_way_in_order(
    world: World, people: People
) -> None:
    movers, number = Movers(people), await two_forms(world, people, "23460023")
    signed: Signed = await people.sign_in()
    challenge = (await movers.start(signed, number.typed)).challenge_id
    call = movers.complete(signed, challenge, people.codes(number.sent)[-1])
    await waits_for_the_first(world, call, [signed.member.user, *number.accounts])
