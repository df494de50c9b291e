"""Scheduled jobs of identity: birthdays by the rule clock; sizes of photos, places of cities, and clean-up by the
machine's clock, so that moving the rule clock removes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from unora_common.database import Session, Tx
from unora_common.erasing import Erasing, Erasure
from unora_common.failed_rows import row_failed
from unora_common.gauges import Counts
from unora_common.handlers import counts, every
from unora_common.job_batches import Batches, purge_each
from unora_common.runtime import Runtime
from unora_common.transient import is_transient

from unora_identity.config import IdentityConfig
from unora_identity.domain.erasures import SOURCES
from unora_identity.metrics import ERASURES_OVERDUE
from unora_identity.resources import Resources
from unora_identity.store import (
    age_bands,
    challenges,
    code_budgets,
    devices,
    erasures,
    exports,
    holders,
    phone_key,
    photo_uploads,
    recovery_checks,
    revocations,
    sessions,
    text_messages,
    written_cities,
    wrong_codes,
)
from unora_identity.use_cases.birthdays import publish_age_bands
from unora_identity.use_cases.erasures import begin, erase_objects, lock_due, receive
from unora_identity.use_cases.export_archives import delete_archives, make_next_archive
from unora_identity.use_cases.photo_sizes import size_next_photo
from unora_identity.use_cases.text_reviews import lock_due_texts, review_due_texts
from unora_identity.use_cases.written_cities import place_written_cities

PURGE_BATCH: Final = 1000
SPARE: Final = timedelta(hours=1)
"""How much longer a wrong try, or a count of codes, is stored than it counts: it counts by the rule clock."""
OFFER_BATCH: Final = 20
BIRTHDAY_BATCH: Final = 200
SIZE_BATCH: Final = 20
TEXT_BATCH: Final = 20
"""Members in one transaction. Small: it locks them, and the guard takes processor time."""
CITY_BATCH: Final = 200
ARCHIVE_BATCH: Final = 20
ERASURE_BATCH: Final = 20


class PhoneKeyWatch:
    """Keeps a process from taking calls that has another phone.key than the database (ID-01)."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=5)
    async def check_phone_key(self) -> int:
        """Compares the key with the one of the first process. Raises PhoneKeyDiffers."""
        known = self.runtime.resources.phone_key
        async with self.runtime.database.transaction() as tx:
            stored = await phone_key.keep_first(tx, known.fingerprint)
        known.compare(stored)
        return 0


class BirthdayJobs:
    """Safe on any number of replicas: each takes members that no other has locked."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        policy = runtime.resources.policy
        self._batches = Batches(
            runtime.database,
            runtime.log,
            "age band cannot be published",
            age_bands.lock_due,
            lambda tx, locked: publish_age_bands(tx, locked, policy),
        )

    @every(seconds=60, due=lambda _, db: age_bands.count_due(db))
    async def tell_age_bands(self) -> int:
        """DI-08: publishes to Discovery that a birthday began another age band."""
        return await self._batches.step(BIRTHDAY_BATCH)


class TextJobs:
    """Safe on any number of replicas: each takes members that no other has locked."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        policy = runtime.resources.policy
        self._batches = Batches(
            runtime.database,
            runtime.log,
            "texts cannot be judged",
            lock_due_texts,
            lambda tx, locked: review_due_texts(tx, locked, policy),
        )

    @every(seconds=60)
    async def review_texts(self) -> int:
        """PR-10: judges words of hobbies that no guard has judged, or only an older one, and hides what it finds."""
        return await self._batches.step(TEXT_BATCH)


class PhotoJobs:
    """Safe on any number of replicas: one at a time has the claim."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=60)
    async def size_photos(self) -> int:
        """PR-08, PR-09: makes the sizes and fingerprints of photos that were uploaded before there were any."""
        done = 0
        while done < SIZE_BATCH and await size_next_photo(self.runtime):
            done += 1
        return done


class PlaceJobs:
    """Safe on any number of replicas: each takes members that no other has locked."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        resources = runtime.resources
        self._batches = Batches(
            runtime.database,
            runtime.log,
            "city cannot be sought",
            lambda tx, *which: written_cities.lock_next(tx, resources.places.version, *which),
            lambda tx, locked: place_written_cities(tx, locked, resources.policy, resources.places),
        )

    @every(seconds=10)
    async def place_written_cities(self) -> int:
        """PR-11: gives cities that were once written the place that they mean, where that is certain."""
        return await self._batches.step(CITY_BATCH)


