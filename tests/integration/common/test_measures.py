"""What a process measures of its calls, its events, its jobs, and of what waits for it, on real servers."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.streak.v1.streak_service_pb2 import GetStreakRequest
from unora_common.common_metrics import DATABASE_WAIT
from unora_common.database import Session, Tx
from unora_common.due import Due
from unora_common.failed_rows import row_failed
from unora_common.handlers import every
from unora_common.runtime import Runtime
from unora_testing.deadlines import eventually, within

from tests.integration.common.bare_world import BareWorld, Probe, check_in_request, formed
from tests.integration.common.proxy import Wire
from tests.integration.common.test_inbox import Recorder, deliver
from tests.integration.common.test_outbox import emit
from tests.measures import value

CONSUMER = {"consumer": "streak__connection_formed"}


class Waiting(Probe):
    """A read that waits, with its connection, until the test lets it go."""

    go: ClassVar[asyncio.Event]

    async def read(self, request: GetStreakRequest, db: Session) -> None:
        await Waiting.go.wait()


async def test_repeats_and_refusals_are_counted(bare_world: BareWorld) -> None:
    streaks, member = await bare_world.probe(), bare_world.caller()
    app = bare_world.apps["streak"]
    assert value(app, "unora_idempotent_repeats_total", method="CheckIn") == 0
    for code in ("INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN"):
        labels = {"method": "CheckIn", "access": "user", "code": code}
        assert value(app, "unora_rpc_duration_seconds_count", **labels) == 0, "the first fault is an increase"
    request = check_in_request()
    for _ in range(3):
        await streaks.CheckIn(request, metadata=member.metadata)
    assert value(app, "unora_idempotent_repeats_total", method="CheckIn") == 2
    labels = {"method": "CheckIn", "access": "user", "code": "OK"}
    assert value(app, "unora_rpc_duration_seconds_count", **labels) == 3


async def test_calls_in_work_and_tasks_that_wait_for_a_connection_are_seen(bare_world: BareWorld) -> None:
    Waiting.go = asyncio.Event()
    streaks = await bare_world.probe(Waiting, database_connections=3, kept_connections=1)
    app, member = bare_world.apps["streak"], bare_world.caller()
    assert value(app, "unora_rpc_in_progress", room="members") == 0
    assert value(app, "unora_rpc_in_progress_limit", room="members") == app.config.concurrent_calls
    request = GetStreakRequest(streak_id=check_in_request().streak_id)
    calls = [asyncio.ensure_future(streaks.GetStreak(request, metadata=member.metadata)) for _ in range(5)]
    await eventually(
        lambda: (
            value(app, "unora_database_waiting") == 3
            and value(app, "unora_database_connections", state="in_use") == 2  # a new one is first connected
        ),
        "three calls wait: the gateway's may use two connections",
    )
    assert value(app, "unora_rpc_in_progress", room="members") == 5
    assert value(app, "unora_database_connections_limit") == 3
    assert value(app, "unora_database_wait_seconds_count") == 0
    Waiting.go.set()
    await within(asyncio.gather(*calls))
    assert value(app, "unora_database_wait_seconds_count") == 3
    assert value(app, "unora_database_waiting") == 0
    assert value(app, "unora_rpc_in_progress", room="members") == 0
    assert value(app, "unora_database_connections", state="in_use") == 0
    assert (value(app, "unora_database_connections", state="idle") or 0) >= 2


@pytest.mark.rule("XX-02")
async def test_while_nats_is_away_the_outbox_is_counted_and_the_backlogs_are_absent(bare_world: BareWorld) -> None:
    wire = Wire(bare_world.testbed.nats_port)
    await wire.join()
    url = bare_world.testbed.nats("matching", bare_world.worker).rpartition(":")[0]
    app = await bare_world.open("matching", changes={"nats_url": f"{url}:{wire.port}"})
    assert value(app, "unora_relay_leader") == 0
    assert value(app, "unora_events_published_total", event="ConnectionFormed") == 0
    await emit(app, formed())
    await app.relay.step()
    assert value(app, "unora_relay_leader") == 1
    assert value(app, "unora_events_published_total", event="ConnectionFormed") == 1
    await wire.cut()
    await eventually(lambda: not app.messaging.client.is_connected, "NATS is lost")
    await emit(app, formed(), formed())
    await app.gauges.step()
    await app.backlogs.step()
    assert value(app, "unora_outbox_unpublished") == 2
    assert (value(app, "unora_outbox_oldest_unpublished_seconds") or 0) > 0
    await wire.join()
    await eventually(lambda: app.messaging.client.is_connected, "NATS is back")
    await app.relay.step()
    await app.close()
    await wire.cut()


class Once(Recorder):
    """Fails at each try of the first event that it gets."""

    first: ClassVar[str] = ""

    async def trouble(self, event: ConnectionFormed, tx: Tx) -> None:
        Once.first = Once.first or event.connection_id
        if event.connection_id == Once.first:
            raise ValueError("cannot be applied")


@pytest.mark.rule("XX-02")
async def test_events_that_wait_fail_and_are_dead_are_counted_by_consumer(bare_world: BareWorld) -> None:
    Once.first = ""
    app = await bare_world.open(consumers=[Once])
    for name in ("unora_events_applied_total", "unora_events_failed_total", "unora_dead_letters_total"):
        assert value(app, name, **CONSUMER) == 0
    assert value(app, "unora_event_lag_seconds_count", **CONSUMER) == 0
    await app.backlogs.step()
    assert value(app, "unora_consumer_pending", **CONSUMER) == 0
    await deliver(bare_world, formed(), formed(), formed())
    await app.backlogs.step()
    assert value(app, "unora_consumer_pending", **CONSUMER) == 3
    await bare_world.drain()
    await app.backlogs.step()
    assert value(app, "unora_consumer_pending", **CONSUMER) == 0
    assert value(app, "unora_events_applied_total", **CONSUMER) == 2
    assert value(app, "unora_event_lag_seconds_count", **CONSUMER) == 2
    assert value(app, "unora_events_failed_total", **CONSUMER) == 5
    assert value(app, "unora_dead_letters_total", **CONSUMER) == 1
    assert value(app, "unora_dead_letters_waiting", **CONSUMER) == 1
    applied = [line for line in bare_world.logged() if line["event"] == "event applied"]
    assert {line["consumer"] for line in applied} == {CONSUMER["consumer"]}
    assert len(applied) == 2


class SomeFail:
    """A job of which some rows fail."""

    rows: ClassVar[dict[str, bool]]

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime

    @every(seconds=7)
    async def drive(self) -> int:
        """Does the rows that do not fail, each in a task of its own."""
        return sum(await asyncio.gather(*map(self._drive, SomeFail.rows)))

    async def _drive(self, row: str) -> int:
        if not SomeFail.rows[row]:
            row_failed(goes_on=True)
            return 0
        return 1


async def test_a_run_in_which_all_rows_failed_is_no_success(bare_world: BareWorld) -> None:
    app = await bare_world.open(jobs=[SomeFail])
    (job, *_) = app.jobs
    of_job = {"job_name": "drive"}
    SomeFail.rows = {"a": False, "b": False}
    assert await job.step() == 1, "others are tried at once"
    assert value(app, "unora_job_last_success_timestamp_seconds", **of_job) is None
    assert value(app, "unora_job_rows_failed_total", **of_job) == 2
    assert value(app, "unora_jobs_done_total", **of_job) == 0
    SomeFail.rows = {"a": False, "b": True}
    await job.step()
    first = value(app, "unora_job_last_success_timestamp_seconds", **of_job)
    assert first is not None, "something was done"
    assert value(app, "unora_job_rows_failed_total", **of_job) == 3
    assert value(app, "unora_jobs_done_total", **of_job) == 1
    SomeFail.rows = {}
    assert await job.step() == 0
    assert (value(app, "unora_job_last_success_timestamp_seconds", **of_job) or 0) > first, "nothing was due"


class Work:
    """A job that has five things to do, the oldest for a minute; it fails once."""

    fails: ClassVar[bool]

    def __init__(self, runtime: Runtime[Any, Any]) -> None:
        self.runtime = runtime

    async def _due(self, db: Session) -> Due:
        return Due(await db.value("SELECT 5"), 60.0)

    @every(seconds=7, due=_due)
    async def close(self) -> int:
        """Does three things."""
        if Work.fails:
            raise ValueError("it fails")
        return 3


async def test_the_runs_of_a_job_and_what_it_has_left_are_measured(bare_world: BareWorld) -> None:
    Work.fails = False
    app = await bare_world.open(jobs=[Work])
    job = app.jobs[0]
    assert value(app, "unora_job_interval_seconds", job_name="close") is None, "it does not run in this process yet"
    assert await job.step() == 3
    first = value(app, "unora_job_last_success_timestamp_seconds", job_name="close")
    assert first is not None
    Work.fails = True
    with pytest.raises(ValueError, match="it fails"):
        await job.step()
    assert value(app, "unora_job_last_success_timestamp_seconds", job_name="close") == first
    assert value(app, "unora_job_failures_total", job_name="close") == 1
    assert value(app, "unora_job_duration_seconds_count", job_name="close") == 2
    assert value(app, "unora_jobs_done_total", job_name="close") == 3
    assert value(app, "unora_job_interval_seconds", job_name="close") == 7
    await app.gauges.step()
    assert value(app, "unora_job_due", job_name="close") == 5
    assert value(app, "unora_job_oldest_due_seconds", job_name="close") == 60


async def test_while_no_relay_leads_one_replica_at_a_time_counts(bare_world: BareWorld) -> None:
    """While a replica is in a count, another has no value of it; both count in turn."""
    first, second = await bare_world.open("matching"), await bare_world.open("matching")
    async with first.database.transaction() as tx:
        assert await tx.value("SELECT pg_try_advisory_xact_lock(hashtext('count matching outbox'))")
        await second.gauges.step()
    assert value(second, "unora_outbox_unpublished") is None
    await first.gauges.step()
    assert value(first, "unora_outbox_unpublished") == 0


@pytest.mark.parametrize("context", ["matching", "streak", "billing"])  # numbers of locks of both signs
async def test_the_replica_whose_relay_leads_counts_alone(bare_world: BareWorld, context: str) -> None:
    """So counting costs the same with ten replicas. When the leader has gone, another one counts."""
    first, second = await bare_world.open(context), await bare_world.open(context)
    await first.relay.step()
    for app in (second, first):
        await app.gauges.count_now()
    assert value(first, "unora_outbox_unpublished") == 0
    assert value(second, "unora_outbox_unpublished") is None
    await first.relay.close()

    async def counts() -> bool:
        await second.gauges.count_now()
        return value(second, "unora_outbox_unpublished") == 0

    await eventually(counts, "the second replica counts")


@pytest.mark.parametrize("listen", ["127.0.0.1:0", ""])
async def test_nothing_is_counted_where_metrics_cannot_be_read(bare_world: BareWorld, listen: str) -> None:
    app = await bare_world.open("matching", changes={"metrics_listen": listen})
    steps = list[str]()
    app.gauges.step = lambda: counted(steps, "gauges")  # type: ignore[method-assign]
    app.backlogs.step = lambda: counted(steps, "backlogs")  # type: ignore[method-assign]
    app.work()
    expected = {"backlogs", "gauges"} if listen else set()
    await eventually(lambda: value(app, "unora_relay_leader") == 1 and set(steps) >= expected, "it works")
    assert set(steps) == expected


async def counted(steps: list[str], step: str) -> None:
    """Notes a count, instead of counting."""
    steps.append(step)


async def test_what_a_transaction_measures_counts_only_once_it_is_committed(bare_world: BareWorld) -> None:
    app = await bare_world.open("matching")

    async def roll_back() -> None:
        async with app.database.transaction() as tx:
            tx.measure(DATABASE_WAIT, 1.0)
            raise ValueError("rolled back")

    with pytest.raises(ValueError, match="rolled back"):
        await roll_back()
    assert value(app, "unora_database_wait_seconds_count") == 0
    async with app.database.transaction() as tx:
        tx.measure(DATABASE_WAIT, 1.0)
        assert value(app, "unora_database_wait_seconds_count") == 0
    assert value(app, "unora_database_wait_seconds_sum") == 1
