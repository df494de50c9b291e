"""ModerationService: cases, restrictions, flags, explanations of members."""

from __future__ import annotations

from datetime import timedelta

from unora.safety.v1 import moderation_service_pb2
from unora.safety.v1.events_pb2 import DECISION_UNSPECIFIED
from unora.safety.v1.moderation_service_pb2 import ExplainMemberResponse, PatternCount
from unora_common.messages import by_name, by_number, to_timestamp

from unora_safety.domain.cases import Case, CaseStatus
from unora_safety.domain.explanations import Explanation
from unora_safety.domain.flags import Flag
from unora_safety.domain.patterns import Rule
from unora_safety.domain.reports import Appeal, Report
from unora_safety.domain.restrictions import Restriction
from unora_safety.messages.events import CATEGORIES, DECISIONS, PATTERNS

STATUSES = by_name(moderation_service_pb2.CaseStatus)
STATUS_OF = {number: CaseStatus(name) for number, name in by_number(moderation_service_pb2.CaseStatus).items()}
ORIGINS = by_name(moderation_service_pb2.CaseOrigin)


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


def to_standing(restriction: Restriction) -> moderation_service_pb2.Standing:
    """The measures in force for a member; the contract calls them a standing."""
    return moderation_service_pb2.Standing(
        reduced_visibility=restriction.reduced_visibility,
        restricted=restriction.restricted,
        suspended=restriction.suspended,
    )


def to_flag(flag: Flag) -> moderation_service_pb2.Flag:
    """A flag with its evidence."""
    return moderation_service_pb2.Flag(
        flag_id=str(flag.id),
        user_id=str(flag.user_id),
        pattern=PATTERNS[flag.finding.pattern],
        score=flag.finding.score,
        evidence_ids=map(str, flag.finding.ids),
        evidence_numbers=dict(flag.finding.numbers),
        open=flag.closed_at is None,
        case_id=str(flag.case_id),
        raised_at=to_timestamp(flag.raised_at),
        closed_at=to_timestamp(flag.closed_at),
    )


def to_explanation(explanation: Explanation) -> ExplainMemberResponse:
    """All that safety knows of one member."""
    counts = explanation.counts
    return ExplainMemberResponse(
        standing=to_standing(explanation.restriction),
        counts=[_pattern_count(rule, count) for rule, count in explanation.pattern_counts],
        flags=map(to_flag, explanation.flags),
        cases=map(to_case, explanation.cases),
        reports=map(_report, explanation.reports),
        appeals=map(_appeal, explanation.appeals),
        blocks_made=counts.blocks_made,
        blocks_received=counts.blocks_received,
        reports_made=counts.reports_made,
    )


def _pattern_count(rule: Rule, count: int) -> PatternCount:
    return PatternCount(
        pattern=PATTERNS[rule.pattern],
        count=count,
        threshold=rule.threshold,
        window_hours=rule.window // timedelta(hours=1),
        enabled=rule.enabled,
    )


def _report(report: Report) -> moderation_service_pb2.Report:
    return moderation_service_pb2.Report(
        report_id=str(report.id),
        reporter_id=str(report.reporter_id),
        category=CATEGORIES[report.category],
        note=report.note,
        case_id=str(report.case_id),
        reported_at=to_timestamp(report.reported_at),
    )


def _appeal(appeal: Appeal) -> moderation_service_pb2.Appeal:
    return moderation_service_pb2.Appeal(
        appeal_id=str(appeal.id),
        text=appeal.text,
        case_id=str(appeal.case_id),
        submitted_at=to_timestamp(appeal.submitted_at),
    )
