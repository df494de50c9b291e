"""The way of an event."""

from typing import Final

from unora_tools.observe.panels import Dashboard, Panel, Query, Section

DASHBOARD: Final = Dashboard(
    "unora-events",
    "Unora: events",
    "The way of an event: outbox, relay, stream, consumer.",
    [
        Section(
            "Published",
            [
                Panel(
                    "Published, by context",
                    "A relay can do about 20,000 a second.",
                    "sum by (context) (rate(unora_events_published_total[$__rate_interval]))",
                    unit="eps",
                    stacked=True,
                ),
                Panel(
                    "Not published yet",
                    "Counted up to 10,000. Normal: near 0.",
                    "max by (context) (unora_outbox_unpublished)",
                ),
                Panel(
                    "Oldest that is not published",
                    "Normal: below a second.",
                    "max by (context) (unora_outbox_oldest_unpublished_seconds)",
                    unit="s",
                ),
                Panel(
                    "Relays that lead",
                    "Normal: one of each context.",
                    "sum by (context) (unora_relay_leader)",
                ),
                Panel(
                    "Most published events",
                    "Of an hour.",
                    "topk(10, sum by (event) (increase(unora_events_published_total[1h])))",
                ),
            ],
        ),
        Section(
            "Applied",
            [
                Panel(
                    "Applied, by context",
                    "The audit log takes all events.",
                    "sum by (context) (rate(unora_events_applied_total[$__rate_interval]))",
                    unit="eps",
                    stacked=True,
                ),
                Panel(
                    "From an event to its effect",
                    "Normal: 20 ms at 1,000 events a second; the objective: 99.9 % within a minute.",
                    Query(
                        "histogram_quantile(0.5, sum by (context, le) "
                        "(rate(unora_event_lag_seconds_bucket{}[$__rate_interval])))",
                        "{{context}} p50",
                    ),
                    Query(
                        "histogram_quantile(0.99, sum by (context, le) "
                        "(rate(unora_event_lag_seconds_bucket{}[$__rate_interval])))",
                        "{{context}} p99",
                    ),
                    unit="s",
                ),
                Panel(
                    "Events that wait, the ten longest queues",
                    "Normal: near 0.",
                    Query("topk(10, max by (context, consumer) (unora_consumer_pending))", "{{consumer}}"),
                ),
                Panel(
                    "Attempts that failed",
                    "Of five minutes. Normal: none.",
                    Query("sum by (context, consumer) (increase(unora_events_failed_total[5m])) > 0", "{{consumer}}"),
                ),
                Panel(
                    "Dead letters that wait",
                    "Normal: none.",
                    Query("max by (context, consumer) (unora_dead_letters_waiting) > 0", "{{consumer}}"),
                ),
                Panel(
                    "Moved to the dead letters, and messages refused",
                    "Of an hour. A refused message was written by no relay.",
                    "sum by (consumer) (increase(unora_dead_letters_total[1h])) > 0",
                    Query(
                        "sum by (consumer, reason) (increase(unora_messages_refused_total[1h])) > 0",
                        "{{consumer}}: {{reason}}",
                    ),
                ),
            ],
        ),
    ],
)
