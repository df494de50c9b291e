"""SafetyService: targets, blocks, texts of members."""

from __future__ import annotations

from datetime import datetime, timedelta
from unicodedata import normalize
from uuid import UUID

from unora.safety.v1 import safety_service_pb2
from unora.safety.v1.events_pb2 import ReportCategory as ReportCategoryMessage
from unora_common.errors import InvalidArgument
from unora_common.messages import by_name, to_timestamp
from unora_text.visible import length, shows_nothing

from unora_safety.domain.blocks import Block, Target, TargetKind
from unora_safety.domain.own_reports import OwnAppeal, OwnReport

CATEGORIES = by_name(ReportCategoryMessage)
REPORT_STATES = by_name(safety_service_pb2.ReportState)
APPEAL_DECISIONS = by_name(safety_service_pb2.AppealDecision)


def from_text(field: str, text: str, most: int, *, required: bool = False) -> str:
    """PR-12: a text without the space around it, of at most so many graphemes; empty if it shows nothing. Nothing else
    is taken from it: it may be evidence. Raises InvalidArgument.
    """
    if "\0" in text:
        raise InvalidArgument({field: "contains a null character"})
    composed = "" if shows_nothing(text) else normalize("NFC", text).strip()
    if required and not composed:
        raise InvalidArgument({field: "is empty"})
    if length(composed) > most:
        raise InvalidArgument({field: f"has more than {most} characters"}, most=most)
    return composed


def from_target(target: safety_service_pb2.Target) -> Target:
    """A target of a validated request, which has exactly one."""
    if target.WhichOneof("target") == "card_id":
        return Target(TargetKind.CARD, UUID(target.card_id))
    return Target(TargetKind.CONNECTION, UUID(target.connection_id))


def to_target(target: Target) -> safety_service_pb2.Target:
    """A target as the member named it."""
    if target.kind is TargetKind.CARD:
        return safety_service_pb2.Target(card_id=str(target.id))
    return safety_service_pb2.Target(connection_id=str(target.id))


def to_block(block: Block) -> safety_service_pb2.Block:
    """A block as the member who made it sees it: without the id of the blocked member."""
    return safety_service_pb2.Block(
        block_id=str(block.id), target=to_target(block.target), blocked_at=to_timestamp(block.blocked_at)
    )


def to_own_report(report: OwnReport, now: datetime, closed_after: timedelta) -> safety_service_pb2.OwnReport:
    """A report as the member who made it sees it at this time (SA-10)."""
    return safety_service_pb2.OwnReport(
        report_id=str(report.id),
        target=to_target(report.target),
        category=CATEGORIES[report.category],
        note=report.shown_note(now, closed_after),
        state=REPORT_STATES[report.state(now, closed_after)],
        reported_at=to_timestamp(report.reported_at),
    )


def to_own_appeal(appeal: OwnAppeal) -> safety_service_pb2.OwnAppeal:
    """An appeal as the member who made it sees it (SA-10)."""
    return safety_service_pb2.OwnAppeal(
        appeal_id=str(appeal.id),
        text=appeal.text,
        decision=APPEAL_DECISIONS[appeal.decision]
        if appeal.decision
        else safety_service_pb2.APPEAL_DECISION_UNSPECIFIED,
        submitted_at=to_timestamp(appeal.submitted_at),
        decided_at=to_timestamp(appeal.decided_at),
    )
