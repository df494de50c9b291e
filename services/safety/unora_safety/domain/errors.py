"""Why safety refuses. None of these tells anything of another member (XX-04)."""

from unora_common.errors import DomainError


class TargetNotFound(DomainError):
    """The card or connection is another's, too old, or does not exist: the same answer."""

    code = "NOT_FOUND"
    reason = "TARGET_NOT_FOUND"


class BlockNotFound(DomainError):
    """The block is another's, is lifted, or never was."""

    code = "NOT_FOUND"
    reason = "BLOCK_NOT_FOUND"
