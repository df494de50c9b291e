"""Clean-up by the machine's clock, so that moving the rule clock removes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from unora_common.failed_rows import row_failed
from unora_common.handlers import every
from unora_common.job_batches import purge_each
from unora_common.runtime import Runtime
from unora_common.transient import log_failure

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.store import (
    challenges,
    code_budgets,
    devices,
    holders,
    photo_uploads,
    recovery_checks,
    revocations,
    sessions,
    text_messages,
    wrong_codes,
)

PURGE_BATCH: Final = 1000
RETENTION_MARGIN: Final = timedelta(hours=1)
"""How much longer a wrong try, or a count of codes, is stored than it counts: it counts by the rule clock."""
OFFER_BATCH: Final = 20


class CleanUpJobs:
    """Safe on any number of replicas: each takes rows that no other has locked."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=300)
    async def purge_sign_ins(self) -> int:
        """ID-02, ID-03, ID-13, SA-06: deletes codes that can no longer be used, with what the carrier told of them,
        counts of codes and wrong tries that no longer count, checks by which no account can come back any more,
        sessions that can no longer be refreshed, devices of sessions long gone, and revocations that no process needs.
        """
        now, config, policy = self.runtime.resources.machine_now(), self.runtime.config, self.runtime.resources.policy
        codes_before = now - timedelta(hours=config.challenge_hours)
        tokens_before = now - timedelta(days=config.session_days)
        totals_before = now - policy.codes_window - RETENTION_MARGIN
        tries_before = now - policy.wrong_codes_window - RETENTION_MARGIN
        devices_before = now - timedelta(days=config.known_device_days)
        dates_before = now - policy.birth_dates_window - RETENTION_MARGIN
        checks_before = now - max(policy.recovery_check_life, policy.gov_id_window) - RETENTION_MARGIN
        revocations_before = now - 2 * policy.revocation_published_for
        return await purge_each(
            self.runtime.database,
            self.runtime.log,
            lambda tx: code_budgets.purge(tx, totals_before, PURGE_BATCH),
            lambda tx: challenges.purge(tx, codes_before, PURGE_BATCH),
            lambda tx: text_messages.purge(tx, codes_before, PURGE_BATCH),
            lambda tx: wrong_codes.purge(tx, tries_before, PURGE_BATCH),
            lambda tx: sessions.purge(tx, tokens_before, now, PURGE_BATCH),
            lambda tx: devices.purge(tx, devices_before, PURGE_BATCH),
            lambda tx: revocations.purge(tx, revocations_before, PURGE_BATCH),
            lambda tx: holders.purge(tx, dates_before, PURGE_BATCH),
            lambda tx: recovery_checks.purge(tx, checks_before, PURGE_BATCH),
        )

    @every(seconds=60)
    async def remove_orphans(self) -> int:
        """PR-07: deletes offers to upload that are over, and all their objects that did not become a photo."""
        resources, database = self.runtime.resources, self.runtime.database
        expired_before = resources.machine_now() - resources.policy.upload_kept
        async with database.transaction() as tx:
            offers = await photo_uploads.mark_orphans(tx, expired_before, OFFER_BATCH)
        if not offers:
            return 0
        async with database.session() as session:
            in_use = await photo_uploads.list_in_use(session, [key for keys in offers.values() for key in keys])
        removed = []
        for offer, keys in offers.items():
            try:
                for key in keys:
                    if key not in in_use:
                        await resources.photo_store.delete(key)
            except Exception as error:  # the other offers continue; this one is taken again in some minutes
                log_failure(self.runtime.log, "objects cannot be deleted", error, aggregate_id=str(offer))
                row_failed()
            else:
                removed.append(offer)
        async with database.transaction() as tx:
            return await photo_uploads.remove_offers(tx, removed)
