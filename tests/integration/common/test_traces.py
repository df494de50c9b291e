"""Spans of a process: what is recorded decides whoever began the trace, and each hop has a place of its own in it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final
from unittest import mock

import asyncpg
import grpc
import pytest
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.streak.v1.streak_service_pb2 import CheckInRequest, CheckInResponse, GetStreakRequest
from unora_common.database import Session, Tx
from unora_common.handlers import every, on, on_batch
from unora_common.ids import uuid7
from unora_common.runtime import Runtime
from unora_sdk.environment import ConfigError
from unora_testing.collector import Collector, Seen, collector
from unora_testing.deadlines import within

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request, formed
from tests.support import refusal

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RECORDED, NOT_RECORDED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
CHECK_IN: Final = "streak unora.streak.v1.StreakService/CheckIn"
READ: Final = "streak unora.streak.v1.StreakService/GetStreak"
TRANSACTION: Final = "streak transaction"
PUBLISH: Final = "streak publish unora.streak.v1.checked_in"
SECRET: Final = "Secret words"
INSERT: Final = "INSERT INTO streak.probe (key) VALUES ($1)"


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """Spans are sent after 20 milliseconds."""
    with mock.patch.dict(os.environ, OTEL_BSP_SCHEDULE_DELAY="20"):
        yield


@pytest.fixture
async def traces() -> AsyncIterator[Collector]:
    async with collector() as made:
        yield made


def recording(traces: Collector, ratio: float = 1.0) -> dict[str, Any]:
    """The configuration of a process that records this share of what begins in it."""
    return {"traces_endpoint": traces.endpoint, "traces_ratio": ratio}


def one(spans: list[Seen], said: str) -> Seen:
    (found,) = (span for span in spans if span.said == said)
    return found


async def traceparents(bare_world: BareWorld) -> set[str]:
    """Of the rows of the outbox."""
    return {row["trace"] for row in await bare_world.superuser.fetch("SELECT trace FROM streak.outbox")}


async def test_a_call_its_transaction_its_event_and_its_log_line_have_places_of_their_own(
    traces: Collector, bare_world: BareWorld
) -> None:
    streaks, member = await bare_world.probe(**recording(traces)), bare_world.caller()
    await streaks.CheckIn(check_in_request(), metadata=(*member.metadata, ("traceparent", RECORDED)))
    await bare_world.drain()
    spans = await traces.wait_for(CHECK_IN, TRANSACTION, PUBLISH, trace=TRACE)
    call, transaction, published = one(spans, CHECK_IN), one(spans, TRANSACTION), one(spans, PUBLISH)
    assert (call.parent, transaction.parent, published.parent) == (CALLER, call.id, transaction.id)
    assert [span for span in spans if span.parent == transaction.id and "INSERT streak.outbox" in span.name]
    assert await traceparents(bare_world) == {f"00-{TRACE}-{transaction.id}-01"}
    (line,) = [line for line in bare_world.logged() if line["event"] == "call"]
    assert line["trace"] == f"00-{TRACE}-{call.id}-01"


async def test_what_the_beginning_of_a_trace_left_out_is_left_out_and_passed_on_as_it_came(
    traces: Collector, bare_world: BareWorld
) -> None:
    streaks, member = await bare_world.probe(**recording(traces)), bare_world.caller()
    await streaks.CheckIn(check_in_request(), metadata=(*member.metadata, ("traceparent", NOT_RECORDED)))
    assert await traceparents(bare_world) == {NOT_RECORDED}
    await streaks.CheckIn(check_in_request(), metadata=(*member.metadata, ("traceparent", RECORDED.replace("4", "5"))))
    await bare_world.drain()
    await traces.wait_for(PUBLISH)
    assert not traces.of_trace(TRACE)


async def test_what_the_beginning_of_a_trace_recorded_goes_on_where_nothing_begins_recorded(
    traces: Collector, bare_world: BareWorld
) -> None:
    streaks, member = await bare_world.probe(**recording(traces, 0.0)), bare_world.caller()
    await streaks.CheckIn(check_in_request(), metadata=member.metadata)
    await streaks.CheckIn(check_in_request(), metadata=(*member.metadata, ("traceparent", "no traceparent")))
    await streaks.CheckIn(check_in_request(), metadata=(*member.metadata, ("traceparent", RECORDED)))
    await bare_world.drain()
    await traces.wait_for(PUBLISH, trace=TRACE)
    assert {span.trace for span in traces.spans} == {TRACE}
    assert sorted(int(each[-2:]) & 1 for each in await traceparents(bare_world)) == [0, 0, 1]


async def test_without_a_collector_the_trace_goes_on_as_it_came(bare_world: BareWorld) -> None:
    streaks, member = await bare_world.probe(), bare_world.caller()
    await streaks.CheckIn(check_in_request(), metadata=(*member.metadata, ("traceparent", RECORDED)))
    assert await traceparents(bare_world) == {RECORDED}
    await streaks.CheckIn(check_in_request(), metadata=member.metadata)
    (began,) = await traceparents(bare_world) - {RECORDED}
    assert began.endswith("-00"), "what nobody records must not be recorded by who comes next"


class Failing(Probe):
    """CheckIn breaks a constraint with a text of the member; GetStreak raises one."""

    async def check_in(self, request: CheckInRequest, tx: Tx) -> CheckInResponse:
        await tx.run("INSERT INTO streak.probe (key, value) VALUES ($1, 'never')", SECRET)
        return CheckInResponse()

    async def read(self, request: GetStreakRequest, db: Session) -> None:
        raise ValueError(SECRET)


async def test_an_error_is_named_and_its_text_is_not_sent(traces: Collector, bare_world: BareWorld) -> None:
    streaks, member = await bare_world.probe(Failing, **recording(traces)), bare_world.caller()
    assert (await refusal(streaks.CheckIn(check_in_request(), metadata=member.metadata))).code == "INTERNAL"
    request = GetStreakRequest(streak_id=str(uuid7()))
    assert (await refusal(streaks.GetStreak(request, metadata=member.metadata))).code == "INTERNAL"
    assert (await refusal(streaks.GetStreak(request))).reason == "TOKEN_MISSING"
    spans = await traces.wait_for(CHECK_IN, TRANSACTION, READ, READ)
    call, transaction = one(spans, CHECK_IN), one(spans, TRANSACTION)
    assert (call.failed, call.attributes["rpc.response.status_code"]) == (True, "INTERNAL")
    assert (transaction.failed, transaction.attributes["error.type"]) == (True, "CheckViolationError")
    statement = next(span for span in spans if span.parent == transaction.id and span.failed)
    assert statement.attributes["db.response.status_code"] == "23514"
    refused, failed = sorted((span for span in spans if span.said == READ), key=lambda span: span.failed)
    assert (failed.failed, failed.attributes["error.type"]) == (True, "INTERNAL")
    assert (refused.failed, refused.attributes["unora.reason"]) == (False, "TOKEN_MISSING")
    assert SECRET.encode() not in b"".join(traces.received)


class Takes:
    """Takes events one by one, or many."""

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime


class TakesOne(Takes):
    @on(ConnectionFormed)
    async def begin(self, event: ConnectionFormed, tx: Tx) -> None:
        await tx.run(INSERT, event.connection_id)
        if event.server_type:
            raise ValueError(SECRET)


class TakesMany(Takes):
    @on_batch(ConnectionFormed)
    async def begin(self, events: Sequence[ConnectionFormed], tx: Tx) -> None:
        await tx.run(INSERT, str(uuid7()))


FORMED: Final = "matching publish unora.matching.v1.connection_formed"
PROCESS: Final = "streak process unora.matching.v1.connection_formed"


async def emit(bare_world: BareWorld, *traceparents: str, server_type: int = 0) -> None:
    """Puts an event into matching's outbox for each of these, and lets everything be published and applied."""
    for traceparent in traceparents:
        event = formed()
        event.server_type = server_type  # type: ignore[assignment]
        await bare_world.superuser.execute(
            """INSERT INTO matching.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
            VALUES ($1, $2, 1, 'unora.matching.v1.connection_formed', $3, now(), $4)""",
            *(uuid7(), event.connection_id, event.SerializeToString(), traceparent),
        )
    await bare_world.drain()


