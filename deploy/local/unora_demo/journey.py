"""The journey, step by step: one couple from sign-up to Day 15, and what may happen to others on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from unora_demo import (
    audit,
    broken_days,
    couples,
    days,
    discovery,
    erasing,
    exporting,
    leaving,
    matching,
    notifications,
    numbers,
    onboarding,
    personality,
    protection,
    pushes,
    returned,
    reveals,
    screens,
    tiers,
)
from unora_demo.stage import Stage, StepFunction
from unora_demo.timeline import Timeline

Steps = Sequence[tuple[str, StepFunction]]
TO_DAY_15: Final[Steps] = (
    ("all people sign up", onboarding.sign_up),
    ("what is missing before", onboarding.missing_before),
    ("the screen of a new member", screens.first_look),
    ("profiles, hobbies, photographs", onboarding.complete_profiles),
    ("what is missing after", onboarding.missing_after),
    ("phones, and what they may tell", notifications.phones),
    ("all join a server", discovery.join),
    ("a batch of five", discovery.first_batch),
    ("the time lock", discovery.time_lock),
    ("the screen of who waits", partial(screens.glance, title="discovery")),
    ("a tier that rises", tiers.rises),
    ("interest one way", matching.one_way),
    ("interest both ways", matching.both_ways),
    ("the Total Wipe", matching.total_wipe),
    ("the capacity lock", matching.capacity_lock),
    ("a streak begins", days.begins),
    ("the first day", days.first_day),
    ("days go by", partial(days.keep, until=3)),
    ("an evening at risk", days.saved_evening),
    ("day 5", partial(days.keep, until=5)),
    ("reveal 1, earned by 5 days", partial(reveals.earned, number=1)),
    ("days go by", partial(days.keep, until=10)),
    ("reveal 2, earned by 10 days", partial(reveals.earned, number=2)),
    ("days go by", partial(days.keep, until=14)),
    ("a missed day", days.missed_day),
    ("the window runs out", days.window_runs_out),
    ("a new cycle", days.new_cycle),
    ("days go by", partial(days.keep, until=14)),
    ("the identity, asked for on day 14", reveals.refused_on_day_14),
    ("Day 15", days.completed),
    ("the identity reveal", reveals.identity),
    ("chat", reveals.chat),
)
ON_THE_WAY: Final[Steps] = (
    ("a tier that falls", tiers.falls),
    ("a pro", tiers.pro),
    ("seven couples meet", couples.meet),
    ("day 1", partial(couples.keep, letters="BCDEFHI", first=True)),
    ("day 2", partial(couples.keep, letters="BCDEFHI")),
    ("day 3, half of it", broken_days.half_a_day),
    ("nudges", broken_days.nudges),
    ("the screen of who was nudged", partial(screens.glance, title="streak detail")),
    ("four windows open", broken_days.windows),
    ("a recovery", broken_days.recovered),
    ("a partner who leaves within a day", broken_days.left_within_a_day),
    ("another recovery", broken_days.another_recovery),
    ("a block", protection.block),
    ("a report, and its case", protection.reduced),
    ("a suspension", protection.suspended),
    ("a pause", leaving.pauses),
    ("a member leaves marks", erasing.leaves_marks),
    ("two accounts are closed", leaving.closes),
    ("a payment that comes too late", broken_days.too_late),
    ("a partner who leaves later", broken_days.left_later),
    ("what credits buy", broken_days.spends),
    ("a refund", returned.refunded),
    ("a dispute", returned.disputed),
    ("day 5", partial(couples.keep, letters="BF", first=True)),
    ("two tiers, one couple", tiers.two_tiers),
    ("personality, in part", personality.in_part),
    ("two glimpses", personality.glimpses),
    ("day 6, by one couple", partial(couples.keep, letters="F")),
    ("a pro is ahead", tiers.ahead),
    ("both miss a day", broken_days.both_miss),
    ("one exports", exporting.export),
    ("an account that comes back", numbers.reopened),
    ("a number with another owner", numbers.moved),
)
AT_THE_END: Final[Steps] = (
    ("every screen, by two calls at most", screens.look),
    ("an account is erased", erasing.erased),
    ("another account is closed", leaving.closes_later),
    ("the audit chain", audit.chain),
    ("what was pushed", pushes.seen),
)
STEPS: Final[Steps] = (*TO_DAY_15, *ON_THE_WAY, *AT_THE_END)


async def play(stage: Stage, timeline: Timeline, steps: Steps = STEPS) -> None:
    """Play the steps; raise StepFailed at the first that sees something else than it expects."""
    for name, step in steps:
        with timeline.step(name) as note:
            await step(stage, note)
