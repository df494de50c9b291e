"""XX-08: the pool made anew from the contexts that own its parts, while events go on: the newest version counts.

Each page is applied before it is noted that it was, and to apply it twice changes nothing. So a rebuild that is killed
at any moment goes on with the page that it was at. It asks one context at a time, for one page at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from unora_common.database import Tx
from unora_common.erasing import erased_among
from unora_common.ids import uuid7
from unora_common.pages import id_after
from unora_common.runtime import Runtime
from unora_common.transient import is_transient

from unora_discovery.clients import Directory, Owners
from unora_discovery.config import DiscoveryConfig
from unora_discovery.domain.pool import Inventory, Profile, Restriction, TierNotice
from unora_discovery.domain.rebuild import Part, Progress
from unora_discovery.resources import Resources
from unora_discovery.store import pool, rebuilds, repairs
from unora_discovery.use_cases.tiers import change_tiers

T = TypeVar("T", Inventory, Profile, Restriction, TierNotice)
PROFILES_ON_A_PAGE: Final = 500
OTHERS_ON_A_PAGE: Final = 2000
AFTER_LAST: Final = UUID(int=2**128 - 1)
TRIES: Final = 30
"""How often a page is asked for before a rebuild gives up, a second apart: an owner may restart meanwhile."""
TRY_AGAIN: Final = 1.0


class RebuildTakenOverError(Exception):
    """Another process goes on with this rebuild, or has begun another."""


@dataclass(frozen=True)
class Source:
    """Where one part comes from, and how a page of it is applied."""

    read: Callable[[str, int], Awaitable[tuple[list[Any], str]]]
    apply: Callable[[list[Any], str, str], Awaitable[None]]
    """Takes the page's items, its token, and the next one's."""
    size: int


class Rebuild:
    """One run of the command."""

    def __init__(self, runtime: Runtime[DiscoveryConfig, Resources]) -> None:
        self._database = runtime.database
        self._policy = runtime.config.policy
        self._directory = Directory(runtime.clients)
        owners = Owners(runtime.clients)
        self._sources = {
            Part.RESTRICTIONS: Source(owners.list_restrictions, self._apply_restrictions, OTHERS_ON_A_PAGE),
            Part.INVENTORIES: Source(owners.list_inventories, self._apply_inventories, OTHERS_ON_A_PAGE),
            Part.TIERS: Source(owners.list_tiers, self._apply_tiers, OTHERS_ON_A_PAGE),
            Part.PROFILES: Source(self._directory.list_profiles, self._apply_profiles, PROFILES_ON_A_PAGE),
        }

    async def begin(self, *, restart: bool = False) -> dict[Part, Progress]:
        """Goes on with the latest rebuild, or begins one if that has ended, or on demand."""
        async with self._database.transaction() as tx:
            progress = await rebuilds.list_progress(tx)
            if restart or len(progress) < len(Part) or all(each.finished for each in progress.values()):
                await rebuilds.begin(tx, uuid7())
                progress = await rebuilds.list_progress(tx)
            return progress

    async def run(self, progress: Progress) -> AsyncGenerator[Progress, None]:
        """Makes one part anew, from where it is, and tells after each page. Raises RebuildTakenOverError."""
        source = self._sources[progress.part]
        coming = asyncio.ensure_future(_read(source, progress.token))
        try:
            while not progress.finished:
                items, following = await coming
                if following:  # the next page comes while this one is stored
                    coming = asyncio.ensure_future(_read(source, following))
                await source.apply(items, progress.token, following)
                async with self._database.transaction() as tx:
                    if not await rebuilds.advance(tx, progress, following, len(items)):
                        raise RebuildTakenOverError
                members = progress.members + len(items)
                progress = replace(progress, token=following, members=members, finished=not following)
                yield progress
        finally:
            coming.cancel()

    async def _apply_restrictions(self, items: list[Restriction], token: str, following: str) -> None:
        if items:
            async with self._database.transaction() as tx:
                if left := await _without_erased(tx, items):
                    await pool.project_restrictions(tx, left, repair=True)

    async def _apply_inventories(self, items: list[Inventory], token: str, following: str) -> None:
        if items:
            async with self._database.transaction() as tx:
                if left := await _without_erased(tx, items):
                    await pool.project_inventories(tx, left, repair=True)

    async def _apply_tiers(self, items: list[TierNotice], token: str, following: str) -> None:
        """DI-14: with the timers, as by the event. The event may still come, and is not newer then."""
        if items:
            async with self._database.transaction() as tx:
                left = await _without_erased(tx, items)
                await repairs.plan_anew(tx)
                if left:
                    await change_tiers(tx, left, self._policy)

    async def _apply_profiles(self, items: list[Profile], token: str, following: str) -> None:
        """Members who have only signed in stay out of the pool, as without a rebuild. Whom identity does not know is
        not shown any more.
        """
        silent = [each.user_id for each in items if each.says_nothing]
        async with self._database.transaction() as tx:
            left = await _without_erased(tx, items)
            await repairs.plan_anew(tx)
            known = await repairs.find_known(tx, silent) if silent else set[UUID]()
            told = [each for each in left if not each.says_nothing or each.user_id in known]
            await pool.project_profiles(tx, told, repair=True)
            last = UUID(following) if following else AFTER_LAST
            others = await repairs.list_others_shown(tx, id_after(token), last, [each.user_id for each in items])
        if others:
            await self._hide_unknown(others)

    async def _hide_unknown(self, users: Sequence[UUID]) -> None:
        """A member who signed up after the page was read is in the pool by an event, and known to identity by now."""
        profiles = await self._directory.get_profiles(users)
        async with self._database.transaction() as tx:
            await repairs.hide(tx, [each.user_id for each in profiles if not each.version])


async def _without_erased(tx: Tx, items: Sequence[T]) -> list[T]:
    """ID-09: owners that keep something of an erased member under the id still tell of it."""
    erased = await erased_among(tx, "discovery", [each.user_id for each in items])
    return [each for each in items if each.user_id not in erased]


async def _read(source: Source, token: str) -> tuple[list[Any], str]:
    """A page, as soon as its owner answers."""
    for _ in range(TRIES - 1):
        try:
            return await source.read(token, source.size)
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(TRY_AGAIN)
    return await source.read(token, source.size)
