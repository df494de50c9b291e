"""Jobs on profiles: birthdays by the rule clock; texts, sizes of photos and places of cities by the machine's."""

from __future__ import annotations

from typing import Final

from unora_common.handlers import every
from unora_common.job_batches import Batches
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.resources import Resources
from unora_identity.store import (
    age_bands,
    written_cities,
)
from unora_identity.use_cases.birthdays import publish_age_bands
from unora_identity.use_cases.photo_sizes import size_next_photo
from unora_identity.use_cases.text_reviews import lock_due_texts, review_due_texts
from unora_identity.use_cases.written_cities import place_written_cities

BIRTHDAY_BATCH: Final = 200
TEXT_BATCH: Final = 20
"""Members in one transaction. Small: it locks them, and the guard takes processor time."""
SIZE_BATCH: Final = 20
CITY_BATCH: Final = 200


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
