"""Maps what a use case raises to the status that leaves the service. An unknown error leaves as INTERNAL."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from unora_common.errors import DomainError, Exhausted, Unavailable
from unora_common.transient import is_transient

STATUS = {code.name: code for code in grpc.StatusCode}
DETAILS = "grpc-status-details-bin"


class Internal(DomainError):
    """An error that should not happen. The log has the details, under the call's trace."""

    code = "INTERNAL"
    reason = "INTERNAL"


class DeadlineExceeded(DomainError):
    """The call's deadline has passed."""

    code = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_EXCEEDED"


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
    """The rich status: code, ErrorInfo, BadRequest for fields, RetryInfo for a refusal for load. The message holds only
    the reason.
    """
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=f"unora.{context}", metadata=error.metadata)
    details = [_any(info)]
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


def read_details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """The reason with its metadata, and the violated fields, of a service's error; empty if the error has none."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for pair in error.trailing_metadata():
        key, value = tuple(pair)
        if key == DETAILS:
            for detail in status_pb2.Status.FromString(value).details:
                detail.Unpack(info)
                detail.Unpack(bad)
    return info, bad


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The stable reason in another service's error, or an empty string."""
    info, _ = read_details(error)
    return str(info.reason)
