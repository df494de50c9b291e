"""The refusals of discovery. A refusal changes nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from unora_common.errors import DomainError


class NotAMember(DomainError):
    """DI-01: the caller has not joined the server."""

    reason = "NOT_A_MEMBER"
    sentence = "You have not joined this server."


class NotDiscoveryReady(DomainError):
    """PR-06: the caller is not discovery-ready; `missing` says what is missing, such as `profile.name,photos`: the
    words of identity's GetOnboarding.
    """

    reason = "NOT_DISCOVERY_READY"
    sentence = "Your profile is not complete yet."

    def __init__(self, missing: Iterable[str]) -> None:
        super().__init__(missing=",".join(missing))


class AccountPaused(DomainError):
    """ID-16: the caller has paused, and gets no new cards until they resume."""

    reason = "ACCOUNT_PAUSED"
    sentence = "You have paused. Resume first."


class CapacityLocked(DomainError):
    """DI-06: all slots of the caller are taken; a connection must end first."""

    reason = "CAPACITY_LOCKED"
    sentence = "All your connections are in use. End one to discover others."


class RefreshLocked(DomainError):
    """DI-06: the one timer of all servers still runs; `refresh_available_at` says until when (UTC)."""

    reason = "REFRESH_LOCKED"
    sentence = "You cannot get new cards yet."

    def __init__(self, refresh_available_at: datetime) -> None:
        super().__init__(refresh_available_at=refresh_available_at.isoformat())


class PoolTooSmall(DomainError):
    """DI-02: there are fewer than five members to show; how many is not said (XX-04). `filters` names those of the
    caller's own filters that are set, separated by commas, whoever is there; it is absent if none is.
    """

    reason = "POOL_TOO_SMALL"
    sentence = "There are not enough people to show at the moment. Wider filters may help."

    def __init__(self, filters: Sequence[str]) -> None:
        super().__init__(**({"filters": ",".join(filters)} if filters else {}))


class CardNotFound(DomainError):
    """The card is missing, too old or another member's: one answer for all (XX-04)."""

    code = "NOT_FOUND"
    reason = "CARD_NOT_FOUND"
    sentence = "This card does not exist."
