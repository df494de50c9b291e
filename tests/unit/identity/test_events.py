"""Domain events become the messages of the contract, and each event of a member has the next version."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from google.protobuf.message import Message
from unora.identity.v1 import events_pb2
from unora_common.domain_events import DomainEvent
from unora_common.messages import to_timestamp
from unora_identity.domain import events
from unora_identity.domain.accounts import LockedMember
from unora_identity.domain.card import age_band_changed, card_changed
from unora_identity.domain.events import (
    AccountCreated,
    DiscoveryProfileChanged,
    IdentityDisclosed,
    NewDeviceSignedIn,
    PhoneChanged,
    PhotoAdded,
    RoleRevoked,
    SessionOpened,
    event_headers,
)
from unora_identity.domain.onboarding import Member
from unora_identity.domain.policy import Policy
from unora_identity.domain.profiles import Gender, Profile
from unora_identity.messages.events import to_message

NOW, POLICY = datetime(2026, 1, 10, 12, tzinfo=UTC), Policy()
LOCKED = LockedMember(id=UUID(int=1), version=4)
HEADER = next(event_headers(LOCKED, NOW))
PROFILE = Profile(name="Ada", date_of_birth=date(1990, 1, 1), gender=Gender.WOMAN, city="London", time_zone="UTC")


def of_member(kind: type[Message], **more: object) -> Message:
    return kind(user_id=str(UUID(int=1)), version=5, occurred_at=to_timestamp(NOW), **more)


@pytest.mark.rule("XX-01")
@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            AccountCreated(**HEADER, phone_digest=b"p" * 32, device_digest=None),
            of_member(events_pb2.AccountCreated, phone_digest=b"p" * 32),
        ),
        (
            SessionOpened(**HEADER, session_id=UUID(int=2), device_digest=None),
            of_member(events_pb2.SessionOpened, session_id=str(UUID(int=2))),
        ),
        (
            SessionOpened(**HEADER, session_id=UUID(int=2), device_digest=b"d" * 32),
            of_member(events_pb2.SessionOpened, session_id=str(UUID(int=2)), device_digest=b"d" * 32),
        ),
        (
            NewDeviceSignedIn(**HEADER, session_id=UUID(int=2)),
            of_member(events_pb2.NewDeviceSignedIn, session_id=str(UUID(int=2))),
        ),
        (PhoneChanged(**HEADER), of_member(events_pb2.PhoneChanged)),
        (RoleRevoked(**HEADER, role="admin"), of_member(events_pb2.RoleRevoked, role="admin")),
        (
            PhotoAdded(**HEADER, photo_id=UUID(int=3), has_face=True, quality_passed=False),
            of_member(events_pb2.PhotoAdded, photo_id=str(UUID(int=3)), has_face=True),
        ),
        (
            DiscoveryProfileChanged(**HEADER, discovery_ready=False, trust_level=1),
            of_member(events_pb2.DiscoveryProfileChanged, trust_level=1),
        ),
        (
            IdentityDisclosed(
                connection_id=UUID(int=6),
                version=1,
                streak_id=UUID(int=7),
                user_a_id=UUID(int=1),
                user_b_id=UUID(int=2),
                occurred_at=NOW,
            ),
            events_pb2.IdentityDisclosed(
                connection_id=str(UUID(int=6)),
                version=1,
                streak_id=str(UUID(int=7)),
                user_a_id=str(UUID(int=1)),
                user_b_id=str(UUID(int=2)),
                occurred_at=to_timestamp(NOW),
            ),
        ),
    ],
)
def test_an_event_has_the_bytes_of_its_message(event: DomainEvent, message: Message) -> None:
    assert to_message(event).SerializeToString() == message.SerializeToString()


def test_every_message_has_a_domain_event_with_its_fields() -> None:
    for name, descriptor in events_pb2.DESCRIPTOR.message_types_by_name.items():
        names = {each.name for each in fields(getattr(events, name))}
        assert names == set(descriptor.fields_by_name), name


@pytest.mark.rule("XX-02")
def test_each_event_of_a_member_has_the_next_version() -> None:
    headers = event_headers(LOCKED, NOW)
    assert [next(headers)["version"] for _ in range(3)] == [5, 6, 7]


@pytest.mark.rule("DI-08", "PR-06")
def test_a_card_that_stays_the_same_is_no_event_and_takes_no_version() -> None:
    before, headers = Member(profile=PROFILE), event_headers(LOCKED, NOW)
    renamed = replace(before, profile=replace(PROFILE, name="Grace"))
    assert card_changed(headers, before, renamed, NOW, POLICY) == []
    assert age_band_changed(headers, before, NOW, POLICY) == []
    assert next(headers)["version"] == 5
