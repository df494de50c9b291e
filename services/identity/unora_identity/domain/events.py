"""The events of identity, with the names and fields of its events.proto (see `unora_common.domain_events`)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import TypedDict
from uuid import UUID

from unora_common.domain_events import DomainEvent

from unora_identity.domain.accounts import LockedMember


class EventHeader(TypedDict):
    """The fields that all events of a member have."""

    user_id: UUID
    version: int
    occurred_at: datetime


def event_headers(member: LockedMember, now: datetime) -> Iterator[EventHeader]:
    """The headers of the member's next events; each has the version after the one before it."""
    for version in count(member.version + 1):
        yield EventHeader(user_id=member.id, version=version, occurred_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEvent(DomainEvent):
    """An event whose aggregate is a member."""

    user_id: UUID
    version: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCreated(MemberEvent):
    """ID-01: an account was created."""

    phone_digest: bytes
    """ID-09: a keyed hash of the number."""
    device_digest: bytes | None
    """ID-09, SA-04: a keyed hash of the device, if the app named one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(MemberEvent):
    """ID-02: a session was opened by a code."""

    session_id: UUID
    device_digest: bytes | None
    """SA-04: a keyed hash of the device, if the app named one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked(MemberEvent):
    """ID-03, SA-06: a session was revoked."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeviceSignedIn(MemberEvent):
    """ID-12: an account that was there before was signed in to from a device that it does not know."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChanged(MemberEvent):
    """ID-14: the account has another phone number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryProfileChanged(MemberEvent):
    """DI-08, PR-06: what Discovery may show of the member has changed."""

    discovery_ready: bool
    trust_level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TextsReviewed(MemberEvent):
    """PR-10: all texts of the member's card were judged anew. What was shown of them before may be shown no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderAgeDateReplaced(MemberEvent):
    """ID-08: the member, whose date of birth was once refused as under age, has an older one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoAdded(MemberEvent):
    """PR-02: a photo was accepted."""

    photo_id: UUID
    has_face: bool
    quality_passed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(MemberEvent):
    """A role was granted."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(MemberEvent):
    """ID-15: a role was taken away."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorChanged(MemberEvent):
    """ID-15: the member got a second factor, or another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorRefused(MemberEvent):
    """ID-15: the right phone code came with a wrong second factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSignedIn(MemberEvent):
    """ID-15: a session that carries the role admin was opened."""

    session_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSignalRecorded(MemberEvent):
    """ID-05: a signal of trust was recorded or decided."""

    signal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspensionChanged(MemberEvent):
    """SA-06: the member was suspended, or the suspension was lifted."""

    suspended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPaused(MemberEvent):
    """ID-16: the member is shown to nobody, and their interests match with nobody, until they resume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResumed(MemberEvent):
    """ID-16: the pause is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed(MemberEvent):
    """ID-09: the member closed the account. For all others they are gone."""

    phone_digest: bytes
    """ID-09: a keyed hash of the number, by which safety knows a suspended member again."""
    device_digest: bytes | None
    """ID-09, SA-04: a keyed hash of the device of the call, if its app named one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHidden(MemberEvent):
    """ID-13: the number of the account went to a new account. For all others this is as if it had been closed."""

    phone_digest: bytes
    device_digest: bytes | None
    new_user_id: UUID | None = None
    """The new account, if it is made in the same step: the events of two accounts come in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReopened(MemberEvent):
    """ID-09, ID-13: a closed or hidden account is open again. What its closing ended stays ended."""

    paused: bool
    """Whether a pause from before goes on (ID-16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErasureRequested(MemberEvent):
    """ID-09: the erasure of the account has begun."""

    erasure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountErased(MemberEvent):
    """ID-09: all seven contexts and the object store have erased the member."""

    erasure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDisclosed(DomainEvent):
    """RE-04: the two members of a streak may see each other. The aggregate is the connection."""

    connection_id: UUID
    version: int
    streak_id: UUID
    user_a_id: UUID
    user_b_id: UUID
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureEnded(DomainEvent):
    """RE-10: the disclosure of a pair ended with their connection. The aggregate is the connection."""

    connection_id: UUID
    version: int
    occurred_at: datetime
