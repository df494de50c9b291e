"""Who checks in while seed moves the days."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from unora_local.keyboard import couples
from unora_local.keyboard.newcomers import Seeding, couples_among
from unora_local.keyboard.people import Login, People


async def test_who_is_connected_and_who_may_have_connected_by_hand_checks_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = People(tmp_path)
    for name, more in (
        ("Ana", {"partner": "ben"}),
        ("Ben", {"partner": "ana"}),
        ("Cleo", {"meets": "dirk"}),
        ("Dirk", {"meets": "cleo"}),
        ("Eve", {}),
    ):
        people.add(Login("", name, f"user {name}", "+14155550100", "token", **more))
    checked_in = []

    async def check_in(_: Seeding, login: Login) -> None:
        checked_in.append(login.login)

    monkeypatch.setattr(couples, "_check_in_as", check_in)
    nothing = cast(Any, None)
    await couples.all_check_in(Seeding(nothing, nothing, nothing, people, nothing))
    assert checked_in == ["ana", "ben", "cleo", "dirk"]


def test_a_dozen_members_have_a_couple_of_each_kind() -> None:
    assert couples_among(12) == 3
