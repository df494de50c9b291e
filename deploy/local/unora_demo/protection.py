"""Safety: a block, a report, decisions that stay hidden, a suspension (SA-02 to SA-08, MA-12)."""

from __future__ import annotations

import asyncio
from typing import Final

import pyotp
from unora.identity.v1.account_service_pb2 import GetAccountRequest
from unora.matching.v1.matching_service_pb2 import CONNECTION_STATUS_ENDED, ListConnectionsRequest
from unora.safety.v1.events_pb2 import (
    DECISION_REDUCE_VISIBILITY,
    DECISION_SUSPEND,
    REPORT_CATEGORY_HARASSMENT,
    REPORT_CATEGORY_SCAM,
    Decision,
    ReportCategory,
)
from unora.safety.v1.moderation_service_pb2 import (
    AssignCaseRequest,
    Case,
    DecideCaseRequest,
    ExplainMemberRequest,
    ListCasesRequest,
    Standing,
)
from unora.safety.v1.safety_service_pb2 import (
    BlockUserRequest,
    ListBlocksRequest,
    ReportUserRequest,
    SubmitAppealRequest,
    Target,
)
from unora.streak.v1.streak_service_pb2 import GetDashboardRequest
from unora_local import members
from unora_local.admin import secret_in
from unora_local.client import Refused, Unexpected, refused, request_id

from unora_demo.matching import inventory, visible_answers
from unora_demo.people import Member
from unora_demo.stage import Stage
from unora_demo.timeline import Note, expect

WITHIN: Final = 60
"""Seconds within which a suspension takes effect in every process (SA-06)."""


async def block(stage: Stage, note: Note) -> None:
    """MA-12: a block mid-streak ends the connection; the other sees one neutral ending, and no slot is held."""
    scene = stage.scene("H")
    request = BlockUserRequest(request_id=request_id(), target=Target(connection_id=scene.connection.connection_id))
    await scene.one.session.call(stage.gateway.safety.BlockUser, request)
    await stage.clock.wait_until_idle()
    for member in scene.couple:
        ended = await member.session.call(
            stage.gateway.matching.ListConnections, ListConnectionsRequest(show_ended=True)
        )
        expect("the connection", [CONNECTION_STATUS_ENDED], [each.status for each in ended.connections])
        dashboard = await member.session.call(stage.gateway.streaks.GetDashboard, GetDashboardRequest())
        expect("streaks on the dashboard", 0, len(dashboard.streaks))
        expect("slots taken", 0, (await inventory(stage, member)).active_connection_count)
    blocks = [
        len((await member.session.call(stage.gateway.safety.ListBlocks, ListBlocksRequest())).blocks)
        for member in scene.couple
    ]
    expect("blocks that each sees", [1, 0], blocks)
    note.detail = f"{scene.one.person.name} blocks {scene.other.person.name}: the connection is over, nothing tells why"


async def reduced(stage: Stage, note: Note) -> None:
    """SA-03, SA-05, SA-07, DI-10: a report becomes a case, which is decided; no answer shows that to the member."""
    scene = stage.scene("H")
    await _report(scene, scene.one, REPORT_CATEGORY_HARASSMENT)
    await _moderator(stage)
    before = await _visible_answers(stage, scene.other)
    case = await _decide(stage, scene.other, DECISION_REDUCE_VISIBILITY)
    expect("the standing", Standing(reduced_visibility=True), await _standing(stage, scene.other))
    for what, after in (await _visible_answers(stage, scene.other)).items():
        expect(f"{what} of the one it is about", before[what], after)
    again = DecideCaseRequest(request_id=request_id(), case_id=case.case_id, decision=DECISION_SUSPEND)
    await refused(stage.onlooker.session.call(stage.gateway.moderation.DecideCase, again), "CASE_DECIDED")
    note.detail = f"reported, decided by {stage.onlooker.person.name}: shown less often, and every answer is as before"


