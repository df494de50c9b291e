"""How a service says what it does: decorators for methods of servicers, consumers and jobs.

    class Streaks:                                    # a servicer: one method per RPC of `service`
        service = "unora.streak.v1.StreakService"

        @once                                         # one call, one transaction, one answer, kept for a repeat
        async def CheckIn(self, request: CheckInRequest, tx: Tx) -> CheckInResponse: ...

        @reads                                        # statements by themselves; nothing is changed
        async def GetDashboard(self, request: GetDashboardRequest, db: Session) -> GetDashboardResponse: ...

    class Connections:                                # consumers
        @on(ConnectionFormed, prepare=_zone)          # `_zone` calls another context before the transaction
        async def start(self, event: ConnectionFormed, tx: Tx, zone: str) -> None: ...

    class Sweeps:                                     # jobs
        @every(seconds=1)
        async def close_days(self) -> int: ...        # how much was done; it is called again at once while it is not 0

An RPC method without a decorator takes `(request, call)` and opens its own transactions by `self.app.database`.
Each class is made with the `App`. A consumer is named for its event; its durable name must never change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, overload

from google.protobuf.message import Message

from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.once import answered_once, keep
from unora_common.outbox import subject_of

S = TypeVar("S")
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
E = TypeVar("E", bound=Message)
V = TypeVar("V")
P = ParamSpec("P")
Handler = Callable[[S, Q, Call], Awaitable[A]]


@overload
def once(method: Callable[[S, Q, Tx], Awaitable[A]], /) -> Handler[S, Q, A]: ...
@overload
def once(
    *, prepare: Callable[[S, Q, Call], Awaitable[V]]
) -> Callable[[Callable[[S, Q, Tx, V], Awaitable[A]]], Handler[S, Q, A]]: ...
def once(method: Any = None, /, *, prepare: Any = None) -> Any:
    """The method's body is one transaction; its answer is kept with it and given again to a repeat.

    `prepare(self, request, call)` runs before the transaction: the place for calls to other contexts.
    """

    def wrap(body: Any) -> Any:
        @wraps(body)
        async def handler(self: Any, request: Any, call: Call) -> Any:
            async def work() -> Any:
                more = (await prepare(self, request, call),) if prepare else ()
                async with self.app.database.transaction(call.user) as tx:
                    answer = await body(self, request, tx, *more)
                    keep(self.app.database, tx, call, request, answer)
                return answer

            return await answered_once(self.app.database, call, request, work)

        return handler

    return wrap(method) if method is not None else wrap


def reads(method: Callable[[S, Q, Session], Awaitable[A]], /) -> Handler[S, Q, A]:
    """The method only reads; each statement stands by itself."""

    @wraps(method)
    async def handler(self: Any, request: Q, call: Call) -> A:
        async with self.app.database.session(call.user) as session:
            return await method(self, request, session)

    return handler


class Envelope(NamedTuple):
    """An event as it came, for a consumer that takes all of a context."""

    event_id: str
    subject: str
    aggregate_id: str
    time: str
    payload: bytes


@dataclass(frozen=True)
class Consumes:
    """What a consumer method takes; read by the consumer runner, and by the permissions of NATS."""

    stream: str
    """The context that tells it."""
    subject: str
    event: type[Message] | None
    prepare: Callable[..., Awaitable[Any]] | None

    @property
    def name(self) -> str:
        """Names the durable consumer within the context, and where its dead letters lie."""
        word = self.subject.rpartition(".")[2]
        return f"all_{self.stream}" if word == ">" else word


def on(
    event: type[E], *, prepare: Callable[[Any, E], Awaitable[Any]] | None = None
) -> Callable[
    [Callable[Concatenate[S, E, Tx, P], Awaitable[None]]], Callable[Concatenate[S, E, Tx, P], Awaitable[None]]
]:
    """The method applies one event type, in one transaction with the note that it did (XX-02)."""
    subject = subject_of(event)

    def wrap(method: Any) -> Any:
        method.consumes = Consumes(subject.split(".")[1], subject, event, prepare)
        return method

    return wrap


def on_all(
    context: str,
) -> Callable[[Callable[[S, list[Envelope], Tx], Awaitable[None]]], Callable[[S, list[Envelope], Tx], Awaitable[None]]]:
    """The method applies all events of a context, many in one transaction, in the order of the stream."""

    def wrap(method: Any) -> Any:
        method.consumes = Consumes(context, f"unora.{context}.v1.>", None, None)
        return method

    return wrap


@dataclass(frozen=True)
class Every:
    """How often a job runs when it found nothing to do."""

    seconds: float


def every(*, seconds: float) -> Callable[[Callable[[S], Awaitable[int]]], Callable[[S], Awaitable[int]]]:
    """The method is a job, safe on any number of replicas; it returns how much it did."""

    def wrap(method: Any) -> Any:
        method.every = Every(seconds)
        return method

    return wrap
