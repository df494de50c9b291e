"""The table of screens in the docs is what the journey draws."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from unora.identity.v1.account_service_pb2 import SessionTokens
from unora_common.config import CONTEXTS
from unora_demo.people import Member
from unora_demo.screens import MOST_CALLS, SCREENS, Screen, _draw, dashboard
from unora_demo.stage import Stage
from unora_local.cast import PEOPLE
from unora_local.client import Gateway, Session, Unexpected
from unora_tools.reference import methods

PAGE = Path(__file__).parents[3] / "docs" / "screens.md"
ROW = re.compile(r"^\| ([a-z ]+) \| (`[^|]+`) \|", re.MULTILINE)


def test_the_docs_name_the_calls_of_each_screen() -> None:
    told = {title: tuple(re.findall(r"`([^`]+)`", calls)) for title, calls in ROW.findall(PAGE.read_text())}
    assert told == {screen.title: screen.methods for screen in SCREENS}


def test_a_screen_takes_at_most_two_calls_of_members() -> None:
    known = {f"{method.service}.{method.name}" for method in methods() if "member" in method.who}
    assert {name for screen in SCREENS for name in screen.methods} <= known
    assert max(len(screen.methods) for screen in SCREENS) <= MOST_CALLS


class Silent:
    """A channel that answers every call with an empty message."""

    def unary_unary(self, path: str, *, response_deserializer: Callable[[bytes], Any], **_: Any) -> Any:
        async def answer(request: Any, **_: Any) -> Any:
            return response_deserializer(b"")

        return answer


def on_stage() -> tuple[Stage, Member]:
    """A stage on which no service runs, and a member on it."""
    channels: dict[str, Any] = {name: Silent() for name in (*CONTEXTS, "notifier")}
    gateway = Gateway(channels)
    nothing: Any = None
    stage = Stage(gateway, clock=nothing, box=nothing, provider=nothing, make_admin=nothing)
    return stage, Member(PEOPLE[0], 0, Session(gateway, "somebody", SessionTokens(), "+15555550100"), ())


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.title)
async def test_a_screen_is_drawn_by_the_methods_that_it_names(screen: Screen) -> None:
    stage, member = on_stage()
    await _draw(stage, screen, member, "")
    assert sorted(stage.gateway.called) == sorted(screen.methods)


@pytest.mark.parametrize(
    "methods",
    [
        ("StreakService.GetStreak", "DiscoveryService.ListPartnerCards"),
        ("StreakService.GetDashboard", "StreakService.GetDashboard"),
        ("StreakService.GetDashboard",),
    ],
    ids=["another one", "the same one twice", "one only"],
)
async def test_a_screen_that_calls_other_methods_than_it_names_fails(methods: tuple[str, ...]) -> None:
    stage, member = on_stage()
    with pytest.raises(Unexpected, match=r"calls of dashboard: expected .*DiscoveryService.ListPartnerCards"):
        await _draw(stage, Screen("dashboard", methods, dashboard), member, "")
