"""What is measured of streaks: how many go on, what the sweep has left to do, and which steps it took late (ST-16)."""

from __future__ import annotations

import pytest
from unora_streak.use_cases.sweep import LATE_AFTER

from tests.integration.streak.conftest import MINUTE, Couple
from tests.measures import count, value


@pytest.mark.rule("ST-16")
async def test_streaks_and_what_the_sweep_has_left_are_counted_and_late_steps_too(couple: Couple) -> None:
    world, app = couple.world, couple.world.apps["streak"]
    await count(app)
    assert value(app, "unora_streaks", state="active") == 1
    assert value(app, "unora_streaks", state="at_risk") == 0
    assert value(app, "unora_job_due", job_name="close_days") == 0
    assert value(app, "unora_job_oldest_due_seconds", job_name="close_days") == 0
    assert (value(app, "unora_streak_steps_total"), value(app, "unora_streak_steps_late_total")) == (0, 0)

    await couple.check_in(couple.a, couple.b)
    await world.move_clock(await couple.day_ends_at())  # the sweep takes this step at its time
    assert (value(app, "unora_streak_steps_total"), value(app, "unora_streak_steps_late_total")) == (1, 0)

    await couple.check_in(couple.a, couple.b)
    late = await couple.day_ends_at() + LATE_AFTER + MINUTE
    await world.superuser.execute("UPDATE clock.shift SET ahead = ahead + ($1 - clock.now())", late)
    await count(app)
    assert value(app, "unora_job_due", job_name="close_days") == 1
    oldest = value(app, "unora_job_oldest_due_seconds", job_name="close_days")
    assert oldest is not None
    assert oldest >= (LATE_AFTER + MINUTE).total_seconds()
    await world.drain()
    await count(app)
    assert value(app, "unora_job_due", job_name="close_days") == 0
    assert (value(app, "unora_streak_steps_total"), value(app, "unora_streak_steps_late_total")) == (2, 1)
