"""Couples on a running stack, created by the rows that matching would write, and the calls of their apps."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import grpc
from google.protobuf.message import Message
from unora.billing.v1 import billing_service_pb2 as billing
from unora.billing.v1.billing_service_pb2_grpc import BillingServiceStub
from unora.common.v1.types_pb2 import SERVER_TYPE_PARTNER
from unora.identity.v1.account_service_pb2 import (
    CloseAccountRequest,
    CloseAccountResponse,
    StartPhoneVerificationRequest,
    VerifyPhoneRequest,
)
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora.identity.v1.export_service_pb2 import Export, ExportAccountRequest, GetExportRequest, GetExportResponse
from unora.identity.v1.export_service_pb2_grpc import ExportServiceStub
from unora.matching.v1.events_pb2 import ConnectionFormed
from unora.matching.v1.matching_service_pb2 import END_REASON_OTHER, EndConnectionRequest
from unora.matching.v1.matching_service_pb2_grpc import MatchingServiceStub
from unora.safety.v1.safety_service_pb2 import BlockUserRequest, Target
from unora.safety.v1.safety_service_pb2_grpc import SafetyServiceStub
from unora.streak.v1.streak_service_pb2 import EFFORT_SIGNAL_HIGH, CheckInRequest, SendNudgeRequest
from unora.streak.v1.streak_service_pb2_grpc import StreakServiceStub
from unora_common.config import CONTEXTS
from unora_common.ids import uuid7
from unora_identity.providers.access_tokens import AccessTokens
from unora_local.clock import Clock
from unora_local.env import Env
from unora_sdk.names import subject_of
from unora_testing.deadlines import GENEROUS
from unora_testing.world import Caller

from tests.support import confirm, request_id

S = TypeVar("S")
AT_RISK_FOR: Final = timedelta(hours=5)
REVEAL_FOR_SALE: Final = 3
"""The lowest reveal that a free member can buy."""

FORMED = """
    INSERT INTO matching.connections
        (id, user_a_id, user_b_id, server_type, connection_status, formed_at, version)
    VALUES ($1, $2, $3, 'partner', 'active', clock.now(), 1) RETURNING formed_at"""
TAKEN = """
    INSERT INTO matching.inventory (user_id, tier, active_connection_count, connection_limit, version)
    VALUES ($1, 'free', 1, 1, 0)"""
EMITTED = """
    INSERT INTO matching.outbox (id, aggregate_id, aggregate_version, subject, payload, occurred_at, trace)
    VALUES ($1, $2, 1, $3, $4, $5, '')"""


@dataclass
class SagaCouple:
    """Two connected members. On a day that breaks, a checks in and b does not."""

    connection_id: str
    a: Caller
    b: Caller
    streak_id: str = ""


class MemberApps:
    """The members' apps: they call the services, and the provider."""

    def __init__(self, env: Env, clock: Clock, token_key: str) -> None:
        self._clock = clock
        self._tokens = AccessTokens([token_key])
        self._sms = Path(env.values["UNORA_SMS_SANDBOX"])
        self._provider = env.values["UNORA_PAYMENT_SANDBOX_URL"]
        ca, certificate, key = env.certificates()
        credentials = grpc.ssl_channel_credentials(ca, key, certificate)
        self._channels = {context: _channel(env, context, credentials) for context in CONTEXTS}

    async def close(self) -> None:
        """Closes the channels."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))

    async def connect(self, count: int) -> list[SagaCouple]:
        """New couples, whose streaks have begun."""
        made = [self._couple() for _ in range(count)]
        for couple in made:
            await self._form(couple)
        await self._clock.wait_until_idle()
        for couple in made:
            await self._see(couple)
        return made

    async def sign_up(self) -> Caller:
        """A member with an account and a session of their own."""
        stub, number = self._stub(AccountServiceStub, "identity"), f"+49151{random.randrange(10**8):08d}"
        asked = StartPhoneVerificationRequest(request_id=request_id(), phone_number=number)
        challenge = await stub.StartPhoneVerification(asked, timeout=GENEROUS, wait_for_ready=True)
        sent = [json.loads(line) for line in self._sms.read_text().splitlines()]
        code = next(line["code"] for line in reversed(sent) if line["to"] == number)
        given = VerifyPhoneRequest(request_id=request_id(), challenge_id=challenge.challenge_id, code=code)
        done = await stub.VerifyPhone(given, timeout=GENEROUS)
        return Caller(UUID(done.user_id), done.tokens.access_token)

    async def connect_with(self, member: Caller) -> SagaCouple:
        """A member who is there already, and a new one."""
        a, b = sorted((member, self._member()), key=lambda caller: caller.user)
        couple = SagaCouple(str(uuid7()), a, b)
        await self._form(couple)
        await self._clock.wait_until_idle()
        await self._see(couple)
        return couple

    async def close_account(self, request: CloseAccountRequest, by: Caller) -> CloseAccountResponse:
        """CloseAccount."""
        answer: CloseAccountResponse = await self._call(
            self._stub(AccountServiceStub, "identity").CloseAccount, request, by
        )
        return answer

    async def ask_for_export(self, by: Caller) -> Export:
        """ExportAccount."""
        asked = ExportAccountRequest(request_id=request_id())
        answer = await self._call(self._stub(ExportServiceStub, "identity").ExportAccount, asked, by)
        export: Export = answer.export
        return export

    async def get_export(self, by: Caller) -> GetExportResponse:
        """GetExport."""
        answer: GetExportResponse = await self._call(
            self._stub(ExportServiceStub, "identity").GetExport, GetExportRequest(), by
        )
        return answer

    async def break_day(self, couples: list[SagaCouple]) -> None:
        """End the first day of these couples without a check-in of b, so that their payment windows open."""
        await asyncio.gather(*(self.check_in(couple) for couple in couples))
        await self._clock.move(await self._closes_at(couples[0]) - await self._clock.now())

    async def put_at_risk(self, couples: list[SagaCouple]) -> None:
        """Move to an evening on which a has checked in, b has not, and a has used the nudge of the tier."""
        await asyncio.gather(*(self.check_in(couple) for couple in couples))
        await self._clock.move(await self._closes_at(couples[0]) - AT_RISK_FOR)
        nudge = self._stub(StreakServiceStub, "streak").SendNudge
        for couple in couples:
            await self._call(nudge, SendNudgeRequest(request_id=request_id(), streak_id=couple.streak_id), couple.a)

    async def check_in(self, couple: SagaCouple) -> None:
        """Member a checks in."""
        request = CheckInRequest(request_id=request_id(), streak_id=couple.streak_id, effort_signal=EFFORT_SIGNAL_HIGH)
        await self._call(self._stub(StreakServiceStub, "streak").CheckIn, request, couple.a)

    async def create(self, request: billing.CreatePaymentRequest, payer: Caller) -> billing.CreatePaymentResponse:
        """A payment; for a repeated request, the first one."""
        answer: billing.CreatePaymentResponse = await self._call(
            self._stub(BillingServiceStub, "billing").CreatePayment, request, payer
        )
        return answer

    async def confirm(self, confirmation: billing.Confirmation) -> None:
        """Confirm with a card that pays."""
        assert await confirm(self._provider, confirmation) == 200

    async def end(self, request: EndConnectionRequest, by: Caller) -> Any:
        """Ends a connection."""
        return await self._call(self._stub(MatchingServiceStub, "matching").EndConnection, request, by)

    async def block(self, request: BlockUserRequest, by: Caller) -> Any:
        """Blocks the other."""
        return await self._call(self._stub(SafetyServiceStub, "safety").BlockUser, request, by)

    async def _call(self, method: Callable[..., Any], request: Message, caller: Caller) -> Any:
        return await method(request, metadata=caller.metadata, timeout=GENEROUS, wait_for_ready=True)

    def _stub(self, stub: Callable[[grpc.aio.Channel], S], context: str) -> S:
        return stub(self._channels[context])

    def _couple(self) -> SagaCouple:
        a, b = sorted((self._member(), self._member()), key=lambda caller: caller.user)
        return SagaCouple(str(uuid7()), a, b)

    def _member(self) -> Caller:
        user = uuid7()
        return Caller(user, self._tokens.sign(user_id=user, session_id=uuid7()).text)

    async def _see(self, couple: SagaCouple) -> None:
        sql = "SELECT id FROM streak.streaks WHERE connection_id = $1"
        couple.streak_id = str(await self._clock.superuser.fetchval(sql, UUID(couple.connection_id)))

    async def _form(self, couple: SagaCouple) -> None:
        superuser = self._clock.superuser
        async with superuser.transaction():
            for member in (couple.a, couple.b):
                await superuser.execute(TAKEN, member.user)
            connection_id = UUID(couple.connection_id)
            at = await superuser.fetchval(FORMED, connection_id, couple.a.user, couple.b.user)
            event = ConnectionFormed(
                connection_id=couple.connection_id,
                version=1,
                user_a_id=couple.a.id,
                user_b_id=couple.b.id,
                server_type=SERVER_TYPE_PARTNER,
            )
            event.occurred_at.FromDatetime(at)
            await superuser.execute(EMITTED, uuid7(), connection_id, subject_of(event), event.SerializeToString(), at)

    async def _closes_at(self, couple: SagaCouple) -> Any:
        return await self._clock.superuser.fetchval(
            "SELECT closes_at FROM streak.streaks WHERE id = $1", UUID(couple.streak_id)
        )


def pays_for(purpose: str, couple: SagaCouple) -> billing.CreatePaymentRequest:
    """A request for a payment by money."""
    return billing.CreatePaymentRequest(
        request_id=request_id(),
        purpose=f"PAYMENT_PURPOSE_{purpose}",  # type: ignore[arg-type]
        method=billing.PAYMENT_METHOD_MONEY,
        streak_id=couple.streak_id,
        reveal_number=REVEAL_FOR_SALE if purpose == "REVEAL" else 0,
    )


def ends(couple: SagaCouple) -> EndConnectionRequest:
    """A request to end their connection."""
    return EndConnectionRequest(request_id=request_id(), connection_id=couple.connection_id, reason=END_REASON_OTHER)


def closes() -> CloseAccountRequest:
    """A request to close the account."""
    return CloseAccountRequest(request_id=request_id())


def blocks(couple: SagaCouple) -> BlockUserRequest:
    """A request to block the other."""
    return BlockUserRequest(request_id=request_id(), target=Target(connection_id=couple.connection_id))


def _channel(env: Env, context: str, credentials: grpc.ChannelCredentials) -> grpc.aio.Channel:
    options = [
        ("grpc.ssl_target_name_override", f"{context}.unora"),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
    ]
    return grpc.aio.secure_channel(env.address(context), credentials, options=options)
