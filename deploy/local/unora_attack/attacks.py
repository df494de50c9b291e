"""All attacks, in the order in which they are played."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from unora_attack.orders import Orders, Tally
from unora_attack.outages import LOST_CONNECTIONS
from unora_attack.overload import OVERLOAD
from unora_attack.picture_attacks import PICTURE_ATTACKS
from unora_attack.restarts import ROLLING_RESTART
from unora_attack.row import Attack, Played
from unora_attack.scene import Scene

SECONDS: Final = 6.0
"""How long an attack goes on."""
CUT_WITHIN: Final = 15.0
"""Seconds within which a silent connection must be cut: the service's time limit twice, and some for a busy machine."""


def _orders(scene: Scene, attack: str, **changes: object) -> Orders:
    values = {"tokens": scene.take_attackers(1), "seconds": SECONDS} | changes
    return Orders(attack=attack, target=scene.target, **values)  # type: ignore[arg-type]


async def nothing(_: Scene) -> Played:
    """To compare with: what honest members notice in half the time of an attack without one."""
    await asyncio.sleep(SECONDS / 2)
    return Played()


async def cheap_calls(scene: Scene) -> Played:
    """One member, all methods."""
    return _refused(await scene.attack(_orders(scene, "cheap calls")))


async def empty_streams(scene: Scene) -> Played:
    """Two certificates, no message."""
    tally = await scene.attack(_orders(scene, "empty streams"))
    return Played(tally, faults=_unless(tally.share("PERMISSION_DENIED", "UNAUTHENTICATED") == 1, "other answers"))


async def forged_tokens(scene: Scene) -> Played:
    """The gateway, tokens that nobody signed."""
    tally = await scene.attack(_orders(scene, "forged tokens"))
    return Played(tally, faults=_unless(tally.share("UNAUTHENTICATED", "RESOURCE_EXHAUSTED") == 1, "other answers"))


async def calls_without_a_member(scene: Scene) -> Played:
    """Nobody in particular."""
    return _refused(await scene.attack(_orders(scene, "calls without a member")))


async def silent_connections(scene: Scene) -> Played:
    """Connections to identity that say nothing."""
    tally = await scene.attack(_orders(scene, "silent connections", context="identity"))
    faults = _unless(tally.longest_open <= CUT_WITHIN, f"not cut within {CUT_WITHIN:.0f} s")
    return Played(tally, f"cut after {tally.longest_open:.1f} s at most", faults)


def _refused(tally: Tally) -> Played:
    """Refusals for load have a reason and a hint when to try again."""
    return Played(tally, faults=_unless(not tally.hints_missing, f"{tally.hints_missing} refusals without a hint"))


def _unless(good: bool, fault: str) -> tuple[str, ...]:
    return () if good else (fault,)


ATTACKS: Final[Sequence[Attack]] = (
    Attack(name="nothing", title="nothing, to compare with", process="identity", play=nothing),
    Attack(
        name="cheap-calls",
        title="one member, 510 calls at once of every kind",
        process="identity",
        play=cheap_calls,
    ),
    Attack(
        name="empty-streams",
        title="510 streams without a message: a certificate without rights, the gateway without a token",
        process="billing",
        play=empty_streams,
    ),
    Attack(
        name="silent-connections",
        title="900 silent connections: 300 before TLS, 300 after it, 300 to the port for metrics",
        process="identity",
        play=silent_connections,
    ),
    Attack(
        name="forged-tokens",
        title="the gateway with forged tokens, 510 calls at once",
        process="matching",
        play=forged_tokens,
    ),
    Attack(
        name="calls-without-a-member",
        title="510 calls at once without a member: codes, refresh tokens, webhooks",
        process="identity",
        play=calls_without_a_member,
    ),
    OVERLOAD,
    LOST_CONNECTIONS,
    ROLLING_RESTART,
    *PICTURE_ATTACKS,
)
