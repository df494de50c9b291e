"""The refusals of matching. None of them reveals anything about another member (XX-04)."""

from unora_common.errors import DomainError


class CapacityFull(DomainError):
    """MA-13: the caller has no open slot. This is checked before anything about the other member is read."""

    code = "FAILED_PRECONDITION"
    reason = "CAPACITY_FULL"
    sentence = "All your connections are in use. End one first."


class AccountPaused(DomainError):
    """ID-16: the caller has paused, and sends no interests until they resume."""

    reason = "ACCOUNT_PAUSED"
    sentence = "You have paused, or resumed just now. Resume, or try again in a moment."


class CardNotFound(DomainError):
    """The card is not in the caller's active batch: it is another member's, an old one, or does not exist."""

    code = "NOT_FOUND"
    reason = "CARD_NOT_FOUND"
    sentence = "This card is not one of your current cards."


class InterestExists(DomainError):
    """The caller has sent this interest already, and to the caller it looks pending."""

    code = "ALREADY_EXISTS"
    reason = "INTEREST_EXISTS"
    sentence = "You have sent this interest already."


class InterestNotFound(DomainError):
    """The interest does not exist, or is another member's: the same answer."""

    code = "NOT_FOUND"
    reason = "INTEREST_NOT_FOUND"
    sentence = "This interest does not exist."


class InterestOver(DomainError):
    """MA-11: to its sender, the interest no longer looks pending."""

    code = "FAILED_PRECONDITION"
    reason = "INTEREST_CLOSED"
    sentence = "This interest is over."


class ConnectionNotFound(DomainError):
    """The connection does not exist, or is not the caller's: the same answer."""

    code = "NOT_FOUND"
    reason = "CONNECTION_NOT_FOUND"
    sentence = "This connection does not exist."


class ConnectionOver(DomainError):
    """MA-09: the connection has ended already, by either member."""

    code = "FAILED_PRECONDITION"
    reason = "CONNECTION_ENDED"
    sentence = "This connection has ended."
