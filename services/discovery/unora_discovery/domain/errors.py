"""The refusals of discovery. A refusal changes nothing."""

from datetime import datetime

from unora_common.errors import DomainError


class NotAMember(DomainError):
    """DI-01: the caller has not joined the server."""

    reason = "NOT_A_MEMBER"


class NotDiscoveryReady(DomainError):
    """PR-06: the caller is not discovery-ready, and identity says what is missing."""

    reason = "NOT_DISCOVERY_READY"


class AccountPaused(DomainError):
    """ID-16: the caller has paused, and gets no new cards until they resume."""

    reason = "ACCOUNT_PAUSED"


class CapacityLocked(DomainError):
    """DI-06: all slots of the caller are taken; a connection must end first."""

    reason = "CAPACITY_LOCKED"


class RefreshLocked(DomainError):
    """DI-06: the one timer of all servers still runs; `refresh_available_at` says until when (UTC)."""

    reason = "REFRESH_LOCKED"

    def __init__(self, refresh_available_at: datetime) -> None:
        super().__init__(refresh_available_at=refresh_available_at.isoformat())


class PoolTooSmall(DomainError):
    """DI-02: there are fewer than five members to show; how many is not said (XX-04)."""

    reason = "POOL_TOO_SMALL"


class CardNotFound(DomainError):
    """The card is missing, too old or another member's: one answer for all (XX-04)."""

    code = "NOT_FOUND"
    reason = "CARD_NOT_FOUND"