async def suspended(stage: Stage, note: Note) -> None:
    """SA-06: a suspension ends connections, and tokens stop working; signing in again opens an appeal only."""
    scene = stage.scene("I")
    out = scene.one
    await _report(scene, scene.other, REPORT_CATEGORY_SCAM)
    await _decide(stage, out, DECISION_SUSPEND)
    for method, request in (
        (stage.gateway.streaks.GetDashboard, GetDashboardRequest()),
        (stage.gateway.matching.ListConnections, ListConnectionsRequest()),
        (stage.gateway.accounts.GetAccount, GetAccountRequest()),
    ):
        await _until_revoked(stage, out, method, request)
    expect("slots that the other holds", 0, (await inventory(stage, scene.other)).active_connection_count)
    out.session = await members.sign_in(stage.gateway, stage.box, out.session)
    account = (await out.session.call(stage.gateway.accounts.GetAccount, GetAccountRequest())).account
    expect("suspended", True, account.suspended)
    await refused(inventory(stage, out), "ACCOUNT_SUSPENDED")
    appeal = SubmitAppealRequest(request_id=request_id(), text="I would like this to be looked at again.")
    await out.session.call(stage.gateway.safety.SubmitAppeal, appeal)
    await stage.clock.wait_until_idle()
    expect("cases with an appeal", 1, len([each for each in await _cases(stage, out) if each.appealed]))
    note.detail = f"{out.person.name} is out everywhere, the connection is over; signing in again opens an appeal only"


async def _until_revoked(stage: Stage, member: Member, method: object, request: object) -> None:
    """Every process polls the revoked sessions; until it knows them, the call is answered and tried again."""
    for _ in range(WITHIN * 2):
        await stage.clock.wait_until_idle()
        try:
            await member.session.call(method, request)  # type: ignore[type-var, arg-type]
        except Refused as error:
            expect("the refusal of a revoked session", "SESSION_REVOKED", error.reason)
            return
        await asyncio.sleep(0.5)  # processes ask for revoked sessions every ten seconds
    raise Unexpected(f"a suspended member's token still works after {WITHIN} s")


async def _report(scene: Stage, author: Member, category: ReportCategory.ValueType) -> None:
    request = ReportUserRequest(
        request_id=request_id(),
        target=Target(connection_id=scene.connection.connection_id),
        category=category,
        note="It did not feel right.",
    )
    await author.session.call(scene.gateway.safety.ReportUser, request)
    await scene.clock.wait_until_idle()


async def _moderator(stage: Stage) -> None:
    """XX-03, ID-15: a member who is no admin sees no case. The onlooker gets the role, and a session that carries it by
    signing in with a second factor; without one the session is that of a member.
    """
    onlooker = stage.onlooker
    await refused(_cases(stage, onlooker), "ADMIN_ONLY")
    secret = secret_in(await stage.make_admin(onlooker.id))
    await onlooker.session.refresh()
    await refused(_cases(stage, onlooker), "ADMIN_ONLY")
    code = pyotp.TOTP(secret).now()
    onlooker.session = await members.sign_in(stage.gateway, stage.box, onlooker.session, code)


async def _cases(stage: Stage, about: Member) -> list[Case]:
    answer = await stage.onlooker.session.call(stage.gateway.moderation.ListCases, ListCasesRequest(page_size=100))
    return [case for case in answer.cases if case.user_id == about.id]


async def _decide(stage: Stage, about: Member, decision: Decision.ValueType) -> Case:
    moderator = stage.onlooker.session
    (case,) = await _cases(stage, about)
    take = AssignCaseRequest(request_id=request_id(), case_id=case.case_id)
    await moderator.call(stage.gateway.moderation.AssignCase, take)
    decide = DecideCaseRequest(request_id=request_id(), case_id=case.case_id, decision=decision)
    await moderator.call(stage.gateway.moderation.DecideCase, decide)
    await stage.clock.wait_until_idle()
    return case


async def _standing(stage: Stage, member: Member) -> Standing:
    request = ExplainMemberRequest(user_id=member.id)
    return (await stage.onlooker.session.call(stage.gateway.moderation.ExplainMember, request)).standing


async def _visible_answers(stage: Stage, member: Member) -> dict[str, object]:
    """Every answer that could show the member a decision."""
    account = await member.session.call(stage.gateway.accounts.GetAccount, GetAccountRequest())
    return {**await visible_answers(stage, member), "the account": account}
