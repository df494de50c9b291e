"""XX-06: which calls a process takes at once. Decided on the headers of a call, before its message is read.

The calls are counted in three parts, so that none can take the room of another: members' calls, the gateway's calls
without a member (sign-in, webhooks), and calls of other contexts. In the first each member has a budget, in the last
each context. A call that finds no room is refused, and does not wait for room: a refusal is cheaper than a long queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from unora_common.budgets import RETRY_AFTER, Budgets, TooManyCalls
from unora_common.call import set_from_gateway
from unora_common.common_metrics import RPC_IN_PROGRESS, RPC_IN_PROGRESS_LIMIT
from unora_common.config import Config
from unora_common.errors import Exhausted, PermissionDenied
from unora_common.logs import Log
from unora_common.metrics import Metrics
from unora_common.policies import MethodPolicy

REFUSAL_DELAY: Final = 0.025
"""Seconds for which a refusal for load is kept back. The call holds no room meanwhile, only its place on the
connection: a client that calls again at once brings no more refusals than its connections carry, and the service keeps
its time for other calls.
"""
LOG_INTERVAL: Final = 1.0
"""Seconds between two log lines about refused calls: a line for each would cost more than the refusal."""


class ServiceBusy(Exhausted):
    """XX-06: the process works on as many calls as it can. `retry_after` is in seconds."""

    reason = "SERVICE_BUSY"
    sentence = "Too many people want this at the moment. Try again in a few seconds."


class Part:
    """A part of the calls that a process works on at once."""

    __slots__ = ("most", "taken")

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def take(self) -> None:
        """Counts a call; `give_back` ends it. Raises ServiceBusy, and then counts nothing."""
        if self.taken >= self.most:
            raise ServiceBusy(RETRY_AFTER)
        self.taken += 1

    def give_back(self) -> None:
        """Ends a call that was counted."""
        self.taken -= 1


class Turn:
    """The room of one call, as a context manager."""

    __slots__ = ("_admission", "_context", "_member", "_part")

    def __init__(self, admission: Admission, part: Part, context: str | None = None) -> None:
        part.take()
        self._admission = admission
        self._part = part
        self._context: str | None = None
        self._member: UUID | None = None
        if context is not None:
            try:
                admission.of_context.take(context)
            except TooManyCalls:
                part.give_back()
                raise
            self._context = context

    def take_of_member(self, member: UUID) -> None:
        """Counts the call in the member's budget. Raises TooManyCalls."""
        self._admission.of_member.take(member)
        self._member = member

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, *_: object) -> None:
        self._part.give_back()
        if self._member is not None:
            self._admission.of_member.give_back(self._member)
        if self._context is not None:
            self._admission.of_context.give_back(self._context)


class Admission:
    """The parts and the budgets of one process."""

    def __init__(self, config: Config, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self.members = Part(config.concurrent_calls)
        self.public = Part(config.public_calls)
        self.contexts = Part(config.context_calls)
        self.of_member: Budgets[UUID] = Budgets(
            at_once=config.member_calls,
            per_second=config.member_calls_per_second,
            burst=config.member_burst,
            clock=clock,
        )
        self.of_context: Budgets[str] = Budgets(
            at_once=max(config.context_calls // 2, 1), per_second=float("inf"), burst=1, clock=clock
        )
        self._gateways = config.gateway_callers
        self._log = log
        self._clock = clock
        self._logged_at = float("-inf")
        self._refused = 0

    def measure(self, metrics: Metrics) -> None:
        """Shows how many calls are in work, and how many may be."""
        for room, part in (("members", self.members), ("public", self.public), ("contexts", self.contexts)):
            metrics.of(RPC_IN_PROGRESS).labels(room).set_function(lambda part=part: part.taken)  # type: ignore[misc]
            metrics.of(RPC_IN_PROGRESS_LIMIT).labels(room).set(part.most)

    def turn(self, caller: str, policy: MethodPolicy) -> Turn:
        """Takes room for a call, until the end of the turn's `with` block.

        Raises PermissionDenied if the caller may not call the method (XX-03), ServiceBusy or TooManyCalls.
        """
        if not policy.may_call(caller, self._gateways):
            raise PermissionDenied
        if caller not in self._gateways:
            return Turn(self, self.contexts, caller)
        set_from_gateway()
        return Turn(self, self.members if policy.needs_member else self.public)

    def note_refusal(self, refusal: Exhausted) -> None:
        """Notes a refusal for load; logs the number of them at most once a second."""
        self._refused += 1
        now = self._clock()
        if now - self._logged_at >= LOG_INTERVAL:
            self._log.warning("calls refused for load", reason=refusal.reason, count=self._refused)
            self._logged_at, self._refused = now, 0
