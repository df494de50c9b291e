"""The terms of the index of the audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from unora.matching.v1.events_pb2 import ConnectionEnded
from unora.safety.v1.events_pb2 import CaseDecided
from unora_safety.domain.chain import Entry
from unora_safety.messages.audit_index_terms import EVENTS, MEMBER_FIELDS, terms_of

pytestmark = pytest.mark.rule("SA-01")

OTHER_FIELDS = {
    *("session_id", "photo_id", "connection_id", "streak_id", "signal_id", "batch_id", "interest_id", "reveal_id"),
    *("payment_id", "subscription_id", "entry_id", "protection_id", "nudge_id", "block_id", "report_id", "flag_id"),
    *("card_id", "case_id", "appeal_id", "export_id", "reversal_id", "erasure_id"),
}
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_every_id_of_every_event_is_known_to_be_a_member_or_not() -> None:
    ids = {
        field.name
        for module in EVENTS
        for message in module.DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
        if field.name.endswith("_id")
    }
    assert ids <= MEMBER_FIELDS | OTHER_FIELDS
    assert ids >= MEMBER_FIELDS
    assert not MEMBER_FIELDS & OTHER_FIELDS


def entry(subject: str, payload: bytes) -> Entry:
    return Entry("safety", 1, uuid4(), subject, uuid4(), NOW, NOW, payload, b"", b"")


def test_a_row_has_one_term_for_each_member_it_names() -> None:
    a, b = str(uuid4()), str(uuid4())
    row = entry(
        "unora.matching.v1.connection_ended",
        ConnectionEnded(user_a_id=a, user_b_id=b, ended_by_id=b).SerializeToString(),
    )
    assert sorted(terms_of(row)[3:]) == sorted([f"member {a}", f"member {b}"])
    row = entry("unora.safety.v1.case_decided", CaseDecided(user_id=a).SerializeToString())
    assert terms_of(row) == [
        "context safety",
        "event unora.safety.v1.case_decided",
        f"aggregate {row.aggregate_id}",
        f"member {a}",
    ]


@pytest.mark.parametrize(
    ("subject", "payload"), [("unora.safety.v1.not_yet", b""), ("unora.safety.v1.case_decided", b"\xff")]
)
def test_an_unknown_event_is_found_by_context_event_and_aggregate(subject: str, payload: bytes) -> None:
    row = entry(subject, payload)
    assert terms_of(row) == ["context safety", f"event {subject}", f"aggregate {row.aggregate_id}"]
