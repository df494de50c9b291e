"""Payments and credits."""

from typing import Final

from unora_tools.observe.panels import Dashboard, Panel, Query, Section

DASHBOARD: Final = Dashboard(
    "unora-money",
    "Unora: money",
    "Payments, from their creation to the delivery, and the credits that members hold.",
    [
        Section(
            "Payments",
            [
                Panel(
                    "Payments, by what happened to them",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"PaymentCreated|PaymentSucceeded|PaymentApplied|PaymentCredited|PaymentFailed"}[1h]))',
                ),
                Panel(
                    "Open payments",
                    "created and pending wait for the member or the provider, succeeded for the delivery.",
                    "max by (status) (unora_payments_open)",
                ),
                Panel(
                    "Age of the oldest open payment",
                    "succeeded: some seconds. pending: up to 24 hours, then billing gives it up.",
                    "max by (status) (unora_payments_oldest_open_seconds)",
                    unit="s",
                ),
                Panel(
                    "From the creation to the delivery",
                    "The member's own time to confirm is in it. The objective: 99 % within 15 minutes.",
                    Query(
                        "histogram_quantile(0.5, sum by (context, le) "
                        "(rate(unora_payment_settlement_seconds_bucket[$__rate_interval])))",
                        "p50",
                    ),
                    Query(
                        "histogram_quantile(0.99, sum by (context, le) "
                        "(rate(unora_payment_settlement_seconds_bucket[$__rate_interval])))",
                        "p99",
                    ),
                    unit="s",
                ),
                Panel(
                    "What the provider tells",
                    "New webhooks of an hour, by what they changed.",
                    "sum by (outcome) (increase(unora_provider_events_total[1h]))",
                ),
                Panel(
                    "Mismatches",
                    "Of a day. Each needs a decision: resolve-payment. Normal: 0.",
                    Query("sum by (context) (increase(unora_payment_mismatches_total[1d]))", "mismatches"),
                    kind="stat",
                    limits=((1, "red"),),
                ),
            ],
        ),
        Section(
            "Credits, plans, protections",
            [
                Panel(
                    "Credits that members hold",
                    "In the unit of billing's ledger.",
                    Query("max by (context) (unora_credits_circulating)", "credits"),
                ),
                Panel(
                    "Subscriptions and tiers",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"SubscriptionChanged|TierChanged"}[1h]))',
                ),
                Panel(
                    "Protections, refunds and disputes",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"ProtectionOpened|ProtectionClosed|ReversalRecorded|MismatchResolved"}[1h]))',
                ),
                Panel(
                    "Refusals of billing",
                    "Of an hour. PROVIDER_UNAVAILABLE: the provider does not answer.",
                    'sum by (reason) (increase(unora_rpc_refusals_total{context="billing"}[1h])) > 0',
                ),
                Panel(
                    "Jobs of billing: since the last success",
                    "Normal: about a second.",
                    'time() - max by (job_name) (unora_job_last_success_timestamp_seconds{context="billing"})',
                    unit="s",
                ),
            ],
        ),
    ],
)
