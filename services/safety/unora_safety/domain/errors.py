"""Why safety refuses. What members are told tells nothing of another member, nor of what was decided (XX-04, SA-03)."""

from unora_common.errors import DomainError


class TargetNotFound(DomainError):
    """The card or connection is another's, too old, or does not exist: the same answer."""

    code = "NOT_FOUND"
    reason = "TARGET_NOT_FOUND"


class BlockNotFound(DomainError):
    """The block is another's, is lifted, or never was."""

    code = "NOT_FOUND"
    reason = "BLOCK_NOT_FOUND"


class TooManyAppeals(DomainError):
    """So many appeals were made within a day that the next must wait, whatever became of them."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_APPEALS"


class TooManyReports(DomainError):
    """So many reports were made within a day that the next must wait, whomever they were about."""

    code = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_REPORTS"


class CaseNotFound(DomainError):
    """There is no such case. Only moderators hear it."""

    code = "NOT_FOUND"
    reason = "CASE_NOT_FOUND"


class CaseAssigned(DomainError):
    """Another moderator has the case."""

    reason = "CASE_ASSIGNED"


class CaseNotTaken(DomainError):
    """The moderator does not have the case: it waits, also because an appeal came, or another has it."""

    reason = "CASE_NOT_TAKEN"


class CaseDecided(DomainError):
    """The case is decided already."""

    reason = "CASE_DECIDED"


class CaseAboutYourself(DomainError):
    """Nobody takes a case about themselves, or looks into what safety knows of them."""

    reason = "CASE_ABOUT_YOURSELF"
