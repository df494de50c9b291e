"""Events that carry more than ids, states, whole numbers and times are found (XX-01)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from joserfc.jwk import ECKey
from unora.identity.v1.events_pb2 import AccountClosed, RoleGranted, SessionOpened
from unora.reveal.v1.events_pb2 import PersonalityChanged
from unora.safety.v1.events_pb2 import AuditHeadsExported
from unora.streak.v1.events_pb2 import CheckedIn, StreakStarted
from unora_safety.domain.chain import Head
from unora_safety.domain.head_exports import HeadExport, to_document
from unora_safety.providers.head_signer import HeadSigner
from unora_sdk.names import subject_of
from unora_testing.invariants.wording import carries_content

ID = "01a20481-3a6d-7e79-b927-d8c722e17b35"
AT = Timestamp(seconds=1_800_000_000)


HEADS = HeadExport(datetime(2026, 11, 29, tzinfo=UTC), {"billing": Head(7, bytes(32))})


def signed(document: dict[str, object]) -> str:
    return HeadSigner([ECKey.generate_key("P-256").as_pem(private=True).decode()]).sign(document)


def row(event: Message, more: bytes = b"") -> dict[str, object]:
    return {"subject": subject_of(event), "payload": event.SerializeToString() + more}


@pytest.mark.rule("XX-01")
@pytest.mark.parametrize(
    "event",
    [
        CheckedIn(streak_id=ID, version=3, user_id=ID, day=2, occurred_at=AT),
        StreakStarted(streak_id=ID, version=1, time_zone="Europe/Berlin"),
        RoleGranted(user_id=ID, version=4, role="admin"),
        SessionOpened(user_id=ID, version=2, session_id=ID, device_digest=bytes(32)),
        AccountClosed(user_id=ID, version=2, phone_digest=bytes(32)),
        PersonalityChanged(user_id=ID, version=1, answered_count=8),
        AuditHeadsExported(export_id=ID, version=1, document=signed(to_document(HEADS))),
    ],
    ids=lambda event: event.DESCRIPTOR.name,
)
def test_ids_states_numbers_and_times_are_no_content(event: Message) -> None:
    assert not carries_content(row(event))


@pytest.mark.rule("XX-01", "PE-03")
@pytest.mark.parametrize(
    "event_row",
    [
        row(CheckedIn(streak_id=ID, version=3, user_id="Mirabel")),
        row(StreakStarted(streak_id=ID, version=1, time_zone="Mirabel")),
        row(RoleGranted(user_id=ID, version=4, role="the kind one")),
        row(SessionOpened(user_id=ID, version=2, session_id=ID, device_digest=b"a device")),
        row(PersonalityChanged(user_id=ID, version=1), b"\x22\x04calm"),
        row(PersonalityChanged(user_id=ID, version=1, occurred_at=AT), b"\x21" + bytes(8)),
        row(PersonalityChanged(user_id=ID, version=1), b"\xff"),
        row(AuditHeadsExported(export_id=ID, version=1, document="Mirabel")),
        row(AuditHeadsExported(export_id=ID, version=1, document=signed(to_document(HEADS) | {"by": "Mirabel"}))),
        {"subject": "unora.reveal.v1.never_heard_of", "payload": b""},
    ],
    ids=[
        "name",
        "no-zone",
        "no-role",
        "no-digest",
        "unknown-word",
        "unknown-score",
        "garbled",
        "no-export",
        "export-with-more",
        "unknown-event",
    ],
)
def test_texts_and_scores_are_found(event_row: dict[str, object]) -> None:
    assert carries_content(event_row)
