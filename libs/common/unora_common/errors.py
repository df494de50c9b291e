"""Errors that leave a service: a status code, a stable reason and metadata for programs, and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class DomainError(Exception):
    """A refusal with a name. It becomes `google.rpc.ErrorInfo` with this reason and the domain `unora.<context>`.

    `code` is a gRPC status name; `reason` is UPPER_SNAKE and stable; `sentence` says the same to a person, in English,
    and may change. Each refusal is a subclass that sets all three.
    `metadata` holds what a client may act on. `violations` is field → why, for a refusal because of single fields: it
    becomes `google.rpc.BadRequest` besides.
    """

    code: ClassVar[str] = "FAILED_PRECONDITION"
    reason: ClassVar[str]
    sentence: ClassVar[str]
    violations: Mapping[str, str] = MappingProxyType({})

    def __init__(self, **metadata: object) -> None:
        self.metadata: dict[str, str] = {key: str(value) for key, value in metadata.items()}
        super().__init__(self.reason, self.metadata)


class InvalidArgument(DomainError):
    """A field that cannot be accepted, whatever is stored."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_ARGUMENT"
    sentence = "Some of what you sent cannot be accepted."

    def __init__(self, violations: Mapping[str, str], **metadata: object) -> None:
        self.violations = dict(violations)
        super().__init__(**metadata)


class Unauthenticated(DomainError):
    """The call needs a member's token, and there is none that can be trusted."""

    code = "UNAUTHENTICATED"
    reason = "TOKEN_INVALID"
    sentence = "You are not signed in. Sign in again."


class PermissionDenied(DomainError):
    """The caller may not call this method (XX-03)."""

    code = "PERMISSION_DENIED"
    reason = "CALLER_NOT_ALLOWED"
    sentence = "You are not allowed to do this."


class RequestIdReused(InvalidArgument):
    """A request id came again with another request."""

    reason = "REQUEST_ID_REUSED"
    sentence = "This does not match what you sent before. Start again."

    def __init__(self) -> None:
        super().__init__({"request_id": "was used for another request"})


class Unavailable(DomainError):
    """Something that the call needs does not answer now; trying again may help."""

    code = "UNAVAILABLE"
    reason = "DEPENDENCY_UNAVAILABLE"
    sentence = "This is not possible at the moment. Try again in a moment."


class Exhausted(DomainError):
    """XX-06: refused for load; the same call may be answered later. The ErrorInfo's metadata holds `retry_after` in
    seconds, and `google.rpc.RetryInfo` holds the same as a duration.
    """

    code = "RESOURCE_EXHAUSTED"

    def __init__(self, retry_after: float, **metadata: object) -> None:
        self.retry_after = retry_after
        super().__init__(retry_after=f"{retry_after:.3f}".rstrip("0").rstrip("."), **metadata)


class RetryLater(Exception):
    """A consumer must wait for an earlier event: this one is delivered again, and not counted as failed."""
