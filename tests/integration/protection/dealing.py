"""Whom a newcomer is dealt, in a server of so few members that chance decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from unora_discovery.domain.cards import BATCH_SIZE
from unora_testing.world import Caller

from tests.integration.protection.scenario import Member, Scenario
from tests.support import refusal

KEEP_ONLY = "DELETE FROM discovery.server_memberships WHERE user_id <> ALL($1)"


async def require_dealt(scenario: Scenario, *members: Caller) -> Member:
    """A newcomer to a server of just five, these members among them, is dealt all five. Returns the newcomer.

    Everybody else is taken out of all servers.
    """
    others = await _fill_up(scenario, members, BATCH_SIZE)
    newcomer = await scenario.add_member()
    assert set(await scenario.cards(newcomer)) == _ids(*members, *others)
    return newcomer


async def require_not_dealt(scenario: Scenario, *hidden: Caller, beside: Sequence[Caller] = ()) -> Member:
    """A newcomer who finds the hidden members and four others has one too few; with a fifth, the five are dealt.

    `beside` are members who may be dealt, and stay in their servers; everybody else is taken out. Returns the newcomer.
    """
    four = await _fill_up(scenario, beside, BATCH_SIZE - 1, hidden)
    newcomer = await scenario.add_member()
    assert (await refusal(scenario.pool.refresh(newcomer))).reason == "POOL_TOO_SMALL"
    fifth = await scenario.pool.member()
    assert set(await scenario.cards(newcomer)) == _ids(*beside, *four, fifth)
    return newcomer


async def _fill_up(
    scenario: Scenario, members: Sequence[Caller], count: int, hidden: Sequence[Caller] = ()
) -> list[Caller]:
    """Leaves these members alone in their servers, and adds new ones until there are `count` who are not hidden."""
    await scenario.world.superuser.execute(KEEP_ONLY, [each.user for each in (*members, *hidden)])
    return await scenario.pool.members(count - len(members))


def _ids(*members: Caller) -> set[str]:
    return {each.id for each in members}
