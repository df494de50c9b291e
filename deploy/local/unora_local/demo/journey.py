"""The journey, step by step: from sign-up to the identity reveal of Day 15."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from unora_local.demo import arriving, auditing, days, discovering, meeting, revealing
from unora_local.demo.stage import Stage, StepFunction
from unora_local.demo.timeline import Timeline

Steps = Sequence[tuple[str, StepFunction]]
STEPS: Final[Steps] = (
    ("twelve people sign up", arriving.sign_up),
    ("what is missing before", arriving.missing_before),
    ("profiles, hobbies, photographs", arriving.tell_and_show),
    ("what is missing after", arriving.missing_after),
    ("all join a server", discovering.join),
    ("a batch of five", discovering.first_batch),
    ("the time lock", discovering.time_lock),
    ("interest one way", meeting.one_way),
    ("interest both ways", meeting.both_ways),
    ("the Total Wipe", meeting.total_wipe),
    ("the capacity lock", meeting.capacity_lock),
    ("a streak begins", days.begins),
    ("the first day", days.first_day),
    ("days go by", partial(days.keep, until=3)),
    ("an evening at risk", days.saved_evening),
    ("day 5", partial(days.keep, until=5)),
    ("reveal 1, earned by 5 days", partial(revealing.earned, number=1)),
    ("days go by", partial(days.keep, until=10)),
    ("reveal 2, earned by 10 days", partial(revealing.earned, number=2)),
    ("days go by", partial(days.keep, until=14)),
    ("a missed day", days.missed_day),
    ("the window runs out", days.window_runs_out),
    ("a new cycle", days.new_cycle),
    ("days go by", partial(days.keep, until=14)),
    ("the identity, asked for on day 14", revealing.refused_on_day_14),
    ("Day 15", days.completed),
    ("the identity reveal", revealing.identity),
    ("chat", revealing.chat),
    ("the audit chain", auditing.chain),
)


async def play(stage: Stage, timeline: Timeline, steps: Steps = STEPS) -> None:
    """Play the steps; raise StepFailed at the first that sees something else than it expects."""
    for name, step in steps:
        with timeline.step(name) as note:
            await step(stage, note)
