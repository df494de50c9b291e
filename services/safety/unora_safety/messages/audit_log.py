"""ModerationService: searches and verifications of the audit log (SA-01)."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from unora.safety.v1.moderation_service_pb2 import AuditChain, AuditEntry, SearchAuditLogRequest
from unora_common.config import CONTEXTS
from unora_common.errors import InvalidArgument
from unora_common.messages import to_timestamp
from unora_common.pages import Listing, Place
from unora_sdk.names import type_of

from unora_safety.domain.audit_search import Search, SearchPosition
from unora_safety.domain.chain import Entry
from unora_safety.domain.chain_verifier import VerifiedChain
from unora_safety.messages.audit_index_terms import as_json, context_term, event_term, is_known

EVENT_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
NUMBER_BITS: Final = 64


def from_search_request(request: SearchAuditLogRequest, moderator: UUID) -> tuple[Search, Listing]:
    """A search, and its list for page tokens. The terms with the fewest rows lead. Raises InvalidArgument."""
    contexts = [request.source_context] if request.source_context else list(CONTEXTS)
    narrow = [
        f"{field.removesuffix('_id')} {_uuid(field, text)}"
        for field, text in (("member_id", request.member_id), ("aggregate_id", request.aggregate_id))
        if text
    ]
    wide = [context_term(context) for context in contexts]
    if request.event_name:
        subjects = [f"unora.{context}.v1.{_snake_case(request.event_name)}" for context in contexts]
        wide = [event_term(each) for each in [each for each in subjects if is_known(each)] or subjects]
    if not narrow:
        leads, others = wide, []
    elif len(wide) == 1:
        leads, others = narrow[:1], [*narrow[1:], *wide]
    elif request.event_name:
        leads, others = wide, narrow
    else:
        leads, others = narrow[:1], narrow[1:]
    since, until = _time(request, "recorded_from", EARLIEST), _time(request, "recorded_until", LATEST)
    search = Search(leads, others, since, until)
    digest = hashlib.sha256(repr(search).encode()).hexdigest()[:10]
    return search, Listing(f"audit {digest}", moderator)


def to_place(entry: Entry) -> Place:
    """The place of a row in page tokens: its context and its number stand in the bits of the UUID."""
    return Place(entry.recorded_at, UUID(int=CONTEXTS.index(entry.source_context) << NUMBER_BITS | entry.number))


def from_place(place: Place | None) -> SearchPosition | None:
    """The inverse of `to_place`; None is the beginning."""
    if place is None:
        return None
    context, number = divmod(place.id.int, 1 << NUMBER_BITS)
    return SearchPosition(place.at, CONTEXTS[context], number)


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


def to_chain(verified: VerifiedChain) -> AuditChain:
    """What a verification found in one chain."""
    chain = verified.chain
    return AuditChain(
        source_context=chain.source_context,
        length=chain.head.length,
        head_hash=chain.head.hash,
        last_recorded_at=to_timestamp(chain.last_recorded_at),
        broken_at=verified.broken_at,
        verified_length=verified.verified_length,
    )


def _uuid(field: str, text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError as error:
        raise InvalidArgument({field: "is not a UUID"}) from error
    if str(found) != text.lower():
        raise InvalidArgument({field: "is not a UUID"})
    return found


def _snake_case(name: str) -> str:
    if not EVENT_NAME.fullmatch(name):
        raise InvalidArgument({"event_name": "is not the name of an event, such as CheckedIn"})
    return WORD_START.sub("_", name).lower()


def _time(request: SearchAuditLogRequest, field: str, default: datetime) -> datetime:
    if not request.HasField(field):  # type: ignore[arg-type]
        return default
    stamp: Timestamp = getattr(request, field)
    try:
        found: datetime = stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidArgument({field: "is not a valid time"}) from error
    return min(max(found, EARLIEST), LATEST)
