"""The refusals of safety. Those that members get reveal nothing about another member or a decision (XX-04, SA-03)."""

from unora_common.errors import DomainError


class TargetNotFound(DomainError):
    """The card or connection belongs to another member, is too old, or does not exist: the same answer."""

    code = "NOT_FOUND"
    reason = "TARGET_NOT_FOUND"
    sentence = "This person cannot be found. Choose them from a card or a connection."


class BlockNotFound(DomainError):
    """The block belongs to another member, is lifted, or does not exist: the same answer."""

    code = "NOT_FOUND"
    reason = "BLOCK_NOT_FOUND"
    sentence = "This block does not exist."


class TooManyAppeals(DomainError):
    """The member made as many appeals within 24 hours as are allowed, whatever was decided."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_APPEALS"
    sentence = "You cannot appeal again today. Try again tomorrow."


class TooManyReports(DomainError):
    """The member made as many reports within 24 hours as are allowed, about any members."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_REPORTS"
    sentence = "You cannot report anyone else today. Try again tomorrow."


class CaseNotFound(DomainError):
    """The case does not exist. Only moderators get this answer."""

    code = "NOT_FOUND"
    reason = "CASE_NOT_FOUND"
    sentence = "This case does not exist."


class CaseAssigned(DomainError):
    """Another moderator has the case."""

    reason = "CASE_ASSIGNED"
    sentence = "Another moderator has this case."


class CaseNotTaken(DomainError):
    """The moderator does not have the case: another has it, or it is in the queue, perhaps because of an appeal."""

    reason = "CASE_NOT_TAKEN"
    sentence = "You do not have this case. Take it first."


class CaseDecided(DomainError):
    """The case is already decided."""

    reason = "CASE_DECIDED"
    sentence = "This case is already decided."


class CaseAboutYourself(DomainError):
    """A moderator cannot take a case about themselves, or see what safety knows about them."""

    reason = "CASE_ABOUT_YOURSELF"
    sentence = "This case is about you."