class ExportJobs:
    """Safe on any number of replicas: one at a time has the claim of an export."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=5, due=lambda _, db: exports.count_waiting(db))
    async def make_archives(self) -> int:
        """ID-10: makes the archive of a member's own data, one at a time in each process."""
        return await make_next_archive(self.runtime)

    @every(seconds=60)
    async def delete_archives(self) -> int:
        """ID-10: deletes archives that were kept long enough, with whatever a crash has left of them."""
        return await delete_archives(self.runtime, ARCHIVE_BATCH)


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
        totals_before = now - policy.codes_window - SPARE
        tries_before = now - policy.wrong_codes_window - SPARE
        devices_before = now - timedelta(days=config.known_device_days)
        dates_before = now - policy.birth_dates_window - SPARE
        checks_before = now - max(policy.recovery_check_life, policy.gov_id_window) - SPARE
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
                report = self.runtime.log.warning if is_transient(error) else self.runtime.log.error
                report("objects cannot be deleted", aggregate_id=str(offer), failure=error)
                row_failed()
            else:
                removed.append(offer)
        async with database.transaction() as tx:
            return await photo_uploads.remove_offers(tx, removed)


class ErasureJobs(Erasing):
    """ID-09: erases accounts."""

    # The rows say which objects there are, so the objects go first. The record of a photo that is being sized stays
    # until that is over; if its process has died, remove_orphans ends it. delete_archives ends the exports.
    waits = """EXISTS (SELECT FROM identity.erasures r WHERE r.id = e.erasure_id AND 'objects' = ANY (r.receipts))
        AND NOT EXISTS (SELECT FROM identity.photo_uploads o WHERE o.user_id = e.user_id)
        AND NOT EXISTS (SELECT FROM identity.exports x WHERE x.user_id = e.user_id)"""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        super().__init__(runtime)
        self._due = Batches(runtime.database, runtime.log, "erasure cannot begin", lock_due, begin)
        self._failed: list[UUID] = []
        """Erasures whose objects could not be deleted since all were tried: each once, so no more than there are. After
        a restart all are tried anew.
        """

    @every(seconds=10, due=lambda _, db: erasures.count_due(db))
    async def begin_erasures(self) -> int:
        """ID-09: begins to erase accounts whose time to be opened again is over, by the rule clock."""
        return await self._due.step(ERASURE_BATCH)

    @every(seconds=5)
    async def erase_objects(self) -> int:
        """ID-09: deletes the objects of members; one whose objects cannot be deleted waits for all others."""
        async with self.runtime.database.session() as session:
            waiting = await erasures.list_with_objects(session, ERASURE_BATCH, self._failed)
        if len(waiting) < ERASURE_BATCH:
            self._failed.clear()
        done = 0
        for each in waiting:
            try:
                await erase_objects(self.runtime, each)
            except Exception as error:
                report = self.runtime.log.warning if is_transient(error) else self.runtime.log.error
                report("objects cannot be deleted", aggregate_id=str(each.id), failure=error)
                row_failed()
                self._failed.append(each.id)
            else:
                done += 1
        return done

    @every(seconds=600)
    async def watch_erasures(self) -> int:
        """ID-09: says who has owed a receipt for too long, by the machine's clock."""
        async with self.runtime.database.session() as session:
            overdue = await erasures.count_overdue(session, self.runtime.resources.policy.erasure_overdue)
        for source, count in overdue.items():
            self.runtime.log.error("erasures lack a receipt", source=source, count=count)
        return 0

    async def receipt(self, tx: Tx, erasure: Erasure) -> None:
        """Identity's own receipt."""
        await receive(tx, erasure.id, self.runtime.context)


class ErasureGauges:
    """What is counted for the metrics."""

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime

    @counts
    async def count_overdue(self, db: Session) -> Counts:
        """ID-09: the erasures that lack a receipt for too long, by who owes it."""
        overdue = await erasures.count_overdue(db, self.runtime.resources.policy.erasure_overdue)
        return {ERASURES_OVERDUE: {(source,): overdue.get(source, 0) for source in SOURCES}}
