"""Why Discovery refuses. A refusal changes nothing."""

from datetime import datetime

from unora_common.errors import DomainError


class NotAMember(DomainError):
    """DI-01: the caller has not joined the server."""

    reason = "NOT_A_MEMBER"


class NotDiscoveryReady(DomainError):
    """PR-06: identity says what is missing."""

    reason = "NOT_DISCOVERY_READY"


class CapacityLocked(DomainError):
    """DI-06: every slot is taken; a connection must end first."""

    reason = "CAPACITY_LOCKED"


class RefreshLocked(DomainError):
    """DI-06: the one timer of all servers has not run out. Says when it does (UTC)."""

    reason = "REFRESH_LOCKED"

    def __init__(self, refresh_available_at: datetime) -> None:
        super().__init__(refresh_available_at=refresh_available_at.isoformat())


class PoolTooSmall(DomainError):
    """DI-02: there are not five to show. How many there are is not told (XX-04)."""

    reason = "POOL_TOO_SMALL"


class CardNotFound(DomainError):
    """Another's card, one that is too old, a missing one: the same answer (XX-04)."""

    code = "NOT_FOUND"
    reason = "CARD_NOT_FOUND"
