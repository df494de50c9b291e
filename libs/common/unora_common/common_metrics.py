"""The metrics that every service has. docs/metrics.md lists them, with those of the contexts."""

from __future__ import annotations

from typing import Any, Final

from unora_common.metrics import Metric, counted, counter, gauge, histogram

COUNT_LIMIT: Final = 10_000
"""What is left to do is counted up to this number, so that counting it costs little however much it is."""
CALL_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WAIT_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LAG_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
JOB_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

BUILD: Final = gauge("unora_build_info", "1; its label says which release runs", "version")

RPC_DURATION: Final = histogram(
    "unora_rpc_duration_seconds",
    "Time from the headers of a call to its answer, by the method's name, who may call it (`user`, `admin`, `public`, "
    "or `internal` for other contexts) and the gRPC code",
    *("method", "access", "code"),
    buckets=CALL_SECONDS,
)
RPC_REFUSALS: Final = counter(
    "unora_rpc_refusals_total", "Calls that were refused, by the reason of docs/errors.md", "method", "reason"
)
RPC_IN_PROGRESS: Final = gauge(
    "unora_rpc_in_progress",
    "Calls in work, by the room that they take: of `members`, `public` without a member, of other `contexts`",
    "room",
)
RPC_IN_PROGRESS_LIMIT: Final = gauge(
    "unora_rpc_in_progress_limit", "How many calls there may be at once; more are refused with SERVICE_BUSY", "room"
)
IDEMPOTENT_REPEATS: Final = counter(
    "unora_idempotent_repeats_total", "Calls that were answered with the answer kept for a repeat (BI-08)", "method"
)

DATABASE_CONNECTIONS: Final = gauge(
    "unora_database_connections", "Connections of the pool to Postgres: `in_use`, or open and `idle`", "state"
)
DATABASE_CONNECTIONS_LIMIT: Final = gauge("unora_database_connections_limit", "How many connections the pool may have")
DATABASE_WAITING: Final = gauge("unora_database_waiting", "Tasks that wait for a connection now")
DATABASE_WAIT: Final = histogram(
    "unora_database_wait_seconds",
    "How long tasks waited for a connection; those that got one at once are not counted",
    buckets=WAIT_SECONDS,
)

DEPENDENCY_UP: Final = gauge(
    "unora_dependency_up",
    "1 if the process reaches what it depends on, else 0: `postgres` answers, `nats` is connected, identity's "
    "`revocations` are known and not too old, where calls are served",
    "dependency",
)

OUTBOX_UNPUBLISHED: Final = counted(
    "unora_outbox_unpublished", f"Events in the outbox that are not published yet, counted up to {COUNT_LIMIT:,}"
)
OUTBOX_OLDEST: Final = counted(
    "unora_outbox_oldest_unpublished_seconds", "Age of the oldest event that is not published yet; 0 without one"
)
RELAY_LEADER: Final = gauge("unora_relay_leader", "1 if the relay of this process publishes the outbox, else 0")
EVENTS_PUBLISHED: Final = counter(
    "unora_events_published_total", "Events that the relay published, by their type, such as `CheckedIn`", "event"
)

EVENTS_APPLIED: Final = counter(
    "unora_events_applied_total", "Events that a consumer applied, repeats among them", "consumer"
)
EVENTS_FAILED: Final = counter(
    "unora_events_failed_total",
    "Attempts to apply an event that failed; after the fifth it is a dead letter. An attempt that met an outage "
    "is no failure",
    "consumer",
)
EVENT_LAG: Final = histogram(
    "unora_event_lag_seconds",
    "Time from when an event occurred until it was applied. Events that are published again are not counted",
    "consumer",
    buckets=LAG_SECONDS,
)
CONSUMER_PENDING: Final = counted(
    "unora_consumer_pending", "Events that the stream still has for a consumer, also those being applied", "consumer"
)
DEAD_LETTERS_MOVED: Final = counter(
    "unora_dead_letters_total", "Messages that were moved to the dead letters", "consumer"
)
DEAD_LETTERS_WAITING: Final = counted(
    "unora_dead_letters_waiting", "Dead letters that wait for a replay now", "consumer"
)
MESSAGES_REFUSED: Final = counter(
    "unora_messages_refused_total", "Messages of a stream that are no events of it", "consumer", "reason"
)

