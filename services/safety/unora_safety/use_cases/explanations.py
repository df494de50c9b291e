"""What moderators see of one member."""

from __future__ import annotations

from uuid import UUID

from unora_common.database import Session

from unora_safety.domain.errors import CaseAboutYourself
from unora_safety.domain.explanations import Explanation
from unora_safety.domain.patterns import Pattern
from unora_safety.store import appeals, cases, flags, reports, restrictions, sightings


async def explain_member(db: Session, user_id: UUID, limit: int) -> Explanation:
    """All that safety knows of one member, at most `limit` items in each list; it never has anything of the profile.

    Raises CaseAboutYourself: a moderator is a member too, who must not learn who reported them (SA-07).
    """
    if user_id == db.user:
        raise CaseAboutYourself
    now = await db.value("SELECT clock.now()")
    seen = (await sightings.list_by_members(db, [user_id]))[user_id]
    return Explanation(
        counts=await reports.count_blocks_and_reports(db, user_id),
        restriction=await restrictions.get_or_default(db, user_id),
        pattern_counts=[
            (rule, sum(now - each.seen_at < rule.window for each in seen.get(rule.pattern, ())))
            for rule in await flags.list_rules(db)
            if rule.pattern is not Pattern.OUTLIER
        ],
        flags=await flags.list_by_member(db, user_id, limit),
        cases=await cases.list_by_member(db, user_id, limit),
        reports=await reports.list_by_reported(db, user_id, limit),
        appeals=await appeals.list_by_member(db, user_id, limit),
    )
