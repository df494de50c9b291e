"""What runs by itself: the detector looks, what is usual is measured, what is over is forgotten."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from unora_common.handlers import every
from unora_common.runtime import Runtime

from unora_safety.config import SafetyConfig
from unora_safety.domain import History, Pattern
from unora_safety.resources import Resources
from unora_safety.store import audit_index, flags, sightings
from unora_safety.terms import terms_of
from unora_safety.use_cases import raise_flags


class Indexing:
    """SA-01: the audit log can be searched."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=1)
    async def index_audit(self) -> int:
        """One batch of each chain that no other replica is at, also of rows that are older than the index."""
        async with self.runtime.database.transaction() as tx:
            return await audit_index.advance(tx, self.runtime.config.audit_index_batch, terms_of)


class Detection:
    """SA-04, SA-09: patterns are looked for, and what is no longer needed for it is forgotten."""

    def __init__(self, runtime: Runtime[SafetyConfig, Resources]) -> None:
        self.runtime = runtime

    @every(seconds=1)
    async def examine(self) -> int:
        """Looks at members of whom something new was seen. A kill leaves them to another replica within a minute.

        No transaction is open while the detector looks. That a flag is raised once is the database's to hold. A member
        with whom it fails is told in the log and left out for that minute: the others must not wait.
        """
        async with self.runtime.database.transaction() as tx:
            marks = await sightings.take(tx, self.runtime.config.examine_batch)
        if not marks:
            return 0
        looked = set()
        for history in await self._histories([each.user_id for each in marks]):
            try:
                await self._look(history)
            except Exception as error:
                self.runtime.log.error("member cannot be examined", aggregate_id=str(history.user_id), failure=error)
            else:
                looked.add(history.user_id)
        async with self.runtime.database.transaction() as tx:
            await sightings.done(tx, [each for each in marks if each.user_id in looked])
        return len(looked)

    async def _look(self, history: History) -> None:
        found = await self.runtime.resources.detector.examine(history)
        if found:
            async with self.runtime.database.transaction() as tx:
                await raise_flags(tx, history, found)

    async def _histories(self, users: list[UUID]) -> list[History]:
        """All that is known of these members, in a few reads for all."""
        async with self.runtime.database.session() as db:
            now = await db.value("SELECT clock.now()")
            rules = await flags.rules(db)
            window = next((rule.window for rule in rules if rule.pattern is Pattern.OUTLIER), timedelta())
            states = await flags.states(db, users)
            seen = await sightings.seen(db, users)
            activity = await sightings.activity(db, users, (now - window).date())
            baselines = await sightings.baselines(db)
        return [
            History(
                user_id=user,
                now=now,
                rules=rules,
                sightings=seen[user],
                activity=activity[user],
                baselines=baselines,
                decided=states[user].decided,
                flagged=states[user].flagged,
            )
            for user in users
        ]

    @every(seconds=60)
    async def measure(self) -> int:
        """SA-09: what is usual, for all members who did anything lately."""
        every_so_often = timedelta(minutes=self.runtime.config.baseline_minutes)
        async with self.runtime.database.session() as db:
            rules = {rule.pattern: rule for rule in await flags.rules(db)}
        outlier = rules.get(Pattern.OUTLIER)
        if outlier is None or not outlier.enabled:
            return 0
        async with self.runtime.database.transaction() as tx:
            return await sightings.measure(tx, outlier.window, every_so_often)

    @every(seconds=600)
    async def forget(self) -> int:
        """What no rule's window reaches any more, late events included."""
        async with self.runtime.database.transaction() as tx:
            return await sightings.forget(tx, self.runtime.config.late_hours, self.runtime.config.forget_batch)
