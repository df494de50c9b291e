"""What happens to every call, in one function: caller, member, access, validation, the use case, errors, log, metrics.

The handler of each method is built once, at start, from the descriptors, so that a call costs only its own work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import protovalidate
from google.protobuf.message import DecodeError, Message
from unora.common.v1.options_pb2 import Access

from unora_common import trace
from unora_common.authentication import Authenticator, caller_of
from unora_common.call import Call, set_deadline
from unora_common.errors import DomainError, InvalidArgument, PermissionDenied, Unavailable
from unora_common.grpc_errors import DETAILS, STATUS, Internal, to_domain_error, to_status
from unora_common.logs import Log
from unora_common.policies import MethodPolicy
from unora_common.runtime import AnyRuntime
from unora_common.tokens import Member
from unora_common.transient import CONFLICTS

Context = grpc.aio.ServicerContext[Any, Any]
UseCase = Callable[[Any, Call], Awaitable[Message]]
NO_ROLES: frozenset[str] = frozenset()


class RequestUnreadable(InvalidArgument):
    """The bytes are not a message of this method."""

    reason = "REQUEST_UNREADABLE"

    def __init__(self) -> None:
        super().__init__({})


class AdminOnly(PermissionDenied):
    """The method is for members with the role admin."""

    reason = "ADMIN_ONLY"


class AccountSuspended(PermissionDenied):
    """SA-06: the member is suspended, and the method is not one of the few that suspended members may call."""

    reason = "ACCOUNT_SUSPENDED"


def handler(
    runtime: AnyRuntime,
    authenticator: Authenticator,
    constraints: Mapping[str, type[DomainError]],
    policy: MethodPolicy,
    use_case: UseCase,
) -> grpc.RpcMethodHandler[Any, Any]:
    """The gRPC handler of one method."""
    gateways = runtime.config.gateway_callers
    default, longest = runtime.config.default_deadline, runtime.config.longest_deadline
    calls = runtime.metrics.calls
    answered = calls.labels(policy.name, "OK")
    log = runtime.log.bind(method=policy.path)

    async def serve(body: bytes, context: Context) -> Message:
        started = time.perf_counter()
        metadata = dict(context.invocation_metadata() or ())
        trace.begin(str(metadata.get(trace.HEADER, "")))
        remaining = context.time_remaining()
        seconds_given = default if remaining is None else min(remaining, longest)
        set_deadline(seconds_given)
        caller, member = "", None
        try:
            caller = caller_of(context)
            member = await _authorize(authenticator, policy, caller, gateways, metadata)
            request = _read(policy.request, body)
            violations = protovalidate.collect_violations(request)
            if violations:
                raise _invalid(violations)
            call = Call(
                policy.path,
                caller,
                member.user if member else None,
                member.session if member else None,
                member.roles if member else NO_ROLES,
                policy.response,
                metadata,
            )
            async with asyncio.timeout(seconds_given):
                answer = await _answer(use_case, request, call)
        except asyncio.CancelledError:
            log.info("call cancelled", caller=caller, trace=trace.current())
            calls.labels(policy.name, "CANCELLED").observe(time.perf_counter() - started)
            raise
        except Exception as error:
            refusal = to_domain_error(error, constraints)
            seconds = time.perf_counter() - started
            calls.labels(policy.name, refusal.code).observe(seconds)
            _log_refusal(log, caller, member, refusal, error, seconds)
            status = to_status(refusal, runtime.context)
            await context.abort(STATUS[refusal.code], refusal.reason, ((DETAILS, status.SerializeToString()),))
        seconds = time.perf_counter() - started
        answered.observe(seconds)
        log.info(
            "call",
            caller=caller,
            user_id=str(member.user) if member else None,
            code="OK",
            seconds=round(seconds, 6),
            trace=trace.current(),
        )
        return answer

    return grpc.unary_unary_rpc_method_handler(
        serve,
        request_deserializer=None,  # `serve` parses the bytes: an unreadable request needs a reason
        response_serializer=policy.response.SerializeToString,
    )


async def _answer(use_case: UseCase, request: Any, call: Call) -> Message:
    """Runs the use case. If something that it waits for is cancelled, but not the call itself, a dependency went away:
    the caller gets Unavailable, since gRPC would leave it without an answer.
    """
    try:
        return await use_case(request, call)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Unavailable from None


async def _authorize(
    authenticator: Authenticator,
    policy: MethodPolicy,
    caller: str,
    gateways: tuple[str, ...],
    metadata: Mapping[str, str | bytes],
) -> Member | None:
    """XX-03, SA-06: checks the certificate first, then the member's token and session, then suspension and role."""
    if not policy.may_call(caller, gateways):
        raise PermissionDenied
    if not policy.needs_member:
        return None
    member = await authenticator.member_of(metadata)
    if member.suspended and not policy.suspended_allowed:
        raise AccountSuspended
    if policy.access == Access.ACCESS_ADMIN and "admin" not in member.roles:
        raise AdminOnly
    return member


def _read(kind: type[Message], body: bytes) -> Message:
    try:
        return kind.FromString(body)
    except DecodeError:
        raise RequestUnreadable from None


def _invalid(violations: list[Any]) -> InvalidArgument:
    """The contract's own words by field path, never the value. A rule about several fields has an empty path."""
    found: dict[str, str] = {}
    for violation in violations:
        field = violation.proto.field
        path = ".".join(element.field_name for element in field.elements) if field else ""
        found.setdefault(path, violation.proto.message or violation.proto.rule_id)
    return InvalidArgument(found)


def _log_refusal(
    log: Log, caller: str, member: Member | None, refusal: DomainError, error: Exception, seconds: float
) -> None:
    fields: dict[str, Any] = {
        "caller": caller,
        "user_id": str(member.user) if member else None,
        "code": refusal.code,
        "reason": refusal.reason,
        "seconds": round(seconds, 6),
        "trace": trace.current(),
    }
    if isinstance(refusal, Internal) or isinstance(error, CONFLICTS):  # repeated conflicts may be a wrong lock order
        log.error("call failed", failure=error, **fields)
    else:
        log.info("call refused", **fields)
