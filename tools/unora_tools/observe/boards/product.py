"""What members do."""

from typing import Final

from unora_tools.observe.panels import Dashboard, Panel, Query, Section

DASHBOARD: Final = Dashboard(
    "unora-product",
    "Unora: product",
    "What members do. Counts of events only: nothing here leads to a member.",
    [
        Section(
            "Streaks",
            [
                Panel(
                    "Live streaks, by state",
                    "Of connections that go on. Of a large table an estimate, some percent off.",
                    "max by (state) (unora_streaks)",
                    stacked=True,
                ),
                Panel(
                    "Check-ins and days",
                    "Of an hour. A completed day is one on which both checked in.",
                    'sum by (event) (increase(unora_events_published_total{event=~"CheckedIn|DayCompleted"}[1h]))',
                ),
                Panel(
                    "Breaks, resets, recoveries",
                    "Of an hour; they come at midnight of large time zones.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"PaymentWindowOpened|StreakReset|StreakRecovered|StreakTerminated"}[1h]))',
                ),
                Panel(
                    "Day 15",
                    "Completed streaks of an hour.",
                    'sum by (event) (increase(unora_events_published_total{event=~"StreakCompleted"}[1h]))',
                ),
                Panel(
                    "Nudges",
                    "Of an hour.",
                    'sum by (event) (increase(unora_events_published_total{event=~"NudgeSent|NudgeRejected"}[1h]))',
                ),
                Panel(
                    "Steps that came late",
                    "The share of days that were closed more than a minute late. The objective: 0.1 %.",
                    Query(
                        "sum(rate(unora_streak_steps_late_total[1h])) / (sum(rate(unora_streak_steps_total[1h])) > 0)",
                        "late",
                    ),
                    unit="percentunit",
                ),
            ],
        ),
        Section(
            "Meeting",
            [
                Panel(
                    "Sign-ups",
                    "Of an hour.",
                    'sum by (event) (increase(unora_events_published_total{event=~"AccountCreated"}[1h]))',
                ),
                Panel(
                    "Interests",
                    "Of an hour.",
                    'sum by (event) (increase(unora_events_published_total{event=~"InterestSent|InterestClosed"}[1h]))',
                ),
                Panel(
                    "Matches, and connections that ended",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"ConnectionFormed|ConnectionEnded"}[1h]))',
                ),
                Panel(
                    "Batches of cards",
                    "Of an hour.",
                    'sum by (event) (increase(unora_events_published_total{event=~"BatchRefreshed"}[1h]))',
                ),
                Panel(
                    "Reveals",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"RevealEarned|RevealUnlocked|RevealPurchased"}[1h]))',
                ),
                Panel(
                    "Drafts of the framing model",
                    "Of an hour, by what came of them. Without a model there are none.",
                    "sum by (outcome) (increase(unora_framed_drafts_total[1h]))",
                ),
            ],
        ),
        Section(
            "Edges",
            [
                Panel(
                    "Sign-in codes",
                    "Of an hour: sent, not taken by the carrier, refused by a budget.",
                    Query("sum(increase(unora_codes_sent_total[1h]))", "sent"),
                    Query("sum by (cause) (increase(unora_codes_unsent_total[1h]))", "unsent: {{cause}}"),
                    Query("sum by (budget) (increase(unora_codes_refused_total[1h]))", "refused: {{budget}}"),
                ),
                Panel(
                    "What the carrier tells of codes",
                    "Of an hour.",
                    "sum by (delivery) (increase(unora_codes_told_total[1h]))",
                ),
                Panel(
                    "Moderation",
                    "Open cases, by what opened them, and flags.",
                    Query("max by (kind) (unora_cases_open)", "cases: {{kind}}"),
                    Query("max by (context) (unora_flags_open)", "flags"),
                ),
                Panel(
                    "Blocks, reports, flags",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"MemberBlocked|MemberReported|FlagRaised"}[1h]))',
                ),
                Panel(
                    "Leaving",
                    "Of an hour.",
                    "sum by (event) "
                    '(increase(unora_events_published_total{event=~"AccountPaused|AccountClosed|AccountReopened|AccountErased"}[1h]))',
                ),
                Panel(
                    "Erasures that are overdue",
                    "By who owes a receipt. Normal: 0.",
                    "max by (source) (unora_erasures_overdue) > 0",
                    limits=((1, "red"),),
                ),
            ],
        ),
    ],
)
