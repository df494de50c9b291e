"""Reads the rule clock of a running stack, and moves it to a moment as a person names it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import asyncpg

from unora_local.clock import Clock
from unora_local.env import Env
from unora_local.keyboard import moments

SETTLES_WITHIN: Final = 300.0
"""Seconds: a stack with many members has much to do after a day."""


async def read(env: Env) -> datetime:
    """The rule clock (UTC), also while something moves it."""
    superuser = await asyncpg.connect(env.postgres)
    try:
        now: datetime = await superuser.fetchval("SELECT clock.now()")
    finally:
        await superuser.close()
    return now


async def move(env: Env, to: str, zone: ZoneInfo) -> datetime:
    """Move it, and return what it shows (UTC) when the stack has done all that is due. Raises Mistake for what is no
    moment, ClockInUseError while something else moves it, and NotIdleError.
    """
    async with Clock(env, SETTLES_WITHIN) as clock:
        await clock.move(moments.target(to, await clock.now(), zone))
        return await clock.now()