async def test_an_applied_event_is_below_its_publication(traces: Collector, bare_world: BareWorld) -> None:
    await bare_world.open("matching", changes=recording(traces))
    await bare_world.open(consumers=[TakesOne], changes=recording(traces))
    await emit(bare_world, RECORDED, NOT_RECORDED)
    spans = await traces.wait_for(FORMED, PROCESS)
    published, applied = one(spans, FORMED), one(spans, PROCESS)
    assert (published.parent, published.kind) == (CALLER, "producer")
    assert (applied.parent, applied.kind, applied.links) == (published.id, "consumer", ())
    assert len(await bare_world.keys()) == 2, "what is not recorded is applied all the same"


async def test_a_batch_is_below_its_first_recorded_publication_and_names_the_others(
    traces: Collector, bare_world: BareWorld
) -> None:
    await bare_world.open("matching", changes=recording(traces))
    await bare_world.open(consumers=[TakesMany], changes=recording(traces))
    other = RECORDED.replace(TRACE, "a" * 32)
    await emit(bare_world, NOT_RECORDED.replace(TRACE, "b" * 32), RECORDED, other)
    spans = await traces.wait_for(FORMED, FORMED, PROCESS)
    published = {span.trace: span.id for span in spans if span.said == FORMED}
    applied = one(spans, PROCESS)
    assert (applied.trace, applied.parent, applied.links) == (TRACE, published[TRACE], (published["a" * 32],))
    assert applied.attributes["messaging.batch.message_count"] == 3
    assert len(await bare_world.keys()) == 1


