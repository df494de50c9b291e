"""What members notice, and where to look next."""

from typing import Final

from unora_tools.observe.panels import Dashboard, Panel, Query, Section

DASHBOARD: Final = Dashboard(
    "unora-overview",
    "Unora: overview",
    "What members notice, and where to look next. The objectives are those of docs/observability.md.",
    [
        Section(
            "What members notice",
            [
                Panel(
                    "Alerts",
                    "What alarms now. The address of its runbook is in the alert: docs/runbooks.",
                    'ALERTS{alertstate="firing"}',
                    kind="table",
                    width=12,
                ),
                Panel(
                    "Budget left of 30 days",
                    "1 is all of it, 0 none; of each objective the worst method or consumer. Empty in the first hour.",
                    "min by (slo) (unora_slo:budget_left:30d)",
                    unit="percentunit",
                    kind="stat",
                    width=12,
                ),
                Panel(
                    "How fast the budgets burn",
                    "1 spends the budget in 30 days, 14.4 pages. Normal: 0.",
                    "max by (slo) (unora_slo:burn_rate:1h)",
                    limits=((1, "orange"), (14.4, "red")),
                ),
                Panel(
                    "Calls of members",
                    "Answered and refused calls a second, by context.",
                    "sum by (context) "
                    '(rate(unora_rpc_duration_seconds_count{access=~"user|public"}[$__rate_interval]))',
                    unit="reqps",
                    stacked=True,
                ),
                Panel(
                    "Calls that fail",
                    "The share of members' calls with an error that no rule asks for, and of those that reach no "
                    "replica (at the gateway). Normal: 0; the objective: 0.1 %.",
                    Query(
                        'sum by (context) (unora_slo:bad:rate5m{slo="availability", method!="at the gateway"}) / '
                        '(sum by (context) (unora_slo:total:rate5m{slo="availability", method!="at the gateway"}) '
                        "> 0)",
                        "{{context}}",
                    ),
                    Query(
                        'unora_slo:bad:rate5m{slo="availability", method="at the gateway"} '
                        '/ (unora_slo:total:rate5m{slo="availability", method="at the gateway"} > 0)',
                        "{{context}}, at the gateway",
                    ),
                    unit="percentunit",
                ),
                Panel(
                    "Time of an answer, p99",
                    "Normal: 30 to 200 ms under load; billing and identity wait for providers and photos.",
                    "histogram_quantile(0.99, sum by (context, le) "
                    '(rate(unora_rpc_duration_seconds_bucket{access=~"user|public", '
                    'code="OK"}[$__rate_interval])))',
                    unit="s",
                ),
                Panel(
                    "Answers of the gateway",
                    "By class of status. 5 is the gateway's or a context's fault, 4 the app's.",
                    Query(
                        "sum by (envoy_response_code_class) "
                        '(rate(envoy_http_downstream_rq_xx{envoy_http_conn_manager_prefix=~"front|plain"}[$__rate_interval]))',
                        "{{envoy_response_code_class}}xx",
                    ),
                    unit="reqps",
                    stacked=True,
                ),
            ],
        ),
        Section(
            "What is under way",
            [
                Panel(
                    "Oldest event that is not published",
                    "Normal: below a second.",
                    "max by (context) (unora_outbox_oldest_unpublished_seconds)",
                    unit="s",
                ),
                Panel(
                    "Events that wait for consumers",
                    "Normal: near 0. It grows while a consumer's context is away.",
                    "sum by (context) (max by (context, consumer) (unora_consumer_pending))",
                ),
                Panel(
                    "Dead letters",
                    "Normal: 0. Each waits for a repair and a replay.",
                    "sum by (context) (max by (context, consumer) (unora_dead_letters_waiting))",
                    limits=((1, "red"),),
                ),
                Panel(
                    "Days that are due",
                    "How long the oldest streak has waited for its day to be closed. Normal: below two seconds.",
                    'max by (context) (unora_job_oldest_due_seconds{job_name="close_days"})',
                    unit="s",
                ),
                Panel(
                    "Paid and not delivered",
                    "Age of the oldest such payment. Normal: some seconds.",
                    'max by (context) (unora_payments_oldest_open_seconds{status="succeeded"})',
                    unit="s",
                ),
                Panel(
                    "Servers that are not reached",
                    "How many processes do not reach a server. Normal: 0.",
                    Query("count by (context, dependency) (unora_dependency_up == 0)", "{{context}}: {{dependency}}"),
                ),
                Panel(
                    "Room of the gateway",
                    "Memory and connections of the fullest process, of what it may have. From 80 % of its memory on it "
                    "gives up calls.",
                    Query("max(envoy_overload_envoy_resource_monitors_fixed_heap_pressure) / 100", "memory"),
                    Query(
                        "max(envoy_overload_envoy_resource_monitors_global_downstream_max_connections_pressure) / 100",
                        "connections",
                    ),
                    unit="percentunit",
                ),
            ],
        ),
        Section(
            "Processes",
            [
                Panel(
                    "Processes that answer",
                    "By context.",
                    "sum by (context) (up)",
                ),
                Panel(
                    "Releases",
                    "Two at once only during a rollout.",
                    "count by (context, version) (unora_build_info)",
                ),
                Panel(
                    "Days until a certificate ends",
                    "Normal: more than 30.",
                    "min by (context, certificate) (unora_certificate_expiry_timestamp_seconds - time()) / 86400",
                ),
                Panel(
                    "Spans that the collector did not take",
                    "Nothing while no traces are recorded. Normal: 0.",
                    'sum by (context) (rate(unora_spans_total{result="lost"}[$__rate_interval]))',
                    unit="eps",
                ),
            ],
        ),
    ],
)
