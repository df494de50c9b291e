"""What the gateway itself refuses, with the reasons, sentences and HTTP statuses that clients see."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from google.rpc import code_pb2
from unora_common.budgets import TooManyCalls
from unora_common.errors import DomainError, InvalidArgument, Unavailable
from unora_common.grpc_errors import DeadlineExceeded, Internal, to_status

SOURCE: Final = "gateway"
"""Refusals have the domain `unora.gateway`."""


class PathUnknown(DomainError):
    """No method has this path."""

    code = "NOT_FOUND"
    reason = "PATH_UNKNOWN"
    sentence = "There is nothing at this address."


class VerbUnknown(DomainError):
    """The path takes other HTTP methods, which the metadata `allow` lists."""

    code = "UNIMPLEMENTED"
    reason = "VERB_UNKNOWN"
    sentence = "This address is not called in this way."


class MethodUnknown(DomainError):
    """No method of this name can be called from outside."""

    code = "UNIMPLEMENTED"
    reason = "METHOD_UNKNOWN"
    sentence = "There is no such method."


class MediaTypeUnsupported(DomainError):
    """The content-type is not one that the path takes: application/json for REST, application/grpc or
    application/grpc-web for the methods' own paths.
    """

    code = "INVALID_ARGUMENT"
    reason = "MEDIA_TYPE_UNSUPPORTED"
    sentence = "What you sent is of a kind that cannot be read."


class JsonInvalid(DomainError):
    """The body is not a JSON object in UTF-8. The metadata `byte` says where reading ended, counted from 1."""

    code = "INVALID_ARGUMENT"
    reason = "JSON_INVALID"
    sentence = "What you sent cannot be read."


class FieldUnknown(DomainError):
    """The body has fields that the request does not have; the violations name them."""

    code = "INVALID_ARGUMENT"
    reason = "FIELD_UNKNOWN"
    sentence = "Some of what you sent is not known here."


class QueryParameterUnknown(DomainError):
    """The query has parameters that the request does not have; the violations name them."""

    code = "INVALID_ARGUMENT"
    reason = "QUERY_PARAMETER_UNKNOWN"
    sentence = "Some of what you sent is not known here."


class BodyUnexpected(DomainError):
    """The method takes no body; its fields come in the path and the query."""

    code = "INVALID_ARGUMENT"
    reason = "BODY_UNEXPECTED"
    sentence = "What you sent cannot be read."


class RequestMalformed(DomainError):
    """The request breaks rules of HTTP, or its path holds an escaped slash."""

    code = "INVALID_ARGUMENT"
    reason = "REQUEST_MALFORMED"
    sentence = "What you sent cannot be read."


class BodyTooLarge(DomainError):
    """The body has more bytes than are taken. HTTP status 413."""

    code = "INVALID_ARGUMENT"
    reason = "BODY_TOO_LARGE"
    sentence = "What you sent is too large."


class HeadersTooLarge(DomainError):
    """The headers are too many, or too long. HTTP status 431."""

    code = "INVALID_ARGUMENT"
    reason = "HEADERS_TOO_LARGE"
    sentence = "What you sent is too large."


class RequestSlow(DomainError):
    """The request did not arrive as a whole in time. HTTP status 408."""

    code = "DEADLINE_EXCEEDED"
    reason = "REQUEST_SLOW"
    sentence = "What you sent did not arrive in time. Try again."


HTTP: Final = {
    "OK": 200,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
"""The HTTP status of each code of gRPC, as google.rpc.Code says."""
OTHER_HTTP: Final[dict[type[DomainError], int]] = {
    VerbUnknown: 405,
    MediaTypeUnsupported: 415,
    BodyTooLarge: 413,
    HeadersTooLarge: 431,
    RequestSlow: 408,
}
"""Refusals whose HTTP status says more than that of their code."""


@dataclass(frozen=True)
class Said:
    """A refusal in the forms in which it leaves the gateway."""

    reason: str
    code: str
    number: int
    """The code's number."""
    http: int
    sentence: str
    metadata: dict[str, str]
    details: str
    """`grpc-status-details-bin`, without padding."""


def all_said(retry_after: float) -> list[Said]:
    """Every refusal that the gateway may give; `retry_after` is in seconds, for too many calls."""
    kinds: list[DomainError] = [
        PathUnknown(),
        VerbUnknown(),
        MethodUnknown(),
        MediaTypeUnsupported(),
        JsonInvalid(),
        FieldUnknown(),
        QueryParameterUnknown(),
        BodyUnexpected(),
        RequestMalformed(),
        BodyTooLarge(),
        HeadersTooLarge(),
        RequestSlow(),
        InvalidArgument({}),
        TooManyCalls(retry_after),
        Unavailable(),
        DeadlineExceeded(),
        Internal(),
    ]
    return [said_of(each) for each in kinds]


def said_of(refusal: DomainError) -> Said:
    """A refusal in all its forms."""
    status = to_status(refusal, SOURCE)
    return Said(
        reason=refusal.reason,
        code=refusal.code,
        number=code_pb2.Code.Value(refusal.code),
        http=OTHER_HTTP.get(type(refusal), HTTP[refusal.code]),
        sentence=refusal.sentence,
        metadata=refusal.metadata,
        details=b64encode(status.SerializeToString()).decode().rstrip("="),
    )