async def test_each_attempt_to_apply_an_event_is_a_span_of_its_trace(traces: Collector, bare_world: BareWorld) -> None:
    await bare_world.open("matching", changes=recording(traces))
    await bare_world.open(consumers=[TakesOne], changes=recording(traces))
    await emit(bare_world, RECORDED, server_type=1)
    spans = await traces.wait_for(PROCESS, trace=TRACE)
    attempts = [span for span in spans if span.said == PROCESS]
    assert {(span.failed, span.attributes["error.type"]) for span in attempts} == {(True, "ValueError")}
    assert SECRET.encode() not in b"".join(traces.received)


class Jobs(Takes):
    @every(seconds=1)
    async def idle(self) -> int:
        async with self.runtime.database.transaction() as tx:
            await tx.run("DELETE FROM streak.probe WHERE key = 'nothing'")
        return 0

    @every(seconds=1)
    async def busy(self) -> int:
        async with self.runtime.database.transaction() as tx:
            return await tx.run(f"{INSERT} ON CONFLICT DO NOTHING", "busy")

    @every(seconds=1)
    async def spoilt(self) -> int:
        """Its only row fails, which it goes past."""
        with suppress(asyncpg.CheckViolationError):
            async with self.runtime.database.transaction() as tx:
                await tx.run("INSERT INTO streak.probe (key, value) VALUES ('spoilt', 'never')")
        return 0


async def test_a_job_that_did_something_or_failed_at_it_is_a_trace_and_one_that_found_nothing_is_none(
    traces: Collector, bare_world: BareWorld
) -> None:
    app = await bare_world.open(jobs=[Jobs], changes=recording(traces))
    await bare_world.drain()
    spans = await traces.wait_for("streak job busy", "streak job spoilt")
    await app.close()
    assert not [span for span in traces.spans if span.name == "job idle"]
    job, spoilt = one(spans, "streak job busy"), next(span for span in spans if span.name == "job spoilt")
    (transaction,) = (span for span in spans if span.name == "transaction" and span.trace == job.trace)
    (failed,) = (span for span in spans if span.name == "transaction" and span.trace == spoilt.trace)
    assert (failed.failed, failed.attributes["error.type"]) == (True, "CheckViolationError")
    assert (job.parent, transaction.parent) == ("", job.id)
    assert (job.attributes["unora.job"], job.attributes["unora.done"]) == ("busy", 1)
    (statement,) = (span for span in spans if span.parent == transaction.id)
    assert statement.said == "streak INSERT streak.probe"
    assert statement.kind == "client"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"traces_endpoint": "collector:4317"}, "UNORA_TRACES_ENDPOINT cannot be used"),
        ({"traces_endpoint": "http://collector"}, "UNORA_TRACES_ENDPOINT cannot be used"),
        ({"traces_endpoint": "http://collector:port"}, "UNORA_TRACES_ENDPOINT cannot be used"),
        ({"traces_endpoint": "http://127.0.0.1:1", "traces_ratio": 2.0}, "UNORA_TRACES_RATIO is 2.0"),
    ],
)
async def test_what_cannot_be_used_is_named_at_the_start(
    bare_world: BareWorld, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=named):
        await bare_world.probe(**changes)


async def test_a_cancelled_call_is_recorded_as_cancelled(traces: Collector, bare_world: BareWorld) -> None:
    begun = asyncio.Event()

    class Waiting(Probe):
        async def read(self, request: GetStreakRequest, db: Session) -> None:
            begun.set()
            await db.value("SELECT pg_sleep(60)")

    streaks, member = await bare_world.probe(Waiting, **recording(traces)), bare_world.caller()
    call = streaks.GetStreak(GetStreakRequest(streak_id=str(uuid7())), metadata=member.metadata)
    reading = asyncio.ensure_future(call.code())
    await within(begun.wait())
    call.cancel()
    assert await within(reading) == grpc.StatusCode.CANCELLED
    span = one(await traces.wait_for(READ), READ)
    assert span.attributes["rpc.response.status_code"] == "CANCELLED"
