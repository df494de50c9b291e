"""Accounts come back to their owners alone: a closed one, and one whose number has another owner (ID-09, ID-13)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from google.type.date_pb2 import Date
from unora.identity.v1.account_service_pb2 import (
    CloseAccountRequest,
    GetAccountRequest,
    RefreshSessionRequest,
    ReopenAccountRequest,
    VerifyPhoneRequest,
)
from unora_local import members
from unora_local.client import Session, Unexpected, refused, request_id

from unora_demo.cast import PRINCIPALS
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

RETURNS: Final = PRINCIPALS + 3
LOSES: Final = PRINCIPALS + 4
UNUSED: Final = "UPDATE identity.users SET last_used_at = last_used_at - interval '47 days' WHERE id = $1"


async def reopened(stage: Stage, note: Note) -> None:
    """ID-09, ID-13: who closed the account opens it again, on an unknown device by the birth date too."""
    member = stage.members[RETURNS]
    gateway = stage.gateway
    member.session = await members.sign_in(gateway, stage.box, member.session)
    await member.session.call(gateway.accounts.CloseAccount, CloseAccountRequest(request_id=request_id()))
    await stage.clock.wait_until_idle()

    given = await _code(stage, member)
    await refused(gateway.call(gateway.accounts.VerifyPhone, given), "BIRTH_DATE_NEEDED")
    closed = await refused(gateway.call(gateway.accounts.VerifyPhone, _with(given, _born(member))), "ACCOUNT_CLOSED")
    again = ReopenAccountRequest(
        request_id=request_id(), challenge_id=given.challenge_id, code=given.code, birth_date=_born(member)
    )
    opened = await gateway.call(gateway.accounts.ReopenAccount, again)
    expect("the account", member.id, opened.user_id)
    member.session = Session(gateway, opened.user_id, opened.tokens, member.session.number)
    account = (await member.session.call(gateway.accounts.GetAccount, GetAccountRequest())).account
    expect("discovery-ready", True, account.discovery_ready)
    await stage.clock.wait_until_idle()
    note.detail = f"{member.person.name} could return until {closed.metadata['reopen_until'][:10]}, and does"


async def moved(stage: Stage, note: Note) -> None:
    """ID-13: the next owner of a number has its codes, and after three wrong birth dates an account of their own."""
    member = stage.members[LOSES]
    gateway = stage.gateway
    await stage.clock.superuser.execute(UNUSED, UUID(member.id))
    given = await _code(stage, member)
    born = _born(member)
    wrong = [Date(year=born.year, month=born.month, day=day) for day in (1, 2, 3)]
    await refused(gateway.call(gateway.accounts.VerifyPhone, given), "BIRTH_DATE_NEEDED")
    for each, left in zip(wrong, ("2", "1"), strict=False):
        answer = await refused(gateway.call(gateway.accounts.VerifyPhone, _with(given, each)), "BIRTH_DATE_WRONG")
        expect("tries left", left, answer.metadata["tries_left"])
    new = await gateway.call(gateway.accounts.VerifyPhone, _with(given, wrong[2]))
    if not new.created or new.user_id == member.id:
        raise Unexpected("the third wrong birth date did not make an account of its own")
    old = RefreshSessionRequest(request_id=request_id(), refresh_token=member.session.refresh_token)
    await refused(gateway.call(gateway.accounts.RefreshSession, old), "SESSION_INVALID")
    await stage.clock.wait_until_idle()
    note.detail = f"the next owner of {member.person.name}'s number gets an account of their own, and nothing else"


async def _code(stage: Stage, member: Member) -> VerifyPhoneRequest:
    """A code to a member's number, as the owner of the number sends it back."""
    challenge = await members.ask_for_code(stage.gateway, member.session.number)
    code = stage.box.code(member.session.number)
    return VerifyPhoneRequest(request_id=request_id(), challenge_id=challenge, code=code)


def _with(given: VerifyPhoneRequest, born: Date) -> VerifyPhoneRequest:
    """The same code with a birth date, as another call."""
    return VerifyPhoneRequest(
        request_id=request_id(), challenge_id=given.challenge_id, code=given.code, birth_date=born
    )


def _born(member: Member) -> Date:
    return member.person.date_of_birth