# Their label is `job_name`, since Prometheus itself gives each target a label `job`.
JOB_LAST_SUCCESS: Final = gauge(
    "unora_job_last_success_timestamp_seconds",
    "When the last run ended that succeeded (Unix time): without an error, and not with failed rows alone. Absent "
    "until the first success of the process",
    "job_name",
)
JOB_DURATION: Final = histogram("unora_job_duration_seconds", "Time of one run", "job_name", buckets=JOB_SECONDS)
JOB_FAILURES: Final = counter("unora_job_failures_total", "Runs that failed, also those that met an outage", "job_name")
JOB_ROWS_FAILED: Final = counter(
    "unora_job_rows_failed_total",
    "Rows of a job that failed, each time that they are tried. They hold up no other, so the run goes on",
    "job_name",
)
JOBS_DONE: Final = counter("unora_jobs_done_total", "Things that a job did", "job_name")
JOB_INTERVAL: Final = gauge("unora_job_interval_seconds", "Time between two runs that find nothing to do", "job_name")
JOB_DUE: Final = counted("unora_job_due", f"What a job has left to do now, counted up to {COUNT_LIMIT:,}", "job_name")
JOB_OLDEST_DUE: Final = counted(
    "unora_job_oldest_due_seconds",
    "How long the oldest of what a job has to do has been due; 0 without any",
    "job_name",
)

PROVIDER_CALL_DURATION: Final = histogram(
    "unora_provider_call_duration_seconds",
    "Time of a request to a provider (docs/providers.md) or to the object store until its answer was read, by outcome: "
    "`ok`; `refused`, a status from 400 to 499; `failed`, a status from 500 on, or no answer",
    *("provider", "outcome"),
    buckets=CALL_SECONDS,
)

CERTIFICATE_EXPIRY: Final = gauge(
    "unora_certificate_expiry_timestamp_seconds",
    "When the certificate in use expires (Unix time): the process's `own`, and that of the `authority` it is of",
    "certificate",
)
CERTIFICATE_RELOADS: Final = counter(
    "unora_certificate_reloads_total",
    "New files of the certificate that were `loaded`, or `refused` because they cannot be used",
    "result",
)

SPANS: Final = counter(
    "unora_spans_total",
    "Spans of recorded traces that the collector has taken (`sent`), or not (`lost`)",
    "result",
    known=("sent", "lost"),
)

COMMON_METRICS: Final[tuple[Metric[Any], ...]] = (
    *(BUILD, RPC_DURATION, RPC_REFUSALS, RPC_IN_PROGRESS, RPC_IN_PROGRESS_LIMIT, IDEMPOTENT_REPEATS),
    *(DATABASE_CONNECTIONS, DATABASE_CONNECTIONS_LIMIT, DATABASE_WAITING, DATABASE_WAIT),
    DEPENDENCY_UP,
    *(OUTBOX_UNPUBLISHED, OUTBOX_OLDEST, RELAY_LEADER, EVENTS_PUBLISHED),
    *(EVENTS_APPLIED, EVENTS_FAILED, EVENT_LAG, CONSUMER_PENDING),
    *(DEAD_LETTERS_MOVED, DEAD_LETTERS_WAITING, MESSAGES_REFUSED),
    *(JOB_LAST_SUCCESS, JOB_DURATION, JOB_FAILURES, JOB_ROWS_FAILED, JOBS_DONE),
    *(JOB_INTERVAL, JOB_DUE, JOB_OLDEST_DUE),
    PROVIDER_CALL_DURATION,
    *(CERTIFICATE_EXPIRY, CERTIFICATE_RELOADS),
    SPANS,
)
