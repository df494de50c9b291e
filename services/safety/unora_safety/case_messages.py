"""Domain to proto for moderators: cases, standings, flags, what members said."""

from __future__ import annotations

from datetime import timedelta

from unora.safety.v1 import moderation_service_pb2
from unora.safety.v1.events_pb2 import DECISION_UNSPECIFIED
from unora.safety.v1.moderation_service_pb2 import Appeal, CaseOrigin, PatternCount, Report
from unora_common.database import Row
from unora_common.messages import by_name, by_number, to_timestamp

from unora_safety.domain import Case, CaseStatus, Flag, Rule, Standing
from unora_safety.messages import CATEGORIES, DECISIONS, PATTERNS

STATUSES = by_name(moderation_service_pb2.CaseStatus)
STATUS_OF = {number: CaseStatus(name) for number, name in by_number(moderation_service_pb2.CaseStatus).items()}
ORIGINS = by_name(CaseOrigin)


def to_case(case: Case) -> moderation_service_pb2.Case:
    """A case as moderators see it."""
    return moderation_service_pb2.Case(
        case_id=str(case.id),
        user_id=str(case.user_id),
        status=STATUSES[case.status],
        origin=ORIGINS[case.origin],
        appealed=case.appealed,
        moderator_id=str(case.moderator_id) if case.moderator_id else "",
        decision=DECISIONS[case.decision] if case.decision else DECISION_UNSPECIFIED,
        note=case.note,
        opened_at=to_timestamp(case.opened_at),
        assigned_at=to_timestamp(case.assigned_at),
        decided_at=to_timestamp(case.decided_at),
    )


def to_standing(standing: Standing) -> moderation_service_pb2.Standing:
    """A standing as moderators see it."""
    return moderation_service_pb2.Standing(
        reduced_visibility=standing.reduced_visibility,
        restricted=standing.restricted,
        suspended=standing.suspended,
    )


def to_flag(flag: Flag) -> moderation_service_pb2.Flag:
    """A flag with its evidence."""
    return moderation_service_pb2.Flag(
        flag_id=str(flag.id),
        user_id=str(flag.user_id),
        pattern=PATTERNS[flag.found.pattern],
        score=flag.found.score,
        evidence_ids=map(str, flag.found.ids),
        evidence_numbers=dict(flag.found.numbers),
        open=flag.closed_at is None,
        case_id=str(flag.case_id),
        raised_at=to_timestamp(flag.raised_at),
        closed_at=to_timestamp(flag.closed_at),
    )


def to_report(row: Row) -> Report:
    """A report, from its row."""
    return Report(
        report_id=str(row["id"]),
        reporter_id=str(row["reporter_id"]),
        category=CATEGORIES[row["category"]],
        note=row["note"],
        case_id=str(row["case_id"]),
        reported_at=to_timestamp(row["reported_at"]),
    )


def to_appeal(row: Row) -> Appeal:
    """An appeal, from its row."""
    return Appeal(
        appeal_id=str(row["id"]),
        text=row["text"],
        case_id=str(row["case_id"]),
        submitted_at=to_timestamp(row["submitted_at"]),
    )


def to_count(rule: Rule, count: int) -> PatternCount:
    """How often a pattern was seen lately."""
    return PatternCount(
        pattern=PATTERNS[rule.pattern],
        count=count,
        threshold=rule.threshold,
        window_hours=rule.window // timedelta(hours=1),
        enabled=rule.enabled,
    )
