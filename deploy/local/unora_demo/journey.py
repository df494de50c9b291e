"""The journey, step by step: one couple from sign-up to Day 15, and what may happen to others on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from unora_demo import (
    answering,
    arriving,
    auditing,
    breaking,
    couples,
    days,
    discovering,
    meeting,
    protecting,
    revealing,
    tiers,
)
from unora_demo.stage import Stage, StepFunction
from unora_demo.timeline import Timeline

Steps = Sequence[tuple[str, StepFunction]]
TO_DAY_15: Final[Steps] = (
    ("sixty people sign up", arriving.sign_up),
    ("what is missing before", arriving.missing_before),
    ("profiles, hobbies, photographs", arriving.tell_and_show),
    ("what is missing after", arriving.missing_after),
    ("all join a server", discovering.join),
    ("a batch of five", discovering.first_batch),
    ("the time lock", discovering.time_lock),
    ("a tier that rises", tiers.rises),
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
)
ON_THE_WAY: Final[Steps] = (
    ("a tier that falls", tiers.falls),
    ("a pro", tiers.pro),
    ("seven couples meet", couples.meet),
    ("day 1", partial(couples.keep, letters="BCDEFHI", first=True)),
    ("day 2", partial(couples.keep, letters="BCDEFHI")),
    ("day 3, half of it", breaking.half_a_day),
    ("nudges", breaking.nudges),
    ("four windows open", breaking.windows),
    ("a recovery", breaking.recovered),
    ("who leaves within a day", breaking.left_within_a_day),
    ("another recovery", breaking.another_recovery),
    ("a block", protecting.block),
    ("a report, and its case", protecting.reduced),
    ("a suspension", protecting.suspended),
    ("a payment that comes too late", breaking.too_late),
    ("who leaves later", breaking.left_later),
    ("what credits buy", breaking.spends),
    ("day 5", partial(couples.keep, letters="BF", first=True)),
    ("two tiers, one couple", tiers.two_tiers),
    ("personality, in part", answering.in_part),
    ("two glimpses", answering.glimpses),
    ("day 6, by one couple", partial(couples.keep, letters="F")),
    ("a pro is ahead", tiers.ahead),
    ("both miss a day", breaking.both_miss),
)
STEPS: Final[Steps] = (*TO_DAY_15, *ON_THE_WAY, ("the audit chain", auditing.chain))


async def play(stage: Stage, timeline: Timeline, steps: Steps = STEPS) -> None:
    """Play the steps; raise StepFailed at the first that sees something else than it expects."""
    for name, step in steps:
        with timeline.step(name) as note:
            await step(stage, note)
