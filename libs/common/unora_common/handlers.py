"""Decorators that declare the methods of servicers, consumers and jobs.

    class Streaks:                                    # a servicer: one method for each RPC of `service`
        service = "unora.streak.v1.StreakService"

        @idempotent                                   # one transaction; its response is stored for a repeat
        async def CheckIn(self, request: CheckInRequest, tx: Tx) -> CheckInResponse: ...

        @reads                                        # each statement by itself; nothing is changed
        async def GetDashboard(self, request: GetDashboardRequest, db: Session) -> GetDashboardResponse: ...

    class ConnectionEvents:                           # consumers
        @on(ConnectionFormed, prepare=_zone)          # `_zone` calls another context before the transaction
        async def on_connection_formed(self, event: ConnectionFormed, tx: Tx, zone: str) -> None: ...

        @on_batch(TierChanged)                        # many events in one transaction, in the order of the stream
        async def on_tiers_changed(self, events: Sequence[TierChanged], tx: Tx) -> None: ...

    class StreakJobs:                                 # jobs
        @every(seconds=1)
        async def close_days(self) -> int: ...        # how much it did; while that is not 0 it runs again at once

`@custom_read`, `@custom_write` and `@custom_idempotent` mark RPC methods that take `(request, call)` and open their own
sessions and transactions. At start the server compares each method's decorator with the contract: `idempotency_level`
and `repeat`.

The process makes one object of each class, with the Runtime, and the class keeps it as `self.runtime`. The durable name
of a consumer comes from its event, and must never change.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

from google.protobuf.message import Message
from unora_sdk.deliveries import Envelope
from unora_sdk.names import subject_of

from unora_common.call import Call
from unora_common.database import Session, Tx
from unora_common.due import Due
from unora_common.handler_marks import Consumes, Every, Handling
from unora_common.idempotency import count_repeat, run_idempotent, store_response
from unora_common.runtime import AnyRuntime


class Servicer(Protocol):
    """A servicer: what `@idempotent` and `@reads` need of it."""

    @property
    def runtime(self) -> AnyRuntime:
        """The process that it runs in."""


S = TypeVar("S")
H = TypeVar("H", bound=Servicer)
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
E = TypeVar("E", bound=Message)
V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
Handler = Callable[[S, Q, Call], Awaitable[A]]


@overload
def idempotent(method: Callable[[H, Q, Tx], Awaitable[A]], /) -> Handler[H, Q, A]: ...
@overload
def idempotent(
    *, prepare: Callable[[H, Q, Call], Awaitable[V]]
) -> Callable[[Callable[[H, Q, Tx, V], Awaitable[A]]], Handler[H, Q, A]]: ...
def idempotent(method: Any = None, /, *, prepare: Any = None) -> Any:
    """The method's body is one transaction. Its response is stored in it, and returned again to a repeat (BI-08).

    `prepare(self, request, call)` runs before the transaction: the place for calls to other contexts. After `tx.refuse`
    no response is stored, and the call is refused.
    """

    def wrap(body: Any) -> Any:
        @wraps(body)
        async def handler(self: Servicer, request: Any, call: Call) -> Any:
            database, metrics = self.runtime.database, self.runtime.metrics

            async def work() -> Any:
                prepared = (await prepare(self, request, call),) if prepare else ()
                async with database.transaction(call.user) as tx:
                    response = await body(self, request, tx, *prepared)
                    if tx.refusal is None:
                        store_response(database, tx, call, request, response)
                return response

            return await run_idempotent(database, call, request, work, lambda path: count_repeat(metrics, path))

        return _handled(handler, Handling.IDEMPOTENT)

    return wrap(method) if method is not None else wrap


def reads(method: Callable[[H, Q, Session], Awaitable[A]], /) -> Handler[H, Q, A]:
    """The method only reads; each statement stands by itself."""

    @wraps(method)
    async def handler(self: H, request: Q, call: Call) -> A:
        async with self.runtime.database.session(call.user) as session:
            return await method(self, request, session)

    return _handled(handler, Handling.READ)


def custom_read(method: Handler[S, Q, A], /) -> Handler[S, Q, A]:
    """The method only reads, and opens its own sessions."""
    return _handled(method, Handling.CUSTOM_READ)


def custom_idempotent(method: Handler[S, Q, A], /) -> Handler[S, Q, A]:
    """The method calls an `@idempotent` method of its class, which stores the response for a repeat."""
    return _handled(method, Handling.CUSTOM_IDEMPOTENT)


def custom_write(method: Handler[S, Q, A], /) -> Handler[S, Q, A]:
    """The method opens its own transactions, and recognises a repeat of the call itself."""
    return _handled(method, Handling.CUSTOM_WRITE)


def _handled(method: F, handling: Handling) -> F:
    method.handling = handling  # type: ignore[attr-defined]  # the server reads it at start
    return method


def on(
    event: type[E], *, prepare: Callable[[Any, E], Awaitable[Any]] | None = None
) -> Callable[
    [Callable[Concatenate[S, E, Tx, P], Awaitable[None]]], Callable[Concatenate[S, E, Tx, P], Awaitable[None]]
]:
    """The method applies one event type, in one transaction with its inbox row (XX-02).

    For use cases. Events of one aggregate come one after the other, those of others meanwhile.

    `prepare(self, event)` runs before the transaction: the place for calls to other contexts.
    """
    subject = subject_of(event)

    def wrap(method: Any) -> Any:
        method.consumes = Consumes(subject.split(".")[1], subject, event, prepare)
        return method

    return wrap


def on_batch(
    event: type[E],
    *,
    prepare: Callable[[Any, Sequence[E]], Awaitable[Any]] | None = None,
    of_erased: bool = False,
) -> Callable[
    [Callable[Concatenate[S, Sequence[E], Tx, P], Awaitable[None]]],
    Callable[Concatenate[S, Sequence[E], Tx, P], Awaitable[None]],
]:
    """The method applies many events of one type, in one transaction with their inbox rows (XX-02).

    For projections: effects that are a statement or two, whatever the number of events. The events have the order of
    the stream, and one aggregate may have several. If the transaction fails, its halves are tried, down to the event
    that cannot be applied; so the method must not depend on which events come together. It locks rows in one order.

    `prepare(self, events)` runs before the transaction: the place for one call about all of them. It may get events
    that were applied before, which the method does not get.

    Events whose aggregate is an erased member are not applied (ID-09), here as with `on`, unless `of_erased` wants
    them.
    """
    subject = subject_of(event)

    def wrap(method: Any) -> Any:
        method.consumes = Consumes(subject.split(".")[1], subject, event, prepare, many=True, of_erased=of_erased)
        return method

    return wrap


def on_all(
    context: str,
) -> Callable[[Callable[[S, list[Envelope], Tx], Awaitable[None]]], Callable[[S, list[Envelope], Tx], Awaitable[None]]]:
    """The method applies all events of a context, many in one transaction, in the order of the stream."""

    def wrap(method: Any) -> Any:
        method.consumes = Consumes(context, f"unora.{context}.v1.>", None, None, many=True, of_erased=True)
        return method

    return wrap


def every(
    *, seconds: float, due: Callable[[Any, Session], Awaitable[Due]] | None = None
) -> Callable[[Callable[[S], Awaitable[int]]], Callable[[S], Awaitable[int]]]:
    """The method is a scheduled job, safe on any number of replicas. It returns how much it did.

    `due(self, session)` says for the metrics how much it has left to do; it must cost little.
    """

    def wrap(method: Any) -> Any:
        method.every = Every(seconds, due)
        return method

    return wrap


def counts(method: F, /) -> F:
    """The method, of a class that `service.py` lists as `gauges`, counts in Postgres for the metrics: it takes a
    session, and returns the values of each of its metrics (`gauges.py`).
    """
    method.counts = True  # type: ignore[attr-defined]  # the process looks for it
    return method
