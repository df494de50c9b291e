"""The command `rebuild`: its help, one part alone, what it says, and a context that does not answer (XX-08)."""

from __future__ import annotations

import argparse
import importlib
from typing import Any
from uuid import UUID

import pytest
from unora_common import cli, rebuilding
from unora_common.declarations import load_service
from unora_common.errors import Unavailable
from unora_common.ids import uuid7
from unora_streak.clients import Owners
from unora_testing.world import World

from tests.integration.projections.projected_rows import ORDER

pytestmark = pytest.mark.rule("XX-08")

KNOWN = """
    INSERT INTO billing.accounts (user_id, tier, balance, suspended, standing_version, version)
    VALUES ($1, 'plus', 0, false, 0, 3)"""


async def command(world: World, context: str, *arguments: str) -> int:
    """The command, as somebody types it. Returns the exit status."""
    made = load_service(context).commands["rebuild"]
    parser = argparse.ArgumentParser()
    made.arguments(parser)
    return await made.run(world.apps[context].runtime, parser.parse_args(arguments))


async def add_member(world: World) -> UUID:
    """A member of whose tier streak has missed the event."""
    member = uuid7()
    await world.superuser.execute(KNOWN, member)
    return member


async def tier(world: World, member: UUID) -> str | None:
    found: str | None = await world.superuser_of("streak").fetchval(
        "SELECT tier FROM streak.tiers WHERE user_id = $1", member
    )
    return found


@pytest.mark.parametrize("context", ORDER)
async def test_every_context_makes_all_its_parts_anew(
    world: World, context: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(world, context) == 0
    assert "made anew in " in capsys.readouterr().out


async def test_one_part_is_made_anew_alone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    member = await add_member(world)
    assert await command(world, "streak", "--only", "connections") == 0
    assert await tier(world, member) is None
    assert await command(world, "streak", "--only", "tiers") == 0
    assert await tier(world, member) == "plus"
    assert "s: tiers; " in capsys.readouterr().out


async def test_a_part_that_does_not_exist_is_refused_with_those_that_do(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        await command(world, "streak", "--only", "everything")
    assert "'tiers', 'connections'" in capsys.readouterr().err


async def test_a_context_that_does_not_answer_is_asked_again_and_then_named(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    member, asked = await add_member(world), 0

    class Away(Owners):
        """Billing does not answer."""

        def __init__(self, clients: Any) -> None:
            super().__init__(clients)

            async def fail(token: str, size: int) -> Any:
                nonlocal asked
                asked += 1
                raise Unavailable

            self.list_tiers = fail

    monkeypatch.setattr(rebuilding, "RETRY_DELAY", 0.0)
    with monkeypatch.context() as away:
        away.setattr("unora_streak.use_cases.rebuild.Owners", Away)
        assert await command(world, "streak", "--restart") == 1
    assert asked == rebuilding.MAX_ATTEMPTS
    assert "tiers was not made anew: Unavailable" in capsys.readouterr().err
    assert await command(world, "streak") == 0
    assert await tier(world, member) == "plus"


@pytest.mark.parametrize("context", ORDER)
def test_the_help_names_the_parts_and_says_how_it_ends(context: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(load_service(context), ["rebuild", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert f"usage: python -m unora_{context} rebuild [-h] [--only PART] [--restart]" in said
    assert "Exit status: 0 done, 1 not done (run it again), 130 stopped by a signal." in said
    assert "one ends with status 1" in said
    named = importlib.import_module(f"unora_{context}.use_cases.rebuild").PARTS
    assert f"one part alone: {', '.join(named)}" in said
