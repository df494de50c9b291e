"""One context, which is chosen above."""

from typing import Final

from unora_tools.observe.panels import Dashboard, Panel, Query, Section

DASHBOARD: Final = Dashboard(
    "unora-context",
    "Unora: one context",
    "Calls, saturation, events and jobs of the context that is chosen above.",
    [
        Section(
            "Calls",
            [
                Panel(
                    "Calls, by method",
                    "Also those of other contexts.",
                    'sum by (method) (rate(unora_rpc_duration_seconds_count{context="$context"}[$__rate_interval]))',
                    unit="reqps",
                ),
                Panel(
                    "Errors, by method and code",
                    "INTERNAL is an error of the code, UNAVAILABLE something that does not answer. Normal: none.",
                    'sum by (method, code) (rate(unora_rpc_duration_seconds_count{context="$context", '
                    'code=~"INTERNAL|UNAVAILABLE|UNKNOWN|DEADLINE_EXCEEDED"}[$__rate_interval]))',
                    unit="reqps",
                ),
                Panel(
                    "Time of an answer, p99, by method",
                    "docs/measurements.md has what is normal.",
                    "histogram_quantile(0.99, sum by (method, le) "
                    '(rate(unora_rpc_duration_seconds_bucket{context="$context", '
                    'code="OK"}[$__rate_interval])))',
                    unit="s",
                ),
                Panel(
                    "Refused, by reason",
                    "docs/errors.md explains each. Most are answers that a rule asks for.",
                    'sum by (reason) (rate(unora_rpc_refusals_total{context="$context"}[$__rate_interval]))',
                    unit="reqps",
                ),
                Panel(
                    "Answered with a kept answer",
                    "Repeats of a call that was answered before. Many of them: apps lose answers.",
                    'sum by (method) (rate(unora_idempotent_repeats_total{context="$context"}[$__rate_interval]))',
                    unit="reqps",
                ),
            ],
        ),
        Section(
            "Saturation",
            [
                Panel(
                    "Room for calls that is taken",
                    "The fullest process. From 100 % on calls are refused (SERVICE_BUSY). Normal: below 10 %.",
                    'max by (room) (unora_rpc_in_progress{context="$context"} / '
                    'unora_rpc_in_progress_limit{context="$context"})',
                    unit="percentunit",
                    limits=((0.8, "red"),),
                ),
                Panel(
                    "Connections to Postgres",
                    "Of all processes together.",
                    'sum by (state) (unora_database_connections{context="$context"})',
                    Query('sum(unora_database_connections_limit{context="$context"})', "limit"),
                ),
                Panel(
                    "Tasks that wait for a connection",
                    "Normal: 0.",
                    'max by (role) (unora_database_waiting{context="$context"})',
                ),
                Panel(
                    "How long they wait, p99",
                    "Only those that wait at all are counted.",
                    "histogram_quantile(0.99, sum by (role, le) "
                    '(rate(unora_database_wait_seconds_bucket{context="$context"}[$__rate_interval])))',
                    unit="s",
                ),
            ],
        ),
        Section(
            "Providers and the object store",
            [
                Panel(
                    "Requests that failed, by provider",
                    "No answer, or a status from 500 on. Normal: none.",
                    "sum by (provider) (rate(unora_provider_call_duration_seconds_count"
                    '{context="$context", outcome="failed"}[$__rate_interval]))',
                    unit="reqps",
                ),
                Panel(
                    "Time of a request, p99, by provider",
                    "Until its answer was read.",
                    "histogram_quantile(0.99, sum by (provider, le) "
                    '(rate(unora_provider_call_duration_seconds_bucket{context="$context"}[$__rate_interval])))',
                    unit="s",
                ),
            ],
        ),
        Section(
            "Events and jobs",
            [
                Panel(
                    "Events that wait, by consumer",
                    "Normal: near 0.",
                    'max by (consumer) (unora_consumer_pending{context="$context"})',
                ),
                Panel(
                    "Events that fail, by consumer",
                    "Each is tried five times. Normal: none.",
                    'sum by (consumer) (increase(unora_events_failed_total{context="$context"}[$__rate_interval]))',
                ),
                Panel(
                    "From an event to its effect, p99",
                    "Normal: below 0.1 s.",
                    "histogram_quantile(0.99, sum by (consumer, le) "
                    '(rate(unora_event_lag_seconds_bucket{context="$context"}[$__rate_interval])))',
                    unit="s",
                ),
                Panel(
                    "Oldest work that is due, by job",
                    "Normal: below the job's interval.",
                    'max by (job_name) (unora_job_oldest_due_seconds{context="$context"})',
                    unit="s",
                ),
                Panel(
                    "Work that is due, by job",
                    "Counted up to 10,000.",
                    'max by (job_name) (unora_job_due{context="$context"})',
                ),
                Panel(
                    "Since the last success, by job",
                    "Normal: the job's interval.",
                    'time() - max by (job_name) (unora_job_last_success_timestamp_seconds{context="$context"})',
                    unit="s",
                ),
                Panel(
                    "Time of a run, p99, by job",
                    "A run does one batch.",
                    "histogram_quantile(0.99, sum by (job_name, le) "
                    '(rate(unora_job_duration_seconds_bucket{context="$context"}[$__rate_interval])))',
                    unit="s",
                ),
                Panel(
                    "Runs that fail, by job",
                    "Normal: none; each comes with a line in the log.",
                    'sum by (job_name) (increase(unora_job_failures_total{context="$context"}[$__rate_interval]))',
                ),
                Panel(
                    "What jobs do",
                    "Things done a second.",
                    'sum by (job_name) (rate(unora_jobs_done_total{context="$context"}[$__rate_interval]))',
                ),
            ],
        ),
    ],
    by_context=True,
)
