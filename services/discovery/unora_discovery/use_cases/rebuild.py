"""XX-08: discovery's projections, made anew from identity, matching, billing and safety."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from unora_common.database import Tx
from unora_common.rebuilding import Part, Row
from unora_common.runtime import Runtime

from unora_discovery.clients import Directory, Owners
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.pairs import CardInterest, Connection, Exclusion, MemberBlock, WaitingInterest
from unora_discovery.domain.policy import Policy
from unora_discovery.domain.pool import Inventory, Profile, Restriction, Tier, TierNotice
from unora_discovery.resources import Resources
from unora_discovery.store import listed_cards, pairs, partners, pool
from unora_discovery.use_cases.tiers import change_tiers

PARTS: Final = (
    *("restrictions", "blocks", "exclusions", "waiting"),
    *("inventories", "tiers", "profiles"),
    *("partners", "cards"),
)
PROFILES_ON_A_PAGE: Final = 500
OTHERS_ON_A_PAGE: Final = 2000


def parts(runtime: Runtime[DiscoveryConfig, Resources]) -> list[Part[Any]]:
    """In the order in which they are made anew. Profiles come after the facts that keep a member from being shown,
    since a member with a profile is shown. The card of a partner that is missing is frozen from the pool as it is then.
    """
    owners = Owners(runtime.clients)
    return [
        _restrictions(owners),
        *_pairs(owners),
        _inventories(owners),
        _tiers(owners, runtime.config.policy),
        _profiles(Directory(runtime.clients)),
        _partners(owners),
        _cards(owners),
    ]


def _restrictions(owners: Owners) -> Part[Restriction]:
    def rows(told: Restriction) -> list[Row]:
        return [Row((told.user_id,), (told.reduced_visibility, told.restricted, told.suspended), told.version)]

    return Part(
        name="restrictions",
        copy=pool.RESTRICTIONS,
        ask=owners.list_restrictions,
        rows=rows,
        apply=pool.project_restrictions,
        untold=(False, False, False),
        **_others(),
    )


def _pairs(owners: Owners) -> list[Part[Any]]:
    """DI-09, DI-13. Interests and blocks of long ago may come back, until the jobs that forget them run again."""

    async def exclude(tx: Tx, told: Sequence[Sequence[Exclusion]]) -> None:
        await pairs.save_exclusions(tx, [each for exclusions in told for each in exclusions])

    def excluded(told: Sequence[Exclusion]) -> list[Row]:
        return [_exclusion(each) for each in told]

    blocks: Part[MemberBlock] = Part(
        name="blocks",
        copy=pairs.MEMBER_BLOCKS,
        ask=owners.list_blocks,
        rows=lambda told: [Row((told.blocker_id, told.blocked_id), (told.in_force, told.changed_at))],
        apply=pairs.save_blocks,
        **_others(),
    )
    exclusions: Part[Sequence[Exclusion]] = Part(
        name="exclusions",
        copy=pairs.EXCLUSIONS,
        ask=owners.list_exclusions,
        rows=excluded,
        apply=exclude,
        **_others(),
    )
    waiting: Part[WaitingInterest] = Part(
        name="waiting",
        copy=pairs.WAITING_INTERESTS,
        ask=owners.list_waiting,
        rows=lambda told: [_waiting(told)],
        apply=pairs.save_waiting_interests,
        **_others(),
    )
    return [blocks, exclusions, waiting]


def _inventories(owners: Owners) -> Part[Inventory]:
    return Part(
        name="inventories",
        copy=pool.INVENTORIES,
        ask=owners.list_inventories,
        rows=lambda told: [Row((told.user_id,), (told.active_connection_count, told.connection_limit), told.version)],
        apply=pool.project_inventories,
        untold=(0, 1),
        **_others(),
    )


def _tiers(owners: Owners, policy: Policy) -> Part[TierNotice]:
    """DI-14: with the timers, as by the event. The event may still come, and is not newer then."""

    async def apply(tx: Tx, told: Sequence[TierNotice]) -> None:
        await pool.replan(tx)
        await change_tiers(tx, told, policy)

    return Part(
        name="tiers",
        copy=pool.TIERS,
        ask=owners.list_tiers,
        rows=lambda told: [Row((told.user_id,), (told.tier,), told.version)],
        apply=apply,
        untold=(Tier.FREE,),
        unknown=lambda key: TierNotice(user_id=key[0], version=0, tier=Tier.FREE),
        **_others(),
    )


def _profiles(directory: Directory) -> Part[Profile]:
    """Members who have only signed in stay out of the pool, as without a rebuild."""

    async def apply(tx: Tx, told: Sequence[Profile]) -> None:
        await pool.replan(tx)
        await pool.project_profiles(tx, told, repair=True)

    return Part(
        name="profiles",
        copy=pool.PROFILES,
        ask=directory.list_profiles,
        rows=lambda told: [Row((told.user_id,), (), told.version)],
        apply=apply,
        silent=lambda told: told.says_nothing,
        all_told=True,
        size=PROFILES_ON_A_PAGE,
    )


def _partners(owners: Owners) -> Part[tuple[Connection, bool]]:
    """DI-15. What a card showed at first stays; a missing card shows what is known now. The card of an unknown
    connection is not shown.
    """

    def rows(told: tuple[Connection, bool]) -> list[Row]:
        connection, active = told
        return [
            Row((connection.connection_id, viewer), (active,), connection.version) for viewer in connection.user_ids
        ]

    async def apply(tx: Tx, told: Sequence[tuple[Connection, bool]]) -> None:
        for active in (True, False):
            if those := [each for each, is_active in told if is_active is active]:
                await partners.save(tx, those, active=active)

    return Part(
        name="partners",
        copy=partners.COPY,
        ask=owners.list_partners,
        rows=rows,
        apply=apply,
        untold=(False,),
        members=lambda told: told[0].user_ids,
        **_others(),
    )


def _cards(owners: Owners) -> Part[CardInterest | None]:
    """DI-16. Interests of long ago may come back, until the job that forgets them runs again."""
    return Part(
        name="cards",
        copy=listed_cards.INTERESTS,
        ask=owners.list_card_interests,
        rows=lambda told: [Row((told.interest_id,), (told.card_id, told.sent), told.version)] if told else [],
        apply=listed_cards.save_interests,
        **_others(),
    )


def _exclusion(told: Exclusion) -> Row:
    apart_until = None if told.reason == "lifted" else told.apart_until
    return Row((told.source_id, told.user_id), (told.other_id, told.reason, apart_until), told.version)


def _waiting(told: WaitingInterest) -> Row:
    facts = (told.sender_id, told.receiver_id, told.server_type, told.waits, told.waits_until)
    return Row((told.interest_id,), facts, told.version)


def _others() -> dict[str, Any]:
    return {"size": OTHERS_ON_A_PAGE, "at_once": OTHERS_ON_A_PAGE}
