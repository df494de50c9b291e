"""What identity does by itself: birthdays by the rule clock; and what it cleans up, by the machine's clock, so that
moving the rule clock removes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.profiles import age_band_changes_at
from unora_identity.resources import Resources
from unora_identity.store import age_bands, challenges, members, photos, revocations, sessions
from unora_identity.use_cases.member_update import tell_age_band

BATCH: Final = 1000
OFFERS_AT_ONCE: Final = 20
BIRTHDAYS_AT_ONCE: Final = 200


class Birthdays:
    """Safe on any number of replicas: each takes members whom no other has."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.policy = runtime.config.policy

    @every(seconds=60)
    async def tell_age_bands(self) -> int:
        """DI-08: Discovery keeps the band that it was told, so it is told when a birthday begins another."""
        async with self.runtime.database.transaction() as tx:
            locked = await age_bands.lock_due(tx, BIRTHDAYS_AT_ONCE)
            if not locked:
                return 0
            kept = await members.read(tx, *locked)
            following = {user: age_band_changes_at(each.member.profile, tx.now) for user, each in kept.items()}
            grown = await age_bands.advance(tx, following)
            for user in grown:
                tell_age_band(tx, locked[user], kept[user].member, self.policy)
            await members.save_versions(tx, locked.values())
        return len(grown)


class CleanUp:
    """Safe on any number of replicas: each takes rows that no other has."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.resources: Resources = runtime.resources

    @every(seconds=300)
    async def purge_sign_ins(self) -> int:
        """ID-02, ID-03, SA-06: codes that nobody can give any more, sessions that nobody can go on with, and
        revocations that nobody needs to know.
        """
        now = self.resources.machine_now()
        codes_over = now - timedelta(hours=self.runtime.config.challenge_hours)
        tokens_over = now - timedelta(days=self.runtime.config.session_days)
        revocations_over = now - 2 * self.resources.policy.revocations_told
        async with self.runtime.database.transaction() as tx:
            done = await challenges.purge(tx, codes_over, BATCH) + await sessions.purge(tx, tokens_over, BATCH)
            return done + await revocations.purge(tx, revocations_over, BATCH)

    @every(seconds=60)
    async def remove_orphans(self) -> int:
        """PR-07: offers that are over, with every object of theirs that did not become a photo."""
        over = self.resources.machine_now() - self.resources.policy.upload_kept
        async with self.runtime.database.transaction() as tx:
            offers = await photos.mark_orphans(tx, over, OFFERS_AT_ONCE)
        if not offers:
            return 0
        keys = [key for keys in offers.values() for key in keys]
        async with self.runtime.database.session() as session:
            kept = await photos.in_use(session, keys)
        for key in keys:
            if key not in kept:
                await self.resources.photos.delete(key)
        async with self.runtime.database.transaction() as tx:
            return await photos.remove(tx, list(offers))
