"""A member pauses and resumes, and two close their accounts (ID-09, ID-16)."""

from __future__ import annotations

import asyncio
from datetime import UTC
from typing import Final

from unora.identity.v1.account_service_pb2 import (
    Account,
    CloseAccountRequest,
    GetAccountRequest,
    PauseAccountRequest,
    ResumeAccountRequest,
)
from unora_local import members
from unora_local.client import Refused, Unexpected, refused, request_id

from unora_demo.cast import PRINCIPALS
from unora_demo.discovery import refresh
from unora_demo.matching import visible_answers
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

WITHIN: Final = 60
"""Seconds within which the end of a session takes effect in every process (SA-06)."""


async def pauses(stage: Stage, note: Note) -> None:
    """ID-16: a pause stops new cards and interests, and shows others nothing; then all is as before."""
    member, onlooker = stage.scene("I").other, stage.onlooker
    before = await visible_answers(stage, onlooker)
    await member.session.call(stage.gateway.accounts.PauseAccount, PauseAccountRequest(request_id=request_id()))
    await stage.clock.wait_until_idle()
    expect("paused", True, (await _account(stage, member)).HasField("paused_at"))
    await refused(refresh(stage, member), "ACCOUNT_PAUSED")
    for what, after in (await visible_answers(stage, onlooker)).items():
        expect(f"{what} of another", before[what], after)
    await member.session.call(stage.gateway.accounts.ResumeAccount, ResumeAccountRequest(request_id=request_id()))
    await stage.clock.wait_until_idle()
    account = await _account(stage, member)
    expect("paused, ready", (False, True), (account.HasField("paused_at"), account.discovery_ready))
    note.detail = f"{member.person.name} gets no cards for a while, and nobody can tell"


async def closes(stage: Stage, note: Note) -> None:
    """ID-09: who closes the account is gone for all others at once, and signed out everywhere."""
    leaving = stage.scene("I").other, stage.members[PRINCIPALS + 2]
    for member in leaving:
        await _close(stage, member)
    ids = [member.id for member in leaving]
    shown = await stage.clock.superuser.fetchval(
        "SELECT count(*) FROM discovery.candidates WHERE user_id = ANY($1::uuid[]) AND discovery_ready", ids
    )
    expect("of them may be shown", 0, shown)
    note.detail = f"{' and '.join(member.person.name for member in leaving)} are gone, for 30 days not for good"


async def closes_later(stage: Stage, note: Note) -> None:
    """ID-09: after those are erased, another one leaves, who could still come back at the end of the story."""
    member = stage.members[PRINCIPALS + 3]
    await _close(stage, member)
    note.detail = f"{member.person.name} is gone too"


async def _close(stage: Stage, member: Member) -> None:
    fresh = await members.sign_in(stage.gateway, stage.box, member.session)
    closed = await fresh.call(stage.gateway.accounts.CloseAccount, CloseAccountRequest(request_id=request_id()))
    kept = closed.erase_after.ToDatetime(UTC) - await stage.clock.now()
    expect("days in which it can be reopened", 30, round(kept.total_seconds() / 86400))
    await stage.clock.wait_until_idle()
    await _until_signed_out(stage, member)


async def _account(stage: Stage, member: Member) -> Account:
    return (await member.session.call(stage.gateway.accounts.GetAccount, GetAccountRequest())).account


async def _until_signed_out(stage: Stage, member: Member) -> None:
    """Each process polls revocations; until it knows them, a call is answered and tried again."""
    for _ in range(WITHIN * 2):
        try:
            await _account(stage, member)
        except Refused as error:
            expect("the refusal of a revoked session", "SESSION_REVOKED", error.reason)
            return
        await asyncio.sleep(0.5)  # processes ask for revoked sessions every ten seconds
        await stage.clock.wait_until_idle()
    raise Unexpected(f"the token of a closed account still works after {WITHIN} s")
