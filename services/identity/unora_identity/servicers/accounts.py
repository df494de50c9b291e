"""AccountService: sign-up, sign-in, sessions and the keys that verify them."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.account_service_pb2 import (
    GetAccountRequest,
    GetAccountResponse,
    GetJwksRequest,
    GetJwksResponse,
    RefreshSessionRequest,
    RefreshSessionResponse,
    SessionTokens,
    StartPhoneVerificationRequest,
    StartPhoneVerificationResponse,
    VerifyPhoneRequest,
    VerifyPhoneResponse,
)
from unora_common.call import Call
from unora_common.database import Session
from unora_common.declare import reads
from unora_common.errors import Unauthenticated
from unora_common.messages import to_timestamp
from unora_common.service import App

from unora_identity import signing_in
from unora_identity.config import IdentityConfig
from unora_identity.domain.card import card
from unora_identity.messages import to_account, to_tokens
from unora_identity.resources import Resources
from unora_identity.signing_in import SignedIn
from unora_identity.store import members
from unora_identity.tokens import NewRefreshToken, new_refresh_token


class Accounts:
    """Accounts and their sessions (ID-01 to ID-03)."""

    service = "unora.identity.v1.AccountService"

    def __init__(self, app: App[IdentityConfig]) -> None:
        self.app = app
        self.resources: Resources = app.resources

    async def StartPhoneVerification(
        self, request: StartPhoneVerificationRequest, call: Call
    ) -> StartPhoneVerificationResponse:
        """ID-02: sends a code; says nothing of whether the number has an account."""
        challenge = await signing_in.send_code(
            self.app.database, self.resources, request.phone_number, UUID(request.request_id)
        )
        return StartPhoneVerificationResponse(
            challenge_id=str(challenge.id), expires_at=to_timestamp(challenge.expires_at)
        )

    async def VerifyPhone(self, request: VerifyPhoneRequest, call: Call) -> VerifyPhoneResponse:
        """ID-02: takes the code, opens a session."""
        fresh = new_refresh_token()
        done = await signing_in.give_code(
            self.app.database,
            self.resources,
            UUID(request.challenge_id),
            request.code,
            UUID(request.request_id),
            fresh,
        )
        return VerifyPhoneResponse(user_id=str(done.user), created=done.created, tokens=self._tokens(done, fresh))

    async def RefreshSession(self, request: RefreshSessionRequest, call: Call) -> RefreshSessionResponse:
        """ID-03: the session goes on."""
        fresh = new_refresh_token()
        done = await signing_in.refresh(
            self.app.database, self.resources, request.refresh_token, UUID(request.request_id), fresh
        )
        return RefreshSessionResponse(tokens=self._tokens(done, fresh))

    async def GetJwks(self, request: GetJwksRequest, call: Call) -> GetJwksResponse:
        """ID-03: the keys that verify access tokens."""
        keys = self.resources.tokens.jwks()["keys"]
        return GetJwksResponse(keys=[GetJwksResponse.Key(**key) for key in keys])

    @reads
    async def GetAccount(self, request: GetAccountRequest, db: Session) -> GetAccountResponse:
        """The caller's own account, in the one read that a home screen makes."""
        kept = (await members.read(db, db.user)).get(db.user)
        if kept is None:
            raise Unauthenticated
        shown = card(kept.member, kept.now, self.resources.policy)
        return GetAccountResponse(account=to_account(kept, shown))

    def _tokens(self, done: SignedIn, fresh: NewRefreshToken) -> SessionTokens:
        access = self.resources.tokens.sign(user_id=done.user, session_id=done.session, roles=done.roles)
        return to_tokens(access, fresh.text, done.token)
