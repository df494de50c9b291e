"""The read paths in the overview of the database: each is one query of the context that owns the tables."""

from __future__ import annotations

import pytest
from unora.reveal.v1.reveal_service_pb2 import ListRevealsRequest
from unora.reveal.v1.reveal_service_pb2_grpc import RevealServiceStub
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_LOW, CheckInRequest, GetDashboardRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_testing.world import World

from tests.integration.discovery.pool import Pool
from tests.statements import sent_by
from tests.support import connect, request_id


@pytest.mark.rule("XX-05", "DI-06")
async def test_the_discovery_screen_is_one_query(world: World) -> None:
    """Capacity lock, time lock, batch and cards."""
    pool = Pool(world)
    viewer, *_ = await pool.members(6)
    await pool.refresh(viewer)
    with sent_by("discovery") as statements:
        screen = await pool.screen(viewer)
    assert len(screen.batch.cards) == 5
    assert len(statements) == 1, statements


@pytest.mark.rule("XX-05", "ST-15")
async def test_the_streaks_dashboard_is_one_query(world: World) -> None:
    pair = await connect(world)
    streaks = world.stub(StreakServiceStub, "streak")
    with sent_by("streak") as statements:
        answer = await streaks.GetDashboard(GetDashboardRequest(), metadata=pair.a.metadata)
    assert [streak.connection_id for streak in answer.streaks] == [pair.connection_id]
    assert len(statements) == 1, statements


@pytest.mark.rule("XX-05", "RE-01")
async def test_the_status_of_all_reveals_is_one_query(world: World) -> None:
    pair = await connect(world)
    streaks = world.stub(StreakServiceStub, "streak")
    dashboard = await streaks.GetDashboard(GetDashboardRequest(), metadata=pair.a.metadata)
    reveals = world.stub(RevealServiceStub, "reveal")
    request = ListRevealsRequest(streak_id=dashboard.streaks[0].streak_id)
    with sent_by("reveal") as statements:
        answer = await reveals.ListReveals(request, metadata=pair.a.metadata)
    assert [reveal.reveal_number for reveal in answer.reveals] == [1, 2, 3, 4, 5]
    assert len(statements) == 1, statements


@pytest.mark.rule("XX-05", "ST-04")
async def test_a_check_in_reads_with_one_query_and_writes_with_one(world: World) -> None:
    """The members of the streak, its state and its check-ins are one locking read; all changes are one write."""
    pair = await connect(world)
    streaks = world.stub(StreakServiceStub, "streak")
    dashboard = await streaks.GetDashboard(GetDashboardRequest(), metadata=pair.a.metadata)
    request = CheckInRequest(
        request_id=request_id(), streak_id=dashboard.streaks[0].streak_id, effort_signal=EFFORT_SIGNAL_LOW
    )
    with sent_by("streak") as statements:
        await streaks.CheckIn(request, metadata=pair.a.metadata)
    assert len(statements) == 2, statements
    assert "FOR UPDATE" in statements[0]
