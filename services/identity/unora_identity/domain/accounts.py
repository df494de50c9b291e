"""ID-01: an account, and what the home screen shows of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from unora_common.errors import DomainError

from unora_identity.domain.onboarding import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """Everything that a new account needs. It is made for every challenge, before it is known whether the phone number
    has an account already.
    """

    user_id: UUID
    phone_sealed: bytes
    data_key: bytes


class AccountIsClosed(DomainError):
    """ID-09: the account is closed; only reopening it is possible."""

    reason = "ACCOUNT_IS_CLOSED"
    sentence = "This account is closed."


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedMember:
    """A member whose row the transaction has locked."""

    id: UUID
    version: int
    """The version of the member's latest event."""
    suspended: bool = False
    paused_at: datetime | None = None
    """ID-16: since when the member has paused. Read only by the locks of `members` and `accounts`, as the next one."""
    erase_after: datetime | None = None
    """ID-09, ID-13: when the account is erased, if it is closed or hidden."""

    def require_open(self) -> None:
        """ID-09: raises AccountIsClosed for an account that is closed or hidden."""
        if self.erase_after is not None:
            raise AccountIsClosed


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a member has across all servers, by the latest events of billing, matching and discovery. Those contexts
    decide it; identity only shows it.
    """

    tier: str
    active_connection_count: int
    connection_limit: int | None
    """None until matching has published the member's first inventory."""
    last_global_refresh_at: datetime | None
    refresh_available_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member with everything that identity stores of them, at one moment of the rule clock."""

    id: UUID
    version: int
    texts_version: int | None
    """The version at which all texts were last judged anew (PR-10); None if no version of identity noted it yet."""
    created_at: datetime
    now: datetime
    roles: tuple[str, ...]
    suspended: bool
    paused_at: datetime | None
    """ID-16: since when the member has paused."""
    member: Member
    hobby_names: dict[str, str]
    """The display names of the member's hobbies, by option."""
    inventory: Inventory
