"""Domain to proto and back: searches of the audit log."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.safety.v1.moderation_service_pb2 import AuditEntry, SearchAuditLogRequest
from unora_common.config import CONTEXTS
from unora_common.errors import InvalidArgument
from unora_common.messages import to_timestamp
from unora_common.outbox import type_of
from unora_common.pages import Listing

from unora_safety.domain import Entry
from unora_safety.store.audit_index import Search
from unora_safety.terms import as_json, context_term, event_term, is_known

NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
EVER: Final = datetime(1, 1, 1, tzinfo=UTC)
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


def search_of(request: SearchAuditLogRequest, moderator: UUID) -> tuple[Search, Listing]:
    """A search, and its list. What names the fewest rows leads. Raises InvalidArgument."""
    contexts = [request.source_context] if request.source_context else list(CONTEXTS)
    named = [
        f"{field.removesuffix('_id')} {_uuid(field, text)}"
        for field, text in (("member_id", request.member_id), ("aggregate_id", request.aggregate_id))
        if text
    ]
    wide = [context_term(context) for context in contexts]
    if request.event_name:
        subjects = [f"unora.{context}.v1.{_word(request.event_name)}" for context in contexts]
        wide = [event_term(each) for each in [each for each in subjects if is_known(each)] or subjects]
    if not named:
        leads, others = wide, []
    elif len(wide) == 1:
        leads, others = named[:1], [*named[1:], *wide]
    elif request.event_name:
        leads, others = wide, named
    else:
        leads, others = named[:1], named[1:]
    search = Search(leads, others, _moment(request, "recorded_from", EVER), _moment(request, "recorded_until", NEVER))
    digest = hashlib.sha256(repr(search).encode()).hexdigest()[:10]
    return search, Listing(f"audit {digest}", moderator)


def to_entry(entry: Entry) -> AuditEntry:
    """A row as auditors see it."""
    return AuditEntry(
        source_context=entry.source_context,
        number=entry.number,
        event_id=str(entry.event_id),
        event_name=type_of(entry.subject).rpartition(".")[2],
        aggregate_id=str(entry.aggregate_id),
        occurred_at=to_timestamp(entry.occurred_at),
        recorded_at=to_timestamp(entry.recorded_at),
        event_json=as_json(entry),
        hash=entry.hash,
    )


def _uuid(field: str, text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as error:
        raise InvalidArgument({field: "is no UUID"}) from error
    if str(found) != text.lower():
        raise InvalidArgument({field: "is no UUID"})
    return found


def _word(name: str) -> str:
    if not NAME.fullmatch(name):
        raise InvalidArgument({"event_name": "is not the name of an event, such as CheckedIn"})
    return WORD.sub("_", name).lower()


def _moment(request: SearchAuditLogRequest, field: str, otherwise: datetime) -> datetime:
    if not request.HasField(field):  # type: ignore[arg-type]
        return otherwise
    stamp: Timestamp = getattr(request, field)
    try:
        found: datetime = stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument({field: "is no time"}) from error
    return min(max(found, EVER), NEVER)
