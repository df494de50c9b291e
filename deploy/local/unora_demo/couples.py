"""The other couples: they meet on one day, and each lives through a story of its own."""

from __future__ import annotations

from typing import Final

from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local.client import Unexpected

from unora_demo import days, matching
from unora_demo.cast import COUPLES
from unora_demo.discovery import find
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

OTHERS: Final = tuple(letter for letter in COUPLES if letter != "A")


async def connect(scene: Stage) -> None:
    """Two find each other's cards, both send an interest, and are connected."""
    card, back = await find(scene, scene.one, scene.other), await find(scene, scene.other, scene.one)
    await matching.send(scene, scene.one, card)
    answer = await matching.send(scene, scene.other, back)
    expect("a connection", True, answer.HasField("connection"))
    scene.connection = answer.connection
    await scene.clock.wait_until_idle()
    await see(scene)


async def see(scene: Stage) -> None:
    """Look at the couple's streak on the dashboard."""
    dashboard = await scene.one.session.call(scene.gateway.streaks.GetDashboard, GetDashboardRequest())
    found = [each for each in dashboard.streaks if each.connection_id == scene.connection.connection_id]
    if len(found) != 1:
        raise Unexpected(f"one streak of the connection was expected on the dashboard, saw {len(found)}")
    scene.streak = found[0]


async def meet(stage: Stage, note: Note) -> None:
    """MA-01: seven further couples connect."""
    for number, letter in enumerate(OTHERS, 1):
        note.now(f"{number} of {len(OTHERS)}")
        await connect(stage.scene(letter))
    note.detail = f"{len(OTHERS)} couples are connected, each with a streak of its own"


async def keep(stage: Stage, note: Note, letters: str, first: bool = False) -> None:
    """ST-05: these couples keep the day, on the morning after the one they were last seen on."""
    scenes = [stage.scene(letter) for letter in letters]
    if not first:
        await dawn(stage, letters)
    for scene in scenes:
        await days.check_in(scene, scene.one)
        scene.streak = (await days.check_in(scene, scene.other)).streak
        expect("the state when both are in", "ACTIVE", days.state(scene.streak))
    counts = ", ".join(f"{letter} {stage.scene(letter).streak.completed_days}" for letter in letters)
    note.detail = f"days kept so far: {counts}"


async def dawn(stage: Stage, letters: str) -> None:
    """Move to the morning after the day on which these couples were last seen."""
    latest = max(days.ends(stage.scene(letter).streak) for letter in letters)
    await stage.clock.move(latest + days.MORNING)
    for letter in letters:
        await see(stage.scene(letter))
