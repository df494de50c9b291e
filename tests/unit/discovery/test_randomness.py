"""The seeds of random draws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from unora_discovery.domain.randomness import tie_seed, visibility_below, visibility_seed
from unora_discovery.domain.servers import ServerType

VIEWER, OTHER, BATCH = UUID(int=1), UUID(int=2), UUID(int=3)
MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)


def seed(
    viewer: UUID = VIEWER, server: ServerType = ServerType.PARTNER, batch: UUID | None = BATCH, now: datetime = MORNING
) -> int:
    return visibility_seed(viewer, server, batch, now)


@pytest.mark.rule("DI-10", "XX-04")
def test_a_member_left_out_of_a_search_stays_out_of_its_repeats_on_that_day() -> None:
    """Otherwise a pool that is barely too small would sometimes refuse and sometimes serve, and so reveal it."""
    assert seed() == seed(now=MORNING + timedelta(hours=15))


@pytest.mark.rule("DI-10")
def test_another_batch_day_server_or_viewer_has_another_seed() -> None:
    seeds = {
        seed(),
        seed(viewer=OTHER),
        seed(server=ServerType.FRIEND),
        seed(batch=None),
        seed(batch=OTHER),
        seed(now=MORNING + timedelta(days=1)),
    }
    assert len(seeds) == 6


@pytest.mark.rule("DI-10", "DI-07")
def test_seeds_are_numbers_that_the_database_accepts() -> None:
    source = Random(1)
    seeds = [tie_seed(source) for _ in range(1000)] + [seed(viewer=UUID(int=number)) for number in range(1000)]
    assert all(-(2**63) <= each < 2**63 for each in seeds)
    assert min(seeds) < 0 < max(seeds)
    assert len(set(seeds)) == 2000


@pytest.mark.rule("DI-10")
@pytest.mark.parametrize(("weight", "below"), [(0, 0), (0.1, 429496730), (0.5, 2**31), (1, 2**32)])
def test_the_weight_is_a_share_of_all_draws(weight: float, below: int) -> None:
    assert visibility_below(weight) == below
