"""AccountService: sign-up, sign-in, sessions and the keys that verify them."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.account_service_pb2 import (
    GetAccountRequest,
    GetAccountResponse,
    GetJwksRequest,
    GetJwksResponse,
    ListSessionsRequest,
    ListSessionsResponse,
    RefreshSessionRequest,
    RefreshSessionResponse,
    RevokeSessionRequest,
    RevokeSessionResponse,
    SessionTokens,
    StartPhoneVerificationRequest,
    StartPhoneVerificationResponse,
    VerifyPhoneRequest,
    VerifyPhoneResponse,
)
from unora_common.call import Call
from unora_common.client_network import client_network
from unora_common.database import Session, Tx
from unora_common.errors import Unauthenticated
from unora_common.handlers import custom_read, custom_write, idempotent, reads
from unora_common.messages import to_timestamp
from unora_common.pages import DEFAULT_SIZE, Listing, Place
from unora_common.runtime import Runtime

from unora_identity.config import IdentityConfig
from unora_identity.domain.card import make_card
from unora_identity.messages import to_account, to_session, to_session_tokens
from unora_identity.providers.code_alarm import CodeAlarm
from unora_identity.providers.random_secrets import NewRefreshToken, new_refresh_token
from unora_identity.resources import Resources
from unora_identity.store import members, sessions
from unora_identity.use_cases.phone_verification import start_phone_verification, verify_phone
from unora_identity.use_cases.sessions import SignedIn, refresh_session, revoke_own_session


class Accounts:
    """Accounts and their sessions (ID-01 to ID-03)."""

    service = "unora.identity.v1.AccountService"

    def __init__(self, runtime: Runtime[IdentityConfig, Resources]) -> None:
        self.runtime = runtime
        self.alarm = CodeAlarm(runtime.log, runtime.metrics.registry)

    @custom_write
    async def StartPhoneVerification(
        self, request: StartPhoneVerificationRequest, call: Call
    ) -> StartPhoneVerificationResponse:
        """ID-02: sends a code; the response does not tell whether the number has an account."""
        challenge = await start_phone_verification(
            self.runtime,
            self.alarm,
            request.phone_number,
            UUID(request.request_id),
            request.device_id,
            client_network(call),
        )
        return StartPhoneVerificationResponse(
            challenge_id=str(challenge.id), expires_at=to_timestamp(challenge.expires_at)
        )

    @custom_write
    async def VerifyPhone(self, request: VerifyPhoneRequest, call: Call) -> VerifyPhoneResponse:
        """ID-02: takes the code and opens a session."""
        fresh = new_refresh_token()
        result = await verify_phone(
            self.runtime,
            self.alarm,
            UUID(request.challenge_id),
            request.code,
            UUID(request.request_id),
            fresh,
            request.device_id,
        )
        return VerifyPhoneResponse(
            user_id=str(result.user), created=result.created_account, tokens=self._tokens(result, fresh)
        )

    @custom_write
    async def RefreshSession(self, request: RefreshSessionRequest, call: Call) -> RefreshSessionResponse:
        """ID-03: exchanges a refresh token for fresh tokens."""
        fresh = new_refresh_token()
        result = await refresh_session(self.runtime, request.refresh_token, UUID(request.request_id), fresh)
        return RefreshSessionResponse(tokens=self._tokens(result, fresh))

    @custom_read
    async def GetJwks(self, request: GetJwksRequest, call: Call) -> GetJwksResponse:
        """ID-03: the keys that verify access tokens."""
        keys = self.runtime.resources.access_tokens.jwks()["keys"]
        return GetJwksResponse(keys=[GetJwksResponse.Key(**key) for key in keys])

    @custom_read
    async def ListSessions(self, request: ListSessionsRequest, call: Call) -> ListSessionsResponse:
        """ID-03: the caller's active sessions."""
        assert call.user is not None
        listing, size = Listing("sessions", call.user), request.page_size or DEFAULT_SIZE
        after, now = listing.place(request.page_token), self.runtime.resources.machine_now()
        async with self.runtime.database.session(call.user) as db:
            found = await sessions.list_active(db, now, after, size + 1)
        page, token = listing.page(found, size, lambda session: Place(session.started_at, session.id))
        return ListSessionsResponse(
            sessions=[to_session(session, call.session) for session in page], next_page_token=token
        )

    @idempotent
    async def RevokeSession(self, request: RevokeSessionRequest, tx: Tx) -> RevokeSessionResponse:
        """ID-03, SA-06: ends a session of the caller."""
        await revoke_own_session(tx, self.runtime.resources, UUID(request.session_id))
        return RevokeSessionResponse()

    @reads
    async def GetAccount(self, request: GetAccountRequest, db: Session) -> GetAccountResponse:
        """The caller's own account, in the one read that a home screen needs."""
        account = await members.find(db, db.user)
        if account is None:
            raise Unauthenticated
        card = make_card(account.member, account.now, self.runtime.resources.policy)
        return GetAccountResponse(account=to_account(account, card))

    def _tokens(self, result: SignedIn, fresh: NewRefreshToken) -> SessionTokens:
        access = self.runtime.resources.access_tokens.sign(
            user_id=result.user, session_id=result.session, roles=result.roles, suspended=result.suspended
        )
        return to_session_tokens(access, fresh.text, result.token)
