"""What happens to every call, in one class: caller, room, member, validation, the use case, errors, log, metrics.

The handler of each method is built once, at start, from the descriptors, so that a call costs only its own work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError, Message
from prometheus_client import Counter, Histogram

from unora_common import admission, trace
from unora_common.admission import Admission, ServiceBusy, Turn
from unora_common.authentication import Authenticator, authorize, caller_of
from unora_common.budgets import RETRY_AFTER
from unora_common.call import Call, set_deadline
from unora_common.common_metrics import RPC_DURATION, RPC_REFUSALS
from unora_common.errors import DomainError, Exhausted, InvalidArgument, Unavailable
from unora_common.grpc_errors import DETAILS, STATUS, Internal, to_domain_error, to_status
from unora_common.logs import Log, answered_calls
from unora_common.policies import MethodPolicy
from unora_common.runtime import AnyRuntime
from unora_common.tokens import Member
from unora_common.transient import CONFLICTS
from unora_common.violations import require_valid

Context = grpc.aio.ServicerContext[Any, Any]
UseCase = Callable[[Any, Call], Awaitable[Message]]
NO_ROLES: frozenset[str] = frozenset()
COUNTED_FAULTS: Final = ("INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN")
"""The codes that the objectives of the service count as faults."""


class RequestUnreadable(InvalidArgument):
    """The bytes are not a message of this method."""

    reason = "REQUEST_UNREADABLE"
    sentence = "What you sent cannot be read. Update the app, then try again."

    def __init__(self) -> None:
        super().__init__({})


class RequestLate(DomainError):
    """The headers of a call came, and its message did not follow in time."""

    code = "DEADLINE_EXCEEDED"
    reason = "REQUEST_LATE"
    sentence = "What you sent did not arrive in time. Try again."


class _Who:
    """Who makes a call, as far as it is known."""

    __slots__ = ("caller", "member")

    def __init__(self) -> None:
        self.caller = ""
        self.member: Member | None = None

    @property
    def user_id(self) -> str | None:
        return str(self.member.user) if self.member else None


def handler(
    runtime: AnyRuntime,
    authenticator: Authenticator,
    room: Admission,
    constraints: Mapping[str, type[DomainError]],
    policy: MethodPolicy,
    use_case: UseCase,
) -> grpc.RpcMethodHandler[Any, Any]:
    """The gRPC handler of one method.

    For gRPC it is a method with a stream of requests, of which it reads the first. So it runs on the headers of a call,
    and refuses a call that may not be made before its message is there. On the wire both kinds are the same.
    """
    method = _Method(runtime, authenticator, room, constraints, policy, use_case)
    return grpc.stream_unary_rpc_method_handler(
        method.serve,
        request_deserializer=None,  # `_request` parses the bytes: an unreadable request needs a reason
        response_serializer=policy.response.SerializeToString,
    )


class _Method:
    """One method of one process."""

    def __init__(
        self,
        runtime: AnyRuntime,
        authenticator: Authenticator,
        room: Admission,
        constraints: Mapping[str, type[DomainError]],
        policy: MethodPolicy,
        use_case: UseCase,
    ) -> None:
        self._context = runtime.context
        self._config = runtime.config
        self._authenticator = authenticator
        self._admission = room
        self._constraints = constraints
        self._policy = policy
        self._use_case = use_case
        self._durations, self._refusals = runtime.metrics.of(RPC_DURATION), runtime.metrics.of(RPC_REFUSALS)
        faults = COUNTED_FAULTS if policy.access_name in ("user", "public") else ()
        for code in ("OK", ServiceBusy.code, *faults):
            runtime.metrics.expect(RPC_DURATION, policy.name, policy.access_name, code)
        runtime.metrics.expect(RPC_REFUSALS, policy.name, ServiceBusy.reason)
        self._busy_details = _details(ServiceBusy(RETRY_AFTER), runtime.context)
        self._tracing = runtime.tracing
        self._log = runtime.log.bind(method=policy.path)
        self._log_answer = answered_calls(runtime.log, runtime.context, policy.path)

    async def serve(self, _: object, context: Context) -> Message:
        """Answers one call, or aborts it with a status."""
        started = time.perf_counter()
        metadata = dict(context.invocation_metadata() or ())
        # First of all: a refused caller's log line belongs to their trace too.
        self._tracing.call(self._policy.path, context, str(metadata.get(trace.HEADER, "")))
        who = _Who()
        try:
            who.caller = caller_of(context)
            with self._admission.turn(who.caller, self._policy) as turn:
                answer = await self._answer(context, metadata, turn, who)
        except ServiceBusy as busy:  # under load this must cost little, so its status was made at the start
            self._admission.note_refusal(busy)
            await asyncio.sleep(admission.REFUSAL_DELAY)
            self._busy.observe(time.perf_counter() - started)
            self._busy_count.inc()
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, busy.reason, self._busy_details)
        except asyncio.CancelledError:
            context.set_code(grpc.StatusCode.CANCELLED)  # nobody waits for it; the trace says so
            self._log.info("call cancelled", caller=who.caller, trace=trace.current())
            self._seconds("CANCELLED").observe(time.perf_counter() - started)
            raise
        except Exception as error:
            refusal = to_domain_error(error, self._constraints)
            if isinstance(refusal, Exhausted):
                self._admission.note_refusal(refusal)
                await asyncio.sleep(admission.REFUSAL_DELAY)
            seconds = time.perf_counter() - started
            self._seconds(refusal.code).observe(seconds)
            self._refusals.labels(self._policy.name, refusal.reason).inc()
            if not isinstance(refusal, Exhausted):
                _log_refusal(self._log, who, refusal, error, seconds)
            await context.abort(STATUS[refusal.code], refusal.reason, _details(refusal, self._context))
        seconds = time.perf_counter() - started
        self._answered.observe(seconds)
        self._log_answer(who.caller, who.member.user if who.member else None, seconds, trace.current())
        return answer

    @cached_property
    def _answered(self) -> Histogram:
        return self._seconds("OK")

    @cached_property
    def _busy(self) -> Histogram:
        return self._seconds(ServiceBusy.code)

    @cached_property
    def _busy_count(self) -> Counter:
        return self._refusals.labels(self._policy.name, ServiceBusy.reason)

    def _seconds(self, code: str) -> Histogram:
        """The times of calls with this code."""
        return self._durations.labels(self._policy.name, self._policy.access_name, code)

    async def _answer(self, context: Context, metadata: Mapping[str, str | bytes], turn: Turn, who: _Who) -> Message:
        """Judges the member on the headers, then reads the request and answers it."""
        if self._policy.needs_member:
            who.member = await self._authenticator.member_of(metadata)
            turn.take_of_member(who.member.user)
            authorize(who.member, self._policy)
        seconds = self._seconds_given(context)
        set_deadline(seconds)
        now = asyncio.get_running_loop().time()
        first = min(seconds, self._config.first_message_seconds)
        body: object = None
        try:  # one timer for both limits: a client that sends no message must not hold the call
            async with asyncio.timeout_at(now + first) as limit:
                body = await context.read()
                limit.reschedule(now + seconds)
                return await _run(self._use_case, self._request(body), self._call(metadata, who))
        except TimeoutError:
            if body is None and first < seconds and limit.expired():
                raise RequestLate from None
            raise

    def _seconds_given(self, context: Context) -> float:
        remaining = context.time_remaining()
        return self._config.default_deadline if remaining is None else min(remaining, self._config.longest_deadline)

    def _request(self, body: object) -> Message:
        """The request in a call's message."""
        if body is grpc.aio.EOF:
            raise RequestUnreadable
        try:
            request = self._policy.request.FromString(body)  # type: ignore[arg-type]
        except DecodeError:
            raise RequestUnreadable from None
        require_valid(request)
        return request

    def _call(self, metadata: Mapping[str, str | bytes], who: _Who) -> Call:
        member = who.member
        return Call(
            self._policy.path,
            who.caller,
            member.user if member else None,
            member.session if member else None,
            member.roles if member else NO_ROLES,
            self._policy.response,
            metadata,
        )


async def _run(use_case: UseCase, request: Any, call: Call) -> Message:
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


def _details(refusal: DomainError, context: str) -> tuple[tuple[str, bytes], ...]:
    """The rich status as trailing metadata."""
    return ((DETAILS, to_status(refusal, context).SerializeToString()),)


def _log_refusal(log: Log, who: _Who, refusal: DomainError, error: Exception, seconds: float) -> None:
    fields: dict[str, Any] = {
        "caller": who.caller,
        "user_id": who.user_id,
        "code": refusal.code,
        "reason": refusal.reason,
        "seconds": round(seconds, 6),
        "trace": trace.current(),
    }
    if isinstance(refusal, Internal) or isinstance(error, CONFLICTS):  # repeated conflicts may be a wrong lock order
        log.error("call failed", failure=error, **fields)
    else:
        log.info("call refused", **fields)
