"""Events and enums of the contract."""

from __future__ import annotations

from typing import Final

from unora.safety.v1 import events_pb2
from unora_common.messages import by_name, by_number, event_encoder

from unora_safety.domain.patterns import Pattern
from unora_safety.domain.reports import ReportCategory
from unora_safety.domain.restrictions import Decision

to_message = event_encoder(events_pb2)

PATTERNS: Final = by_name(events_pb2.FlagPattern)
DECISIONS: Final = by_name(events_pb2.Decision)
CATEGORIES: Final = by_name(events_pb2.ReportCategory)
PATTERN_OF: Final = {number: Pattern(name) for number, name in by_number(events_pb2.FlagPattern).items()}
DECISION_OF: Final = {number: Decision(name) for number, name in by_number(events_pb2.Decision).items()}
CATEGORY_OF: Final = {number: ReportCategory(name) for number, name in by_number(events_pb2.ReportCategory).items()}
