"""Maps what a use case raises to the status that leaves the service. An unknown error leaves as INTERNAL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import asyncpg
import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from unora_common.errors import DomainError, Exhausted, Unavailable
from unora_common.transient import is_transient

STATUS = {code.name: code for code in grpc.StatusCode}
DETAILS = "grpc-status-details-bin"
LOCALE: Final = "en"
"""The language of sentences, as a BCP 47 tag."""


class Internal(DomainError):
    """An error that should not happen. The log has the details, under the call's trace."""

    code = "INTERNAL"
    reason = "INTERNAL"
    sentence = "Something went wrong. It is not your fault."


class DeadlineExceeded(DomainError):
    """The call's deadline has passed."""

    code = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_EXCEEDED"
    sentence = "This took too long. Try again."


def to_domain_error(error: BaseException, constraints: Mapping[str, type[DomainError]]) -> DomainError:
    """The refusal for an exception. `constraints` maps names of database constraints to refusals."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        refusal = constraints.get(str(error.constraint_name))
        return refusal() if refusal else Internal()
    is_late = isinstance(error, grpc.aio.AioRpcError) and error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    if is_late or isinstance(error, TimeoutError):
        return DeadlineExceeded()
    return Unavailable() if is_transient(error) else Internal()


def to_status(error: DomainError, context: str) -> status_pb2.Status:
    """The rich status: code, ErrorInfo, LocalizedMessage with the sentence, BadRequest for fields, RetryInfo for a
    refusal for load. The message holds only the reason.
    """
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=f"unora.{context}", metadata=error.metadata)
    said = error_details_pb2.LocalizedMessage(locale=LOCALE, message=error.sentence)
    details = [_any(info), _any(said)]
    if error.violations:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=field, description=why)
            for field, why in error.violations.items()
        ]
        details.append(_any(error_details_pb2.BadRequest(field_violations=violations)))
    if isinstance(error, Exhausted):
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(error.retry_after * 1e9))
        details.append(_any(retry))
    return status_pb2.Status(code=code_pb2.Code.Value(error.code), message=error.reason, details=details)


def _any(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


class Details(NamedTuple):
    """What a service's error says; empty if the error is not one of ours."""

    info: error_details_pb2.ErrorInfo
    """The reason with its metadata."""
    bad: error_details_pb2.BadRequest
    """The violated fields."""
    said: error_details_pb2.LocalizedMessage
    """The sentence."""


def read_details(error: grpc.aio.AioRpcError) -> Details:
    """The details of another service's error."""
    found = Details(error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.LocalizedMessage())
    for pair in error.trailing_metadata():
        key, value = tuple(pair)
        if key == DETAILS:
            for detail in status_pb2.Status.FromString(value).details:
                for each in found:
                    detail.Unpack(each)
    return found


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The stable reason in another service's error, or an empty string."""
    return str(read_details(error).info.reason)
