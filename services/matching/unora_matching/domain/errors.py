"""Why matching refuses. None of these tells anything of another member (XX-04)."""

from unora_common.errors import DomainError


class CapacityFull(DomainError):
    """MA-13: the caller has no open slot. Said before anything about the other is read."""

    code = "FAILED_PRECONDITION"
    reason = "CAPACITY_FULL"


class CardNotFound(DomainError):
    """The card is not in the caller's active batch: another's, an old one, or none at all."""

    code = "NOT_FOUND"
    reason = "CARD_NOT_FOUND"


class InterestExists(DomainError):
    """The caller has sent this interest already, and it looks pending to them."""

    code = "ALREADY_EXISTS"
    reason = "INTEREST_EXISTS"


class InterestNotFound(DomainError):
    """The interest does not exist, or is another's: the same answer."""

    code = "NOT_FOUND"
    reason = "INTEREST_NOT_FOUND"


class InterestOver(DomainError):
    """MA-11: the interest does not look pending to its sender any more."""

    code = "FAILED_PRECONDITION"
    reason = "INTEREST_CLOSED"


class ConnectionNotFound(DomainError):
    """The connection does not exist, or is another's: the same answer."""

    code = "NOT_FOUND"
    reason = "CONNECTION_NOT_FOUND"


class ConnectionOver(DomainError):
    """MA-09: it has ended already, whoever ended it."""

    code = "FAILED_PRECONDITION"
    reason = "CONNECTION_ENDED"
